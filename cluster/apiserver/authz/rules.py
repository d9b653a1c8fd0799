"""RBAC rules as plain functions: what a rule allows, what covers what, what a ClusterRole aggregates.

Nothing here knows who asks or where roles are kept; `index`, `rbac`, `explain` and `escalation` build on it
(kubernetes/pkg/apis/rbac/v1/evaluation_helpers.go, component-helpers/auth/rbac/validation/policy_comparator.go).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cluster.apimachinery import labels
from cluster.apiserver.request import Obj, RequestInfo

Rule = Mapping[str, Any]


class CompiledRule:
    """One PolicyRule with its lists as sets, and the rule itself for whoever wants to show it."""

    __slots__ = ("groups", "names", "prefixes", "resources", "source", "urls", "verbs")

    def __init__(self, source: Obj) -> None:
        self.source = source
        self.verbs = _wanted(source.get("verbs"))
        self.groups = _wanted(source.get("apiGroups"))
        self.resources = _wanted(source.get("resources"))
        self.names = frozenset(source.get("resourceNames") or ())
        urls = source.get("nonResourceURLs") or ()
        self.urls = _wanted(urls)
        self.prefixes = tuple(url.rstrip("*") for url in urls if url.endswith("*"))

    def matches_resource(self, verb: str, group: str, resource: str, any_subresource: str) -> bool:
        """Everything but the name. `resource` is `pods/log`; `any_subresource` is `*/log`, or empty."""
        verbs, groups, resources = self.verbs, self.groups, self.resources
        return (
            (resources is None or resource in resources or (any_subresource != "" and any_subresource in resources))
            and (verbs is None or verb in verbs)
            and (groups is None or group in groups)
        )

    def matches_path(self, verb: str, path: str) -> bool:
        if self.verbs is not None and verb not in self.verbs:
            return False
        return self.urls is None or path in self.urls or path.startswith(self.prefixes)

    def allows(self, info: RequestInfo) -> bool:
        if not info.is_resource:
            return self.matches_path(info.verb, info.path)
        resource, wildcard = resource_terms(info.resource, info.subresource)
        return self.matches_resource(info.verb, info.group, resource, wildcard) and (
            not self.names or info.name in self.names
        )


def _wanted(values: Sequence[str] | None) -> frozenset[str] | None:
    """The set of values; None stands for everything."""
    return None if values and "*" in values else frozenset(values or ())


def resource_terms(resource: str, subresource: str) -> tuple[str, str]:
    """How rules may name it: (`pods/log`, `*/log`)."""
    return (f"{resource}/{subresource}", f"*/{subresource}") if subresource else (resource, "")


def compile_rules(rules: Iterable[Obj] | None) -> tuple[CompiledRule, ...]:
    return tuple(CompiledRule(rule) for rule in rules or ())


def aggregate(role: Obj, roles: Iterable[Obj]) -> list[Obj]:
    """The rules of a role with an aggregationRule: those of every role that a selector picks, by name, without repeats.

    One step, as the clusterrole-aggregation controller takes it: `edit` collects what `view` holds by now.
    """
    candidates = sorted(roles, key=lambda candidate: str(candidate["metadata"]["name"]))
    result: list[Obj] = []
    for selector in (role.get("aggregationRule") or {}).get("clusterRoleSelectors") or ():
        picked = labels.from_selector(selector)
        for candidate in candidates:
            metadata = candidate["metadata"]
            if metadata["name"] == role["metadata"]["name"] or not picked.matches(metadata.get("labels")):
                continue
            result.extend(rule for rule in candidate.get("rules") or () if rule not in result)
    return result


def stale_aggregates(roles: Iterable[Obj]) -> list[Obj]:
    """New objects for the aggregating ClusterRoles whose rules are not what they select, settled among themselves."""
    current = {str(role["metadata"]["name"]): role for role in roles}
    aggregating = sorted(name for name, role in current.items() if role.get("aggregationRule"))
    changed: dict[str, Obj] = {}
    for _ in range(len(aggregating) + 1):
        moved = False
        for name in aggregating:
            wanted = aggregate(current[name], current.values())
            if wanted != (current[name].get("rules") or []):
                current[name] = changed[name] = {**current[name], "rules": wanted}
                moved = True
        if not moved:
            break
    return [changed[name] for name in sorted(changed)]


def breakdown(rule: Rule) -> list[Obj]:
    """The rule as rules with one value in each list (validation.BreakdownRule)."""
    names: list[str | None] = list(rule.get("resourceNames") or ()) or [None]
    verbs = rule.get("verbs") or ()
    result: list[Obj] = []
    for group in rule.get("apiGroups") or ():
        for resource in rule.get("resources") or ():
            for verb in verbs:
                for name in names:
                    one: Obj = {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
                    if name is not None:
                        one["resourceNames"] = [name]
                    result.append(one)
    result.extend(
        {"nonResourceURLs": [url], "verbs": [verb]} for url in rule.get("nonResourceURLs") or () for verb in verbs
    )
    return result


def missing_rights(owner: Iterable[Rule], wanted: Iterable[Rule]) -> list[Obj]:
    """What of `wanted` the owner's rules do not cover, one value a list (validation.Covers)."""
    held = [CompiledRule(dict(rule)) for rule in owner]
    return [one for rule in wanted for one in breakdown(rule) if not any(_covers(candidate, one) for candidate in held)]


def _covers(held: CompiledRule, one: Obj) -> bool:
    verb = one["verbs"][0]
    if "nonResourceURLs" in one:
        return held.matches_path(verb, one["nonResourceURLs"][0])
    resource = one["resources"][0]
    _, slash, subresource = resource.partition("/")
    names: list[str] = one.get("resourceNames") or []
    return held.matches_resource(verb, one["apiGroups"][0], resource, f"*/{subresource}" if slash else "") and (
        not held.names or (bool(names) and names[0] in held.names)
    )


def compact(rules: Iterable[Obj]) -> list[Obj]:
    """Rules about one resource (and one name) that differ in their verbs alone, drawn together (validation.CompactRules)."""
    result: list[Obj] = []
    simple: dict[tuple[str, str, str | None], Obj] = {}
    for rule in rules:
        if "nonResourceURLs" in rule:
            result.append(rule)
            continue
        names = rule.get("resourceNames")
        key = (rule["apiGroups"][0], rule["resources"][0], names[0] if names else None)
        if key in simple:
            simple[key]["verbs"] = [*simple[key]["verbs"], *rule["verbs"]]
        else:
            simple[key] = dict(rule)
            result.append(simple[key])
    return result


def describe(rule: Rule) -> str:
    """`{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}`, as Kubernetes' messages print a rule."""
    fields = (
        ("APIGroups", "apiGroups"),
        ("Resources", "resources"),
        ("NonResourceURLs", "nonResourceURLs"),
        ("ResourceNames", "resourceNames"),
        ("Verbs", "verbs"),
    )
    parts = [f"{word}:{quoted(rule[key])}" for word, key in fields if rule.get(key)]
    return "{" + ", ".join(parts) + "}"


def quoted(values: Iterable[str]) -> str:
    """A list of strings as Go's %q prints it."""
    return "[" + " ".join(f'"{value}"' for value in values) + "]"
