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
    if lets(held.get("", ()), "list", kind):
        return offered(user)[0], True
    return sorted(scope for scope, rules in held.items() if scope and lets(rules, "list", kind)), False


def home(user: Any, kind: Kind) -> str:
    """The namespace that a new object's form begins with: `default`, or else one in which the person may make it."""
    held = door().rights(user)
    places = sorted(scope for scope, rules in held.items() if lets(rules, "create", kind))
    return "default" if not places or "" in places or "default" in places else places[0]


def with_chosen(names: list[str], chosen: str) -> list[str]:
    """A pick list in which what is chosen stands, too: a page says which namespace it is about."""
    return names if not chosen or chosen in names else [*names, chosen]


def lets(rules: Iterable[Rule], verb: str, kind: Kind) -> bool:
    """Whether one of these rules gives a verb on a kind, whatever its objects are called."""
    return any(
        not rule.get("resourceNames")
        and _names(rule, "verbs", verb)
        and _names(rule, "apiGroups", kind.group)
        and _names(rule, "resources", kind.plural)
        for rule in rules
    )


def _names(rule: Rule, field: str, word: str) -> bool:
    return bool({word, "*"} & set(rule.get(field) or ()))
