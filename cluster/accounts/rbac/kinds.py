"""The kinds that the admin edits through the API, as a table; pages, links and forms derive from it."""

from __future__ import annotations

from dataclasses import dataclass

RBAC_GROUP = "rbac.authorization.k8s.io"


@dataclass(frozen=True)
class Kind:
    """One kind: its path in the API, how its pages call it, and which form it has."""

    kind: str
    plural: str
    api_version: str
    namespaced: bool
    form: str  # role, binding or account
    title: str
    words: str

    @property
    def group(self) -> str:
        return self.api_version.rpartition("/")[0]

    @property
    def path(self) -> str:
        return f"{self.api_version}/{self.plural}"

    def explorer_path(self, namespace: str, name: str) -> str:
        """The object's page in the explorer."""
        where = namespace if self.namespaced else "_"
        return f"/explore/object/{self.api_version.replace('/', '~')}/{self.plural}/{where}/{name}"


KINDS: dict[str, Kind] = {
    kind.plural: kind
    for kind in (
        Kind(
            "Role",
            "roles",
            f"{RBAC_GROUP}/v1",
            True,
            "role",
            "Roles",
            "What may be done in one namespace. Says nothing about who may do it: bindings do.",
        ),
        Kind(
            "ClusterRole",
            "clusterroles",
            f"{RBAC_GROUP}/v1",
            False,
            "role",
            "ClusterRoles",
            "What may be done everywhere, or in whichever namespace a RoleBinding names it.",
        ),
        Kind(
            "RoleBinding",
            "rolebindings",
            f"{RBAC_GROUP}/v1",
            True,
            "binding",
            "RoleBindings",
            "Who holds a Role, or a ClusterRole, within one namespace.",
        ),
        Kind(
            "ClusterRoleBinding",
            "clusterrolebindings",
            f"{RBAC_GROUP}/v1",
            False,
            "binding",
            "ClusterRoleBindings",
            "Who holds a ClusterRole in every namespace and on the cluster itself.",
        ),
        Kind(
            "ServiceAccount",
            "serviceaccounts",
            "v1",
            True,
            "account",
            "ServiceAccounts",
            "The users that pods are. Each namespace has one called default.",
        ),
    )
}
