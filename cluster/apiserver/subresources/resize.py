"""pods/resize: other requests and limits for containers that run (registry/core/pod/strategy, ValidatePodResize)."""

from __future__ import annotations

from cluster.apimachinery import errors
from cluster.apimachinery.errors import FieldError
from cluster.apiserver.context import Context, Obj
from cluster.apiserver.strategies.podspec import check_pod_spec
from cluster.apiserver.strategies.podspec_defaults import qos_class
from cluster.apiserver.subresources.ephemeral import read

__all__ = ["prepare", "read"]
RESIZABLE = frozenset({"cpu", "memory"})
GROUPS = ("containers", "initContainers")


def prepare(context: Context, obj: Obj, old: Obj) -> list[FieldError]:
    """Nothing but cpu and memory of containers may change, and the QoS class stays."""
    spec, before = obj["spec"], old["spec"]
    obj["status"] = old.get("status") or {}
    obj["metadata"]["generation"] = old["metadata"].get("generation", 1) + (spec != before)
    if _others(spec) != _others(before):
        return [errors.forbidden_field("spec", "only cpu and memory resources are mutable")]
    found: list[FieldError] = []
    for group in GROUPS:
        for at, (now, was) in enumerate(zip(spec.get(group) or (), before.get(group) or (), strict=True)):
            found.extend(_compare(now, was, f"spec.{group}[{at}].resources", sidecar=group == "initContainers"))
    if qos_class(spec) != qos_class(before):
        found.append(errors.forbidden_field("spec", "Pod QOS Class may not change as a result of resizing"))
    return [*found, *check_pod_spec(spec, "spec")]


def _others(spec: Obj) -> Obj:
    """The spec without the resources of its containers."""
    result = dict(spec)
    for group in GROUPS:
        if group in result:
            result[group] = [{**container, "resources": None} for container in result[group]]
    return result


def _compare(now: Obj, was: Obj, path: str, *, sidecar: bool) -> list[FieldError]:
    after, before = now.get("resources") or {}, was.get("resources") or {}
    if after == before:
        return []
    if sidecar and now.get("restartPolicy") != "Always":
        return [errors.forbidden_field(path, "resources for non-sidecar init containers are immutable")]
    found = []
    for side in ("limits", "requests"):
        new, old = after.get(side) or {}, before.get(side) or {}
        if any(new.get(name) != old.get(name) for name in {*new, *old} - RESIZABLE):
            found.append(errors.forbidden_field("spec", "only cpu and memory resources are mutable"))
        if (old.keys() - new.keys()) & RESIZABLE:
            found.append(errors.forbidden_field(f"{path}.{side}", f"resource {side} cannot be removed"))
    if after.get("claims") != before.get("claims"):
        found.append(errors.forbidden_field("spec", "only cpu and memory resources are mutable"))
    return found
