"""The scale subresource: a workload seen as nothing but a number of replicas (autoscaling/v1 Scale)."""

from __future__ import annotations

import json
from typing import Any

from cluster.apimachinery import errors
from cluster.apimachinery.labels import from_map, from_selector
from cluster.apiserver.resources.registry import Resource

Obj = dict[str, Any]
_KEPT = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def scale_of(obj: Obj, resource: Resource) -> Obj:
    """The Scale of a Deployment, ReplicaSet, StatefulSet or ReplicationController."""
    if resource.custom is not None:
        return _custom_scale(obj, resource.custom.scale)
    metadata, spec, status = obj["metadata"], obj.get("spec") or {}, obj.get("status") or {}
    kept = _KEPT
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


def _at(obj: Any, path: str) -> Any:
    for step in path.strip(".").split("."):
        obj = obj.get(step) if isinstance(obj, dict) else None
    return obj


def _custom_scale(obj: Obj, paths: Obj) -> Obj:
    """The Scale of a custom resource, from where its definition says."""
    shown: Obj = {"replicas": _at(obj, paths["statusReplicasPath"]) or 0}
    if paths.get("labelSelectorPath"):
        selector = _at(obj, paths["labelSelectorPath"])
        if isinstance(selector, str) and selector:
            shown["selector"] = selector
    replicas = _at(obj, paths["specReplicasPath"])
    if not isinstance(replicas, int):
        raise errors.internal(f"the spec replicas field {json.dumps(paths['specReplicasPath'])} does not exist")
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: obj["metadata"][name] for name in _KEPT if name in obj["metadata"]},
        "spec": {"replicas": replicas} if replicas else {},
        "status": shown,
    }


def _put(obj: Obj, path: list[str], value: Any) -> Obj:
    name, *rest = path
    inner = obj.get(name)
    return {**obj, name: _put(inner if isinstance(inner, dict) else {}, rest, value) if rest else value}


def apply_scale(obj: Obj, scale: Obj, resource: Resource) -> Obj:
    """`obj` with the replicas that the Scale asks for."""
    if resource.custom is not None:
        path = resource.custom.scale["specReplicasPath"].strip(".").split(".")
        return _put(obj, path, (scale.get("spec") or {}).get("replicas", 0))
    return {**obj, "spec": {**(obj.get("spec") or {}), "replicas": (scale.get("spec") or {}).get("replicas", 0)}}
