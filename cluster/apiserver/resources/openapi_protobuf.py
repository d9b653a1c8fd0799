"""The OpenAPI v2 document as protobuf (gnostic's openapi.v2.Document): the only form in which kubectl reads it.

kubectl validates with it whatever has no PATCH, such as SubjectAccessReviews. One table from the JSON's keys to field numbers and
codecs; what the table does not name are vendor extensions, which go as YAML (JSON is YAML).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

import orjson

MEDIA_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
# What kubectl asks for: before media types were held to their grammar, there was an @.
ACCEPTED = (MEDIA_TYPE, "application/com.github.proto-openapi.spec.v2@v1.0+protobuf")

Codec = Callable[[int, Any], bytes]


def encode(document: Mapping[str, Any]) -> bytes:
    """The bytes of a v2 document."""
    return _message("Document", document)


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _bytes(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _text(number: int, value: Any) -> bytes:
    return _bytes(number, str(value).encode())


def _flag(number: int, value: Any) -> bytes:
    return _varint(number << 3) + (b"\1" if value else b"\0")


def _integer(number: int, value: Any) -> bytes:
    return _varint(number << 3) + _varint(int(value))


def _double(number: int, value: Any) -> bytes:
    return _varint(number << 3 | 1) + struct.pack("<d", float(value))


def _any(number: int, value: Any) -> bytes:
    return _bytes(number, _text(2, orjson.dumps(value).decode()))


def _each(codec: Codec) -> Codec:
    return lambda number, values: b"".join(codec(number, value) for value in values)


def _of(name: str) -> Codec:
    return lambda number, value: _bytes(number, _message(name, value))


def _wrapped(inner: int, codec: Codec) -> Codec:
    """A message whose one field is the value."""
    return lambda number, value: _bytes(number, codec(inner, value))


def _named(inner: int, codec: Codec) -> Codec:
    """A map as a message of (name, value) pairs."""
    return lambda number, values: _bytes(
        number, b"".join(_bytes(inner, _text(1, name) + codec(2, value)) for name, value in values.items())
    )


def _type(number: int, value: Any) -> bytes:
    return _bytes(number, _each(_text)(1, [value] if isinstance(value, str) else value))


def _extra_properties(number: int, value: Any) -> bytes:
    return _bytes(number, _flag(2, value) if isinstance(value, bool) else _of("Schema")(1, value))


def _parameter(number: int, value: Any) -> bytes:
    if "$ref" in value:
        return _bytes(number, _of("Reference")(2, value))
    if value["in"] == "body":
        return _bytes(number, _bytes(1, _of("BodyParameter")(1, value)))
    place, name = _PLACES[value["in"]]
    return _bytes(number, _bytes(1, _bytes(2, _of(name)(place, value))))


_PLACES = {
    "header": (1, "Parameter"),
    "formData": (2, "OpenParameter"),
    "query": (3, "OpenParameter"),
    "path": (4, "Parameter"),
}
_HEAD: dict[str, tuple[int, Codec]] = {
    "required": (1, _flag),
    "in": (2, _text),
    "description": (3, _text),
    "name": (4, _text),
}
_MESSAGES: dict[str, tuple[dict[str, tuple[int, Codec]], int]] = {
    # name → (its fields, the number of its vendor extensions)
    "Document": (
        {
            "swagger": (1, _text),
            "info": (2, _of("Info")),
            "paths": (8, _named(2, _of("PathItem"))),
            "definitions": (9, _named(1, _of("Schema"))),
            "security": (12, _each(_named(1, _wrapped(1, _each(_text))))),
            "securityDefinitions": (13, _named(1, _wrapped(2, _of("ApiKeySecurity")))),
        },
        16,
    ),
    "Info": ({"title": (1, _text), "version": (2, _text), "description": (3, _text)}, 7),
    "ApiKeySecurity": (
        {"type": (1, _text), "name": (2, _text), "in": (3, _text), "description": (4, _text)},
        5,
    ),
    "PathItem": (
        {
            **{
                method: (number, _of("Operation"))
                for number, method in enumerate(("get", "put", "post", "delete", "options", "head", "patch"), 2)
            },
            "parameters": (9, _each(_parameter)),
        },
        10,
    ),
    "Operation": (
        {
            "tags": (1, _each(_text)),
            "summary": (2, _text),
            "description": (3, _text),
            "operationId": (5, _text),
            "produces": (6, _each(_text)),
            "consumes": (7, _each(_text)),
            "parameters": (8, _each(_parameter)),
            "responses": (9, _named(1, _wrapped(1, _of("Response")))),
            "schemes": (10, _each(_text)),
            "deprecated": (11, _flag),
        },
        13,
    ),
    "Response": ({"description": (1, _text), "schema": (2, _wrapped(1, _of("Schema")))}, 5),
    "Reference": ({"$ref": (1, _text), "description": (2, _text)}, 3),
    "BodyParameter": (
        {
            "description": (1, _text),
            "name": (2, _text),
            "in": (3, _text),
            "required": (4, _flag),
            "schema": (5, _of("Schema")),
        },
        6,
    ),
    "Parameter": ({**_HEAD, "type": (5, _text), "format": (6, _text), "pattern": (16, _text)}, 22),
    "OpenParameter": ({**_HEAD, "type": (6, _text), "format": (7, _text), "pattern": (17, _text)}, 23),
    "Schema": (
        {
            "$ref": (1, _text),
            "format": (2, _text),
            "title": (3, _text),
            "description": (4, _text),
            "default": (5, _any),
            "multipleOf": (6, _double),
            "maximum": (7, _double),
            "exclusiveMaximum": (8, _flag),
            "minimum": (9, _double),
            "exclusiveMinimum": (10, _flag),
            "maxLength": (11, _integer),
            "minLength": (12, _integer),
            "pattern": (13, _text),
            "maxItems": (14, _integer),
            "minItems": (15, _integer),
            "uniqueItems": (16, _flag),
            "maxProperties": (17, _integer),
            "minProperties": (18, _integer),
            "required": (19, _each(_text)),
            "enum": (20, _each(_any)),
            "additionalProperties": (21, _extra_properties),
            "type": (22, _type),
            "items": (23, _wrapped(1, _of("Schema"))),
            "allOf": (24, _each(_of("Schema"))),
            "properties": (25, _named(1, _of("Schema"))),
            "readOnly": (27, _flag),
            "example": (30, _any),
        },
        31,
    ),
}


def _message(name: str, value: Mapping[str, Any]) -> bytes:
    fields, extensions = _MESSAGES[name]
    out = bytearray()
    for key, one in value.items():
        known = fields.get(key)
        if known is not None:
            out += known[1](known[0], one)
        elif key.startswith("x-"):
            out += _bytes(extensions, _text(1, key) + _any(2, one))
    return bytes(out)
