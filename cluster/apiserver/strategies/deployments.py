"""Deployments, ReplicaSets and ReplicationControllers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from cluster.apimachinery.errors import forbidden_field, invalid_value, not_supported, required
from cluster.apimachinery.labels import from_map
from cluster.apiserver.strategies.base import METADATA_FIELDS
from cluster.apiserver.strategies.metadata import Found
from cluster.apiserver.strategies.podspec import check_template
from cluster.apiserver.strategies.workloads import Workload, check_selected_template, is_zero, non_negative, percent

Obj = dict[str, Any]


class DeploymentStrategy(Workload):
    status_keeps = ("labels",)

    def default(self, obj: Obj) -> None:
        super().default(obj)
        spec = obj["spec"]
        strategy = spec.setdefault("strategy", {})
        if not strategy.get("type"):
            strategy["type"] = "RollingUpdate"
        if strategy["type"] == "RollingUpdate":
            rolling = strategy.setdefault("rollingUpdate", {})
            rolling.setdefault("maxUnavailable", "25%")
            rolling.setdefault("maxSurge", "25%")
        if spec.get("revisionHistoryLimit") is None:
            spec["revisionHistoryLimit"] = 10
        if spec.get("progressDeadlineSeconds") is None:
            spec["progressDeadlineSeconds"] = 600

    def check(self, obj: Obj) -> Found:
        spec = obj["spec"]
        found = non_negative(spec, "replicas")
        found.extend(check_selected_template(spec))
        strategy = spec.get("strategy") or {}
        kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
        if kind == "Recreate":
            if rolling is not None:
                found.append(
                    forbidden_field(
                        "spec.strategy.rollingUpdate",
                        "may not be specified when strategy `type` is 'Recreate'",
                    )
                )
        elif kind != "RollingUpdate":
            found.append(not_supported("spec.strategy.type", kind, ("Recreate", "RollingUpdate")))
        elif rolling:
            path = "spec.strategy.rollingUpdate"
            for field in ("maxUnavailable", "maxSurge"):
                found.extend(percent(rolling[field], f"{path}.{field}"))
            if is_zero(rolling["maxUnavailable"]) and is_zero(rolling["maxSurge"]):
                found.append(
                    invalid_value(
                        f"{path}.maxUnavailable", rolling["maxUnavailable"], "may not be 0 when `maxSurge` is 0"
                    )
                )
            unavailable = rolling["maxUnavailable"]
            if isinstance(unavailable, str) and unavailable[:-1].isdecimal() and int(unavailable[:-1]) > 100:
                found.append(invalid_value(f"{path}.maxUnavailable", unavailable, "must not be greater than 100%"))
        for field in ("minReadySeconds", "revisionHistoryLimit"):
            found.extend(non_negative(spec, field))
        deadline = spec.get("progressDeadlineSeconds")
        if deadline is not None and deadline <= spec.get("minReadySeconds", 0):
            found.append(
                invalid_value("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")
            )
        return found


class ReplicaSetStrategy(Workload):
    supported_field_labels = METADATA_FIELDS | {"status.replicas"}
    absent_fields: ClassVar[Mapping[str, str]] = {"status.replicas": "0"}

    def check(self, obj: Obj) -> Found:
        spec = obj["spec"]
        return [
            *non_negative(spec, "replicas"),
            *non_negative(spec, "minReadySeconds"),
            *check_selected_template(spec),
        ]


class ReplicationControllerStrategy(Workload):
    orphans_by_default = True
    supported_field_labels = METADATA_FIELDS | {"status.replicas"}
    absent_fields: ClassVar[Mapping[str, str]] = {"status.replicas": "0"}

    def default(self, obj: Obj) -> None:
        super().default(obj)
        spec = obj["spec"]
        labels = (spec["template"].get("metadata") or {}).get("labels")
        if labels:
            if not spec.get("selector"):
                spec["selector"] = dict(labels)
            if not obj["metadata"].get("labels"):
                obj["metadata"]["labels"] = dict(labels)

    def check(self, obj: Obj) -> Found:
        spec = obj["spec"]
        found = non_negative(spec, "replicas")
        selector = spec.get("selector")
        if not selector:
            found.append(required("spec.selector"))
        labels = (spec["template"].get("metadata") or {}).get("labels") or {}
        if selector and not from_map(selector).matches(labels):
            found.append(
                invalid_value(
                    "spec.template.metadata.labels", labels or None, "`selector` does not match template `labels`"
                )
            )
        found.extend(check_template(spec["template"], "spec.template"))
        return found

    def check_update(self, obj: Obj, old: Obj) -> Found:
        return self.check(obj)
