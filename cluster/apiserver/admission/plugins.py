"""The admission chain: which plugins are asked about a request, in Kubernetes' own order."""

from __future__ import annotations

from functools import cache

from cluster.apiserver.admission.certificates import (
    CertificateApproval,
    CertificateRequester,
    CertificateSigning,
    CertificateSubjectRestriction,
)
from cluster.apiserver.admission.defaults import (
    DefaultIngressClass,
    DefaultStorageClass,
    PersistentVolumeClaimResize,
    StorageObjectInUseProtection,
)
from cluster.apiserver.admission.limits import LimitRanger
from cluster.apiserver.admission.namespaces import NamespaceLifecycle
from cluster.apiserver.admission.nodes import NodeRestriction, TaintNodesByCondition
from cluster.apiserver.admission.plugin import Plugin
from cluster.apiserver.admission.pods import DefaultTolerationSeconds, Priority, RuntimeClass, ServiceAccount
from cluster.apiserver.admission.quota import ResourceQuota
from cluster.apiserver.admission.sandboxes import SandboxOwner
from cluster.apiserver.admission.services import ServiceAllocator

CHAIN: tuple[Plugin, ...] = (
    NamespaceLifecycle(),
    LimitRanger(),
    ServiceAccount(),
    NodeRestriction(),
    TaintNodesByCondition(),
    Priority(),
    DefaultTolerationSeconds(),
    DefaultStorageClass(),
    StorageObjectInUseProtection(),
    PersistentVolumeClaimResize(),
    RuntimeClass(),
    SandboxOwner(),
    CertificateRequester(),
    CertificateApproval(),
    CertificateSigning(),
    CertificateSubjectRestriction(),
    DefaultIngressClass(),
    ServiceAllocator(),
    ResourceQuota(),
)

Chosen = tuple[tuple[Plugin, ...], tuple[Plugin, ...]]


@cache
def plugins_for(storage_key: str, operation: str, subresource: str) -> Chosen:
    """(mutating, validating) for a kind of request; worked out once for each."""
    asked = [
        plugin
        for plugin in CHAIN
        if operation in plugin.operations
        and subresource in plugin.subresources
        and (plugin.resources is None or storage_key in plugin.resources)
    ]
    mutating = tuple(plugin for plugin in asked if type(plugin).admit is not Plugin.admit)
    validating = tuple(plugin for plugin in asked if type(plugin).validate is not Plugin.validate)
    return mutating, validating
