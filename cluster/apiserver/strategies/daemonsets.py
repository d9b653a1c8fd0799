"""DaemonSets and the ControllerRevisions in which their past (and that of StatefulSets) is kept."""

from __future__ import annotations

from typing import Any

from cluster.apimachinery.errors import invalid_value, not_supported, required
from cluster.apiserver.strategies.base import Strategy
from cluster.apiserver.strategies.metadata import Found, immutable
from cluster.apiserver.strategies.podspec_defaults import default_template
from cluster.apiserver.strategies.workloads import Workload, check_selected_template, is_zero, non_negative, percent

Obj = dict[str, Any]


# Where apps/v1 keeps what was spec.templateGeneration in older versions.
TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"


def _annotate(obj: Obj, name: str, value: str) -> None:
    obj["metadata"]["annotations"] = {**(obj["metadata"].get("annotations") or {}), name: value}


class DaemonSetStrategy(Workload):
    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        default_template(spec.setdefault("template", {}))
        strategy = spec.setdefault("updateStrategy", {})
        strategy.setdefault("type", "RollingUpdate")
        if strategy["type"] == "RollingUpdate":
            rolling = strategy.setdefault("rollingUpdate", {})
            rolling.setdefault("maxUnavailable", 1)
            rolling.setdefault("maxSurge", 0)
        if spec.get("revisionHistoryLimit") is None:
            spec["revisionHistoryLimit"] = 10

    def prepare_for_create(self, obj: Obj) -> None:
        super().prepare_for_create(obj)
        _annotate(obj, TEMPLATE_GENERATION, "1")

    def prepare_for_update(self, obj: Obj, old: Obj) -> None:
        """The template has a generation of its own, which only its changes move."""
        super().prepare_for_update(obj, old)
        before = (old["metadata"].get("annotations") or {}).get(TEMPLATE_GENERATION, "")
        # Annotations may come with a status: what is written there is not always ours.
        before = before if before.isdecimal() else "1"
        moved = obj["spec"].get("template") != old["spec"].get("template")
        _annotate(obj, TEMPLATE_GENERATION, str(int(before) + 1) if moved else before)

    def check(self, obj: Obj) -> Found:
        spec = obj["spec"]
        found = check_selected_template(spec)
        strategy = spec["updateStrategy"]
        if strategy["type"] == "RollingUpdate":
            rolling = strategy["rollingUpdate"]
            path = "spec.updateStrategy.rollingUpdate"
            for field in ("maxUnavailable", "maxSurge"):
                found.extend(percent(rolling[field], f"{path}.{field}"))
            if is_zero(rolling["maxUnavailable"]) and is_zero(rolling["maxSurge"]):
                found.append(required(f"{path}.maxUnavailable", "cannot be 0 when maxSurge is 0"))
        elif strategy["type"] != "OnDelete":
            found.append(not_supported("spec.updateStrategy", strategy["type"], ("OnDelete", "RollingUpdate")))
        return [*found, *non_negative(spec, "minReadySeconds")]


class ControllerRevisionStrategy(Strategy):
    def check(self, obj: Obj) -> Found:
        revision = obj.get("revision", 0)
        return [invalid_value("revision", revision, "must be greater than or equal to 0")] if revision < 0 else []

    def check_update(self, obj: Obj, old: Obj) -> Found:
        return [*immutable(obj, old, "data", path=""), *self.check(obj)]
