"""What of an object is kept, and what is filled in: pruning, nulls, defaults (apiserver/schema/pruning, /defaulting).

All three change the object in place: it must be the caller's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

Schema = dict[str, Any]
_META = frozenset({"apiVersion", "kind", "metadata"})


def prune(schema: Schema, obj: Any, dropped: list[str]) -> None:
    """Remove what the schema does not know; the paths of what went are added to `dropped`. `obj` is a whole resource."""
    prune_value({**schema, "x-kubernetes-embedded-resource": True}, obj, "", dropped)


def prune_value(schema: Schema | None, value: Any, path: str, dropped: list[str]) -> None:
    """The same for a part of one."""
    keeps = schema is not None and bool(schema.get("x-kubernetes-preserve-unknown-fields"))
    if isinstance(value, list):
        items = None if schema is None else schema.get("items")
        if items is None and keeps:
            return
        if keeps and items is not None:
            items = {**items, "x-kubernetes-preserve-unknown-fields": True}
        for index, item in enumerate(value):
            if isinstance(item, (dict, list)):
                prune_value(items, item, f"{path}[{index}]", dropped)
        return
    if not isinstance(value, dict):
        return
    schema = schema or {}
    properties, rest = schema.get("properties") or {}, schema.get("additionalProperties")
    embedded = schema.get("x-kubernetes-embedded-resource")
    for name in list(value):
        if embedded and name in _META:
            continue
        below = f"{path}.{name}" if path else name
        item = value[name]
        child = properties.get(name)
        if child is not None:
            if isinstance(item, (dict, list)):
                prune_value(child, item, below, dropped)
        elif rest is not None and rest is not False:
            if isinstance(item, (dict, list)):
                prune_value(rest if isinstance(rest, dict) else None, item, below, dropped)
        elif not keeps:
            del value[name]
            dropped.append(below)


def embedded(schema: Schema, value: Any, path: str = "") -> Iterator[tuple[dict[str, Any], str]]:
    """The whole objects that stand inside one (x-kubernetes-embedded-resource), each with its path."""
    if isinstance(value, list):
        items = schema.get("items") or {}
        for index, item in enumerate(value):
            yield from _inside(items, item, f"{path}[{index}]")
    elif isinstance(value, dict):
        properties, rest = schema.get("properties") or {}, schema.get("additionalProperties")
        for name, item in value.items():
            child = properties.get(name) or (rest if isinstance(rest, dict) else None)
            if child is not None:
                yield from _inside(child, item, f"{path}.{name}" if path else name)


def _inside(schema: Schema, value: Any, path: str) -> Iterator[tuple[dict[str, Any], str]]:
    if isinstance(value, dict) and schema.get("x-kubernetes-embedded-resource"):
        yield value, path
    if isinstance(value, (dict, list)):
        yield from embedded(schema, value, path)


def has_defaults(schema: Any) -> bool:
    """Whether a default stands anywhere in a schema."""
    if not isinstance(schema, dict):
        return False
    if schema.get("default") is not None:
        return True
    below = [*(schema.get("properties") or {}).values(), schema.get("items"), schema.get("additionalProperties")]
    return any(map(has_defaults, below))


def default(schema: Schema, value: Any) -> None:
    """Fill in defaults; null where the schema does not allow it counts as left out."""
    if isinstance(value, dict):
        properties, rest = schema.get("properties") or {}, schema.get("additionalProperties")
        for name, child in properties.items():
            if name in value and value[name] is None and not child.get("nullable"):
                del value[name]
            given = child.get("default")
            if name not in value and given is not None:
                value[name] = orjson.loads(orjson.dumps(given))
        for name in list(value):
            child = properties.get(name)
            if child is None and isinstance(rest, dict):
                child = rest
                if value[name] is None and not rest.get("nullable"):
                    if rest.get("default") is None:
                        del value[name]
                        continue
                    value[name] = orjson.loads(orjson.dumps(rest["default"]))
            if child is not None and isinstance(value[name], (dict, list)):
                default(child, value[name])
    elif isinstance(value, list):
        items = schema.get("items") or {}
        for index, item in enumerate(value):
            if item is None and not items.get("nullable") and items.get("default") is not None:
                value[index] = orjson.loads(orjson.dumps(items["default"]))
            if isinstance(value[index], (dict, list)):
                default(items, value[index])
