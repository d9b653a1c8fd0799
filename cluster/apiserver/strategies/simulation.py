"""Faults: what breaks in the simulated world (sim.kubeweb.dev)."""

from __future__ import annotations

from typing import Any

from cluster.apimachinery.errors import invalid_value, not_supported, required
from cluster.apiserver.resources.own import FAULTS
from cluster.apiserver.strategies.base import Strategy
from cluster.apiserver.strategies.metadata import Found, immutable

Obj = dict[str, Any]


class FaultStrategy(Strategy):
    namespaced = False
    has_status = True
    has_generation = True

    def check(self, obj: Obj) -> Found:
        spec = obj.get("spec") or {}
        kind = spec.get("type") or ""
        if kind not in FAULTS:
            return [not_supported("spec.type", kind, tuple(sorted(FAULTS)))]
        found = [
            required(f"spec.{field}", f"for a fault of type {kind}") for field in FAULTS[kind] if not spec.get(field)
        ]
        duration = spec.get("durationSeconds")
        if duration is not None and duration < 0:
            found.append(invalid_value("spec.durationSeconds", duration, "must be greater than or equal to 0"))
        return found

    def check_update(self, obj: Obj, old: Obj) -> Found:
        return [*immutable(obj, old, "spec", path=""), *self.check(obj)]
