"""The vocabulary of table printers: columns, ages, and how numbers, maps and lists are shown.

One registry from a kind's storage key to its printer; the modules beside this one fill it, `tables` reads it. What the words look
like follows pkg/printers/internalversion and apimachinery's duration package.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from cluster import clock
from cluster.apiserver.resources.definitions import definitions

Obj = Mapping[str, Any]
Cells = list[Any]
CellsOf = Callable[[Obj, float], Cells]
NONE, UNSET, UNKNOWN = "<none>", "<unset>", "<unknown>"

_META = "meta.ObjectMeta"


@dataclass(frozen=True, slots=True)
class Column:
    """One column. Priority 0 is always shown, 1 with `-o wide`.

    `doc` is the description, or `@core.v1.PodStatus.podIP` for what the schema says of that field.
    """

    name: str
    doc: str = ""
    type: str = "string"
    priority: int = 0
    format: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "description": _documented(self.doc[1:]) if self.doc.startswith("@") else self.doc,
            "priority": self.priority,
        }


def _documented(reference: str) -> str:
    """The description of a field in the published schemas."""
    kind, _, name = reference.rpartition(".")
    prefix = "io.k8s.apimachinery.pkg.apis.meta.v1." if kind.startswith("meta.") else "io.k8s.api."
    return str(definitions()[prefix + kind.removeprefix("meta.")]["properties"][name].get("description", ""))


def integer(name: str, doc: str) -> Column:
    return Column(name, doc, "integer")


def boolean(name: str, doc: str) -> Column:
    return Column(name, doc, "boolean")


def wide(name: str, doc: str) -> Column:
    """A column that only `-o wide` shows."""
    return Column(name, doc, priority=1)


NAME = Column("Name", f"@{_META}.name", format="name")
AGE = Column("Age", f"@{_META}.creationTimestamp")
CREATED = Column("Created At", f"@{_META}.creationTimestamp", "date")
CONTAINERS = wide("Containers", "Names of each container in the template.")
IMAGES = wide("Images", "Images referenced by each container in the template.")


@dataclass(slots=True)
class Printer:
    """The columns of a kind, and the function from (object, now) to the cells.

    `conditions` tells whether a row has reached its end (a pod that completed); `order` is set for lists that have one of their own.
    """

    columns: tuple[Column, ...]
    cells: CellsOf
    conditions: Callable[[Obj], Sequence[Obj] | None] | None = None
    order: Callable[[Obj], Any] | None = None
    _described: list[dict[str, Any]] = field(default_factory=list)

    @property
    def described(self) -> list[dict[str, Any]]:
        """columnDefinitions as they go out; looked up in the schemas once."""
        if not self._described:
            self._described = [column.as_dict() for column in self.columns]
        return self._described


PRINTERS: dict[str, Printer] = {}


def printer(key: str, *columns: Column) -> Callable[[CellsOf], CellsOf]:
    """Register the cells of a kind by its storage key."""

    def register(cells: CellsOf) -> CellsOf:
        PRINTERS[key] = Printer(columns, cells)
        return cells

    return register


# -- parts of objects --------------------------------------------------------------------------------------------------


def name_of(obj: Obj) -> str:
    return str(obj["metadata"].get("name", ""))


def spec_of(obj: Obj) -> Any:
    return obj.get("spec") or {}


def status_of(obj: Obj) -> Any:
    return obj.get("status") or {}


def pod_spec(obj: Obj) -> Any:
    """The pod spec of a kind that makes pods from a template."""
    return ((obj.get("spec") or {}).get("template") or {}).get("spec") or {}


# -- ages --------------------------------------------------------------------------------------------------------------


def human_duration(seconds: float) -> str:
    """As kubectl shows ages: 5s, 4m10s, 12m, 3h4m, 2d3h, 10d, 2y30d (duration.HumanDuration)."""
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    if whole < 0:
        return "0s"
    if whole < 120:
        return f"{whole}s"
    return _long(whole)


@lru_cache(maxsize=8192)
def _long(whole: int) -> str:
    minutes, hours = whole // 60, whole // 3600
    if minutes < 10:
        return _two(minutes, "m", whole % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    days = hours // 24
    if hours < 192:
        return _two(days, "d", hours % 24, "h")
    if days < 730:
        return f"{days}d"
    years = days // 365
    if years < 8:
        return _two(years, "y", days % 365, "d")
    return f"{years}y"


def _two(big: int, unit: str, small: int, small_unit: str) -> str:
    return f"{big}{unit}{small}{small_unit}" if small else f"{big}{unit}"


@lru_cache(maxsize=16384)
def seconds_of(text: str) -> float:
    """A timestamp as seconds, remembered: objects made together carry the same one."""
    return clock.parse(text)


def since(text: str | None, now: float) -> str:
    """How long ago a timestamp was; `<unknown>` when there is none."""
    return human_duration(now - seconds_of(text)) if text else UNKNOWN


def age(obj: Obj, now: float) -> str:
    return since(obj["metadata"].get("creationTimestamp"), now)


# -- how values are shown ----------------------------------------------------------------------------------------------


def labels(values: Mapping[str, Any] | None) -> str:
    """`a=b,c=d`, sorted; `<none>` when empty (labels.FormatLabels)."""
    return ",".join([f"{key}={value}" for key, value in sorted(values.items())]) if values else NONE


def selector(value: Obj | None) -> str:
    """A LabelSelector as FormatLabelSelector prints it: by key, a single value of `matchLabels` with `=`."""
    if not value:
        return NONE
    found = [(key, f"{key}={one}") for key, one in (value.get("matchLabels") or {}).items()]
    for expression in value.get("matchExpressions") or ():
        key, operator = expression["key"], expression["operator"]
        if operator in ("In", "NotIn"):
            found.append((key, f"{key} {operator.lower()} ({','.join(sorted(expression.get('values') or ()))})"))
        else:
            found.append((key, key if operator == "Exists" else f"!{key}"))
    found.sort(key=lambda one: one[0])
    return ",".join([text for _, text in found]) or NONE


def joined(values: Iterable[Any]) -> str:
    return ",".join([str(value) for value in values]) or NONE


def first_three(values: Sequence[str], none: str) -> str:
    """At most three, and how many more there are."""
    if len(values) > 3:
        return f"{','.join(values[:3])} + {len(values) - 3} more..."
    return ",".join(values) or none


def images(spec: Obj) -> tuple[str, str]:
    """The names and images of a pod spec's containers."""
    containers = spec.get("containers") or ()
    return ",".join([one["name"] for one in containers]), ",".join([one.get("image", "") for one in containers])


def true_or_false(value: bool | None) -> str:
    """A pointer to bool as printBoolPtr shows it."""
    return UNSET if value is None else "True" if value else "False"


def condition_true(conditions: Iterable[Obj] | None, kind: str) -> bool:
    """Whether the first condition of that type holds."""
    for condition in conditions or ():
        if condition["type"] == kind:
            return bool(condition["status"] == "True")
    return False
