"""Tables: what `kubectl get` shows, worked out by the server (meta.k8s.io/v1 Table).

Called by the stage that renders answers, for clients that ask for `as=Table`. The modules imported here register the columns
of their kinds; a kind that none of them knows shows its name and when it was created.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cluster.apiserver.printers import (
    access,
    cluster,
    events,
    extension,
    network,
    pods,
    scaling,
    simulation,
    storage,
    workloads,
)
from cluster.apiserver.printers.columns import CREATED, NAME, PRINTERS, Cells, Printer, name_of

__all__ = [
    "access",
    "cluster",
    "events",
    "extension",
    "network",
    "pods",
    "scaling",
    "simulation",
    "storage",
    "table",
    "workloads",
]

Obj = dict[str, Any]

# What Go shows for a time that was never set.
_NEVER = "0001-01-01T00:00:00Z"


def _plain(obj: Mapping[str, Any], now: float) -> Cells:
    return [name_of(obj), obj["metadata"].get("creationTimestamp") or _NEVER]


# Kinds without a printer of their own (rest.NewDefaultTableConvertor).
PLAIN = Printer((NAME, CREATED), _plain)


def table(
    key: str,
    objects: Iterable[Obj],
    *,
    now: float,
    include_object: str = "Metadata",
    list_metadata: Mapping[str, Any] | None = None,
    printer: Printer | None = None,
) -> Obj:
    """The Table of some objects of one kind (by storage key, or the Kind of a subresource).

    `include_object`: None, Metadata or Object, as the client asked. The objects are shared and are not changed.
    `printer` is given for custom resources.
    """
    printer = printer or PRINTERS.get(key, PLAIN)
    if printer.order is not None:
        objects = sorted(objects, key=printer.order)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": dict(list_metadata or {}),
        "columnDefinitions": printer.described,
        "rows": [_row(printer, obj, now, include_object) for obj in objects],
    }


def _row(printer: Printer, obj: Obj, now: float, include_object: str) -> Obj:
    row: Obj = {"cells": printer.cells(obj, now)}
    if printer.conditions is not None:
        conditions = printer.conditions(obj)
        if conditions:
            row["conditions"] = conditions
    if include_object == "Object":
        row["object"] = obj
    elif include_object == "None":
        row["object"] = None
    else:
        row["object"] = {
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": obj["metadata"],
        }
    return row
