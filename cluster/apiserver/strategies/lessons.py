"""Lessons: their predictions have an answer, and their conditions compile."""

from __future__ import annotations

import re
from typing import Any

from cluster.apimachinery.cel import CompileError, compile_expression
from cluster.apimachinery.cel.types import BOOL, DYN, STRING, Type, list_of
from cluster.apimachinery.errors import duplicate, invalid_value, required
from cluster.apiserver.strategies.base import Strategy
from cluster.apiserver.strategies.metadata import Found

Obj = dict[str, Any]
# What every condition may speak of, beside its queries.
GIVEN: dict[str, Type] = {"journeys": list_of(DYN), "began": STRING, "namespace": STRING}
MOST_STEPS, MOST_QUERIES = 50, 10
_VARIABLE = re.compile(r"[a-z_][a-zA-Z0-9_]*\Z")


class LessonStrategy(Strategy):
    namespaced = False
    has_generation = True

    def check(self, obj: Obj) -> Found:
        spec = obj.get("spec") or {}
        found: Found = []
        if not spec.get("title"):
            found.append(required("spec.title", ""))
        steps = spec.get("steps") or []
        if not 1 <= len(steps) <= MOST_STEPS:
            found.append(invalid_value("spec.steps", len(steps), f"a lesson has 1 to {MOST_STEPS} steps"))
        for number, step in enumerate(steps):
            found += _check_step(f"spec.steps[{number}]", step)
        return found

    def check_update(self, obj: Obj, old: Obj) -> Found:
        return self.check(obj)


def _check_step(path: str, step: Obj) -> Found:
    found: Found = []
    view = step.get("view")
    if view and not (view.startswith("/") and not view.startswith("//")):
        found.append(invalid_value(f"{path}.view", view, "must be an address of the page, beginning with /"))
    predict = step.get("predict")
    if predict is not None:
        options = predict.get("options") or []
        if len(options) < 2:
            found.append(
                invalid_value(f"{path}.predict.options", len(options), "there must be something to choose from")
            )
        elif not 0 <= predict.get("answer", 0) < len(options):
            text = f"must be the number of an option, from 0 to {len(options) - 1}"
            found.append(invalid_value(f"{path}.predict.answer", predict.get("answer"), text))
    condition = step.get("condition")
    if condition is not None:
        found += _check_condition(f"{path}.condition", condition)
    return found


def _check_condition(path: str, condition: Obj) -> Found:
    found: Found = []
    scope = dict(GIVEN)
    queries = condition.get("queries") or []
    if len(queries) > MOST_QUERIES:
        found.append(invalid_value(f"{path}.queries", len(queries), f"must have at most {MOST_QUERIES} items"))
    for number, query in enumerate(queries):
        name = query.get("name") or ""
        if not _VARIABLE.match(name):
            found.append(invalid_value(f"{path}.queries[{number}].name", name, "must be a name of CEL"))
        elif name in scope:
            found.append(duplicate(f"{path}.queries[{number}].name", name))
        scope[name] = list_of(DYN)
        if not re.fullmatch(r"(?:[a-z0-9.-]+/)?v[a-z0-9]+/[a-z0-9]+", query.get("resource") or ""):
            text = "must be a resource's path, such as v1/pods or apps/v1/deployments"
            found.append(invalid_value(f"{path}.queries[{number}].resource", query.get("resource"), text))
    try:
        compile_expression(condition.get("expression") or "", scope, wanted=(BOOL,))
    except CompileError as error:
        found.append(invalid_value(f"{path}.expression", condition.get("expression"), f"compilation failed: {error}"))
    return found
