"""The scale subresource: a workload seen as nothing but a number of replicas (autoscaling/v1 Scale)."""

from __future__ import annotations

from typing import Any

from cluster.apimachinery.labels import from_map, from_selector
from cluster.apiserver.resources.registry import Resource

Obj = dict[str, Any]


def scale_of(obj: Obj, resource: Resource) -> Obj:
    """The Scale of a Deployment, ReplicaSet, StatefulSet or ReplicationController."""
    metadata, spec, status = obj["metadata"], obj.get("spec") or {}, obj.get("status") or {}
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    shown: Obj = {"replicas": status.get("replicas", 0)}
    selector = spec.get("selector")
    if selector:
        shown["selector"] = str(from_selector(selector) if resource.group else from_map(selector))
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: metadata[name] for name in kept if name in metadata},
        "spec": {"replicas": spec["replicas"]} if spec.get("replicas") else {},
        "status": shown,
    }


def apply_scale(obj: Obj, scale: Obj) -> Obj:
    """`obj` with the replicas that the Scale asks for."""
    return {**obj, "spec": {**(obj.get("spec") or {}), "replicas": (scale.get("spec") or {}).get("replicas", 0)}}
