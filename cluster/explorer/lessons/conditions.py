"""Has the cluster reached what a step waits for? Looks up as the person, evaluates in CEL, and says what is still missing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cluster.apimachinery.cel import CompileError, EvaluationError, Program, compile_expression
from cluster.apimachinery.cel.types import BOOL, DYN, STRING, list_of
from cluster.apimachinery.errors import StatusError
from cluster.client.client import Client, Obj

# What one condition may cost, and how many objects of each query it may look at.
LIMIT, MOST_OBJECTS = 1_000_000, 500


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether it is reached; otherwise why not, in a sentence (empty: not yet)."""

    reached: bool
    said: str = ""


@lru_cache(maxsize=512)
def _program(expression: str, names: tuple[str, ...]) -> Program:
    scope = {"journeys": list_of(DYN), "began": STRING, "namespace": STRING, **{name: list_of(DYN) for name in names}}
    return compile_expression(expression, scope, wanted=(BOOL,))


async def evaluate(client: Client, condition: Obj, *, namespace: str, began: str, journeys: Iterable[Obj]) -> Verdict:
    """Look up and judge. What the person may not read is said; what is not there yet is simply not reached."""
    queries = condition.get("queries") or []
    try:
        program = _program(condition["expression"], tuple(query["name"] for query in queries))
    except CompileError as error:
        return Verdict(False, f"the lesson's condition is wrong: {error}")
    try:
        found = await asyncio.gather(*(_look_up(client, query, namespace) for query in queries))
    except StatusError as error:
        return Verdict(False, error.message)
    values: dict[str, Any] = {
        "journeys": list(journeys),
        "began": began,
        "namespace": namespace,
        **{query["name"]: items for query, items in zip(queries, found, strict=True)},
    }
    try:
        # In a thread: what a teacher wrote must not hold up the cluster.
        value, _ = await asyncio.to_thread(program.evaluate, values, LIMIT)
    except EvaluationError:
        # A field that is not there yet, most of the time: `status.readyReplicas` before the first one is ready.
        return Verdict(False)
    return Verdict(value is True)


async def _look_up(client: Client, query: Obj, namespace: str) -> list[Obj]:
    where = query.get("namespace") or namespace
    page = await client.list(
        query["resource"],
        "" if where == "*" else where,
        label_selector=query.get("labelSelector", ""),
        field_selector=query.get("fieldSelector", ""),
        limit=MOST_OBJECTS,
    )
    return page.items
