"""AccessMatrix: resource by verb for one subject in one namespace, with the rule behind each cell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cluster.apiserver.authz.index import RBACIndex
from cluster.apiserver.authz.node import node_name
from cluster.apiserver.authz.questions.moment import as_of
from cluster.apiserver.authz.questions.subjects import asked_about
from cluster.apiserver.authz.rbac import MASTERS, Authorizer
from cluster.apiserver.authz.rules import CompiledRule, resource_terms
from cluster.apiserver.request import Obj, UserInfo
from cluster.apiserver.resources.registry import Registry

if TYPE_CHECKING:
    from cluster.apiserver.server import APIServer

VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
# Verbs that no request has, but that authorization asks about.
SPECIAL: dict[tuple[str, str], tuple[str, ...]] = {
    ("rbac.authorization.k8s.io", "roles"): ("bind", "escalate"),
    ("rbac.authorization.k8s.io", "clusterroles"): ("bind", "escalate"),
    ("", "serviceaccounts"): ("impersonate",),
    ("certificates.k8s.io", "signers"): ("approve", "attest", "sign"),
}
# Resources that exist for authorization alone: (group, resource, kind, namespaced, verbs).
IMAGINED = (
    ("", "users", "User", False, ("impersonate",)),
    ("", "groups", "Group", False, ("impersonate",)),
    ("authentication.k8s.io", "userextras", "UserExtra", False, ("impersonate",)),
    ("authentication.k8s.io", "uids", "UID", False, ("impersonate",)),
    ("certificates.k8s.io", "signers", "Signer", False, ("approve", "attest", "sign")),
    ("sim.kubeweb.dev", "journeys", "Journey", False, ("list",)),
    ("sim.kubeweb.dev", "auditevents", "AuditEvent", False, ("list",)),
)


@dataclass(frozen=True, slots=True)
class Grant:
    """A rule that reaches a user, and how. `rule` None: everything (system:masters)."""

    rule: CompiledRule | None
    shown: Obj


@dataclass(frozen=True, slots=True)
class Line:
    """A resource or subresource and the verbs it can be asked for."""

    group: str
    resource: str
    subresource: str
    kind: str
    namespaced: bool
    verbs: tuple[str, ...]


async def answer(server: APIServer, user: UserInfo, spec: Obj) -> Obj:
    """The status."""
    namespace = spec.get("namespace") or ""
    who, _ = await asked_about(server, user, spec, namespace)

    def work(authorizer: Authorizer) -> Obj:
        return _status(authorizer.index, list(lines(server.registry)), who, namespace)

    return await as_of(server, "AccessMatrix", spec, work, nodes=False)


def _status(index: RBACIndex, served: list[Line], who: UserInfo, namespace: str) -> Obj:
    grants, missing = grants_of(index, who, namespace)
    status: Obj = {
        "user": who.name,
        "groups": list(who.groups),
        "verbs": [*VERBS, *sorted({verb for line in served for verb in line.verbs} - set(VERBS))],
        "grants": [grant.shown for grant in grants],
        "rows": [_row(line, grants) for line in served],
        "paths": _paths(grants),
    }
    if node_name(who) is not None:
        status["incomplete"] = True
    if missing:
        status["evaluationError"] = ", ".join(dict.fromkeys(missing))
    return status


def grants_of(index: RBACIndex, user: UserInfo, namespace: str) -> tuple[list[Grant], list[str]]:
    """Every rule that reaches the user there, and the roleRefs that lead nowhere."""
    if MASTERS in user.groups:
        return [Grant(None, {"binding": "", "role": "", "subject": {"kind": "Group", "name": MASTERS}})], []
    found: list[Grant] = []
    missing: list[str] = []
    for scope in ("", namespace) if namespace else ("",):
        for binding in index.bindings_of(user, scope):
            rules = index.rules_of(binding)
            if rules is None:
                missing.append(index.role_missing(binding))
                continue
            shown = {"binding": binding.title, "role": binding.role_title, "subject": binding.subject_for(user)}
            found.extend(Grant(rule, {**shown, "rule": rule.source}) for rule in rules)
    return found, missing


def lines(registry: Registry) -> Iterator[Line]:
    """Every resource once, in its first served version, with its subresources; then what only authorization knows."""
    seen: set[tuple[str, str]] = set()
    for resource in sorted(registry.all(), key=lambda one: (one.group, one.plural)):
        key = (resource.group, resource.plural)
        if key in seen:
            continue
        seen.add(key)
        verbs = (*(verb for verb in VERBS if verb in resource.verbs), *SPECIAL.get(key, ()))
        yield Line(resource.group, resource.plural, "", resource.kind, resource.namespaced, verbs)
        for name, sub in sorted(resource.subresources.items()):
            served = tuple(verb for verb in VERBS if verb in sub.verbs)
            yield Line(resource.group, resource.plural, name, sub.kind, resource.namespaced, served)
    for group, plural, kind, namespaced, special in IMAGINED:
        yield Line(group, plural, "", kind, namespaced, special)


def reaching(line: Line, grants: Iterable[Grant]) -> list[tuple[int, Grant]]:
    """Of the grants those that are about this resource, whatever the verb, by position."""
    resource, wildcard = resource_terms(line.resource, line.subresource)
    found = []
    for position, grant in enumerate(grants):
        rule = grant.rule
        if rule is None or (
            (rule.groups is None or line.group in rule.groups)
            and (rule.resources is None or resource in rule.resources or (wildcard and wildcard in rule.resources))
        ):
            found.append((position, grant))
    return found


def cell(verb: str, candidates: Iterable[tuple[int, Grant]]) -> Obj:
    """One verb: allowed on everything, on some names, or not at all, and because of which grants."""
    free: list[int] = []
    limited: list[int] = []
    names: set[str] = set()
    for position, grant in candidates:
        rule = grant.rule
        if rule is not None and rule.verbs is not None and verb not in rule.verbs:
            continue
        if rule is not None and rule.names:
            limited.append(position)
            names.update(rule.names)
        else:
            free.append(position)
    result: Obj = {"verb": verb, "allowed": bool(free)}
    if free or limited:
        result["grants"] = free or limited
    if limited and not free:
        result["names"] = sorted(names)
    return result


def _row(line: Line, grants: list[Grant]) -> Obj:
    candidates = reaching(line, grants)
    return {
        "group": line.group,
        "resource": resource_terms(line.resource, line.subresource)[0],
        "kind": line.kind,
        "namespaced": line.namespaced,
        "cells": [cell(verb, candidates) for verb in line.verbs],
    }


def _paths(grants: list[Grant]) -> list[Obj]:
    found: dict[str, Obj] = {}
    for position, grant in enumerate(grants):
        urls = ["*"] if grant.rule is None else grant.rule.source.get("nonResourceURLs") or ()
        verbs = ["*"] if grant.rule is None else grant.rule.source.get("verbs") or ()
        for url in urls:
            entry = found.setdefault(url, {"path": url, "verbs": [], "grants": []})
            entry["verbs"] += [verb for verb in verbs if verb not in entry["verbs"]]
            entry["grants"].append(position)
    return [found[url] for url in sorted(found)]
