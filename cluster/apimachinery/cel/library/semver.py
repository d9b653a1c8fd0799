"""Semantic versions: `semver('1.2.3').isLessThan(semver('1.3.0'))`."""

from __future__ import annotations

import re
from functools import total_ordering

from cluster.apimachinery.cel.errors import EvaluationError
from cluster.apimachinery.cel.functions import define, opaque

S = "kubernetes.Semver"
_NUMBER = r"(0|[1-9]\d*)"
_VERSION = re.compile(
    rf"^{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$"
)


@opaque(S)
@total_ordering
class Semver:
    __slots__ = ("numbers", "order")
    cel_ordered = True

    def __init__(self, text: str) -> None:
        match = _VERSION.match(text)
        if match is None or len(text) > 200:
            raise EvaluationError("Invalid semantic version")
        self.numbers = (int(match.group(1)), int(match.group(2)), int(match.group(3)))
        stage = tuple(
            (0, int(part), "") if part.isdigit() else (1, 0, part) for part in (match.group(4) or "").split(".") if part
        )
        # A version without a stage comes after all of its stages.
        self.order = (self.numbers, not stage, stage)
        if not stage:
            self.order = (self.numbers, True, ())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Semver) and self.order == other.order

    def __lt__(self, other: Semver) -> bool:
        return self.order < other.order

    def __hash__(self) -> int:
        return hash(self.order)


def _normalized(text: str) -> str:
    text = text.strip().removeprefix("v")
    core = re.match(r"^[\d.]*", text)
    numbers = [part.lstrip("0") or "0" for part in (core.group() if core else "").split(".") if part]
    rest = text[core.end() :] if core else ""
    return ".".join([*numbers, "0", "0"][: max(3, len(numbers))]) + rest


@define("isSemver(string): bool")
def _is_semver(text: str) -> bool:
    return _VERSION.match(text) is not None


define(f"semver(string): {S}")(Semver)
define(f"semver(string, bool): {S}")(lambda text, loose: Semver(_normalized(text) if loose else text))
define("isSemver(string, bool): bool")(lambda text, loose: _is_semver(_normalized(text) if loose else text))
define(f"{S}.major(): int")(lambda one: one.numbers[0])
define(f"{S}.minor(): int")(lambda one: one.numbers[1])
define(f"{S}.patch(): int")(lambda one: one.numbers[2])
define(f"{S}.isLessThan({S}): bool")(lambda one, other: one < other)
define(f"{S}.isGreaterThan({S}): bool")(lambda one, other: one > other)
define(f"{S}.compareTo({S}): int")(lambda one, other: (one > other) - (one < other))
