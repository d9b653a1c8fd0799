"""Events, in both of their groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from cluster.apimachinery.errors import invalid_value
from cluster.apiserver.strategies.base import METADATA_FIELDS, Strategy
from cluster.apiserver.strategies.metadata import Found

Obj = dict[str, Any]


class EventStrategy(Strategy):
    allow_create_on_update = True
    supported_field_labels = METADATA_FIELDS | {
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
        "regarding.kind",
        "regarding.namespace",
        "regarding.name",
        "regarding.uid",
        "reportingController",
    }
    # What events.k8s.io names otherwise; an event without a source comes from the controller that reported it.
    field_paths: ClassVar[Mapping[str, str]] = {
        **{f"regarding.{field}": f"involvedObject.{field}" for field in ("kind", "namespace", "name", "uid")},
        "reportingController": "reportingComponent",
        "source": "source.component|reportingComponent",
    }

    def default(self, obj: Obj) -> None:
        obj.setdefault("type", "Normal") if not obj.get("type") else None

    def check(self, obj: Obj) -> Found:
        involved = (obj.get("involvedObject") or {}).get("namespace") or ""
        namespace = obj["metadata"].get("namespace")
        if (involved and involved != namespace) or (not involved and namespace not in ("default", "kube-system")):
            return [invalid_value("involvedObject.namespace", involved, "does not match event.namespace")]
        return []

    def check_update(self, obj: Obj, old: Obj) -> Found:
        return self.check(obj)
