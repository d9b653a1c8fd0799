"""The vocabulary of table printers: columns, ages, and how numbers and maps are shown (pkg/printers, apimachinery/duration)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cluster import clock

Obj = Mapping[str, Any]
Cells = list[Any]
NONE = "<none>"


@dataclass(frozen=True, slots=True)
class Column:
    """One column. Priority 0 is always shown, 1 with `-o wide`."""

    name: str
    type: str = "string"
    priority: int = 0
    format: str = ""
    description: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "description": self.description or f"{self.name} of the object.",
            "priority": self.priority,
        }


NAME = Column("Name", format="name", description="Name must be unique within a namespace.")
AGE = Column(
    "Age", description="CreationTimestamp is a timestamp representing the server time when this object was created."
)


def columns(text: str) -> tuple[Column, ...]:
    """Columns from a line: `Ready,Up-to-date:integer,!Containers` (`!` marks wide ones); Name comes first."""
    found = [NAME]
    for word in text.split(","):
        name, _, kind = word.strip().partition(":")
        if name == "Age":
            found.append(AGE)
        elif name:
            found.append(Column(name.lstrip("!"), kind or "string", int(name.startswith("!"))))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Printer:
    """The columns of a kind, and the function from (object, now) to the cells."""

    columns: tuple[Column, ...]
    cells: Callable[[Obj, float], Cells]
    # Events are told by what happened, not by their names.
    named: bool = True


PRINTERS: dict[str, Printer] = {}


def printer(key: str, line: str, *, named: bool = True) -> Callable[[Callable[[Obj, float], Cells]], Callable[[Obj, float], Cells]]:
    """Register the cells of a kind (by its storage key); the name is put in front."""

    def register(cells: Callable[[Obj, float], Cells]) -> Callable[[Obj, float], Cells]:
        PRINTERS[key] = Printer(columns(line)[0 if named else 1 :], cells, named)
        return cells

    return register


def human_duration(seconds: float) -> str:
    """As kubectl shows ages: 5s, 4m10s, 12m, 3h4m, 2d3h, 10d, 2y30d (duration.HumanDuration)."""
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    if whole < 0:
        return "0s"
    if whole < 120:
        return f"{whole}s"
    minutes = whole // 60
    if minutes < 10:
        rest = whole % 60
        return f"{minutes}m{rest}s" if rest else f"{minutes}m"
    if minutes < 180:
        return f"{minutes}m"
    hours = whole // 3600
    if hours < 8:
        rest = minutes % 60
        return f"{hours}h{rest}m" if rest else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    days = hours // 24
    if hours < 192:
        rest = hours % 24
        return f"{days}d{rest}h" if rest else f"{days}d"
    if days < 730:
        return f"{days}d"
    years = days // 365
    if years < 8:
        rest = days % 365
        return f"{years}y{rest}d" if rest else f"{years}y"
    return f"{years}y"


_parsed: dict[str, float] = {}


def seconds_of(text: str) -> float:
    """A timestamp as seconds, remembered: objects made together carry the same one."""
    found = _parsed.get(text)
    if found is None:
        if len(_parsed) > 4096:
            _parsed.clear()
        found = _parsed[text] = clock.parse(text)
    return found


def since(text: str | None, now: float) -> str:
    """How long ago a timestamp was; `<unknown>` when there is none."""
    return human_duration(now - seconds_of(text)) if text else "<unknown>"


def age(obj: Obj, now: float) -> str:
    return since(obj["metadata"].get("creationTimestamp"), now)


def labels(values: Mapping[str, Any] | None) -> str:
    """`a=b,c=d`, sorted; `<none>` when empty."""
    return ",".join(f"{key}={value}" for key, value in sorted(values.items())) if values else NONE


def selector(value: Obj | None) -> str:
    """A LabelSelector as FormatLabelSelector prints it."""
    from cluster.apimachinery.labels import from_selector

    if value is None:
        return NONE
    return str(from_selector(value)) or NONE


def joined(values: Iterable[Any]) -> str:
    return ",".join(str(value) for value in values) or NONE


def images(spec: Obj) -> tuple[str, str]:
    """The names and images of a pod spec's containers."""
    containers = spec.get("containers") or ()
    return ",".join(one["name"] for one in containers), ",".join(one.get("image", "") for one in containers)
