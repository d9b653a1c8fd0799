"""Columns of custom resources: what a CustomResourceDefinition's `additionalPrinterColumns` ask for.

Each version has its own (apiextensions.custom). Values are found by
JSONPath as kubectl writes it (apiextensions' tableconvertor); what is not there is an empty cell.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cluster.apiserver.printers.columns import (
    AGE,
    NAME,
    Cells,
    Column,
    Obj,
    Printer,
    human_duration,
    name_of,
    seconds_of,
)

Step = Callable[[list[Any]], list[Any]]

_STEP = re.compile(
    r"""\.(?P<field>(?:\\.|[^.\[\]\\])+)"""
    r"""|\[(?P<quote>['"])(?P<quoted>.*?)(?P=quote)\]"""
    r"""|\[(?P<index>-?\d+)\]"""
    r"""|\[\?\(\s*@(?P<path>[^=!<>\s]*)\s*(?P<operator>==|!=)\s*(?P<value>'[^']*'|"[^"]*"|[^\s)]+)\s*\)\]"""
    r"""|(?P<all>\[\*\]|\.\*)"""
)
# A definition without columns of its own shows its age.
_AGE = {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp", "description": AGE.doc}


def custom(columns: Iterable[Mapping[str, Any]] | None) -> Printer:
    """The printer for `additionalPrinterColumns` (name, type, jsonPath, and maybe description, priority, format)."""
    wanted = list(columns or ()) or [_AGE]
    shown = [
        Column(
            one["name"],
            one.get("description") or f"Custom resource definition column (in JSONPath format): {one['jsonPath']}",
            one["type"],
            one.get("priority", 0),
            one.get("format", ""),
        )
        for one in wanted
    ]
    values = [(compile_path(one["jsonPath"]), one["type"]) for one in wanted]

    def cells(obj: Obj, now: float) -> Cells:
        return [name_of(obj), *(_cell(find(path, obj), kind, now) for path, kind in values)]

    return Printer((NAME, *shown), cells)


def compile_path(path: str) -> tuple[Step, ...]:
    """The steps of a JSONPath: fields, quoted fields, indices, `[*]`, and filters on equality."""
    text = path.strip()
    text = text[1:-1] if text.startswith("{") and text.endswith("}") else text
    position, steps = 0, []
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            raise ValueError(f"unrecognized JSONPath {path!r} at {text[position:]!r}")
        steps.append(_step(match))
        position = match.end()
    return tuple(steps)


def _step(match: re.Match[str]) -> Step:
    if match["all"]:
        return lambda found: [item for one in found for item in _items(one)]
    if match["operator"]:
        return _filter(match)
    if match["index"]:
        index = int(match["index"])
        return lambda found: [one[index] for one in found if isinstance(one, list) and -len(one) <= index < len(one)]
    field = match["quoted"] if match["quote"] else re.sub(r"\\(.)", r"\1", match["field"])
    return lambda found: [one[field] for one in found if isinstance(one, Mapping) and field in one]


def _filter(match: re.Match[str]) -> Step:
    path, wanted, equal = compile_path(match["path"]), match["value"].strip("'\""), match["operator"] == "=="

    def fits(item: Any) -> bool:
        return any((_text(value) == wanted) is equal for value in find(path, item))

    return lambda found: [item for one in found for item in _items(one) if fits(item)]


def _items(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return list(value.values())
    return value if isinstance(value, list) else []


def find(path: tuple[Step, ...], obj: Any) -> list[Any]:
    """All that a path leads to; nothing when it leads nowhere."""
    found = [obj]
    for step in path:
        found = step(found)
    return found


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"))


def _cell(found: list[Any], kind: str, now: float) -> Any:
    """The cell of a column of that type; None where the value does not fit it."""
    if not found or found[0] is None:
        return None
    value = found[0]
    if kind == "string":
        return " ".join(_text(one) for one in found)
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    if isinstance(value, bool):
        return None
    if kind == "integer":
        return int(value) if isinstance(value, (int, float)) else None
    if kind == "number":
        return float(value) if isinstance(value, (int, float)) else None
    return _age(value, now) if kind == "date" and isinstance(value, str) else None


def _age(text: str, now: float) -> str:
    try:
        return human_duration(now - seconds_of(text))
    except ValueError:
        return "<invalid>"
