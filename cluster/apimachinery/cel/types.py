"""The types of CEL, and what the checker needs of them: equality, assignability, type parameters, and how large values may get."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, eq=False, slots=True)
class Type:
    """`name` is bool, int, uint, double, string, bytes, null_type, dyn, timestamp, duration, type, list, map, optional_type, object,
    param, or the name of an opaque type. Objects have `fields` (by the name that CEL uses) and are equal by name.

    `size` is the largest number of elements (characters, items, entries), None when nobody says.
    """

    name: str
    parameters: tuple[Type, ...] = ()
    label: str = ""
    fields: Mapping[str, Field] | None = None
    size: int | None = None

    def __str__(self) -> str:
        if self.name == "object":
            return self.label
        if self.name == "param":
            return self.label
        if self.parameters:
            return f"{self.name}({', '.join(map(str, self.parameters))})"
        return self.name

    @property
    def is_dyn(self) -> bool:
        return self.name in ("dyn", "error")


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an object: its type, and what it is called in the data."""

    type: Type
    key: str


BOOL, INT, UINT, DOUBLE = Type("bool"), Type("int"), Type("uint"), Type("double")
STRING, BYTES, NULL, DYN = Type("string"), Type("bytes"), Type("null_type"), Type("dyn")
TIMESTAMP, DURATION, TYPE, ERROR = Type("timestamp"), Type("duration"), Type("type"), Type("error")
_PLAIN = {one.name: one for one in (BOOL, INT, UINT, DOUBLE, STRING, BYTES, NULL, DYN, TIMESTAMP, DURATION, TYPE)}


def list_of(item: Type, size: int | None = None) -> Type:
    return Type("list", (item,), size=size)


def map_of(key: Type, value: Type, size: int | None = None) -> Type:
    return Type("map", (key, value), size=size)


def optional_of(value: Type) -> Type:
    return Type("optional_type", (value,))


def object_of(label: str, fields: Mapping[str, Field | Type]) -> Type:
    """A struct; fields given as plain types are called in the data as they are in CEL."""
    known = {name: one if isinstance(one, Field) else Field(one, name) for name, one in fields.items()}
    return Type("object", label=label, fields=known)


def same(left: Type, right: Type) -> bool:
    """Whether two types are one."""
    if left is right:
        return True
    if left.name != right.name or left.label != right.label or len(left.parameters) != len(right.parameters):
        return False
    return all(map(same, left.parameters, right.parameters))


def assignable(wanted: Type, given: Type, bound: dict[str, Type]) -> bool:
    """Whether `given` can stand where `wanted` is expected; type parameters are bound on the way."""
    if wanted.name == "param":
        known = bound.get(wanted.label)
        if known is None or known.is_dyn:
            bound[wanted.label] = given
            return True
        return assignable(known, given, bound) or given.is_dyn
    if wanted.is_dyn or given.is_dyn:
        return True
    if given.name == "param":
        return True
    if given.name == "null_type" and wanted.name in ("object", "timestamp", "duration", "optional_type"):
        return True
    if wanted.name != given.name:
        return False
    if wanted.name == "object":
        return wanted.label == given.label
    return all(assignable(one, other, bound) for one, other in zip(wanted.parameters, given.parameters, strict=True))


def bind(kind: Type, bound: Mapping[str, Type]) -> Type:
    """The type with its parameters filled in; dyn where nothing is known."""
    if kind.name == "param":
        return bound.get(kind.label, DYN)
    if not kind.parameters:
        return kind
    return Type(kind.name, tuple(bind(one, bound) for one in kind.parameters), kind.label, kind.fields, kind.size)


def joined(left: Type, right: Type) -> Type:
    """The type of something that is one or the other."""
    if same(left, right):
        if left.size == right.size:
            return left
        size = None if left.size is None or right.size is None else max(left.size, right.size)
        return Type(left.name, left.parameters, left.label, left.fields, size)
    if assignable(left, right, {}) and not left.is_dyn and right.name != "null_type":
        return left
    return DYN


@lru_cache(maxsize=1024)
def parse(text: str) -> Type:
    """`list<A>`, `map<string, dyn>`, `optional<T>`, `kubernetes.Quantity`. One capital letter is a type parameter."""
    text = text.strip()
    if text.endswith(">"):
        name, _, inner = text[:-1].partition("<")
        parts = _split(inner)
        return Type({"optional": "optional_type"}.get(name, name), tuple(map(parse, parts)))
    if len(text) == 1 and text.isupper():
        return Type("param", label=text)
    return _PLAIN.get(text) or Type(text)


def _split(text: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for index, letter in enumerate(text):
        if letter == "<":
            depth += 1
        elif letter == ">":
            depth -= 1
        elif letter == "," and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    return [*parts, text[start:]]


@dataclass(frozen=True, slots=True)
class Overload:
    """One signature of a function."""

    arguments: tuple[Type, ...]
    result: Type


def overload(signature: str) -> tuple[str, bool, Overload]:
    """`string.contains(string): bool` → name, whether it is a member, the overload (the target comes first)."""
    head, _, result = signature.rpartition("):")
    name, _, inner = head.partition("(")
    target, dot, method = name.rpartition(".")
    arguments = [part for part in _split(inner) if part.strip()]
    member = bool(dot) and not name.startswith(
        ("cel.", "math.", "lists.", "sets.", "optional.", "strings.", "jsonpatch.", "ip.", "base64.", "format.")
    )
    if member:
        arguments.insert(0, target)
    return (method if member else name), member, Overload(tuple(map(parse, arguments)), parse(result))


Coercion = Callable[[object], object]
