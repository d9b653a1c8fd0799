"""Conversion between the served versions of one resource (only two resources have two).

Events: core/v1 (stored) and events.k8s.io/v1. HorizontalPodAutoscalers: autoscaling/v2 (stored) and v1, where what v1 cannot say
rides in annotations, as Kubernetes does it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from cluster.apiserver.resources.registry import Resource

Obj = dict[str, Any]

# core/v1 → events.k8s.io/v1; fields that are not named here are called the same.
_EVENT_NAMES = {
    "involvedObject": "regarding",
    "message": "note",
    "reportingComponent": "reportingController",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
}
_EVENT_NAMES_BACK = {new: old for old, new in _EVENT_NAMES.items()}
_METRICS = "autoscaling.alpha.kubernetes.io/metrics"
_CURRENT = "autoscaling.alpha.kubernetes.io/current-metrics"
_CONDITIONS = "autoscaling.alpha.kubernetes.io/conditions"
_BEHAVIOR = "autoscaling.alpha.kubernetes.io/behavior"


def convert(obj: Obj, to: Resource) -> Obj:
    """`obj` as `to`'s version has it; shares what does not change."""
    if obj.get("apiVersion") == to.api_version:
        return obj
    converted = _CONVERTERS[to.path](obj)
    return {**converted, "apiVersion": to.api_version, "kind": to.kind}


def _renamed(obj: Obj, names: dict[str, str]) -> Obj:
    return {names.get(key, key): value for key, value in obj.items()}


def _hpa_to_v1(obj: Obj) -> Obj:
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    metadata = obj.get("metadata") or {}
    annotations = dict(metadata.get("annotations") or {})
    metrics = []
    for metric in spec.pop("metrics", ()):
        target = _cpu_utilization(metric, "target", "averageUtilization")
        if target is not None and "targetCPUUtilizationPercentage" not in spec:
            spec["targetCPUUtilizationPercentage"] = target
        else:
            metrics.append(metric)
    current = []
    for metric in status.pop("currentMetrics", None) or ():
        value = _cpu_utilization(metric, "current", "averageUtilization")
        if value is not None and "currentCPUUtilizationPercentage" not in status:
            status["currentCPUUtilizationPercentage"] = value
        else:
            current.append(metric)
    for name, rest in (
        (_METRICS, metrics),
        (_BEHAVIOR, spec.pop("behavior", None)),
        (_CURRENT, current),
        (_CONDITIONS, status.pop("conditions", None)),
    ):
        if rest:
            annotations[name] = orjson.dumps(rest).decode()
    if annotations:
        metadata = {**metadata, "annotations": annotations}
    return {**obj, "metadata": metadata, "spec": spec, "status": status}


def _cpu_utilization(metric: Obj, side: str, name: str) -> int | None:
    resource = metric.get("resource") or {}
    if metric.get("type") != "Resource" or resource.get("name") != "cpu":
        return None
    value = (resource.get(side) or {}).get(name)
    return value if isinstance(value, int) else None


def _hpa_to_v2(obj: Obj) -> Obj:
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    metadata = obj.get("metadata") or {}
    annotations = dict(metadata.get("annotations") or {})
    metrics = _annotated(annotations, _METRICS) or []
    target = spec.pop("targetCPUUtilizationPercentage", None)
    if target is not None:
        measure = {"type": "Utilization", "averageUtilization": target}
        metrics = [{"type": "Resource", "resource": {"name": "cpu", "target": measure}}, *metrics]
    if metrics:
        spec["metrics"] = metrics
    behavior = _annotated(annotations, _BEHAVIOR)
    if behavior:
        spec["behavior"] = behavior
    current = _annotated(annotations, _CURRENT) or []
    value = status.pop("currentCPUUtilizationPercentage", None)
    if value is not None:
        current = [
            {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": value}}},
            *current,
        ]
    if current:
        status["currentMetrics"] = current
    conditions = _annotated(annotations, _CONDITIONS)
    if conditions:
        status["conditions"] = conditions
    metadata = {key: value for key, value in metadata.items() if key != "annotations"}
    if annotations:
        metadata["annotations"] = annotations
    result = {**obj, "metadata": metadata, "spec": spec}
    if status or "status" in obj:
        result["status"] = status
    return result


def _annotated(annotations: dict[str, str], name: str) -> Any:
    """What rides in an annotation; a person may have written nonsense there, which counts as nothing."""
    text = annotations.pop(name, "")
    try:
        return orjson.loads(text) if text else None
    except orjson.JSONDecodeError:
        return None


_CONVERTERS: dict[str, Callable[[Obj], Obj]] = {
    "events.k8s.io/v1/events": lambda obj: _renamed(obj, _EVENT_NAMES),
    "v1/events": lambda obj: _renamed(obj, _EVENT_NAMES_BACK),
    "autoscaling/v1/horizontalpodautoscalers": _hpa_to_v1,
    "autoscaling/v2/horizontalpodautoscalers": _hpa_to_v2,
}
