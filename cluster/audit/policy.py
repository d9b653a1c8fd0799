"""What is audited, and how much of it: Kubernetes' audit Policy (audit.k8s.io/v1; apiserver/pkg/audit/policy).

The first rule that matches a request decides; none is level None. Pure: `Policy.parse` reads YAML, `Policy.decide` answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import yaml

LEVELS = ("None", "Metadata", "Request", "RequestResponse")
STAGES = ("RequestReceived", "ResponseStarted", "ResponseComplete", "Panic")
API_VERSION = "audit.k8s.io/v1"
_REMEMBERED = 10_000


class BadPolicy(ValueError):
    """The policy makes no sense; the message says where."""


class Caller(Protocol):
    """Who asks."""

    @property
    def name(self) -> str: ...
    @property
    def groups(self) -> tuple[str, ...]: ...


class Asked(Protocol):
    """What is asked for (request.RequestInfo)."""

    path: str
    verb: str
    is_resource: bool
    group: str
    namespace: str
    resource: str
    subresource: str
    name: str


class Verdict(NamedTuple):
    """How much to record of a request, and at which stages not to."""

    level: str
    omit_stages: frozenset[str]
    omit_managed_fields: bool


@dataclass(frozen=True, slots=True)
class GroupResources:
    """The resources of one API group, by name."""

    group: str
    resources: tuple[str, ...]
    names: frozenset[str]

    def matches(self, asked: Asked) -> bool:
        if self.group != asked.group:
            return False
        if not self.resources:
            return True
        if self.names and asked.name not in self.names:
            return False
        combined = f"{asked.resource}/{asked.subresource}" if asked.subresource else asked.resource
        return any(
            one in ("*", combined)
            or (asked.subresource != "" and one == f"*/{asked.subresource}")
            or (one.endswith("/*") and one[:-2] == asked.resource)
            for one in self.resources
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. Empty sets stand for everything."""

    verdict: Verdict
    users: frozenset[str]
    groups: frozenset[str]
    verbs: frozenset[str]
    namespaces: frozenset[str]
    resources: tuple[GroupResources, ...]
    paths: tuple[str, ...]

    def matches(self, caller: Caller, asked: Asked) -> bool:
        if self.users and caller.name not in self.users:
            return False
        if self.groups and self.groups.isdisjoint(caller.groups):
            return False
        if self.verbs and asked.verb not in self.verbs:
            return False
        if self.namespaces or self.resources:
            if not asked.is_resource or (self.namespaces and asked.namespace not in self.namespaces):
                return False
            return not self.resources or any(one.matches(asked) for one in self.resources)
        if self.paths:
            return not asked.is_resource and any(_path_matches(pattern, asked.path) for pattern in self.paths)
        return True


def _path_matches(pattern: str, path: str) -> bool:
    return pattern in ("*", path) or (pattern.endswith("*") and path.startswith(pattern[:-1]))


NOTHING = Verdict("None", frozenset(), False)


class Policy:
    """The rules, in order; answers are remembered, since most requests are like those before."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(rules)
        self._by_name = any(one.names for rule in self.rules for one in rule.resources)
        self._known: dict[tuple[Any, ...], Verdict] = {}

    @classmethod
    def parse(cls, text: str) -> Policy:
        """A Policy from YAML; BadPolicy for what Kubernetes would not start with."""
        try:
            document = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise BadPolicy(f"not YAML: {error}") from error
        if not isinstance(document, dict) or document.get("kind") != "Policy":
            raise BadPolicy("not an audit Policy")
        if document.get("apiVersion") != API_VERSION:
            raise BadPolicy(f"apiVersion: must be {API_VERSION}")
        rules = document.get("rules") or []
        if not isinstance(rules, list) or not rules:
            raise BadPolicy("rules: at least one is needed")
        omitted = _words(document, "omitStages", "omitStages")
        managed = bool(document.get("omitManagedFields"))
        return cls(_rule(rule, f"rules[{number}]", omitted, managed) for number, rule in enumerate(rules))

    def decide(self, caller: Caller, asked: Asked) -> Verdict:
        """The verdict of the first rule that matches."""
        key: tuple[Any, ...]
        if asked.is_resource:
            key = (asked.verb, asked.group, asked.resource, asked.subresource, asked.namespace, caller.name)
            key += (caller.groups, asked.name) if self._by_name else (caller.groups,)
        else:
            key = (asked.verb, asked.path, caller.name, caller.groups)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            matching = (rule.verdict for rule in self.rules if rule.matches(caller, asked))
            found = self._known[key] = next(matching, NOTHING)
        return found


def _rule(rule: Any, where: str, omitted: tuple[str, ...], managed: bool) -> Rule:
    if not isinstance(rule, dict):
        raise BadPolicy(f"{where}: not an object")
    known = {"level", "users", "userGroups", "verbs", "resources", "namespaces", "nonResourceURLs", "omitStages"}
    if unknown := sorted(set(rule) - known - {"omitManagedFields"}):
        raise BadPolicy(f"{where}: unknown field {unknown[0]}")
    level = rule.get("level")
    if level not in LEVELS:
        raise BadPolicy(f"{where}.level: {level!r} is none of {', '.join(LEVELS)}")
    stages = frozenset((*omitted, *_words(rule, "omitStages", where)))
    if wrong := sorted(stages - set(STAGES)):
        raise BadPolicy(f"{where}.omitStages: {wrong[0]!r} is none of {', '.join(STAGES)}")
    paths = _words(rule, "nonResourceURLs", where)
    resources = rule.get("resources") or []
    if paths and (resources or rule.get("namespaces")):
        raise BadPolicy(f"{where}: a rule is about resources or about nonResourceURLs, not both")
    for path in paths:
        if path != "*" and (not path.startswith("/") or "*" in path[:-1]):
            raise BadPolicy(f"{where}.nonResourceURLs: {path!r} must begin with / and may end in *")
    return Rule(
        Verdict(str(level), stages, bool(rule.get("omitManagedFields", managed))),
        frozenset(_words(rule, "users", where)),
        frozenset(_words(rule, "userGroups", where)),
        frozenset(_words(rule, "verbs", where)),
        frozenset(_words(rule, "namespaces", where)),
        tuple(_group(one, f"{where}.resources[{number}]") for number, one in enumerate(resources)),
        paths,
    )


def _group(one: Any, where: str) -> GroupResources:
    if not isinstance(one, dict):
        raise BadPolicy(f"{where}: not an object")
    names = _words(one, "resourceNames", where)
    resources = _words(one, "resources", where)
    if names and not resources:
        raise BadPolicy(f"{where}.resourceNames: needs resources")
    return GroupResources(str(one.get("group") or ""), resources, frozenset(names))


def _words(holder: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    values = holder.get(key) or []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise BadPolicy(f"{where}.{key}: must be a list of strings")
    return tuple(values)


# What people and programs ask for, all of it; of the cluster's own components what they change, without the heartbeats.
DEFAULT = """
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  nonResourceURLs: [/healthz*, /livez*, /readyz*, /version, /openapi*, /api, /api/*, /apis, /apis/*, /metrics]
# Whether one may do something oneself is asked all the time: by the page, too, before it shows this very log.
- level: None
  resources:
  - group: authorization.k8s.io
    resources: [selfsubjectaccessreviews, selfsubjectrulesreviews]
- level: None
  users: [system:kube-scheduler, system:kube-controller-manager, system:kube-proxy, "system:kubeweb:machines", system:apiserver]
  verbs: [get, list, watch]
- level: None
  userGroups: [system:nodes, system:serviceaccounts:kube-system]
  verbs: [get, list, watch]
- level: None
  userGroups: [system:nodes, system:serviceaccounts:kube-system]
  resources:
  - group: coordination.k8s.io
  - group: ""
    resources: [events, nodes/status, pods/status]
  - group: events.k8s.io
- level: None
  users: [system:kube-scheduler, system:kube-controller-manager]
  resources:
  - group: coordination.k8s.io
  - group: ""
    resources: [events, pods/status]
  - group: events.k8s.io
- level: Metadata
"""
