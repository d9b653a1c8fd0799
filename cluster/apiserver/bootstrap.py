"""What a cluster has from its first second: namespaces, RBAC, priority classes, the `kubernetes` Service.

Everything is created through the pipeline as system:masters, the way the real API server's post-start hooks do it. Running it
again repairs what is missing and leaves the rest alone.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from cluster.accounts import pki
from cluster.apimachinery.errors import StatusError, is_already_exists
from cluster.apiserver.authz.bootstrap import bootstrap_objects, reconcile
from cluster.apiserver.flowcontrol import defaults as flowcontrol
from cluster.apiserver.request import SYSTEM
from cluster.apiserver.server import APIServer

Obj = dict[str, Any]


def _namespace(name: str) -> Obj:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _priority_class(name: str, value: int, description: str) -> Obj:
    return {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": name},
        "value": value,
        "description": description,
    }


# Where the API server is, as the nodes see it; in the nodes' own network, before their first address.
ADVERTISED = "172.18.0.1"

NAMESPACES = tuple(_namespace(name) for name in ("default", "kube-system", "kube-public", "kube-node-lease"))

OBJECTS: tuple[Obj, ...] = (
    _priority_class(
        "system-cluster-critical",
        2000000000,
        "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    ),
    _priority_class(
        "system-node-critical",
        2000001000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
    # The disks are simulated, too: the volume binder makes them (its policy's SIMULATED).
    {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": "standard",
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": "sim.kubeweb.dev/disk",
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate",
        "allowVolumeExpansion": True,
    },
    {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "labels": {"component": "apiserver", "provider": "kubernetes"},
        },
        "spec": {
            "type": "ClusterIP",
            "clusterIP": "10.96.0.1",
            "clusterIPs": ["10.96.0.1"],
            "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}],
        },
    },
    # Who answers for it: the API server writes these itself, no controller does.
    {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"},
        },
        "subsets": [
            {
                "addresses": [{"ip": ADVERTISED}],
                "ports": [{"name": "https", "port": 6443, "protocol": "TCP"}],
            }
        ],
    },
    {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "labels": {"kubernetes.io/service-name": "kubernetes"},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [ADVERTISED], "conditions": {"ready": True}}],
        "ports": [{"name": "https", "port": 6443, "protocol": "TCP"}],
    },
    {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "ServiceCIDR",
        "metadata": {"name": "kubernetes"},
        "spec": {"cidrs": ["10.96.0.0/16"]},
    },
)

# Users of our own that no Kubernetes ships: the machines learn of Node objects to run kubelets for them.
OWN_RBAC: tuple[Obj, ...] = (
    {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "system:kubeweb:machines"},
        "rules": [
            {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list", "watch"]},
            # Whose disks are still wanted.
            {"apiGroups": [""], "resources": ["pods", "persistentvolumes"], "verbs": ["list"]},
            {"apiGroups": ["sim.kubeweb.dev"], "resources": ["containerimages"], "verbs": ["get", "list", "watch"]},
        ],
    },
    {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "system:kubeweb:machines"},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "system:kubeweb:machines",
        },
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "system:kubeweb:machines"}],
    },
)


def _authentication(data_dir: Path) -> Obj:
    """By which authority clients are known: what extension API servers read (the cluster authentication info controller)."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "extension-apiserver-authentication", "namespace": "kube-system"},
        "data": {"client-ca-file": pki.CertificateAuthority(data_dir / "pki").pem.decode()},
    }


async def ensure(server: APIServer, data_dir: Path) -> None:
    """Create what is missing; bring the default RBAC up to date."""
    client = server.loopback(SYSTEM, "kube-apiserver")

    async def create(obj: Obj) -> None:
        resource = server.registry.by_kind(obj["apiVersion"], obj["kind"])
        assert resource is not None, obj["kind"]
        metadata = obj["metadata"]
        existing = server.storage.get(resource.storage_key, metadata.get("namespace", ""), metadata["name"])
        if existing is None:
            try:
                await client.create(resource.path, obj, metadata.get("namespace", ""))
            except StatusError as error:
                if not is_already_exists(error):
                    raise
        elif obj["apiVersion"].startswith("rbac.authorization.k8s.io/"):
            wanted = reconcile(existing, obj)
            if wanted is None:
                return
            if wanted["metadata"].get("resourceVersion"):
                await client.update(resource.path, wanted)
                return
            # A binding to another role: roleRef cannot change, so it is made anew.
            await client.delete(resource.path, metadata["name"], metadata.get("namespace", ""))
            await client.create(resource.path, wanted, metadata.get("namespace", ""))

    for group in (
        NAMESPACES,
        (*bootstrap_objects(), *OWN_RBAC),
        (*flowcontrol.OBJECTS, *OBJECTS, _authentication(data_dir)),
    ):
        await asyncio.gather(*(create(obj) for obj in group))
