"""Nobody grants more than they hold (pkg/registry/rbac: policy-based storage of roles and bindings).

Called by the admission of Roles, ClusterRoles and their bindings, through `Authorizer.check_escalation`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cluster.apimachinery import errors
from cluster.apiserver.authz.index import GROUP
from cluster.apiserver.authz.rules import compact, describe, missing_rights, quoted
from cluster.apiserver.request import Obj, RequestInfo, UserInfo

if TYPE_CHECKING:
    from cluster.apiserver.authz.rbac import Authorizer

PLURALS = {
    "Role": "roles",
    "ClusterRole": "clusterroles",
    "RoleBinding": "rolebindings",
    "ClusterRoleBinding": "clusterrolebindings",
}
EVERYTHING: list[Obj] = [
    {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
    {"nonResourceURLs": ["*"], "verbs": ["*"]},
]


def check_escalation(authorizer: Authorizer, user: UserInfo, obj: Obj, old: Obj | None = None) -> None:
    """403 when `obj` grants what `user` does not hold, unless it may `escalate` (roles) or `bind` (bindings)."""
    from cluster.apiserver.authz.rbac import MASTERS

    kind = obj["kind"]
    if kind not in PLURALS or MASTERS in user.groups:
        return
    if old is not None and _only_collector_fields(old, obj):
        return
    if kind.endswith("Binding"):
        _check_binding(authorizer, user, obj)
    else:
        _check_role(authorizer, user, obj)


def _check_role(authorizer: Authorizer, user: UserInfo, role: Obj) -> None:
    kind, metadata = role["kind"], role["metadata"]
    namespace = metadata.get("namespace") or ""
    name = metadata.get("name") or ""
    if _may(authorizer, user, ("escalate", PLURALS[kind]), namespace, name):
        return
    if text := lacking(authorizer, user, namespace, role.get("rules") or []):
        raise errors.forbidden(PLURALS[kind], GROUP, name, text)
    if (role.get("aggregationRule") or {}).get("clusterRoleSelectors") and lacking(authorizer, user, "", EVERYTHING):
        text = "must have cluster-admin privileges to use the aggregationRule"
        raise errors.forbidden(PLURALS[kind], GROUP, name, text)


def _check_binding(authorizer: Authorizer, user: UserInfo, binding: Obj) -> None:
    kind, metadata, reference = binding["kind"], binding["metadata"], binding["roleRef"]
    namespace = metadata.get("namespace") or ""
    role_kind, role_name = reference["kind"], reference["name"]
    if role_kind not in ("Role", "ClusterRole") or _may(
        authorizer, user, ("bind", PLURALS[role_kind]), namespace, role_name
    ):
        return
    rules = authorizer.index.role_rules(namespace, role_kind, role_name)
    if rules is None:
        raise errors.not_found(PLURALS[role_kind], GROUP, role_name)
    if text := lacking(authorizer, user, namespace, rules):
        raise errors.forbidden(PLURALS[kind], GROUP, metadata.get("name") or "", text)


def lacking(authorizer: Authorizer, user: UserInfo, namespace: str, rules: list[Obj]) -> str:
    """Kubernetes' words for the rights among `rules` that the user does not hold there; empty when it holds them all."""
    held, unresolved = authorizer.rules_for(user, namespace)
    missing = missing_rights(held, rules)
    if not missing:
        return ""
    lines = "\n".join(sorted({describe(rule) for rule in compact(missing)}))
    text = (
        f'user "{user.name}" (groups={quoted(user.groups)}) is attempting to grant RBAC permissions '
        f"not currently held:\n{lines}"
    )
    return f"{text}; resolution errors: [{unresolved}]" if unresolved else text


def _may(authorizer: Authorizer, user: UserInfo, action: tuple[str, str], namespace: str, name: str) -> bool:
    info = RequestInfo("", action[0], True, GROUP, "v1", namespace=namespace, resource=action[1], name=name)
    return authorizer.authorize(user, info).allowed


def _only_collector_fields(old: Obj, new: Obj) -> bool:
    """Did the update touch nothing but what the garbage collector may touch (owners and finalizers)?"""
    ignored = ("ownerReferences", "finalizers", "resourceVersion", "generation", "managedFields")

    def rest(obj: Obj) -> Obj:
        metadata = {key: value for key, value in obj["metadata"].items() if key not in ignored and value}
        return {**obj, "metadata": metadata}

    return rest(old) == rest(new)
