"""Request bodies in Kubernetes' protobuf encoding (apimachinery/pkg/runtime/serializer/protobuf).

Typed Go clients (kubectl create, operators, the conformance tests) may send built-in kinds so: the bytes `k8s\\0`, then a
runtime.Unknown with the kind and the object's own message. The messages are the schema's definitions; their field numbers stand in
protobuf_fields.json (scripts/protobuf_fields.py made it). What comes out is what the same client would have sent as JSON.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import orjson

from cluster.apimachinery import errors
from cluster.apiserver.resources.definitions import definitions
from cluster.apiserver.resources.nodes import Node, root

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
MAGIC = b"k8s\0"
# How deep messages may stand in one another; the schema of a CustomResourceDefinition is the deepest there is.
MAX_DEPTH = 200

Value = int | bytes
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_APIEXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."


class Malformed(ValueError):
    """The bytes are no message of the kind that they should be."""


class Field(NamedTuple):
    """A field of a message: its JSON name, or the definition whose fields stand in the outer object."""

    name: str
    embedded: str
    omits_zero: bool


def decode(data: bytes, kind: str) -> Any:
    """The object in a body; StatusError 400 when there is none. `kind` is what was expected."""
    try:
        return _unknown(data)
    except (ValueError, OverflowError, struct.error, RecursionError) as error:
        shown = data[:30].hex() + (" ..." if len(data) > 30 else "") or "<empty>"
        of_type = f" (must be of type {kind})" if kind else ""
        raise errors.bad_request(f"the object provided is unrecognized{of_type}: {error} ({shown})") from error


def _unknown(data: bytes) -> Any:
    if not data.startswith(MAGIC):
        raise Malformed("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    api_version = kind = content_type = ""
    raw = b""
    for number, value in _parts(data[len(MAGIC) :]):
        if number == 1:
            for inner, text in _parts(_bytes(value)):
                if inner == 1:
                    api_version = _bytes(text).decode()
                elif inner == 2:
                    kind = _bytes(text).decode()
        elif number == 2:
            raw = _bytes(value)
        elif number == 4:
            content_type = _bytes(value).decode()
    if content_type == "application/json":
        return orjson.loads(raw)
    name = _definition_of(api_version, kind)
    if name is None or name not in _table():
        raise Malformed(f'no kind "{kind}" is registered for version "{api_version}" in scheme')
    return {"apiVersion": api_version, "kind": kind, **_message(root(name), name, raw, 0)}


@cache
def _table() -> dict[str, dict[int, Field]]:
    text = (files("cluster.apiserver.resources") / "protobuf_fields.json").read_bytes()
    return {
        name: {int(number): _field(told) for number, told in row.items()} for name, row in orjson.loads(text).items()
    }


def _field(told: str) -> Field:
    if told.startswith("<"):
        return Field("", told[1:], False)
    return Field(told.removesuffix("?"), "", told.endswith("?"))


@cache
def _kinds() -> dict[tuple[str, str], str]:
    found = {}
    for name, schema in definitions().items():
        for one in schema.get("x-kubernetes-group-version-kind") or ():
            group = f"{one['group']}/" if one["group"] else ""
            found[(f"{group}{one['version']}", one["kind"])] = name
    # No longer served, but still taken at pods/eviction (EvictionREST.AcceptsGroupVersion); the message is the same.
    found["policy/v1beta1", "Eviction"] = found["policy/v1", "Eviction"]
    return found


def _definition_of(api_version: str, kind: str) -> str | None:
    return _kinds().get((api_version, kind))


# -- The encoding ---------------------------------------------------------------------------------------------------


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise Malformed("unexpected EOF")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at
        shift += 7


def _parts(data: bytes) -> Iterator[tuple[int, Value]]:
    """The fields of a message as they come: number, and an integer or bytes."""
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if not number:
            raise Malformed("proto: illegal tag 0")
        if wire == 0:
            value, at = _varint(data, at)
            yield number, value
            continue
        if wire == 2:
            size, at = _varint(data, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise Malformed(f"proto: illegal wireType {wire}")
        if at + size > end:
            raise Malformed("unexpected EOF")
        yield number, data[at : at + size]
        at += size


def _bytes(value: Value) -> bytes:
    if isinstance(value, int):
        raise Malformed("proto: wrong wireType = 0")
    return value


def _signed(value: Value) -> int:
    if not isinstance(value, int):
        raise Malformed("proto: wrong wireType = 2")
    return value - (1 << 64) if value >> 63 else value


# -- Values by what the schema has in their place ----------------------------------------------------------------------


def _message(node: Node, definition: str, data: bytes, depth: int) -> dict[str, Any]:
    """The object in a message of this definition; `node` has the types (the outer one's, for embedded messages)."""
    if depth > MAX_DEPTH:
        raise Malformed("exceeded max depth")
    fields = _table().get(definition, {})
    result: dict[str, Any] = {}
    for number, value in _parts(data):
        field = fields.get(number)
        if field is None:
            continue
        if field.embedded:
            result.update(_message(node, field.embedded, _bytes(value), depth + 1))
            continue
        child = node.child(field.name)
        if child.kind == "list":
            result.setdefault(field.name, []).extend(_items(child.items, value, depth + 1))
        elif child.kind == "map":
            key, item = _entry(child.additional, _bytes(value), depth + 1)
            result.setdefault(field.name, {})[key] = item
        else:
            found = _value(child, value, depth + 1)
            if found is not None and (found or not field.omits_zero or child.kind == "struct"):
                result[field.name] = found
    return result


def _items(node: Node, value: Value, depth: int) -> list[Any]:
    """One item of a repeated field, or several numbers packed into one."""
    if node.kind in ("integer", "boolean") and isinstance(value, bytes):
        found, at = [], 0
        while at < len(value):
            number, at = _varint(value, at)
            found.append(_value(node, number, depth))
        return found
    return [_value(node, value, depth)]


def _entry(node: Node, data: bytes, depth: int) -> tuple[str, Any]:
    key, found = "", b""
    for number, value in _parts(data):
        if number == 1:
            key = _bytes(value).decode()
        elif number == 2:
            if not isinstance(value, bytes):
                return key, _value(node, value, depth)
            found = value
    if node.kind == "list":
        # A map of lists is one of messages that hold a list each (authorization/v1.ExtraValue).
        return key, [_value(node.items, item, depth) for number, item in _parts(found) if number == 1]
    return key, _value(node, found, depth)


def _value(node: Node, value: Value, depth: int) -> Any:
    kind = node.kind
    if kind == "struct":
        return _message(node, node.definition, _bytes(value), depth)
    if kind == "any":
        return _ANY.get(node.definition, _nothing)(node, _bytes(value), depth)
    return _SCALARS[kind](value)


def _nothing(_node: Node, _data: bytes, _depth: int) -> Any:
    return None


def _string(value: Value) -> str:
    return _bytes(value).decode()


def _number(value: Value) -> float:
    data = _bytes(value)
    return float(struct.unpack("<d" if len(data) == 8 else "<f", data)[0])


def _moment(value: Value, digits: int) -> str | None:
    """metav1.Time: seconds and nanoseconds since 1970; None for Go's zero time, which is an empty message."""
    data = _bytes(value)
    if not data:
        return None
    seconds = nanos = 0
    for number, part in _parts(data):
        if number == 1:
            seconds = _signed(part)
        elif number == 2:
            nanos = _signed(part)
    moment = _EPOCH + timedelta(seconds=seconds)
    fraction = f".{nanos // 1000:06d}" if digits else ""
    return f"{moment.replace(tzinfo=None).isoformat(timespec='seconds')}{fraction}Z"


def _quantity(value: Value) -> str:
    for number, part in _parts(_bytes(value)):
        if number == 1:
            return _bytes(part).decode() or "0"
    return "0"


def _int_or_string(value: Value) -> int | str:
    kind, number_value, text = 0, 0, ""
    for number, part in _parts(_bytes(value)):
        if number == 1:
            kind = _signed(part)
        elif number == 2:
            number_value = _signed(part)
        elif number == 3:
            text = _bytes(part).decode()
    return text if kind == 1 else number_value


_SCALARS: dict[str, Callable[[Value], Any]] = {
    "string": _string,
    "integer": _signed,
    "boolean": lambda value: bool(_signed(value)),
    "number": _number,
    "bytes": lambda value: base64.b64encode(_bytes(value)).decode(),
    "quantity": _quantity,
    "intorstring": _int_or_string,
    "time": lambda value: _moment(value, 0),
    "microtime": lambda value: _moment(value, 6),
}


def _raw(_node: Node, data: bytes, _depth: int) -> Any:
    """A message whose first field is JSON text, or an object in this very encoding (runtime.RawExtension)."""
    for number, part in _parts(data):
        if number == 1:
            raw = _bytes(part)
            return _unknown(raw) if raw.startswith(MAGIC) else orjson.loads(raw) if raw else None
    return None


def _json_schema(data: bytes, depth: int) -> dict[str, Any]:
    name = f"{_APIEXTENSIONS}JSONSchemaProps"
    return _message(root(name), name, data, depth + 1)


def _schema_or_array(_node: Node, data: bytes, depth: int) -> Any:
    parts = list(_parts(data))
    if any(number == 1 for number, _ in parts):
        return _json_schema(_bytes(next(part for number, part in parts if number == 1)), depth)
    return [_json_schema(_bytes(part), depth) for number, part in parts if number == 2]


def _schema_or_bool(_node: Node, data: bytes, depth: int) -> Any:
    found: Any = False
    for number, part in _parts(data):
        if number == 1 and not isinstance(found, dict):
            found = bool(_signed(part))
        elif number == 2:
            found = _json_schema(_bytes(part), depth)
    return found


def _schema_or_strings(_node: Node, data: bytes, depth: int) -> Any:
    parts = list(_parts(data))
    if any(number == 1 for number, _ in parts):
        return _json_schema(_bytes(next(part for number, part in parts if number == 1)), depth)
    return [_string(part) for number, part in parts if number == 2]


# Definitions that the schema calls anything, by how their messages hold it.
_ANY: dict[str, Callable[[Node, bytes, int], Any]] = {
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": _raw,
    "io.k8s.apimachinery.pkg.runtime.RawExtension": _raw,
    f"{_APIEXTENSIONS}JSON": _raw,
    f"{_APIEXTENSIONS}JSONSchemaPropsOrArray": _schema_or_array,
    f"{_APIEXTENSIONS}JSONSchemaPropsOrBool": _schema_or_bool,
    f"{_APIEXTENSIONS}JSONSchemaPropsOrStringArray": _schema_or_strings,
}
