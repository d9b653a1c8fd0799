"""size, conversions, patterns, times: CEL's standard library."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cluster.apimachinery import patterns
from cluster.apimachinery.cel.errors import EvaluationError
from cluster.apimachinery.cel.functions import define
from cluster.apimachinery.cel.syntax import UInt
from cluster.apimachinery.cel.values import (
    SECOND,
    Duration,
    Timestamp,
    TypeValue,
    parse_duration,
    parse_timestamp,
    type_of,
)

define("size(string): int", "size(bytes): int", "size(list<A>): int", "size(map<A, B>): int")(len)
define("string.size(): int", "bytes.size(): int", "list<A>.size(): int", "map<A, B>.size(): int")(len)


def double_text(value: float) -> str:
    """A double as Go prints it."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return repr(value)


def _range(value: float, name: str, low: int, high: int) -> int:
    if math.isnan(value) or math.isinf(value) or not low <= value < high:
        raise EvaluationError(f"{name} overflow")
    return int(value)


def _parsed(text: str, kind: str) -> int:
    body = text[1:] if text[:1] in ("+", "-") else text
    if not (body.isascii() and body.isdigit()):
        raise EvaluationError(f'strconv.Parse{kind}: parsing "{text}": invalid syntax')
    return int(text)


def _float(text: str) -> float:
    try:
        if "_" in text or text != text.strip():
            raise ValueError(text)
        return float(text)
    except ValueError as error:
        raise EvaluationError(f'strconv.ParseFloat: parsing "{text}": invalid syntax') from error


@define("bool(string): bool")
def _bool(text: str) -> bool:
    if text in ("1", "t", "T", "true", "TRUE", "True"):
        return True
    if text in ("0", "f", "F", "false", "FALSE", "False"):
        return False
    raise EvaluationError(f'strconv.ParseBool: parsing "{text}": invalid syntax')


define("bool(bool): bool", "int(int): int", "uint(uint): uint", "double(double): double")(lambda a: a)
define(
    "string(string): string", "bytes(bytes): bytes", "duration(duration): duration", "timestamp(timestamp): timestamp"
)(lambda a: a)
define("int(uint): int")(lambda a: _range(int(a), "integer", -(2**63), 2**63))
define("int(double): int")(lambda a: _range(a, "integer", -(2**63), 2**63))
define("int(string): int")(lambda a: _range(_parsed(a, "Int"), "integer", -(2**63), 2**63))
define("int(timestamp): int")(lambda a: a.ns // SECOND)
define("int(duration): int")(lambda a: a.ns)
define("uint(int): uint", "uint(double): uint")(lambda a: UInt(_range(a, "unsigned integer", 0, 2**64)))
define("uint(string): uint")(lambda a: UInt(_range(_parsed(a, "Uint"), "unsigned integer", 0, 2**64)))
define("double(int): double", "double(uint): double")(float)
define("double(string): double")(_float)
define("string(int): string", "string(uint): string", grows=lambda a: 20)(lambda a: str(int(a)))
define("string(double): string", grows=lambda a: 24)(double_text)
define("string(bool): string", grows=lambda a: 5)(lambda a: "true" if a else "false")
define("string(timestamp): string", "string(duration): string", grows=lambda a: 40)(str)
define("dyn(A): dyn")(lambda a: a)
define("type(A): type")(lambda a: TypeValue(type_of(a)))


@define("string(bytes): string", cost=lambda a: a / 10)
def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise EvaluationError("invalid UTF-8 in bytes, cannot convert to string") from error


define("bytes(string): bytes", cost=lambda a: a / 10)(lambda a: a.encode())
define("duration(string): duration")(parse_duration)
define("duration(int): duration")(Duration)
define("timestamp(string): timestamp")(parse_timestamp)
define("timestamp(int): timestamp")(lambda a: Timestamp(a * SECOND))

# -- text ------------------------------------------------------------------------------------------------------------

define("string.contains(string): bool", cost=lambda a, b: a * b / 100)(lambda a, b: b in a)
define("string.startsWith(string): bool", cost=lambda a, b: b / 10)(lambda a, b: a.startswith(b))
define("string.endsWith(string): bool", cost=lambda a, b: b / 10)(lambda a, b: a.endswith(b))


def _pattern_cost(text: float, pattern: float) -> float:
    return (1 + text / 10) * max(1, pattern / 4)


@define("matches(string, string): bool", "string.matches(string): bool", cost=_pattern_cost)
def _matches(text: str, pattern: str) -> bool:
    return _compiled(pattern).search(text) is not None


def _compiled(pattern: str) -> Any:
    try:
        return patterns.compiled(pattern)
    except ValueError as error:
        raise EvaluationError(str(error)) from error


@define("string.find(string): string", cost=_pattern_cost, grows=lambda a, b: a)
def _find(text: str, pattern: str) -> str:
    found = _compiled(pattern).search(text)
    return str(found.group()) if found else ""


@define("string.findAll(string): list<string>", cost=_pattern_cost, grows=lambda a, b: a)
def _find_all(text: str, pattern: str) -> list[str]:
    return [found.group() for found in _compiled(pattern).finditer(text)]


@define("string.findAll(string, int): list<string>", cost=lambda a, b, c: _pattern_cost(a, b), grows=lambda a, b, c: a)
def _find_some(text: str, pattern: str, limit: int) -> list[str]:
    found = _find_all(text, pattern)
    return found if limit < 0 else found[:limit]


# -- times -----------------------------------------------------------------------------------------------------------


def _zone(name: str) -> Any:
    if name[:1] in ("+", "-") or (len(name) == 5 and name[2] == ":"):
        try:
            hours, minutes = name.lstrip("+-").split(":")
            offset = timedelta(hours=int(hours), minutes=int(minutes))
            return timezone(-offset if name.startswith("-") else offset)
        except ValueError as error:
            raise EvaluationError(f"unknown time zone {name}") from error
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise EvaluationError(f"unknown time zone {name}") from error


def _times() -> None:
    getters = {
        "getFullYear": lambda moment: moment.year,
        "getMonth": lambda moment: moment.month - 1,
        "getDate": lambda moment: moment.day,
        "getDayOfMonth": lambda moment: moment.day - 1,
        "getDayOfWeek": lambda moment: moment.isoweekday() % 7,
        "getDayOfYear": lambda moment: moment.timetuple().tm_yday - 1,
        "getHours": lambda moment: moment.hour,
        "getMinutes": lambda moment: moment.minute,
        "getSeconds": lambda moment: moment.second,
        "getMilliseconds": lambda moment: moment.microsecond // 1000,
    }

    def plain(get: Any) -> Any:
        return lambda moment: get(moment.at())

    def zoned(get: Any) -> Any:
        def run(moment: Timestamp, zone: str) -> Any:
            at: datetime = moment.at().astimezone(_zone(zone))
            return get(at)

        return run

    for name, get in getters.items():
        define(f"timestamp.{name}(): int")(plain(get))
        define(f"timestamp.{name}(string): int")(zoned(get))


_times()


def _whole(unit: int) -> Any:
    return lambda span: abs(span.ns) // unit * (1 if span.ns >= 0 else -1)


define("duration.getHours(): int")(_whole(3600 * SECOND))
define("duration.getMinutes(): int")(_whole(60 * SECOND))
define("duration.getSeconds(): int")(_whole(SECOND))
define("duration.getMilliseconds(): int")(lambda span: abs(span.ns) % SECOND // 10**6 * (1 if span.ns >= 0 else -1))
