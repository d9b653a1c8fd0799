"""LimitRanger: defaults and bounds for what containers, pods and claims ask for (plugin/pkg/admission/limitranger)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cluster.apimachinery.quantity import canonical, parse
from cluster.apiserver.admission.plugin import Plugin, refuse
from cluster.apiserver.request import Attributes

Obj = dict[str, Any]


# Tells people what was filled in.
ANNOTATION = "kubernetes.io/limit-ranger"


class LimitRanger(Plugin):
    name = "LimitRanger"
    resources = frozenset({"pods", "persistentvolumeclaims"})

    def admit(self, attributes: Attributes) -> str | None:
        obj = attributes.obj
        assert obj is not None
        if attributes.resource.storage_key != "pods":
            return None
        done: list[str] = []
        for limit in _limits(attributes, "Container"):
            for container in obj["spec"]["containers"]:
                done.extend(_fill(container, limit, "container"))
            for container in obj["spec"].get("initContainers") or ():
                done.extend(_fill(container, limit, "init container"))
        if not done:
            return None
        noted = {**(obj["metadata"].get("annotations") or {}), ANNOTATION: f"LimitRanger plugin set: {'; '.join(done)}"}
        obj["metadata"]["annotations"] = noted
        return f"defaults {'; '.join(done)}"

    def validate(self, attributes: Attributes) -> None:
        obj = attributes.obj
        assert obj is not None
        problems: list[str] = []
        if attributes.resource.storage_key == "persistentvolumeclaims":
            for limit in _limits(attributes, "PersistentVolumeClaim"):
                problems.extend(_bounds(limit, "PersistentVolumeClaim", _resources(obj.get("spec") or {})))
        else:
            for limit in _limits(attributes, "Container"):
                for container in _containers(obj):
                    problems.extend(_bounds(limit, "Container", _resources(container)))
            for limit in _limits(attributes, "Pod"):
                problems.extend(_bounds(limit, "Pod", _sum(obj)))
        if problems:
            text = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
            raise refuse(attributes, text)


def _limits(attributes: Attributes, kind: str) -> Iterable[Obj]:
    for limit_range in attributes.reader.list("limitranges", attributes.namespace):
        for limit in (limit_range.get("spec") or {}).get("limits") or ():
            if limit.get("type") == kind:
                yield limit


def _containers(pod: Obj) -> Iterable[Obj]:
    spec = pod["spec"]
    return (*(spec.get("initContainers") or ()), *spec["containers"])


def _resources(holder: Obj) -> tuple[Mapping[str, str], Mapping[str, str]]:
    resources = holder.get("resources") or {}
    return resources.get("requests") or {}, resources.get("limits") or {}


def _fill(container: Obj, limit: Obj, kind: str) -> Iterable[str]:
    """Give the container what it does not say; what that was, in Kubernetes' words."""
    filled: dict[str, list[str]] = {"requests": [], "limits": []}
    resources = dict(container.get("resources") or {})
    for side, defaults in (("limits", limit.get("default")), ("requests", limit.get("defaultRequest"))):
        for name, value in (defaults or {}).items():
            have = resources.get(side) or {}
            if name not in have:
                resources[side] = {**have, name: value}
                filled[side].append(name)
    container["resources"] = resources
    for side, names in filled.items():
        if names:
            yield f"{', '.join(sorted(names))} {side[:-1]} for {kind} {container['name']}"


def _sum(pod: Obj) -> tuple[Mapping[str, str], Mapping[str, str]]:
    totals: list[dict[str, str]] = []
    for side in (0, 1):
        total: dict[str, Any] = {}
        for container in pod["spec"]["containers"]:
            for name, value in _resources(container)[side].items():
                total[name] = total.get(name, 0) + parse(value)
        totals.append({name: canonical(str(value)) for name, value in total.items()})
    return totals[0], totals[1]


def _bounds(limit: Obj, kind: str, resources: tuple[Mapping[str, str], Mapping[str, str]]) -> Iterable[str]:
    """The sentences of limitranger's minConstraint, maxConstraint and limitRequestRatioConstraint."""
    requests, limits = resources
    for name, bound in (limit.get("min") or {}).items():
        if name not in requests:
            yield f"minimum {name} usage per {kind} is {bound}.  No request is specified"
        elif parse(requests[name]) < parse(bound):
            yield f"minimum {name} usage per {kind} is {bound}, but request is {requests[name]}"
        elif name in limits and parse(limits[name]) < parse(bound):
            yield f"minimum {name} usage per {kind} is {bound}, but limit is {limits[name]}"
    for name, bound in (limit.get("max") or {}).items():
        if kind == "PersistentVolumeClaim":
            if name in requests and parse(requests[name]) > parse(bound):
                yield f"maximum {name} usage per {kind} is {bound}, but request is {requests[name]}"
            continue
        if name not in limits:
            yield f"maximum {name} usage per {kind} is {bound}.  No limit is specified"
        elif parse(limits[name]) > parse(bound):
            yield f"maximum {name} usage per {kind} is {bound}, but limit is {limits[name]}"
        elif name in requests and parse(requests[name]) > parse(bound):
            yield f"maximum {name} usage per {kind} is {bound}, but request is {requests[name]}"
    for name, bound in (limit.get("maxLimitRequestRatio") or {}).items():
        if name not in requests or name not in limits or not parse(requests[name]):
            yield f"{name} max limit to request ratio per {kind} is {bound}, but no request is specified or request is 0"
            continue
        ratio = parse(limits[name]) / parse(requests[name])
        if ratio > parse(bound):
            yield f"{name} max limit to request ratio per {kind} is {bound}, but provided ratio is {float(ratio):.6f}"
