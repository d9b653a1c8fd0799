"""Tables: what `kubectl get` shows, worked out by the server (meta.k8s.io/v1 Table)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cluster.apiserver.printers import kinds, pods
from cluster.apiserver.printers.columns import NAME, PRINTERS, Column, Printer

__all__ = ["kinds", "pods", "table"]

Obj = dict[str, Any]

# What kinds without a printer of their own show.
PLAIN = Printer(
    (
        NAME,
        Column(
            "Created At",
            "date",
            description="CreationTimestamp is a timestamp representing the server time when this object was created.",
        ),
    ),
    lambda obj, now: [obj["metadata"].get("creationTimestamp")],
)


def table(
    key: str,
    objects: Iterable[Obj],
    *,
    now: float,
    include_object: str = "Metadata",
    list_metadata: Mapping[str, Any] | None = None,
) -> Obj:
    """The Table of some objects of one kind (by storage key, or the Kind of a subresource).

    `include_object`: None, Metadata or Object, as the client asked.
    """
    printer = PRINTERS.get(key, PLAIN)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": dict(list_metadata or {}),
        "columnDefinitions": [column.as_dict() for column in printer.columns],
        "rows": [row(printer, obj, now, include_object) for obj in objects],
    }


def row(printer: Printer, obj: Obj, now: float, include_object: str) -> Obj:
    cells = printer.cells(obj, now)
    if printer.named:
        cells = [obj["metadata"].get("name", ""), *cells]
    if include_object == "None":
        return {"cells": cells}
    if include_object == "Object":
        return {"cells": cells, "object": obj}
    shown = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}
    return {"cells": cells, "object": shown}
