"""Lists: Kubernetes' isSorted, sum, min, max, indexOf; CEL's sets, math and list extensions."""

from __future__ import annotations

from functools import cmp_to_key
from itertools import pairwise
from typing import Any

from cluster.apimachinery.cel.errors import CostExceeded, EvaluationError, no_such_overload
from cluster.apimachinery.cel.functions import FUNCTIONS, call, define
from cluster.apimachinery.cel.values import Duration, compare, equal


def _each(*sizes: float) -> float:
    return sizes[0]


@define("list<A>.isSorted(): bool", cost=_each)
def _is_sorted(many: list[Any]) -> bool:
    return all(compare(one, other) <= 0 for one, other in pairwise(many))


class _Free:
    """A frame for calls between functions: what they cost has been charged already."""

    spent, limit = 0, 10**12


@define(
    "list<int>.sum(): int",
    "list<dyn>.sum(): dyn",
    "list<double>.sum(): double",
    "list<duration>.sum(): duration",
    cost=_each,
)
def _sum(many: list[Any]) -> Any:
    if not many:
        return 0
    total = many[0]
    for one in many[1:]:
        total = call(_Free, FUNCTIONS["_+_", False, 2], [total, one])
    if type(total) not in (int, float, Duration) and type(total).__name__ != "UInt":
        raise no_such_overload()
    return total


def _extreme(many: list[Any], name: str, sign: int) -> Any:
    if not many:
        raise EvaluationError(f"{name} called on empty list")
    best = many[0]
    for one in many[1:]:
        if compare(one, best) * sign > 0:
            best = one
    return best


define("list<A>.min(): A", cost=_each)(lambda many: _extreme(many, "min", -1))
define("list<A>.max(): A", cost=_each)(lambda many: _extreme(many, "max", 1))


@define("list<A>.indexOf(A): int", cost=_each)
def _index_of(many: list[Any], wanted: Any) -> int:
    return next((index for index, one in enumerate(many) if equal(one, wanted)), -1)


@define("list<A>.lastIndexOf(A): int", cost=_each)
def _last_index_of(many: list[Any], wanted: Any) -> int:
    return next((index for index in range(len(many) - 1, -1, -1) if equal(many[index], wanted)), -1)


# -- sets ------------------------------------------------------------------------------------------------------------


def _pairs(left: float, right: float) -> float:
    return left * right


@define("sets.contains(list<A>, list<A>): bool", cost=_pairs)
def _contains(many: list[Any], some: list[Any]) -> bool:
    return all(any(equal(one, other) for other in many) for one in some)


define("sets.equivalent(list<A>, list<A>): bool", cost=_pairs)(lambda a, b: _contains(a, b) and _contains(b, a))
define("sets.intersects(list<A>, list<A>): bool", cost=_pairs)(
    lambda a, b: any(equal(one, other) for one in a for other in b)
)

# -- list extensions -------------------------------------------------------------------------------------------------


@define("list<A>.distinct(): list<A>", cost=lambda a: a * a / 10)
def _distinct(many: list[Any]) -> list[Any]:
    found: list[Any] = []
    for one in many:
        if not any(equal(one, other) for other in found):
            found.append(one)
    return found


define("list<A>.reverse(): list<A>", cost=_each)(lambda many: many[::-1])
define("list<A>.sort(): list<A>", cost=lambda a: a * 10)(lambda many: sorted(many, key=cmp_to_key(compare)))


@define("list<A>.slice(int, int): list<A>", cost=_each)
def _slice(many: list[Any], start: int, end: int) -> list[Any]:
    if not 0 <= start <= end <= len(many):
        raise EvaluationError(f"cannot slice({start}, {end}), list is length {len(many)}")
    part: list[Any] = many[start:end]
    return part


@define("list<dyn>.flatten(): list<dyn>", cost=_each)
def _flatten(many: list[Any]) -> list[Any]:
    return _flatten_to(many, 1)


@define("list<dyn>.flatten(int): list<dyn>", cost=_each)
def _flatten_to(many: list[Any], depth: int) -> list[Any]:
    if depth < 0:
        raise EvaluationError("level must be non-negative")
    found: list[Any] = []
    for one in many:
        if type(one) is list and depth:
            found.extend(_flatten_to(one, depth - 1))
        else:
            found.append(one)
    return found


@define("lists.range(int): list<int>", grows=lambda a: 1000)
def _range(count: int) -> list[int]:
    if count > 100_000:
        raise CostExceeded
    return list(range(max(count, 0)))


# -- math ------------------------------------------------------------------------------------------------------------

_NUMBER = ("int", "uint", "double")
for _kind in (*_NUMBER, "dyn"):
    define(f"math.greatest(list<{_kind}>): {_kind}", cost=_each)(lambda many: _extreme(many, "math.greatest()", 1))
    define(f"math.least(list<{_kind}>): {_kind}", cost=_each)(lambda many: _extreme(many, "math.least()", -1))
    for _count in range(1, 6):
        _arguments = ", ".join([_kind] * _count)
        if _kind == "dyn" and _count == 1:
            continue
        define(f"math.greatest({_arguments}): {_kind}")(lambda *many: _extreme(list(many), "math.greatest()", 1))
        define(f"math.least({_arguments}): {_kind}")(lambda *many: _extreme(list(many), "math.least()", -1))
define("math.abs(int): int", "math.abs(double): double")(abs)
define("math.sign(int): int")(lambda a: (a > 0) - (a < 0))
