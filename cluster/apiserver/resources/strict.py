"""Compiled validators: is this object already exactly as the API server would store it? (one pass in native code)

A "yes" means: known fields of the right types only, no nulls, canonical quantities and times, nothing empty that Go would leave
out. Then decoding has nothing to do. Anything else takes the slow, explaining way in `schema`. `required` is left out on purpose:
what must be there is for validation to say, in Kubernetes' words (only conditions are completed).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import jsonschema_rs

from cluster.apiserver.resources.definitions import (
    ANYTHING,
    INT_OR_STRING,
    QUANTITY,
    TIMES,
    Schema,
    always_there,
    closure,
    definitions,
    plain_type,
)

_TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}%sZ$"
# Quantities that are surely canonical: few digits, and no 1000 that would move to the next suffix.
_QUANTITY = r"^(?:0|[1-9]\d{0,2}(?:[numkMGTPE]|[KMGTPE]i)?|[1-9]\d*(?:[1-9]\d\d|\d[1-9]\d|\d\d[1-9])(?:[num])?)$"
_BASE64 = r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
_RANGES = {
    "int32": {"minimum": -(2**31), "maximum": 2**31 - 1},
    "int64": {"minimum": -(2**63), "maximum": 2**63 - 1},
}


@cache
def validator(definition: str, api_version: str, kind: str) -> Any:
    """The validator of a kind; compiled at its first use."""
    names = closure([definition])
    root = _strict(definition)
    properties = {**root["properties"], "apiVersion": {"const": api_version}, "kind": {"const": kind}}
    schema = {
        **root,
        "properties": properties,
        "required": ["apiVersion", "kind"],
        "$defs": {name: _strict(name) for name in names},
    }
    return jsonschema_rs.Draft202012Validator(schema)


@cache
def _strict(name: str) -> Schema:
    if name == QUANTITY:
        return {"type": "string", "pattern": _QUANTITY}
    if name == INT_OR_STRING:
        return {"type": ["string", "integer"]}
    if name in TIMES:
        fraction = r"\.\d{6}" if name.endswith("MicroTime") else ""
        return {"type": "string", "pattern": _TIME % fraction}
    if name in ANYTHING:
        return {}
    narrow = _narrow(definitions()[name])
    if always := always_there(name):
        narrow["required"] = sorted(always)
    return narrow


def _narrow(schema: Schema) -> Schema:
    """One schema without nulls, unknown fields and emptiness."""
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    kind = plain_type(schema)
    if kind == "object":
        if "properties" in schema:
            required = schema.get("required") or ()
            return {
                "type": "object",
                "properties": {
                    name: _narrow(child) if name not in required else _lenient(_narrow(child))
                    for name, child in schema["properties"].items()
                },
                "additionalProperties": False,
            }
        values = schema.get("additionalProperties")
        if isinstance(values, dict):
            return {"type": "object", "additionalProperties": _narrow(values), "minProperties": 1}
        return {"type": "object"}
    if kind == "array":
        return {"type": "array", "items": _narrow(schema.get("items") or {}), "minItems": 1}
    if kind == "integer":
        return {"type": "integer", **_RANGES.get(schema.get("format") or "int32", {})}
    if kind == "string" and schema.get("format") == "byte":
        return {"type": "string", "pattern": _BASE64}
    return {"type": kind} if kind else {}


def _lenient(schema: Schema) -> Schema:
    """Required lists and maps may stay, empty."""
    return {key: value for key, value in schema.items() if key not in ("minItems", "minProperties")}
