"""Namespaces, what limits them, and the accounts in them."""

from __future__ import annotations

from typing import Any

from cluster.apimachinery.errors import invalid_value, required
from cluster.apiserver.strategies import names
from cluster.apiserver.strategies.base import METADATA_FIELDS, Strategy
from cluster.apiserver.strategies.metadata import Found, immutable

Obj = dict[str, Any]


class NamespaceStrategy(Strategy):
    name_rule = staticmethod(names.label)
    namespaced = False
    has_status = True
    supported_field_labels = METADATA_FIELDS | {"status.phase", "name"}

    def default(self, obj: Obj) -> None:
        name = obj["metadata"].get("name")
        if name:
            obj["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = name

    def prepare_for_create(self, obj: Obj) -> None:
        finalizers = (obj.get("spec") or {}).get("finalizers") or []
        if "kubernetes" not in finalizers:
            finalizers = [*finalizers, "kubernetes"]
        obj["spec"] = {"finalizers": finalizers}
        obj["status"] = {"phase": "Active"}

    def prepare_for_update(self, obj: Obj, old: Obj) -> None:
        super().prepare_for_update(obj, old)
        obj["spec"] = old.get("spec") or {}


class ServiceAccountStrategy(Strategy):
    allow_unconditional_update = False


class LimitRangeStrategy(Strategy):
    allow_create_on_update = True

    def default(self, obj: Obj) -> None:
        for limit in (obj.get("spec") or {}).get("limits") or ():
            if limit.get("type") != "Container":
                continue
            defaults = limit.get("default") or {}
            for name, value in (limit.get("max") or {}).items():
                defaults.setdefault(name, value)
            requests = limit.get("defaultRequest") or {}
            for source in (limit.get("default"), limit.get("min")):
                for name, value in (source or {}).items():
                    requests.setdefault(name, value)
            for name, value in defaults.items():
                requests.setdefault(name, value)
            if defaults:
                limit["default"] = defaults
            if requests:
                limit["defaultRequest"] = requests

    def check(self, obj: Obj) -> Found:
        found: Found = []
        for index, limit in enumerate((obj.get("spec") or {}).get("limits") or ()):
            if not limit.get("type"):
                found.append(required(f"spec.limits[{index}].type"))
        return found


class ResourceQuotaStrategy(Strategy):
    has_status = True

    def check(self, obj: Obj) -> Found:
        found: Found = []
        for name in (obj.get("spec") or {}).get("hard") or {}:
            if names.qualified(name):
                found.append(invalid_value(f"spec.hard[{name}]", name, names.qualified(name)))
        return found

    def check_update(self, obj: Obj, old: Obj) -> Found:
        return [*immutable(obj.get("spec") or {}, old.get("spec") or {}, "scopes"), *self.check(obj)]
