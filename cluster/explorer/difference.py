"""What differs between two states of the cluster. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Obj = dict[str, Any]

# What changes with every write and tells a person nothing.
SILENT = frozenset({"resourceVersion", "managedFields", "generation", "uid", "creationTimestamp"})
MOST_FIELDS = 60


def of_lists(before: list[Obj], after: list[Obj]) -> list[dict[str, Any]]:
    """Objects that were added, changed or removed, by name. A new object under an old name is removed and added."""
    old, new = ({_key(obj): obj for obj in objects} for objects in (before, after))
    found: list[dict[str, Any]] = []
    for key in sorted(old.keys() | new.keys()):
        was, now = old.get(key), new.get(key)
        if was is not None and now is not None:
            if was["metadata"].get("resourceVersion") == now["metadata"].get("resourceVersion"):
                continue
            if was["metadata"].get("uid") == now["metadata"].get("uid"):
                fields = list(of_fields(was, now))
                if fields:
                    found.append({**_named(now), "change": "changed", "fields": fields[:MOST_FIELDS]})
                continue
        if was is not None:
            found.append({**_named(was), "change": "removed", "fields": []})
        if now is not None:
            found.append({**_named(now), "change": "added", "fields": []})
    return found


def of_fields(before: Any, after: Any, path: str = "") -> Iterator[dict[str, Any]]:
    """Each leaf that differs: {path, before, after}, with None for what is not there. Lists go by their elements' names."""
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            if name in SILENT and path in ("metadata", ""):
                continue
            yield from of_fields(before.get(name), after.get(name), f"{path}.{name}" if path else name)
    elif isinstance(before, list) and isinstance(after, list):
        was, now = _by_name(before), _by_name(after)
        for name in [*was, *(name for name in now if name not in was)]:
            yield from of_fields(was.get(name), now.get(name), f"{path}[{name}]")
    else:
        yield {"path": path, "before": before, "after": after}


def _by_name(items: list[Any]) -> dict[str, Any]:
    """List elements under what tells them apart: their name, type or address; else their place."""
    found: dict[str, Any] = {}
    for index, item in enumerate(items):
        names = (
            [item[key] for key in ("name", "type", "ip", "uid", "key") if item.get(key)]
            if isinstance(item, dict)
            else []
        )
        name = str(names[0]) if names else str(index)
        found[name if name not in found else f"{name}#{index}"] = item
    return found


def _key(obj: Obj) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def _named(obj: Obj) -> dict[str, Any]:
    metadata = obj["metadata"]
    return {
        "namespace": metadata.get("namespace", ""),
        "name": metadata["name"],
        "revision": int(metadata.get("resourceVersion") or 0),
    }
