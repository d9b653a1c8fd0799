"""Answers about access, laid out for the templates. Pure, but for the links."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.urls import reverse

from cluster.accounts.rbac import sentences
from cluster.accounts.rbac.kinds import KINDS

Obj = dict[str, Any]
_PLURALS = {kind.kind: kind.plural for kind in KINDS.values()}


def reference(group: str, resource: str) -> str:
    """`deployments.apps`, `pods/log`."""
    return f"{resource}.{group}" if group else resource


def link(name: str) -> str:
    """The page of `RoleBinding/shop/devs` or `ClusterRole/view`; empty for what is neither."""
    kind, *rest = name.split("/")
    if kind not in _PLURALS or len(rest) not in (1, 2) or not all(rest):
        return ""
    namespace, own = rest if len(rest) == 2 else ("_", rest[0])
    return reverse("admin:rbac-change", args=(_PLURALS[kind], namespace, own))


def grant_of(grant: Mapping[str, Any]) -> Obj:
    """A grant's names with their links and its rule in words."""
    binding, role, rule = grant.get("binding") or "", grant.get("role") or "", grant.get("rule")
    return {
        "binding": binding,
        "binding_url": link(binding),
        "role": role,
        "role_url": link(role),
        "rule": rule,
        "rule_words": sentences.rule(rule) if rule else "",
        "subject_words": sentences.subject(grant["subject"]) if grant.get("subject") else "",
    }


def laid_out(status: Mapping[str, Any], *, everything: bool) -> Obj:
    """A matrix with one cell for each column: {served, allowed, names, grants}; and how much of it is allowed."""
    verbs = list(status.get("verbs") or ())
    rows, allowed, cells = [], 0, 0
    for row in status.get("rows") or ():
        known = {cell["verb"]: cell for cell in row.get("cells") or ()}
        line = [_cell(verb, known.get(verb)) for verb in verbs]
        some = any(cell["state"] in ("yes", "some") for cell in line)
        allowed += sum(cell["state"] == "yes" for cell in line)
        cells += sum(cell["state"] != "none" for cell in line)
        if some or everything:
            rows.append(
                {
                    "group": row.get("group") or "",
                    "resource": row.get("resource") or "",
                    "namespaced": row.get("namespaced"),
                    "reference": reference(row.get("group") or "", row.get("resource") or ""),
                    "cells": line,
                }
            )
    # A column in which no row that is shown has a cell says nothing.
    told = [
        position for position in range(len(verbs)) if any(row["cells"][position]["state"] != "none" for row in rows)
    ]
    for row in rows:
        row["cells"] = [row["cells"][position] for position in told]
    return {
        "user": status.get("user") or "",
        "groups": status.get("groups") or [],
        "verbs": [verbs[position] for position in told],
        "rows": rows,
        "allowed": allowed,
        "cells": cells,
        "hidden": len(status.get("rows") or ()) - len(rows),
        "grants": [grant_of(grant) for grant in status.get("grants") or ()],
        "paths": status.get("paths") or [],
        "incomplete": status.get("incomplete"),
        "error": status.get("evaluationError") or "",
    }


def _cell(verb: str, cell: Mapping[str, Any] | None) -> Obj:
    if cell is None:
        return {"verb": verb, "state": "none", "names": [], "grants": []}
    names = cell.get("names") or []
    state = "yes" if cell.get("allowed") else "some" if names else "no"
    return {"verb": verb, "state": state, "names": names, "grants": cell.get("grants") or []}
