"""Optionals: values that may not be there."""

from __future__ import annotations

from typing import Any

from cluster.apimachinery.cel.functions import define
from cluster.apimachinery.cel.values import NONE, Optional, equal

define("optional.of(A): optional<A>")(Optional)
define("optional.none(): optional<A>")(lambda: NONE)
_ZEROES: tuple[Any, ...] = (0, 0.0, "", b"", False, None, [], {})


@define("optional.ofNonZeroValue(A): optional<A>")
def _of_non_zero(value: Any) -> Optional:
    return NONE if any(equal(value, zero) for zero in _ZEROES) else Optional(value)


define("optional<A>.hasValue(): bool")(lambda one: one.present)
define("optional<A>.value(): A")(lambda one: one.get())
define("optional<A>.or(optional<A>): optional<A>")(lambda one, other: one if one.present else other)
define("optional<A>.orValue(A): A")(lambda one, other: one.value if one.present else other)
