"""What a Sandbox is made of."""

from __future__ import annotations

from cluster.client.client import Obj

PREFIX = "sandbox-"
NAME = "sandbox"
QUOTA = {
    "requests.cpu": "4",
    "requests.memory": "8Gi",
    "limits.cpu": "8",
    "limits.memory": "16Gi",
    "pods": "50",
    "services": "20",
    "secrets": "50",
    "configmaps": "50",
    "persistentvolumeclaims": "10",
}
# Priorities before which other people's pods would have to go.
CRITICAL = {
    "scopeName": "PriorityClass",
    "operator": "In",
    "values": ["system-cluster-critical", "system-node-critical"],
}
LIMITS = {
    "type": "Container",
    "default": {"cpu": "500m", "memory": "256Mi"},
    "defaultRequest": {"cpu": "50m", "memory": "64Mi"},
    "max": {"cpu": "4", "memory": "8Gi"},
}
# The ClusterRole for what lies in no namespace and is around every sandbox: machines, the clock.
SURROUNDINGS = "kubeweb:surroundings"
RBAC = "rbac.authorization.k8s.io"


def namespace_of(sandbox: Obj) -> str:
    """The namespace that a Sandbox gets."""
    return f"{PREFIX}{sandbox['metadata']['name']}"


def owner_of(sandbox: Obj) -> Obj:
    """The owner reference that lets the namespace go with its Sandbox."""
    metadata = sandbox["metadata"]
    return {
        "apiVersion": "sim.kubeweb.dev/v1alpha1",
        "kind": "Sandbox",
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
    }


def contents(sandbox: Obj) -> list[tuple[str, Obj]]:
    """(resource, object) of what comes with the namespace from the beginning; after the namespace itself, in order."""
    namespace, spec = namespace_of(sandbox), sandbox["spec"]
    metadata = {"name": NAME, "namespace": namespace}
    role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": spec.get("role") or "admin"}
    person = {"apiGroup": RBAC, "kind": "User", "name": spec["user"]}
    return [
        (
            "v1/resourcequotas",
            {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": QUOTA}},
        ),
        (
            "v1/resourcequotas",
            {
                "apiVersion": "v1",
                "kind": "ResourceQuota",
                "metadata": {**metadata, "name": f"{NAME}-critical"},
                "spec": {"hard": {"pods": "0"}, "scopeSelector": {"matchExpressions": [CRITICAL]}},
            },
        ),
        (
            "v1/limitranges",
            {"apiVersion": "v1", "kind": "LimitRange", "metadata": metadata, "spec": {"limits": [LIMITS]}},
        ),
        (
            f"{RBAC}/v1/rolebindings",
            {
                "apiVersion": f"{RBAC}/v1",
                "kind": "RoleBinding",
                "metadata": metadata,
                "roleRef": role,
                "subjects": [person],
            },
        ),
        (
            f"{RBAC}/v1/clusterrolebindings",
            {
                "apiVersion": f"{RBAC}/v1",
                "kind": "ClusterRoleBinding",
                "metadata": {"name": f"kubeweb:{namespace}", "ownerReferences": [owner_of(sandbox)]},
                "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": SURROUNDINGS},
                "subjects": [person],
            },
        ),
    ]


def namespace_for(sandbox: Obj) -> Obj:
    """The namespace, owned by its Sandbox."""
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": namespace_of(sandbox),
            "labels": {"sim.kubeweb.dev/sandbox": sandbox["metadata"]["name"]},
            "ownerReferences": [owner_of(sandbox)],
        },
    }
