"""Label and field selectors: parsing and matching (k8s.io/apimachinery/pkg/labels, /fields).

A selector is a tuple of requirements that must all hold. `parse` takes the query string form
(`app=web,tier in (a,b),!old`), `from_selector` the object form (`matchLabels`, `matchExpressions`).
Numbers: `Gt`/`Lt` compare integers, as node affinity needs them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on one label: operator is In, NotIn, Exists, DoesNotExist, Gt or Lt."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Labels) -> bool:
        operator = self.operator
        if operator == "In":
            return labels.get(self.key) in self.values
        if operator == "NotIn":
            return self.key not in labels or labels[self.key] not in self.values
        if operator == "Exists":
            return self.key in labels
        if operator == "DoesNotExist":
            return self.key not in labels
        if self.key not in labels or len(self.values) != 1:
            return False
        try:
            have, want = int(labels[self.key]), int(self.values[0])
        except ValueError:
            return False
        return have > want if operator == "Gt" else have < want

    def __str__(self) -> str:
        if self.operator == "In":
            if len(self.values) == 1:
                return f"{self.key}={self.values[0]}"
            return f"{self.key} in ({','.join(sorted(self.values))})"
        if self.operator == "NotIn":
            return f"{self.key} notin ({','.join(sorted(self.values))})"
        if self.operator == "Exists":
            return self.key
        if self.operator == "DoesNotExist":
            return f"!{self.key}"
        return f"{self.key}{'>' if self.operator == 'Gt' else '<'}{self.values[0]}"


class Selector:
    """Requirements that must all hold; without any it matches everything, `NOTHING` matches nothing."""

    __slots__ = ("nothing", "requirements")

    def __init__(self, requirements: Iterable[Requirement] = (), *, nothing: bool = False) -> None:
        self.requirements = tuple(requirements)
        self.nothing = nothing

    def matches(self, labels: Labels | None) -> bool:
        if self.nothing:
            return False
        have: Labels = labels or {}
        return all(requirement.matches(have) for requirement in self.requirements)

    @property
    def empty(self) -> bool:
        return not self.requirements and not self.nothing

    def __str__(self) -> str:
        return ",".join(str(requirement) for requirement in self.requirements)


EVERYTHING = Selector()
NOTHING = Selector(nothing=True)

_KEY = r"(?:[A-Za-z0-9](?:[-A-Za-z0-9.]*[A-Za-z0-9])?/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?"
_TOKEN = re.compile(
    rf"\s*(?:(?P<not>!)\s*(?P<absent>{_KEY})"
    rf"|(?P<key>{_KEY})\s*(?:(?P<op>==|=|!=|>|<)\s*(?P<value>[-A-Za-z0-9_.]*)"
    rf"|\s(?P<set>in|notin)\s*\((?P<values>[^)]*)\))?)\s*(?:,|$)"
)


@lru_cache(maxsize=4096)
def parse(text: str) -> Selector:
    """A selector from its query string form; ValueError says what was not understood."""
    position, found = 0, []
    if not text.strip():
        return EVERYTHING
    while position < len(text):
        match = _TOKEN.match(text, position)
        if not match or match.end() == position:
            raise ValueError(f"unable to parse requirement: found '{text[position:]}', expected: identifier")
        position = match.end()
        if match["not"]:
            found.append(Requirement(match["absent"], "DoesNotExist"))
        elif match["set"]:
            values = tuple(value.strip() for value in match["values"].split(","))
            found.append(Requirement(match["key"], "In" if match["set"] == "in" else "NotIn", values))
        elif match["op"] in ("=", "=="):
            found.append(Requirement(match["key"], "In", (match["value"],)))
        elif match["op"] == "!=":
            found.append(Requirement(match["key"], "NotIn", (match["value"],)))
        elif match["op"]:
            if not re.fullmatch(r"-?\d+", match["value"]):
                raise ValueError("for 'Gt', 'Lt' operators, the value must be an integer")
            found.append(Requirement(match["key"], "Gt" if match["op"] == ">" else "Lt", (match["value"],)))
        else:
            found.append(Requirement(match["key"], "Exists"))
    return Selector(found)


def from_selector(selector: Mapping[str, Any] | None) -> Selector:
    """A selector from a metav1.LabelSelector; None selects nothing, an empty one everything."""
    if selector is None:
        return NOTHING
    found = [Requirement(key, "In", (value,)) for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for expression in selector.get("matchExpressions") or ():
        found.append(Requirement(expression["key"], expression["operator"], tuple(expression.get("values") or ())))
    return Selector(found)


def from_map(wanted: Mapping[str, str] | None) -> Selector:
    """A selector from a plain map, as Services and ReplicationControllers have it; an empty map selects nothing."""
    if not wanted:
        return NOTHING
    return Selector(Requirement(key, "In", (value,)) for key, value in sorted(wanted.items()))


@dataclass(frozen=True, slots=True)
class FieldRequirement:
    """`path=value` or `path!=value`; an absent field is `absent`: the empty string, or what its type is when unset."""

    path: str
    value: str
    negated: bool = False
    absent: str = ""


@lru_cache(maxsize=4096)
def parse_fields(text: str) -> tuple[FieldRequirement, ...]:
    """A field selector's requirements; ValueError says what was not understood."""
    found = []
    for term in re.split(r"(?<!\\),", text):
        if not term.strip():
            continue
        for operator in ("!=", "==", "="):
            if operator in term:
                path, value = term.split(operator, 1)
                value = value.replace("\\,", ",").replace("\\=", "=").replace("\\\\", "\\")
                found.append(FieldRequirement(path.strip(), value.strip(), operator == "!="))
                break
        else:
            raise ValueError(f"invalid selector: '{text}'; can't understand '{term}'")
    return tuple(found)


def field_value(obj: Mapping[str, Any], path: str) -> str:
    """The field at a dotted path as a selector sees it: booleans as words, absent as the empty string.

    Of `one|other` the first that is not empty.
    """
    if "|" in path:
        return next((value for one in path.split("|") if (value := field_value(obj, one))), "")
    here: Any = obj
    for step in path.split("."):
        if not isinstance(here, Mapping):
            return ""
        here = here.get(step)
    if here is None:
        return ""
    if isinstance(here, bool):
        return "true" if here else "false"
    return str(here)


def match_fields(obj: Mapping[str, Any], requirements: tuple[FieldRequirement, ...]) -> bool:
    return all(
        ((field_value(obj, need.path) or need.absent) == need.value) is not need.negated for need in requirements
    )
