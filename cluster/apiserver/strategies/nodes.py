"""Nodes, and the Leases by which they say that they live."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from cluster.apimachinery.errors import forbidden_field, invalid_value, not_supported
from cluster.apiserver.strategies import names
from cluster.apiserver.strategies.base import METADATA_FIELDS, Strategy
from cluster.apiserver.strategies.metadata import Found, immutable

Obj = dict[str, Any]


class NodeStrategy(Strategy):
    namespaced = False
    has_status = True
    supported_field_labels = METADATA_FIELDS | {"spec.unschedulable"}
    absent_fields: ClassVar[Mapping[str, str]] = {"spec.unschedulable": "false"}

    def default(self, obj: Obj) -> None:
        obj.setdefault("spec", {})

    def prepare_for_create(self, obj: Obj) -> None:
        # Unlike other kinds, a node may come with its status: that is how kubelets register.
        status = obj.get("status")
        if status and "allocatable" not in status and "capacity" in status:
            status["allocatable"] = dict(status["capacity"])

    def check(self, obj: Obj) -> Found:
        found: Found = []
        seen: set[tuple[str, str]] = set()
        for index, taint in enumerate((obj.get("spec") or {}).get("taints") or ()):
            here = f"spec.taints[{index}]"
            key, value, effect = taint.get("key") or "", taint.get("value") or "", taint.get("effect")
            if names.qualified(key):
                found.append(invalid_value(f"{here}.key", key, names.qualified(key)))
            if value and names.label_value(value):
                found.append(invalid_value(f"{here}.value", value, names.label_value(value)))
            if effect not in ("NoSchedule", "PreferNoSchedule", "NoExecute"):
                found.append(not_supported(f"{here}.effect", effect, ("NoSchedule", "PreferNoSchedule", "NoExecute")))
            if (key, str(effect)) in seen:
                found.append(invalid_value(here, taint, "taints must be unique by key and effect pair"))
            seen.add((key, str(effect)))
        return found

    def check_update(self, obj: Obj, old: Obj) -> Found:
        found = self.check(obj)
        before = (old.get("spec") or {}).get("providerID")
        if before and (obj.get("spec") or {}).get("providerID") != before:
            found.append(
                forbidden_field("spec.providerID", 'node updates may not change providerID except from "" to valid')
            )
        return found


class RuntimeClassStrategy(Strategy):
    namespaced = False

    def check(self, obj: Obj) -> Found:
        handler = obj.get("handler") or ""
        why = names.label(handler)
        return [invalid_value("handler", handler, why)] if why else []

    def check_update(self, obj: Obj, old: Obj) -> Found:
        return immutable(obj, old, "handler", path="")


class LeaseStrategy(Strategy):
    allow_create_on_update = True
    allow_unconditional_update = False

    def check(self, obj: Obj) -> Found:
        found: Found = []
        spec = obj.get("spec") or {}
        duration = spec.get("leaseDurationSeconds")
        if duration is not None and duration <= 0:
            found.append(invalid_value("spec.leaseDurationSeconds", duration, "must be greater than 0"))
        transitions = spec.get("leaseTransitions")
        if transitions is not None and transitions < 0:
            found.append(invalid_value("spec.leaseTransitions", transitions, "must be greater than or equal to 0"))
        return found
