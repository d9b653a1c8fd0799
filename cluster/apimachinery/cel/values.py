"""Values that JSON does not have: durations, timestamps, optionals, types; equality and order as CEL has them."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import total_ordering
from typing import Any

from cluster.apimachinery.cel.errors import EvaluationError, no_such_overload
from cluster.apimachinery.cel.syntax import UInt

SECOND = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@total_ordering
class Duration:
    """A span in nanoseconds."""

    __slots__ = ("ns",)

    def __init__(self, ns: int) -> None:
        if not -(2**63) <= ns < 2**63:
            raise EvaluationError("duration overflow")
        self.ns = ns

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Duration) and self.ns == other.ns

    def __lt__(self, other: Duration) -> bool:
        return self.ns < other.ns

    def __hash__(self) -> int:
        return hash(self.ns)

    def __str__(self) -> str:
        seconds = self.ns / SECOND
        return f"{int(seconds)}s" if self.ns % SECOND == 0 else f"{seconds:.9f}".rstrip("0") + "s"


@total_ordering
class Timestamp:
    """A moment in nanoseconds since 1970."""

    __slots__ = ("ns",)

    def __init__(self, ns: int) -> None:
        if not -62135596800 * SECOND <= ns < 253402300800 * SECOND:
            raise EvaluationError("timestamp overflow")
        self.ns = ns

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Timestamp) and self.ns == other.ns

    def __lt__(self, other: Timestamp) -> bool:
        return self.ns < other.ns

    def __hash__(self) -> int:
        return hash(self.ns)

    def __str__(self) -> str:
        text = self.at().strftime("%Y-%m-%dT%H:%M:%S")
        fraction = self.ns % SECOND
        return f"{text}.{fraction:09d}".rstrip("0") + "Z" if fraction else f"{text}Z"

    def at(self) -> datetime:
        return _EPOCH + timedelta(seconds=self.ns // SECOND, microseconds=self.ns % SECOND // 1000)


class Optional:
    """optional.of(x) or optional.none()."""

    __slots__ = ("present", "value")

    def __init__(self, value: Any = None, *, present: bool = True) -> None:
        self.value = value
        self.present = present

    def get(self) -> Any:
        if not self.present:
            raise EvaluationError("optional.none() dereference")
        return self.value


NONE = Optional(present=False)


class TypeValue:
    """What `type(x)` gives."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TypeValue) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)


CLASSES: dict[str, type] = {
    "bool": bool,
    "int": int,
    "uint": UInt,
    "double": float,
    "string": str,
    "bytes": bytes,
    "null_type": type(None),
    "list": list,
    "map": dict,
    "timestamp": Timestamp,
    "duration": Duration,
    "optional_type": Optional,
    "type": TypeValue,
}
NUMBERS = frozenset({int, UInt, float})


def type_of(value: Any) -> str:
    """The name of a value's type."""
    for name, kind in CLASSES.items():
        if type(value) is kind:
            return name
    return "dyn"


def equal(left: Any, right: Any) -> bool:
    """CEL's ==: numbers by value, everything else only within its type."""
    kind, other = type(left), type(right)
    if kind is not other:
        return kind in NUMBERS and other in NUMBERS and bool(left == right)
    if kind is list:
        return len(left) == len(right) and all(map(equal, left, right))
    if kind is dict:
        return len(left) == len(right) and all(
            name in right and equal(value, right[name]) for name, value in left.items()
        )
    if kind is Optional:
        return left.present == right.present and (not left.present or equal(left.value, right.value))
    return bool(left == right)


_ORDERED = frozenset({str, bytes, bool, Timestamp, Duration})


def compare(left: Any, right: Any) -> int:
    """-1, 0 or 1; EvaluationError for what has no order."""
    kind, other = type(left), type(right)
    if (kind in NUMBERS and other in NUMBERS) or (
        kind is other and (kind in _ORDERED or getattr(kind, "cel_ordered", False))
    ):
        return -1 if left < right else 1 if left > right else 0
    raise no_such_overload()


def size(value: Any) -> int:
    """How large a value counts as when costs are worked out."""
    return len(value) if isinstance(value, (str, bytes, list, dict)) else 1


_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_UNITS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": SECOND,
    "m": 60 * SECOND,
    "h": 3600 * SECOND,
}


def parse_duration(text: str) -> Duration:
    """`1h30m`, as Go reads it."""
    body, sign = (text[1:], -1) if text.startswith("-") else (text.removeprefix("+"), 1)
    if body == "0":
        return Duration(0)
    total, position = 0, 0
    while position < len(body):
        match = _DURATION.match(body, position)
        if match is None or len(match.group(1)) > 30:
            raise EvaluationError(f'time: invalid duration "{text}"')
        whole, _, fraction = match.group(1).partition(".")
        unit = _UNITS[match.group(2)]
        total += int(whole or 0) * unit + (int(fraction) * unit // 10 ** len(fraction) if fraction else 0)
        position = match.end()
    if not body:
        raise EvaluationError(f'time: invalid duration "{text}"')
    return Duration(sign * total)


_MOMENT = re.compile(r"^(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)$")


def parse_timestamp(text: str) -> Timestamp:
    """RFC 3339."""
    match = _MOMENT.match(text)
    if match is None and re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        # Schemas have dates, too.
        return parse_timestamp(f"{text}T00:00:00Z")
    try:
        if match is None:
            raise ValueError(text)
        zone = "+00:00" if match.group(4) in "Zz" else match.group(4)
        moment = datetime.fromisoformat(f"{match.group(1)}T{match.group(2)}{zone}")
    except ValueError as error:
        raise EvaluationError(f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00": cannot parse') from error
    seconds = int((moment - _EPOCH) / timedelta(seconds=1))
    return Timestamp(seconds * SECOND + int((match.group(3) or "0").ljust(9, "0")))


def _to_bytes(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError) as error:
            raise EvaluationError("error converting formatted string to byte array") from error
    return value


COERCIONS: dict[str, Callable[[Any], Any]] = {
    "timestamp": lambda value: parse_timestamp(value) if type(value) is str else value,
    "duration": lambda value: parse_duration(value) if type(value) is str else value,
    "bytes": _to_bytes,
    "double": lambda value: float(value) if type(value) is int else value,
    "int": lambda value: int(value) if type(value) is float and value.is_integer() else value,
}
"""How data is read where the schema knows more than JSON says, by the name of the type."""
