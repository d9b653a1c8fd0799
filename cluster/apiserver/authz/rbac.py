"""The RBAC authorizer: may this user do this, and which rule of which role through which binding says so.

Purely additive: one rule that allows is enough, nothing denies. Decisions are values (`Decision`), remembered until a
role or binding changes. Called by the authorization stage of every request, by access reviews and by the explorer.
Cost: a remembered decision is one dictionary look-up; a new one visits only the bindings that name the user or its groups.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cluster.apimachinery import errors
from cluster.apiserver.authz.index import Binding, RBACIndex
from cluster.apiserver.authz.rules import resource_terms
from cluster.apiserver.request import Obj, Reader, RequestInfo, UserInfo

MASTERS = "system:masters"
_REMEMBERED = 50_000
_REMEMBERED_EXPLANATIONS = 1_000
_BY_NAME = object()


@dataclass(slots=True)
class Decision:
    """What was decided and why. Shared between requests that ask the same: never change one.

    `rule`, `role` (`ClusterRole/edit`), `binding` (`RoleBinding/shop/devs-edit`) and `subject` name what allowed it.
    `considered` is filled by `explain`, on denial.
    """

    allowed: bool
    reason: str = ""
    rule: Obj | None = None
    role: str = ""
    binding: str = ""
    subject: Obj | None = None
    considered: list[Obj] = field(default_factory=list)


MASTERS_ALLOWED = Decision(True, subject={"kind": "Group", "name": MASTERS})


class Authorizer:
    """RBAC over the watch cache (plugin/pkg/auth/authorizer/rbac, with the privileged group in front)."""

    def __init__(self, reader: Reader) -> None:
        self.index = RBACIndex(reader)
        self._generation = -1
        self._decisions: dict[tuple[Any, ...], Any] = {}
        self._explained: dict[tuple[Any, ...], list[Obj]] = {}
        self._explained_at = -1

    def authorize(self, user: UserInfo, info: RequestInfo, field_selector: str = "") -> Decision:
        """Decide. `field_selector` is for the node authorizer; RBAC does not look at it."""
        if self._generation != self.index.generation or len(self._decisions) > _REMEMBERED:
            self._generation = self.index.generation
            self._decisions = {}
        key: tuple[Any, ...]
        if info.is_resource:
            key = (user.name, user.groups, info.verb, info.group, info.resource, info.subresource, info.namespace)
        else:
            key = (user.name, user.groups, info.verb, info.path)
        found = self._decisions.get(key)
        if found is None:
            decision, depends_on_name = self._decide(user, info)
            if not depends_on_name:
                self._decisions[key] = decision
                return decision
            self._decisions[key] = _BY_NAME
            self._decisions[(*key, info.name)] = decision
            return decision
        if found is not _BY_NAME:
            hit: Decision = found
            return hit
        named = (*key, info.name)
        found = self._decisions.get(named)
        if found is None:
            found = self._decisions[named] = self._decide(user, info)[0]
        decided: Decision = found
        return decided

    def _decide(self, user: UserInfo, info: RequestInfo) -> tuple[Decision, bool]:
        """The decision, and whether the same request for another name might get another one."""
        if MASTERS in user.groups:
            return MASTERS_ALLOWED, False
        missing: list[str] = []
        named: tuple[Binding, Obj] | None = None
        depends_on_name = False
        resource, wildcard = resource_terms(info.resource, info.subresource)
        scopes = ("", info.namespace) if info.namespace else ("",)
        for scope in scopes:
            for binding in self.index.bindings_of(user, scope):
                rules = self.index.rules_of(binding)
                if rules is None:
                    words = self.index.role_missing(binding)
                    if words not in missing:
                        missing.append(words)
                    continue
                for rule in rules:
                    if not info.is_resource:
                        if rule.matches_path(info.verb, info.path):
                            return _allowed(user, binding, rule.source), False
                    elif rule.matches_resource(info.verb, info.group, resource, wildcard):
                        if not rule.names:
                            return _allowed(user, binding, rule.source), False
                        depends_on_name = True
                        if named is None and info.name in rule.names:
                            named = (binding, rule.source)
        if named is not None:
            return _allowed(user, *named), True
        return Decision(False, f"RBAC: {_aggregate(missing)}" if missing else ""), depends_on_name

    def rules_for(self, user: UserInfo, namespace: str) -> tuple[list[Obj], str]:
        """Every rule the user holds in a namespace, and what could not be resolved (RulesFor)."""
        rules: list[Obj] = []
        missing: list[str] = []
        for scope in ("", namespace) if namespace else ("",):
            for binding in self.index.bindings_of(user, scope):
                compiled = self.index.rules_of(binding)
                if compiled is None:
                    missing.append(self.index.role_missing(binding))
                else:
                    rules.extend(rule.source for rule in compiled)
        return rules, _aggregate(list(dict.fromkeys(missing)))

    def explain(self, user: UserInfo, info: RequestInfo, within: str = "") -> list[Obj]:
        """The bindings considered and the near misses, most telling first, each with a plain sentence. Not to be changed.

        `within`: tell only of this namespace's bindings and the cluster's.
        """
        from cluster.apiserver.authz.explain import explain

        if self._explained_at != self.index.generation or len(self._explained) > _REMEMBERED_EXPLANATIONS:
            self._explained_at = self.index.generation
            self._explained = {}
        what = (info.path,) if not info.is_resource else (info.group, info.resource, info.subresource, info.namespace)
        key = (user.name, user.groups, info.verb, info.name, within, *what)
        found = self._explained.get(key)
        if found is None:
            # Whoever is refused tends to ask again, and this looks at every binding.
            found = self._explained[key] = explain(self.index, user, info, within=within)
        return found

    def check_escalation(self, user: UserInfo, obj: Obj, old: Obj | None = None) -> None:
        """403 when a Role, ClusterRole or binding would grant more than its author holds."""
        from cluster.apiserver.authz.escalation import check_escalation

        check_escalation(self, user, obj, old)


def _allowed(user: UserInfo, binding: Binding, rule: Obj) -> Decision:
    subject = binding.subject_for(user)
    if subject is None:
        raise ValueError(f"{binding.title} does not name {user.name}")
    return Decision(
        True,
        f"RBAC: allowed by {binding.describe(subject)}",
        rule=rule,
        role=binding.role_title,
        binding=binding.title,
        subject=subject,
    )


def _aggregate(texts: list[str]) -> str:
    """Several errors in one (utilerrors.Aggregate)."""
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]" if texts else ""


def denial(user: UserInfo, info: RequestInfo, reason: str = "") -> str:
    """`User "alice" cannot list resource "pods" in API group "" in the namespace "shop"` (responsewriters.forbiddenMessage)."""
    if info.is_resource:
        resource, _ = resource_terms(info.resource, info.subresource)
        where = f'in the namespace "{info.namespace}"' if info.namespace else "at the cluster scope"
        text = f'User "{user.name}" cannot {info.verb} resource "{resource}" in API group "{info.group}" {where}'
    else:
        text = f'User "{user.name}" cannot {info.verb} path "{info.path}"'
    return f"{text}: {reason}" if reason else text


def forbidden(user: UserInfo, info: RequestInfo, decision: Decision | None = None) -> errors.StatusError:
    """The 403 that a denied request is answered with."""
    reason = decision.reason if decision is not None else ""
    return errors.forbidden(info.resource, info.group, info.name, denial(user, info, reason))
