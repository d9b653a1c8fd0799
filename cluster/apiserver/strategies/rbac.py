"""Roles and bindings of both scopes."""

from __future__ import annotations

from typing import Any

from cluster.apimachinery.errors import invalid_value, not_supported, required
from cluster.apiserver.strategies import names
from cluster.apiserver.strategies.base import Strategy
from cluster.apiserver.strategies.metadata import Found

Obj = dict[str, Any]


class RBACStrategy(Strategy):
    """Roles and bindings of both scopes."""

    name_rule = staticmethod(names.path_segment)
    allow_create_on_update = True

    def default(self, obj: Obj) -> None:
        reference = obj.get("roleRef")
        if reference is not None and not reference.get("apiGroup"):
            reference["apiGroup"] = "rbac.authorization.k8s.io"
        for subject in obj.get("subjects") or ():
            if not subject.get("apiGroup") and subject.get("kind") in ("User", "Group"):
                subject["apiGroup"] = "rbac.authorization.k8s.io"
        if obj.get("kind") in ("Role", "ClusterRole") and "aggregationRule" not in obj:
            obj.setdefault("rules", [])

    def check(self, obj: Obj) -> Found:
        found: Found = []
        cluster = obj["kind"] == "ClusterRole"
        for index, rule in enumerate(obj.get("rules") or ()):
            here = f"rules[{index}]"
            if not rule.get("verbs"):
                found.append(required(f"{here}.verbs", "verbs must contain at least one value"))
            paths = rule.get("nonResourceURLs")
            if paths:
                if not cluster:
                    found.append(
                        invalid_value(
                            f"{here}.nonResourceURLs", paths, "namespaced rules cannot apply to non-resource URLs"
                        )
                    )
                if rule.get("apiGroups") or rule.get("resources") or rule.get("resourceNames"):
                    found.append(
                        invalid_value(
                            f"{here}.nonResourceURLs",
                            paths,
                            "rules cannot apply to both regular resources and non-resource URLs",
                        )
                    )
                continue
            for field, word in (
                ("apiGroups", "resource rules must supply at least one api group"),
                ("resources", "resource rules must supply at least one resource"),
            ):
                if not rule.get(field):
                    found.append(required(f"{here}.{field}", word))
        if "roleRef" in obj or obj["kind"].endswith("Binding"):
            found.extend(self._check_binding(obj))
        return found

    @staticmethod
    def _check_binding(obj: Obj) -> Found:
        found: Found = []
        reference = obj.get("roleRef") or {}
        if reference.get("apiGroup") != "rbac.authorization.k8s.io":
            found.append(
                not_supported("roleRef.apiGroup", reference.get("apiGroup") or "", ["rbac.authorization.k8s.io"])
            )
        kinds = ("Role", "ClusterRole") if obj["kind"] == "RoleBinding" else ("ClusterRole",)
        if reference.get("kind") not in kinds:
            found.append(not_supported("roleRef.kind", reference.get("kind") or "", kinds))
        if not reference.get("name"):
            found.append(required("roleRef.name"))
        elif text := names.path_segment(reference["name"]):
            found.append(invalid_value("roleRef.name", reference["name"], text))
        for index, subject in enumerate(obj.get("subjects") or ()):
            here = f"subjects[{index}]"
            kind = subject.get("kind")
            if not subject.get("name"):
                found.append(required(f"{here}.name"))
            if kind == "ServiceAccount":
                if subject.get("name") and (text := names.subdomain(subject["name"])):
                    found.append(invalid_value(f"{here}.name", subject["name"], text))
                if not subject.get("namespace") and obj["kind"] == "ClusterRoleBinding":
                    found.append(required(f"{here}.namespace"))
                if subject.get("apiGroup"):
                    found.append(not_supported(f"{here}.apiGroup", subject["apiGroup"], [""]))
            elif kind in ("User", "Group"):
                if subject.get("apiGroup") != "rbac.authorization.k8s.io":
                    found.append(
                        not_supported(f"{here}.apiGroup", subject.get("apiGroup") or "", ["rbac.authorization.k8s.io"])
                    )
            else:
                found.append(not_supported(f"{here}.kind", kind or "", ["ServiceAccount", "User", "Group"]))
        return found

    def check_update(self, obj: Obj, old: Obj) -> Found:
        found = self.check(obj)
        if obj.get("roleRef") != old.get("roleRef"):
            found.append(invalid_value("roleRef", obj.get("roleRef"), "cannot change roleRef"))
        return found


class ClusterRBACStrategy(RBACStrategy):
    namespaced = False
