"""The CEL type that a structural schema declares, with how large its values may get (apiserver/pkg/cel/common.SchemaDeclType)."""

from __future__ import annotations

import re
from typing import Any

from cluster.apimachinery.cel.syntax import RESERVED
from cluster.apimachinery.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    Field,
    Type,
    list_of,
    map_of,
    object_of,
)

Schema = dict[str, Any]
# What a request may hold at most, in bytes: it bounds what no schema does.
MOST = 3 * 1024 * 1024
_METADATA = object_of("metadata", {"name": STRING, "generateName": STRING})
_ESCAPES = (("__", "__underscores__"), (".", "__dot__"), ("-", "__dash__"), ("/", "__slash__"))
_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_./-]*$")
_KEYWORDS = RESERVED | {"true", "false", "null", "in"}


def escaped(name: str) -> str:
    """What CEL calls a field; empty for one that it cannot reach."""
    if not _NAME.match(name):
        return ""
    if name in _KEYWORDS:
        return f"__{name}__"
    result = name
    for plain, written in _ESCAPES:
        result = result.replace(plain, written) if plain != "__" else result.replace("__", "\0")
    return result.replace("\0", "__underscores__")


def least_size(schema: Schema) -> int:
    """The fewest bytes that a value of this schema takes in JSON."""
    kind = schema.get("type")
    if schema.get("nullable"):
        return 4 if kind == "object" else 2
    if kind in ("integer", "number"):
        return 1
    if kind == "boolean":
        return 4
    if kind == "object" and schema.get("properties"):
        size = 2
        for name in schema.get("required") or ():
            child = schema["properties"].get(name)
            if child is not None and child.get("default") is None:
                size += len(name) + 4 + least_size(child)
        return size
    return 2


def most_elements(schema: Schema) -> int:
    """How many elements an array or a map can have."""
    if schema.get("type") == "array":
        if schema.get("maxItems") is not None:
            return int(schema["maxItems"])
        return (MOST - 2) // (least_size(schema.get("items") or {}) + 1)
    if schema.get("maxProperties") is not None:
        return int(schema["maxProperties"])
    rest = schema.get("additionalProperties")
    return (MOST - 2) // (6 + (least_size(rest) if isinstance(rest, dict) else 2))


_FORMATS = {"byte": BYTES, "date": TIMESTAMP, "date-time": TIMESTAMP, "datetime": TIMESTAMP, "duration": DURATION}


def _string(schema: Schema) -> Type:
    found = _FORMATS.get(schema.get("format") or "")
    if found is not None and found is not BYTES:
        return found
    size = MOST - 2
    if schema.get("maxLength") is not None:
        size = int(schema["maxLength"])
    elif schema.get("enum"):
        size = max(len(one) for one in schema["enum"] if isinstance(one, str))
    return Type("bytes" if found is BYTES else "string", size=size)


def declared(schema: Schema, *, root: bool = False) -> Type | None:
    """The type; None where the schema says nothing that could be reasoned about."""
    if schema.get("x-kubernetes-int-or-string"):
        return DYN
    kind = schema.get("type") or ""
    if kind == "array":
        item = declared(schema.get("items") or {})
        return None if item is None else list_of(item, most_elements(schema))
    if kind == "object":
        rest = schema.get("additionalProperties")
        if isinstance(rest, dict):
            value = declared(rest)
            return None if value is None else map_of(STRING, value, most_elements(schema))
        return _object(schema, root=root)
    if kind == "string":
        return _string(schema)
    return {"boolean": BOOL, "number": DOUBLE, "integer": INT}.get(kind)


def _object(schema: Schema, *, root: bool) -> Type:
    fields: dict[str, Field | Type] = {}
    properties = schema.get("properties") or {}
    if root or schema.get("x-kubernetes-embedded-resource"):
        fields |= {"kind": STRING, "apiVersion": STRING, "metadata": _METADATA}
    for name, child in properties.items():
        written = escaped(name)
        if written and not (written == "metadata" and "metadata" in fields):
            found = declared(child)
            if found is not None:
                fields[written] = Field(found, name)
    return object_of("object", fields)
