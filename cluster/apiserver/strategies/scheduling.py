"""Which pods go first and which may be disturbed: PriorityClasses and PodDisruptionBudgets."""

from __future__ import annotations

from typing import Any

from cluster.apimachinery.errors import forbidden_field, invalid_value
from cluster.apiserver.strategies.base import Strategy
from cluster.apiserver.strategies.metadata import Found, check_selector, immutable

Obj = dict[str, Any]


class PriorityClassStrategy(Strategy):
    namespaced = False
    has_generation = True

    def default(self, obj: Obj) -> None:
        obj.setdefault("preemptionPolicy", "PreemptLowerPriority")
        obj.setdefault("value", 0)

    def wanted(self, obj: Obj) -> Any:
        return None

    def check(self, obj: Obj) -> Found:
        name, value = obj["metadata"].get("name") or "", obj.get("value", 0)
        if name.startswith("system-") and name not in ("system-cluster-critical", "system-node-critical"):
            return [
                forbidden_field(
                    "metadata.name",
                    "priority class names with 'system-' prefix are reserved for system use only. error: "
                    f"{name} is not a known system priority class",
                )
            ]
        if value > 1000000000 and not name.startswith("system-"):
            return [forbidden_field("value", f"maximum allowed value of a user defined priority is {1000000000}")]
        return []

    def check_update(self, obj: Obj, old: Obj) -> Found:
        found: Found = []
        if obj.get("value") != old.get("value"):
            found.append(forbidden_field("value", "may not be changed in an update."))
        return [*found, *immutable(obj, old, "preemptionPolicy", path="")]


class PodDisruptionBudgetStrategy(Strategy):
    has_status = True
    has_generation = True
    allow_unconditional_update = False

    def check(self, obj: Obj) -> Found:
        spec = obj.get("spec") or {}
        found: Found = []
        if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
            found.append(invalid_value("spec", spec, "minAvailable and maxUnavailable cannot be both set"))
        for field in ("minAvailable", "maxUnavailable"):
            value = spec.get(field)
            if isinstance(value, int) and value < 0:
                found.append(invalid_value(f"spec.{field}", value, "must be greater than or equal to 0"))
        if spec.get("selector"):
            found.extend(check_selector(spec["selector"], "spec.selector"))
        return found
