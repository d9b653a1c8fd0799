"""RBAC in plain words: what a rule allows, whom a subject means. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Obj = Mapping[str, Any]


def _strings(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def listed(words: Iterable[str]) -> str:
    """a, b and c."""
    found = list(words)
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}" if found else ""


def rule(one: Obj) -> str:
    """`get, list and watch pods and pods/log (core), only the object named web`."""
    verbs = _strings(one.get("verbs"))
    do = "do anything to" if "*" in verbs else listed(verbs) or "do nothing to"
    if urls := _strings(one.get("nonResourceURLs")):
        return f"{do} the paths {listed(urls)}"
    resources, groups = _strings(one.get("resources")), _strings(one.get("apiGroups"))
    what = "every resource" if "*" in resources else listed(resources) or "no resource"
    where = (
        "in every API group" if "*" in groups else f"({listed(group or 'core' for group in groups)})" if groups else ""
    )
    text = f"{do} {what} {where}".strip()
    if names := _strings(one.get("resourceNames")):
        text += f", only what is named {listed(names)}"
    return text


def subject(one: Obj) -> str:
    """`ServiceAccount shop/robot`, `Group devs`."""
    name = one.get("name") or "(no name)"
    if one.get("kind") == "ServiceAccount":
        name = f"{one.get('namespace') or '?'}/{name}"
    return f"{one.get('kind') or 'Subject'} {name}"


def role_of(binding: Obj) -> str:
    """`ClusterRole view`."""
    reference = binding.get("roleRef") or {}
    return f"{reference.get('kind') or 'Role'} {reference.get('name') or '(none)'}"
