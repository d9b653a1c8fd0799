"""Which strategy rules which kind: one table, by the kind's key in the log."""

from __future__ import annotations

from functools import cache
from typing import Any

from cluster.apiserver.apiextensions.definition import DefinitionStrategy
from cluster.apiserver.resources.kinds import KINDS
from cluster.apiserver.resources.registry import Resource, parse_line
from cluster.apiserver.strategies import (
    admissionpolicies,
    apiservices,
    certificates,
    config,
    daemonsets,
    deployments,
    events,
    jobs,
    lessons,
    namespaces,
    network,
    nodes,
    pods,
    rbac,
    scheduling,
    services,
    simulation,
    statefulsets,
    storage,
    webhookconfigurations,
)
from cluster.apiserver.strategies.base import Strategy

__all__ = ["Strategy", "strategy_for", "strategy_of"]

RBAC = "rbac.authorization.k8s.io"

STRATEGIES: dict[str, type[Strategy]] = {
    "apiextensions.k8s.io/customresourcedefinitions": DefinitionStrategy,
    "pods": pods.PodStrategy,
    "podtemplates": pods.PodTemplateStrategy,
    "replicationcontrollers": deployments.ReplicationControllerStrategy,
    "apps/deployments": deployments.DeploymentStrategy,
    "apps/replicasets": deployments.ReplicaSetStrategy,
    "apps/statefulsets": statefulsets.StatefulSetStrategy,
    "apps/daemonsets": daemonsets.DaemonSetStrategy,
    "apps/controllerrevisions": daemonsets.ControllerRevisionStrategy,
    "batch/jobs": jobs.JobStrategy,
    "batch/cronjobs": jobs.CronJobStrategy,
    "services": services.ServiceStrategy,
    "endpoints": services.EndpointsStrategy,
    "discovery.k8s.io/endpointslices": services.EndpointSliceStrategy,
    "namespaces": namespaces.NamespaceStrategy,
    "nodes": nodes.NodeStrategy,
    "serviceaccounts": namespaces.ServiceAccountStrategy,
    "configmaps": config.ConfigMapStrategy,
    "secrets": config.SecretStrategy,
    "limitranges": namespaces.LimitRangeStrategy,
    "resourcequotas": namespaces.ResourceQuotaStrategy,
    "events": events.EventStrategy,
    "coordination.k8s.io/leases": nodes.LeaseStrategy,
    "scheduling.k8s.io/priorityclasses": scheduling.PriorityClassStrategy,
    "policy/poddisruptionbudgets": scheduling.PodDisruptionBudgetStrategy,
    "certificates.k8s.io/certificatesigningrequests": certificates.CertificateSigningRequestStrategy,
    f"{RBAC}/roles": rbac.RBACStrategy,
    f"{RBAC}/rolebindings": rbac.RBACStrategy,
    f"{RBAC}/clusterroles": rbac.ClusterRBACStrategy,
    f"{RBAC}/clusterrolebindings": rbac.ClusterRBACStrategy,
    "networking.k8s.io/ingresses": network.IngressStrategy,
    "networking.k8s.io/ingressclasses": network.IngressClassStrategy,
    "networking.k8s.io/networkpolicies": network.NetworkPolicyStrategy,
    "networking.k8s.io/ipaddresses": network.IPAddressStrategy,
    "autoscaling/horizontalpodautoscalers": network.AutoscalerStrategy,
    "persistentvolumes": storage.VolumeStrategy,
    "persistentvolumeclaims": storage.ClaimStrategy,
    "storage.k8s.io/storageclasses": storage.StorageClassStrategy,
    "storage.k8s.io/volumeattributesclasses": storage.VolumeAttributesClassStrategy,
    "node.k8s.io/runtimeclasses": nodes.RuntimeClassStrategy,
    "storage.k8s.io/csidrivers": storage.CSIDriverStrategy,
    "admissionregistration.k8s.io/validatingwebhookconfigurations": webhookconfigurations.WebhookConfigurationStrategy,
    "admissionregistration.k8s.io/mutatingwebhookconfigurations": webhookconfigurations.MutatingWebhookConfigurationStrategy,
    "admissionregistration.k8s.io/validatingadmissionpolicies": admissionpolicies.PolicyStrategy,
    "admissionregistration.k8s.io/validatingadmissionpolicybindings": admissionpolicies.BindingStrategy,
    "admissionregistration.k8s.io/mutatingadmissionpolicies": admissionpolicies.MutatingPolicyStrategy,
    "admissionregistration.k8s.io/mutatingadmissionpolicybindings": admissionpolicies.MutatingBindingStrategy,
    "apiregistration.k8s.io/apiservices": apiservices.APIServiceStrategy,
    "sim.kubeweb.dev/faults": simulation.FaultStrategy,
    "sim.kubeweb.dev/sandboxes": simulation.SandboxStrategy,
    "sim.kubeweb.dev/lessons": lessons.LessonStrategy,
    "sim.kubeweb.dev/traffics": simulation.TrafficStrategy,
    "sim.kubeweb.dev/containerimages": simulation.ContainerImageStrategy,
    "sim.kubeweb.dev/clocks": simulation.ClockStrategy,
}

# Kinds without rules of their own whose specs count generations.
_COUNTED = frozenset(
    {
        "flowcontrol.apiserver.k8s.io/flowschemas",
        "flowcontrol.apiserver.k8s.io/prioritylevelconfigurations",
    }
)


@cache
def _plain() -> dict[str, Any]:
    """Scope and status of every built-in kind, for those that need nothing more."""
    found = {}
    for api_version, lines in KINDS.items():
        for line in lines.strip().splitlines():
            resource = parse_line(api_version, line)
            found[resource.storage_key] = resource
    return found


def strategy_of(resource: Resource) -> Strategy:
    """The strategy of a resource, built in or custom."""
    if resource.custom is not None:
        custom: Strategy = resource.custom.strategy
        return custom
    return strategy_for(resource.storage_key)


@cache
def strategy_for(storage_key: str) -> Strategy:
    """The strategy of a built-in kind (made once)."""
    known = STRATEGIES.get(storage_key)
    if known is not None:
        return known()
    resource = _plain()[storage_key]
    plain = type(
        f"{resource.kind}Strategy",
        (Strategy,),
        {
            "__doc__": f"{resource.kind}: the ordinary rules.",
            "namespaced": resource.namespaced,
            "has_status": "status" in resource.subresources,
            "has_generation": storage_key in _COUNTED,
        },
    )
    made: Strategy = plain()
    return made
