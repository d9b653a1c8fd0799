"""What webhook configurations and admission policies have in common: rules, match conditions, expressions (apis/admissionregistration/validation)."""

from __future__ import annotations

import re
from typing import Any

from cluster.apimachinery.cel import CompileError, WrongType, compile_expression
from cluster.apimachinery.cel.types import BOOL, DYN
from cluster.apimachinery.errors import duplicate, invalid_value, not_supported, required
from cluster.apiserver.admission.dynamic.expressions import scope
from cluster.apiserver.strategies import names
from cluster.apiserver.strategies.metadata import Found

Obj = dict[str, Any]
_OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
_SCOPES = ("*", "Cluster", "Namespaced")
POLICIES = ("Fail", "Ignore")
MATCHING = ("Equivalent", "Exact")
IDENTIFIER = re.compile(r"^[_a-zA-Z][_a-zA-Z0-9]*$")


def choice(obj: Obj, field: str, path: str, allowed: tuple[str, ...]) -> Found:
    value = obj.get(field)
    if value is None or value in allowed:
        return []
    return [not_supported(f"{path}.{field}", value, allowed)]


def check_rule(rule: Obj, path: str) -> Found:
    found: Found = []
    for field in ("operations", "apiGroups", "apiVersions", "resources"):
        values = rule.get(field) or []
        if not values:
            found.append(required(f"{path}.{field}"))
        elif "*" in values and len(values) > 1 and field != "resources":
            subject = {"operations": "operation", "apiGroups": "group", "apiVersions": "version"}[field]
            found.append(
                invalid_value(f"{path}.{field}", values, f"if '*' is present, must not specify other {subject}s")
            )
    for index, value in enumerate(rule.get("apiVersions") or ()):
        if not value:
            found.append(required(f"{path}.apiVersions[{index}]"))
    for index, value in enumerate(rule.get("operations") or ()):
        if value not in _OPERATIONS:
            found.append(not_supported(f"{path}.operations[{index}]", value, _OPERATIONS))
    found.extend(choice(rule, "scope", path, _SCOPES))
    return found


def check_conditions(conditions: Any, path: str) -> Found:
    found: Found = []
    seen: set[str] = set()
    for index, one in enumerate(conditions or ()):
        where, name = f"{path}[{index}]", one.get("name") or ""
        if not name:
            found.append(required(f"{where}.name"))
        elif names.qualified(name):
            found.append(invalid_value(f"{where}.name", name, names.qualified(name)))
        elif name in seen:
            found.append(duplicate(f"{where}.name", name))
        seen.add(name)
        if not (one.get("expression") or "").strip():
            found.append(required(f"{where}.expression"))
            continue
        found.extend(compiles(one["expression"], f"{where}.expression", scope(), BOOL))
    if len(conditions or ()) > 64:
        found.append(invalid_value(path, len(conditions), "must have at most 64 items"))
    return found


def compiles(source: str, path: str, inner: Any, *wanted: Any) -> Found:
    try:
        compile_expression(source, inner, wanted=wanted)
    except WrongType:
        shown = " or ".join("null" if one is DYN else str(one) for one in wanted)
        return [invalid_value(path, source, f"must evaluate to {shown}")]
    except CompileError as error:
        return [invalid_value(path, source, f"compilation failed: {error}")]
    return []
