"""Rows of what governs how many pods there are: autoscalers, disruption budgets, and the Scale subresource."""

from __future__ import annotations

from typing import Any

import orjson

from cluster.apiserver.printers.columns import (
    AGE,
    NAME,
    NONE,
    UNKNOWN,
    UNSET,
    Cells,
    Column,
    Obj,
    age,
    integer,
    name_of,
    printer,
    spec_of,
    status_of,
)

_HPA = "autoscaling.v2.HorizontalPodAutoscaler"
# Where each type of metric keeps its part.
_PARTS = {
    "Resource": "resource",
    "ContainerResource": "containerResource",
    "Pods": "pods",
    "Object": "object",
    "External": "external",
}
# autoscaling/v1 carries what it cannot say in annotations.
_ANNOTATION = "autoscaling.alpha.kubernetes.io/"


@printer(
    "autoscaling/horizontalpodautoscalers",
    NAME,
    Column("Reference", f"@{_HPA}Spec.scaleTargetRef"),
    Column("Targets", f"@{_HPA}Spec.metrics"),
    Column("MinPods", f"@{_HPA}Spec.minReplicas"),
    Column("MaxPods", f"@{_HPA}Spec.maxReplicas"),
    Column("Replicas", f"@{_HPA}Status.currentReplicas"),
    AGE,
)
def autoscaler(obj: Obj, now: float) -> Cells:
    spec, status = spec_of(obj), status_of(obj)
    target = spec.get("scaleTargetRef") or {}
    wanted, current = _metrics(obj, spec, status)
    return [
        name_of(obj),
        f"{target.get('kind', '')}/{target.get('name', '')}",
        _targets(wanted, current),
        str(spec.get("minReplicas", UNSET)),
        spec.get("maxReplicas", 0),
        status.get("currentReplicas", 0),
        age(obj, now),
    ]


def _metrics(obj: Obj, spec: Any, status: Any) -> tuple[list[Any], list[Any]]:
    """Wanted and current metrics, in v2's form whichever version the object is in."""
    if obj.get("apiVersion") != "autoscaling/v1":
        return spec.get("metrics") or [], status.get("currentMetrics") or []
    found: list[list[Any]] = []
    for part, side, number, name in (
        (spec, "target", "targetCPUUtilizationPercentage", "metrics"),
        (status, "current", "currentCPUUtilizationPercentage", "current-metrics"),
    ):
        metrics = []
        if part.get(number) is not None:
            measure = {"name": "cpu", side: {"averageUtilization": part[number]}}
            metrics.append({"type": "Resource", "resource": measure})
        found.append(metrics + _annotated(obj, name))
    return found[0], found[1]


def _annotated(obj: Obj, name: str) -> list[Any]:
    text = (obj["metadata"].get("annotations") or {}).get(_ANNOTATION + name, "[]")
    try:
        metrics = orjson.loads(text)
    except orjson.JSONDecodeError:  # a person wrote there: it counts as nothing
        return []
    return metrics if isinstance(metrics, list) else []


def _targets(wanted: list[Any], current: list[Any]) -> str:
    shown = [_target(metric, current[index] if index < len(current) else {}) for index, metric in enumerate(wanted)]
    if len(shown) > 2:
        return f"{', '.join(shown[:2])} + {len(shown) - 2} more..."
    return ", ".join(shown) or NONE


def _target(metric: Any, state: Any) -> str:
    kind = metric.get("type", "")
    if kind not in _PARTS:
        return "<unknown type>"
    part = metric.get(_PARTS[kind]) or {}
    target = part.get("target") or {}
    now = (state.get(_PARTS[kind]) or {}).get("current") or {}
    if kind in ("Resource", "ContainerResource"):
        if "averageValue" in target:
            return f"{part.get('name')}: {now.get('averageValue', UNKNOWN)}/{target['averageValue']}"
        have = f"{now['averageUtilization']}%" if now.get("averageUtilization") is not None else UNKNOWN
        limit = f"{target['averageUtilization']}%" if target.get("averageUtilization") is not None else "<auto>"
        return f"{part.get('name')}: {have}/{limit}"
    if kind == "Pods":
        return f"{now.get('averageValue', UNKNOWN)}/{target.get('averageValue')}"
    if "averageValue" in target:
        return f"{now.get('averageValue', UNKNOWN)}/{target['averageValue']} (avg)"
    return f"{now.get('value', UNKNOWN)}/{target.get('value')}"


@printer(
    "policy/poddisruptionbudgets",
    NAME,
    Column("Min Available", "The minimum number of pods that must be available."),
    Column("Max Unavailable", "The maximum number of pods that may be unavailable."),
    integer("Allowed Disruptions", "Calculated number of pods that may be disrupted at this time."),
    AGE,
)
def budget(obj: Obj, now: float) -> Cells:
    spec = spec_of(obj)
    return [
        name_of(obj),
        str(spec.get("minAvailable", "N/A")),
        str(spec.get("maxUnavailable", "N/A")),
        status_of(obj).get("disruptionsAllowed", 0),
        age(obj, now),
    ]


@printer(
    "Scale",
    Column("Name", NAME.doc),
    integer("Desired", "@autoscaling.v1.ScaleSpec.replicas"),
    integer("Available", "@autoscaling.v1.ScaleStatus.replicas"),
    AGE,
)
def scale(obj: Obj, now: float) -> Cells:
    return [name_of(obj), spec_of(obj).get("replicas", 0), status_of(obj).get("replicas", 0), age(obj, now)]
