"""The event's row: what happened comes first, the name last. Reads core/v1 and events.k8s.io/v1 alike."""

from __future__ import annotations

from typing import Any

from cluster.apiserver.printers.columns import NAME, Cells, Column, Obj, name_of, printer, since, wide

_EVENT = "@core.v1.Event"


@printer(
    "events",
    Column("Last Seen", f"{_EVENT}.lastTimestamp"),
    Column("Type", f"{_EVENT}.type"),
    Column("Reason", f"{_EVENT}.reason"),
    Column("Object", f"{_EVENT}.involvedObject"),
    wide("Subobject", "@core.v1.ObjectReference.fieldPath"),
    wide("Source", f"{_EVENT}.source"),
    Column("Message", f"{_EVENT}.message"),
    wide("First Seen", f"{_EVENT}.firstTimestamp"),
    wide("Count", f"{_EVENT}.count"),
    Column("Name", NAME.doc, priority=1, format="name"),
)
def event(obj: Obj, now: float) -> Cells:
    involved = obj.get("involvedObject") or obj.get("regarding") or {}
    first = since(_old(obj, "firstTimestamp") or obj.get("eventTime"), now)
    last_time = _old(obj, "lastTimestamp")
    last = since(last_time, now) if last_time else first
    count = _old(obj, "count") or 1
    series = obj.get("series")
    if series:
        last, count = since(series.get("lastObservedTime"), now), series.get("count", 0)
    kind = involved.get("kind", "").lower()
    return [
        last,
        obj.get("type", ""),
        obj.get("reason", ""),
        f"{kind}/{involved['name']}" if involved.get("name") else kind,
        involved.get("fieldPath", ""),
        _source(obj),
        (obj.get("message") or obj.get("note") or "").strip(),
        first,
        count,
        name_of(obj),
    ]


def _old(obj: Obj, name: str) -> Any:
    """A field of core/v1, which events.k8s.io/v1 calls deprecated."""
    return obj.get(name) or obj.get(f"deprecated{name[0].upper()}{name[1:]}")


def _source(obj: Obj) -> str:
    source = _old(obj, "source") or {}
    component = source.get("component") or obj.get("reportingComponent") or obj.get("reportingController") or ""
    instance = source.get("host") or obj.get("reportingInstance")
    return f"{component}, {instance}" if instance else component
