"""The RBAC objects every cluster starts with, and how they are brought up to date at each start.

`bootstrap_objects` is the policy; `reconcile` says what one existing object should become: missing rules and subjects are
added, nothing a person added is taken away, and `autoupdate: "false"` is respected (reconciliation.ReconcileRoleOptions).
Called once when the API server starts, before it says it is ready.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cluster.apiserver.authz import bootstrap_data as data
from cluster.apiserver.authz.rules import missing_rights, stale_aggregates
from cluster.apiserver.request import Obj

API_GROUP = "rbac.authorization.k8s.io"
API_VERSION = f"{API_GROUP}/v1"
AUTOUPDATE = "rbac.authorization.kubernetes.io/autoupdate"
BOOTSTRAPPING = {"kubernetes.io/bootstrapping": "rbac-defaults"}
_VERBS = {
    "READ": ("get", "list", "watch"),
    "WRITE": ("create", "delete", "deletecollection", "patch", "update"),
}


def bootstrap_objects() -> list[Obj]:
    """ClusterRoles (aggregates already filled in), ClusterRoleBindings, then Roles and RoleBindings."""
    roles = [_cluster_role(name, lines) for name, lines in (data.CLUSTER_ROLES | data.OWN_CLUSTER_ROLES).items()]
    roles += [_cluster_role(name, []) for name in data.AGGREGATING]
    roles += [_cluster_role(f"system:controller:{name}", lines) for name, lines in data.CONTROLLERS.items()]
    settled = {role["metadata"]["name"]: role for role in stale_aggregates(roles)}
    result = [settled.get(role["metadata"]["name"], role) for role in roles]
    result += [
        _binding("", name, ("ClusterRole", name), subjects) for name, subjects in data.CLUSTER_ROLE_BINDINGS.items()
    ]
    result += [
        _binding(
            "", f"system:controller:{name}", ("ClusterRole", f"system:controller:{name}"), [f"sa:kube-system/{name}"]
        )
        for name in data.CONTROLLERS
    ]
    for (namespace, name), lines in data.ROLES.items():
        result.append(_object("Role", namespace, name, rules=[_rule(line) for line in lines]))
    for (namespace, name), (role, subjects) in data.ROLE_BINDINGS.items():
        result.append(_binding(namespace, name, ("Role", role), subjects))
    return result


def node_rules() -> list[Obj]:
    """What every node may do (bootstrappolicy.NodeRules): the role system:node, which nobody is bound to any more."""
    return [_rule(line) for line in data.CLUSTER_ROLES["system:node"]]


def reconcile(existing: Obj | None, wanted: Obj) -> Obj | None:
    """What to write so that `existing` grants at least what is `wanted`; None when it is as it should be.

    An object without resourceVersion in its metadata is to be created. A binding whose roleRef differs cannot be updated:
    the result has no resourceVersion but the same name; delete the old one first.
    """
    if existing is None:
        return wanted
    if (existing["metadata"].get("annotations") or {}).get(AUTOUPDATE) == "false":
        return None
    if "roleRef" in wanted and existing.get("roleRef") != wanted["roleRef"]:
        return wanted
    metadata = {**existing["metadata"]}
    for key in ("labels", "annotations"):
        # Kubernetes merges as union(wanted, existing): what a person set differently stays.
        merged = {**(wanted["metadata"].get(key) or {}), **(existing["metadata"].get(key) or {})}
        if merged:
            metadata[key] = merged
    result = {**existing, "metadata": metadata}
    if "roleRef" in wanted:
        present = existing.get("subjects") or []
        added = [subject for subject in wanted.get("subjects") or () if subject not in present]
        if added:
            result["subjects"] = [*present, *added]
    elif wanted.get("aggregationRule"):
        # The rules of an aggregating role are its controller's business.
        present = (existing.get("aggregationRule") or {}).get("clusterRoleSelectors") or []
        selectors = wanted["aggregationRule"]["clusterRoleSelectors"]
        added = [selector for selector in selectors if selector not in present]
        if added:
            result["aggregationRule"] = {"clusterRoleSelectors": [*present, *added]}
    else:
        present = existing.get("rules") or []
        missing = missing_rights(present, wanted.get("rules") or ())
        if missing:
            result["rules"] = [*present, *missing]
    return None if result == existing else result


def _cluster_role(name: str, lines: Iterable[str]) -> Obj:
    labels = {}
    if name in data.AGGREGATED:
        labels[f"{API_GROUP}/aggregate-to-{data.AGGREGATED[name]}"] = "true"
    role = _object("ClusterRole", "", name, labels, rules=[_rule(line) for line in lines])
    if name in data.AGGREGATING:
        selector = {"matchLabels": {f"{API_GROUP}/aggregate-to-{data.AGGREGATING[name]}": "true"}}
        role["aggregationRule"] = {"clusterRoleSelectors": [selector]}
    return role


def _object(kind: str, namespace: str, name: str, labels: dict[str, str] | None = None, **fields: Any) -> Obj:
    metadata: Obj = {
        "name": name,
        "labels": {**BOOTSTRAPPING, **(labels or {})},
        "annotations": {AUTOUPDATE: "true"},
    }
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, **fields}


def _binding(namespace: str, name: str, role: tuple[str, str], subjects: Iterable[str]) -> Obj:
    fields: Obj = {"roleRef": {"apiGroup": API_GROUP, "kind": role[0], "name": role[1]}}
    if found := [_subject(text) for text in subjects]:
        fields["subjects"] = found
    return _object("RoleBinding" if namespace else "ClusterRoleBinding", namespace, name, None, **fields)


def _subject(text: str) -> Obj:
    kind, _, name = text.partition(":")
    if kind == "sa":
        namespace, _, account = name.partition("/")
        return {"kind": "ServiceAccount", "name": account, "namespace": namespace}
    return {"apiGroup": API_GROUP, "kind": {"user": "User", "group": "Group"}[kind], "name": name}


def _rule(line: str) -> Obj:
    words = [column.split(",") for column in line.split()]
    verbs = sorted({verb for word in words[0] for verb in _VERBS.get(word, (word,))})
    if len(words) == 2:
        return {"nonResourceURLs": sorted(words[1]), "verbs": verbs}
    rule: Obj = {
        "apiGroups": sorted("" if group == "core" else group for group in words[1]),
        "resources": sorted(words[2]),
        "verbs": verbs,
    }
    if len(words) == 4:
        rule["resourceNames"] = sorted(words[3])
    return rule
