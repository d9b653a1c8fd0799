"""Kubernetes' quantities: `quantity('100Mi').isLessThan(quantity('1Gi'))`."""

from __future__ import annotations

from decimal import Decimal
from functools import total_ordering

from cluster.apimachinery import quantity
from cluster.apimachinery.cel.errors import EvaluationError
from cluster.apimachinery.cel.functions import define, opaque


@opaque("kubernetes.Quantity")
@total_ordering
class Quantity:
    """An amount."""

    __slots__ = ("amount",)
    cel_ordered = True

    def __init__(self, amount: Decimal) -> None:
        self.amount = amount

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quantity) and self.amount == other.amount

    def __lt__(self, other: Quantity) -> bool:
        return self.amount < other.amount

    def __hash__(self) -> int:
        return hash(self.amount)

    @property
    def cel_text(self) -> str:
        return quantity.canonical(format(self.amount.normalize(), "f"))


Q = "kubernetes.Quantity"


@define(f"quantity(string): {Q}")
def _quantity(text: str) -> Quantity:
    try:
        return Quantity(quantity.parse(text))
    except ValueError as error:
        raise EvaluationError(str(error)) from error


@define("isQuantity(string): bool")
def _is_quantity(text: str) -> bool:
    try:
        quantity.parse(text)
    except ValueError:
        return False
    return True


def _is_integer(one: Quantity) -> bool:
    return one.amount == one.amount.to_integral_value() and -(2**63) <= one.amount < 2**63


@define(f"{Q}.asInteger(): int")
def _as_integer(one: Quantity) -> int:
    if not _is_integer(one):
        raise EvaluationError("cannot convert value to integer")
    return int(one.amount)


define(f"{Q}.isInteger(): bool")(_is_integer)
define(f"{Q}.asApproximateFloat(): double")(lambda one: float(one.amount))
define(f"{Q}.sign(): int")(lambda one: (one.amount > 0) - (one.amount < 0))
define(f"{Q}.add({Q}): {Q}")(lambda one, other: Quantity(one.amount + other.amount))
define(f"{Q}.add(int): {Q}")(lambda one, other: Quantity(one.amount + other))
define(f"{Q}.sub({Q}): {Q}")(lambda one, other: Quantity(one.amount - other.amount))
define(f"{Q}.sub(int): {Q}")(lambda one, other: Quantity(one.amount - other))
define(f"{Q}.isLessThan({Q}): bool")(lambda one, other: one.amount < other.amount)
define(f"{Q}.isGreaterThan({Q}): bool")(lambda one, other: one.amount > other.amount)
define(f"{Q}.compareTo({Q}): int")(lambda one, other: (one.amount > other.amount) - (one.amount < other.amount))
