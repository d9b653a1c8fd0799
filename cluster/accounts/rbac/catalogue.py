"""What a rule can be about: the groups, resources and verbs that discovery tells of, as the role form's pick lists. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cluster.accounts.rbac.door import Groups

Obj = dict[str, Any]
# Verbs that no resource serves but that authorizers ask about: resource → verbs.
SPECIAL_VERBS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("rbac.authorization.k8s.io", "roles"): ("bind", "escalate"),
    ("rbac.authorization.k8s.io", "clusterroles"): ("bind", "escalate"),
    ("", "users"): ("impersonate",),
    ("", "groups"): ("impersonate",),
    ("", "serviceaccounts"): ("impersonate",),
    ("certificates.k8s.io", "signers"): ("approve", "sign"),
}
# The ClusterRoles for people that every cluster has, for who may not list them.
USUAL_ROLES = ("admin", "edit", "view")
VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")


def catalogue(groups: Groups) -> list[Obj]:
    """One entry a resource or subresource: group, resource, kind, namespaced, verbs, short names; sorted for reading."""
    found: dict[tuple[str, str], Obj] = {}
    for group, versions in groups.items():
        for resources in versions.values():
            for resource in resources:
                key = (group, resource.plural)
                entry = found.setdefault(key, _entry(group, resource.plural, resource.kind, resource.namespaced))
                _add(entry, (*resource.verbs, *SPECIAL_VERBS.get(key, ())))
                entry["short"] = list(resource.short_names)
                for name, subresource in resource.subresources.items():
                    path = f"{resource.plural}/{name}"
                    below = found.setdefault((group, path), _entry(group, path, resource.kind, resource.namespaced))
                    _add(below, subresource.verbs)
    for (group, plural), verbs in SPECIAL_VERBS.items():
        entry = found.setdefault((group, plural), _entry(group, plural, "", False))
        _add(entry, verbs)
    return [found[key] for key in sorted(found)]


def _entry(group: str, resource: str, kind: str, namespaced: bool) -> Obj:
    return {"group": group, "resource": resource, "kind": kind, "namespaced": namespaced, "verbs": [], "short": []}


def _add(entry: Obj, verbs: tuple[str, ...]) -> None:
    known = {*entry["verbs"], *verbs}
    entry["verbs"] = [verb for verb in VERBS if verb in known] + sorted(known - set(VERBS))
