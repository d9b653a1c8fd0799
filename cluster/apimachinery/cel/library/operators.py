"""Arithmetic, comparison, membership."""

from __future__ import annotations

import math
from typing import Any

from cluster.apimachinery.cel.errors import EvaluationError
from cluster.apimachinery.cel.functions import define
from cluster.apimachinery.cel.syntax import UInt
from cluster.apimachinery.cel.values import Duration, Timestamp, compare, equal


def _int(value: int) -> int:
    if not -(2**63) <= value < 2**63:
        raise EvaluationError("integer overflow")
    return value


def _uint(value: int) -> UInt:
    if not 0 <= value < 2**64:
        raise EvaluationError("unsigned integer overflow")
    return UInt(value)


def _divide(left: int, right: int) -> int:
    if right == 0:
        raise EvaluationError("division by zero")
    quotient = abs(left) // abs(right)
    return _int(quotient if (left < 0) == (right < 0) else -quotient)


def _modulo(left: int, right: int) -> int:
    if right == 0:
        raise EvaluationError("modulus by zero")
    return left - right * _divide(left, right)


def _float_divide(left: float, right: float) -> float:
    if right:
        return left / right
    if left == 0 or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


define("_+_(int, int): int")(lambda a, b: _int(a + b))
define("_+_(uint, uint): uint")(lambda a, b: _uint(a + b))
define("_+_(double, double): double")(lambda a, b: a + b)
_sum = {"cost": lambda a, b: (a + b) / 10, "grows": lambda a, b: a + b}
define("_+_(string, string): string", "_+_(bytes, bytes): bytes", **_sum)(lambda a, b: a + b)
define("_+_(list<A>, list<A>): list<A>", cost=lambda a, b: a + b, grows=lambda a, b: a + b)(lambda a, b: a + b)
define("_+_(timestamp, duration): timestamp")(lambda a, b: Timestamp(a.ns + b.ns))
define("_+_(duration, timestamp): timestamp")(lambda a, b: Timestamp(a.ns + b.ns))
define("_+_(duration, duration): duration")(lambda a, b: Duration(a.ns + b.ns))
define("_-_(int, int): int")(lambda a, b: _int(a - b))
define("_-_(uint, uint): uint")(lambda a, b: _uint(a - b))
define("_-_(double, double): double")(lambda a, b: a - b)
define("_-_(timestamp, timestamp): duration")(lambda a, b: Duration(a.ns - b.ns))
define("_-_(timestamp, duration): timestamp")(lambda a, b: Timestamp(a.ns - b.ns))
define("_-_(duration, duration): duration")(lambda a, b: Duration(a.ns - b.ns))
define("_*_(int, int): int")(lambda a, b: _int(a * b))
define("_*_(uint, uint): uint")(lambda a, b: _uint(a * b))
define("_*_(double, double): double")(lambda a, b: a * b)
define("_/_(int, int): int")(_divide)
define("_/_(uint, uint): uint")(lambda a, b: _uint(_divide(a, b)))
define("_/_(double, double): double")(_float_divide)
define("_%_(int, int): int")(_modulo)
define("_%_(uint, uint): uint")(lambda a, b: _uint(_modulo(a, b)))
define("-_(int): int")(lambda a: _int(-a))
define("-_(double): double")(lambda a: -a)
define("!_(bool): bool")(lambda a: not a)

_tenth = {"cost": lambda a, b: min(a, b) / 10}
define("_==_(A, A): bool", **_tenth)(equal)
define("_!=_(A, A): bool", **_tenth)(lambda a, b: not equal(a, b))
for _kind in ("int", "uint", "double", "string", "bytes", "bool", "timestamp", "duration"):
    define(f"_<_({_kind}, {_kind}): bool", **_tenth)(lambda a, b: compare(a, b) < 0)
    define(f"_<=_({_kind}, {_kind}): bool", **_tenth)(lambda a, b: compare(a, b) <= 0)
    define(f"_>_({_kind}, {_kind}): bool", **_tenth)(lambda a, b: compare(a, b) > 0)
    define(f"_>=_({_kind}, {_kind}): bool", **_tenth)(lambda a, b: compare(a, b) >= 0)
for _one in ("int", "uint", "double"):
    for _other in ("int", "uint", "double"):
        if _one != _other:
            define(f"_<_({_one}, {_other}): bool")(lambda a, b: a < b)
            define(f"_<=_({_one}, {_other}): bool")(lambda a, b: a <= b)
            define(f"_>_({_one}, {_other}): bool")(lambda a, b: a > b)
            define(f"_>=_({_one}, {_other}): bool")(lambda a, b: a >= b)


@define("@in(A, list<A>): bool", cost=lambda a, b: b)
def _in_list(value: Any, many: list[Any]) -> bool:
    return any(equal(value, one) for one in many)


@define("@in(A, map<A, B>): bool")
def _in_map(value: Any, many: dict[Any, Any]) -> bool:
    try:
        return value in many and type(value) is not float
    except TypeError:
        return False
