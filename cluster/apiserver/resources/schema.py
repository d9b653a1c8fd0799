"""Decoding against the schema: types, unknown fields, canonical forms; in the words of Kubernetes' decoder (sigs.k8s.io/json).

`decode` answers at once when the compiled validator finds nothing to do; otherwise it walks the object along its nodes, and what
comes out is what Go would have kept: nulls dropped, quantities and times canonical, unknown fields gone and told.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from cluster.apimachinery import errors, quantity
from cluster.apiserver.apiextensions.decoding import prune_and_tell
from cluster.apiserver.resources.nodes import ANY, Node, root
from cluster.apiserver.resources.registry import Resource
from cluster.apiserver.resources.strict import validator

__all__ = ["ANY", "Node", "decode", "node_of", "root"]

Obj = dict[str, Any]
MAX_TOLD = 100
_OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_TIME = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$")


def decode(
    resource: Resource, obj: Any, *, field_validation: str, duplicates: Sequence[str] = (), complete: bool = True
) -> tuple[Obj, list[str]]:
    """The object as the kind's schema has it, and warnings; StatusError 400 in Kubernetes' words otherwise.

    `field_validation` is Strict, Warn or Ignore; `duplicates` are the decoder's findings about keys named twice. Not `complete`: what
    Go would write though nobody set it stays out, as what is applied claims no more than it names.
    """
    plain = not duplicates and resource.custom is None and resource.definition and isinstance(obj, dict)
    if plain and validator(resource.definition, resource.api_version, resource.kind).is_valid(obj):
        return obj, []
    if not isinstance(obj, dict):
        raise errors.bad_request(
            f"the object provided is unrecognized (must be of type {resource.kind}): couldn't get version/kind; json "
            f"parse error: json: cannot unmarshal {_json_type(obj)} into Go value of type struct "
            f'{{ APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }} '
            f"({_summary(obj)})"
        )
    _check_identity(resource, obj)
    walker = _Walker(complete=complete)
    node = root(resource.definition)
    try:
        cleaned = walker.struct(node, obj, "", "", resource.kind) if node is not ANY else _untyped(walker, obj)
    except _Undecodable as failure:
        raise errors.bad_request(
            f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: {failure}'
        ) from failure
    cleaned["apiVersion"], cleaned["kind"] = resource.api_version, resource.kind
    told = [*duplicates, *walker.unknown]
    if resource.custom is not None:
        return prune_and_tell(resource.custom, cleaned, told, field_validation, _embedded_metadata)
    if not told or field_validation == "Ignore":
        return cleaned, []
    if field_validation == "Strict":
        text = ", ".join(told[:MAX_TOLD])
        raise errors.bad_request(
            f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: '
            f"strict decoding error: {text}"
        )
    return cleaned, told[:MAX_TOLD]


def _embedded_metadata(metadata: Obj, path: str) -> tuple[Obj, list[str]]:
    """The metadata of an object inside a custom one, without what is unknown; 400 for a wrong type."""
    walker = _Walker()
    try:
        return walker.struct(root(_OBJECT_META), metadata, path, path, "ObjectMeta"), walker.unknown
    except _Undecodable as failure:
        raise errors.bad_request(str(failure)) from failure


def node_of(resource: Resource) -> Node:
    """The tree of a resource, built in or custom."""
    if resource.custom is not None:
        custom: Node = resource.custom.node
        return custom
    return root(resource.definition)


def _untyped(walker: _Walker, obj: Obj) -> Obj:
    """A kind without a schema: its metadata is known all the same."""
    cleaned = dict(obj)
    if isinstance(obj.get("metadata"), dict):
        cleaned["metadata"] = walker.struct(root(_OBJECT_META), obj["metadata"], "metadata", "metadata", "ObjectMeta")
    return cleaned


def _check_identity(resource: Resource, obj: Obj) -> None:
    """The body's apiVersion and kind, where it names them, must be those of the path."""
    api_version, kind = obj.get("apiVersion"), obj.get("kind")
    for name, value in (("apiVersion", api_version), ("kind", kind)):
        if value is not None and not isinstance(value, str):
            raise errors.bad_request(
                f"the object provided is unrecognized (must be of type {resource.kind}): couldn't get version/kind; "
                f"json parse error: json: cannot unmarshal {_json_type(value)} into Go struct field .{name} of type "
                f"string ({_summary(obj)})"
            )
    if api_version and api_version != resource.api_version:
        raise errors.bad_request(
            f"the API version in the data ({api_version}) does not match the expected API version "
            f"({resource.api_version})"
        )
    if kind and kind != resource.kind:
        raise errors.bad_request(
            f'{kind} in version "{resource.version}" cannot be handled as a {resource.kind}: converting '
            f"({resource.version}.{kind}) to ({resource.group.partition('.')[0] or 'core'}.{resource.kind}): "
            "unknown conversion"
        )


def _summary(obj: Any) -> str:
    """The beginning of the body in hexadecimal, as Kubernetes shows what it could not read."""
    return orjson.dumps(obj)[:30].hex()


# What a null under a key of a map is in Go: the zero of the values' type.
_ZEROS: Mapping[str, Any] = {
    "string": "",
    "bytes": "",
    "quantity": "0",
    "integer": 0,
    "number": 0,
    "boolean": False,
    "intorstring": 0,
    "any": None,
}


def _zero(node: Node) -> Any:
    return [] if node.kind == "list" else _ZEROS.get(node.kind, {})


class _Undecodable(Exception):
    """A value of the wrong type; the message is Go's."""


def _json_type(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "string"
    if isinstance(value, list):
        return "array"
    return "object" if isinstance(value, dict) else "null"


class _Walker:
    """One decoding: collects unknown fields on its way, stops at the first wrong type.

    Two paths are carried: `path` with indices for unknown fields, `go` without them for Go's type errors; `owner` is the
    name of the struct that holds the value.
    """

    __slots__ = ("complete", "unknown")

    def __init__(self, *, complete: bool = True) -> None:
        self.complete = complete
        self.unknown: list[str] = []

    def value(self, node: Node, value: Any, path: str, go: str, owner: str) -> Any:
        kind = node.kind
        if kind == "any":
            return value
        if kind == "struct":
            if not isinstance(value, dict):
                raise self.wrong(node, value, go, owner)
            return self.struct(node, value, path, go, node.struct)
        if kind == "map":
            if not isinstance(value, dict):
                raise self.wrong(node, value, go, owner)
            inner = node.additional
            return {
                name: _zero(inner) if item is None else self.value(inner, item, f"{path}.{name}", go, owner)
                for name, item in value.items()
            }
        if kind == "list":
            if not isinstance(value, list):
                raise self.wrong(node, value, go, owner)
            inner = node.items
            return [
                self.value(inner, item, f"{path}[{index}]", go, owner)
                for index, item in enumerate(value)
                if item is not None
            ]
        return getattr(self, kind)(node, value, go, owner)

    def struct(self, node: Node, value: Mapping[str, Any], path: str, go: str, owner: str) -> Obj:
        fields, required = node.fields, node.required
        result: Obj = {}
        for name, item in value.items():
            child = fields.get(name)
            below = f"{path}.{name}" if path else name
            if child is None:
                self.unknown.append(f'unknown field "{below}"')
                continue
            if item is None:
                continue
            cleaned = self.value(child, item, below, f"{go}.{name}" if go else name, owner)
            # What Go leaves out when it writes (omitempty): lists and maps with nothing in them.
            if not cleaned and child.kind in ("list", "map") and name not in required:
                continue
            result[name] = cleaned
        if self.complete:
            for name, zero in node.zeros.items():
                result.setdefault(name, zero)
        return result

    @staticmethod
    def wrong(node: Node, value: Any, go: str, owner: str) -> _Undecodable:
        told = _json_type(value)
        if told == "number" and node.kind == "integer":
            told = f"number {orjson.dumps(value).decode()}"
        return _Undecodable(f"json: cannot unmarshal {told} into Go struct field {owner}.{go} of type {node.go_type}")

    def string(self, node: Node, value: Any, go: str, owner: str) -> str:
        if not isinstance(value, str):
            raise self.wrong(node, value, go, owner)
        return value

    def boolean(self, node: Node, value: Any, go: str, owner: str) -> bool:
        if not isinstance(value, bool):
            raise self.wrong(node, value, go, owner)
        return value

    def integer(self, node: Node, value: Any, go: str, owner: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.wrong(node, value, go, owner)
        bits = 63 if node.format == "int64" else 31
        if not -(2**bits) <= value < 2**bits:
            raise self.wrong(node, value, go, owner)
        return value

    def number(self, node: Node, value: Any, go: str, owner: str) -> float:
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise self.wrong(node, value, go, owner)
        return value

    def bytes(self, node: Node, value: Any, go: str, owner: str) -> str:
        if not isinstance(value, str):
            raise self.wrong(node, value, go, owner)
        plain = value.replace("\n", "").replace("\r", "")
        try:
            base64.b64decode(plain, validate=True)
        except (binascii.Error, ValueError) as error:
            position = next(
                (
                    index
                    for index, letter in enumerate(plain)
                    if not (letter.isascii() and letter.isalnum()) and letter not in "+/="
                ),
                len(plain) - len(plain) % 4,
            )
            raise _Undecodable(f"illegal base64 data at input byte {position}") from error
        return plain

    def quantity(self, node: Node, value: Any, go: str, owner: str) -> str:
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise _Undecodable(quantity.ERROR)
        try:
            return quantity.canonical(value)
        except ValueError as error:
            raise _Undecodable(str(error)) from error

    def intorstring(self, node: Node, value: Any, go: str, owner: str) -> int | str:
        if isinstance(value, str):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            if -(2**31) <= value < 2**31:
                return value
            raise _Undecodable(f"json: cannot unmarshal number {value} into Go value of type int32")
        told = f"number {value}" if isinstance(value, float) else _json_type(value)
        into = "int32" if isinstance(value, float) else "string"
        raise _Undecodable(f"json: cannot unmarshal {told} into Go value of type {into}")

    def time(self, node: Node, value: Any, go: str, owner: str) -> str:
        return _moment(value).strftime("%Y-%m-%dT%H:%M:%SZ")

    def microtime(self, node: Node, value: Any, go: str, owner: str) -> str:
        return _moment(value).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _moment(value: Any) -> datetime:
    if not isinstance(value, str):
        raise _Undecodable(f"json: cannot unmarshal {_json_type(value)} into Go value of type string")
    match = _TIME.match(value)
    try:
        if match is None:
            raise ValueError(value)
        fraction = (match.group(2) or ".0")[:7]
        zone = "+00:00" if match.group(3) == "Z" else match.group(3)
        return datetime.fromisoformat(f"{match.group(1)}{fraction.ljust(7, '0')}{zone}").astimezone(UTC)
    except ValueError as error:
        raise _Undecodable(
            f'parsing time "{value}" as "2006-01-02T15:04:05Z07:00": cannot parse "{value}" as "2006"'
        ) from error
