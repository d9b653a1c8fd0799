"""The table of functions and operators: signatures for the checker, implementations and costs for evaluation.

`define("string.contains(string): bool")` adds an overload. `cost` works out what a call costs from the sizes of its arguments, both
when it happens and beforehand; `grows` how large the result can be.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from cluster.apimachinery.cel.errors import CostExceeded, no_such_overload
from cluster.apimachinery.cel.types import Overload, overload
from cluster.apimachinery.cel.values import CLASSES, size

Implementation = Callable[..., Any]
F = TypeVar("F", bound=Implementation)
Cost = Callable[..., float]
Key = tuple[str, bool, int]  # name, member, number of arguments (the target counted)
FUNCTIONS: dict[Key, list[Function]] = {}
NAMES: set[str] = set()


class Function:
    """One overload with its implementation."""

    __slots__ = ("classes", "cost", "grows", "run", "signature")

    def __init__(self, signature: Overload, run: Implementation, cost: Cost | None, grows: Cost | None) -> None:
        self.signature = signature
        self.run = run
        self.cost = cost
        self.grows = grows
        # What Python's types must be, None for anything.
        self.classes = tuple(
            None if one.name in ("param", "dyn", "object") else CLASSES.get(one.name, object)
            for one in signature.arguments
        )

    def takes(self, values: list[Any]) -> bool:
        return all(kind is None or type(value) is kind for kind, value in zip(self.classes, values, strict=True))


def define(*signatures: str, cost: Cost | None = None, grows: Cost | None = None) -> Callable[[F], F]:
    """Register an implementation under one or more signatures."""

    def register(run: F) -> F:
        for signature in signatures:
            name, member, found = overload(signature)
            FUNCTIONS.setdefault((name, member, len(found.arguments)), []).append(Function(found, run, cost, grows))
            NAMES.add(name)
        return run

    return register


def opaque(name: str) -> Callable[[type], type]:
    """A class whose instances are values of a type of their own."""

    def register(kind: type) -> type:
        CLASSES[name] = kind
        return kind

    return register


def call(frame: Any, candidates: list[Function], values: list[Any]) -> Any:
    """The first overload that takes these values; what it costs is charged first."""
    for function in candidates:
        if function.takes(values):
            if function.cost is None:
                frame.spent += 1
            else:
                frame.spent += 1 + int(function.cost(*map(size, values)))
            if frame.spent > frame.limit:
                raise CostExceeded
            return function.run(*values)
    raise no_such_overload()
