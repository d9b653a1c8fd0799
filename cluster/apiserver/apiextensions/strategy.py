"""The strategy of custom resources: their schema's rules in place of code (registry/customresource/strategy.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cluster.apimachinery.errors import FieldError, invalid_value, required
from cluster.apiserver.apiextensions import pruning, values
from cluster.apiserver.printers.custom import compile_path, find
from cluster.apiserver.strategies.base import METADATA_FIELDS, Strategy, keep
from cluster.apiserver.strategies.metadata import Found, check_metadata, check_metadata_update

if TYPE_CHECKING:
    from cluster.apiserver.apiextensions.custom import VersionInfo

Obj = dict[str, Any]


class CustomStrategy(Strategy):
    """One version of one custom resource."""

    has_generation = True

    def __init__(self, info: VersionInfo) -> None:
        self.info = info
        self.is_namespaced = info.owner.spec["scope"] == "Namespaced"
        selectable = (one["jsonPath"].strip(".") for one in info.version.get("selectableFields") or ())
        self.supported_field_labels = METADATA_FIELDS | frozenset(selectable)  # type: ignore[misc]

    def default(self, obj: Obj) -> None:
        self.info.fill(obj)

    def prepare_for_create(self, obj: Obj) -> None:
        if self.info.has_status:
            obj.pop("status", None)
        obj["metadata"]["generation"] = 1

    def prepare_for_update(self, obj: Obj, old: Obj) -> None:
        if self.info.has_status:
            keep(obj, old, "status")
        self.count_generation(obj, old)

    def wanted(self, obj: Obj) -> Any:
        """Everything but the metadata, and the status where it is a subresource."""
        aside = ("metadata", "status") if self.info.has_status else ("metadata",)
        return {name: value for name, value in obj.items() if name not in aside}

    def prepare_for_status_update(self, obj: Obj, old: Obj) -> None:
        """Only the status is taken over."""
        mine = {name: obj["metadata"][name] for name in ("managedFields", "resourceVersion") if name in obj["metadata"]}
        status = obj.get("status")
        obj.clear()
        obj.update(old)
        metadata = {name: value for name, value in old["metadata"].items() if name != "managedFields"}
        obj["metadata"] = {**metadata, **mine}
        if status is not None:
            obj["status"] = status
        else:
            obj.pop("status", None)

    # -- rules -------------------------------------------------------------------------------------------------------

    def validate(self, obj: Obj) -> Found:
        found = check_metadata(obj["metadata"], type(self).name_rule, self.is_namespaced)
        found.extend(self._judge(obj, None))
        return found

    def validate_update(self, obj: Obj, old: Obj) -> Found:
        found = check_metadata_update(obj["metadata"], old["metadata"])
        found.extend(self._judge(obj, old))
        return found

    def validate_status_update(self, obj: Obj, old: Obj) -> Found:
        return self.validate_update(obj, old)

    def _judge(self, obj: Obj, old: Obj | None) -> Found:
        schema, before = self.info.schema, values.MISSING if old is None else old
        found = values.check(schema, obj, "", before)
        for inner, path in pruning.embedded(schema, obj):
            found.extend(
                required(f"{path}.{name}", "must not be empty")
                for name in ("apiVersion", "kind")
                if not inner.get(name)
            )
        found.extend(self._scale(obj))
        if old is None or not found:
            found.extend(values.check_lists(schema, obj))
        found.extend(self.info.rules.check(obj, before, found))
        return found

    def _scale(self, obj: Obj) -> list[FieldError]:
        scale = self.info.scale
        if scale is None:
            return []
        path = scale["specReplicasPath"]
        there = find(compile_path(path), obj)
        if not there or not isinstance(there[0], int):
            return []
        if there[0] < 0:
            return [invalid_value(path, there[0], "should be a non-negative integer")]
        if there[0] >= 2**31:
            return [invalid_value(path, there[0], "should be less than or equal to 2147483647")]
        return []
