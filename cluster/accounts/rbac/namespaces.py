"""Which namespaces a page offers: all of them to whom may list them, else those in which RBAC gives the person something."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cluster.accounts.rbac import requests
from cluster.accounts.rbac.door import door
from cluster.accounts.rbac.kinds import Kind
from cluster.apimachinery.errors import StatusError

Rule = Mapping[str, Any]


def offered(user: Any) -> tuple[list[str], bool]:
    """All namespaces, or those in which a binding names the person or one of their groups; whether these are all there are."""
    try:
        return requests.every_name(user, "v1/namespaces"), True
    except StatusError as error:
        if error.code != 403:
            raise
    return sorted(scope for scope in door().rights(user) if scope), False


def listable(user: Any, kind: Kind) -> tuple[list[str], bool]:
    """The namespaces in which the person's rules let them list a kind; whether they may list it everywhere at once."""
    if not kind.namespaced:
        return [], True
    held = door().rights(user)
    if lets_list(held.get("", ()), kind.group, kind.plural):
        return offered(user)[0], True
    return sorted(scope for scope, rules in held.items() if scope and lets_list(rules, kind.group, kind.plural)), False


def with_chosen(names: list[str], chosen: str) -> list[str]:
    """A pick list in which what is chosen stands, too: a page says which namespace it is about."""
    return names if not chosen or chosen in names else [*names, chosen]


def lets_list(rules: Iterable[Rule], group: str, plural: str) -> bool:
    """Whether one of these rules is about listing a resource, whatever its objects are called."""
    return any(
        not rule.get("resourceNames")
        and _names(rule, "verbs", "list")
        and _names(rule, "apiGroups", group)
        and _names(rule, "resources", plural)
        for rule in rules
    )


def _names(rule: Rule, field: str, word: str) -> bool:
    return bool({word, "*"} & set(rule.get(field) or ()))
