"""What tests of the authorizer write policies with, one policy that looks at everything, and who is asked about."""

from __future__ import annotations

from cluster.apiserver.request import RequestInfo, UserInfo


def rule(verbs, groups="", resources="", names="", urls=""):
    result = {"verbs": verbs.split()}
    if urls:
        return {**result, "nonResourceURLs": urls.split()}
    result |= {"apiGroups": ["" if g == "core" else g for g in groups.split()], "resources": resources.split()}
    if names:
        result["resourceNames"] = names.split()
    return result


def role(name, *rules, namespace="", labels=None, aggregate=None):
    result = {
        "kind": "Role" if namespace else "ClusterRole",
        "metadata": {"name": name, **({"namespace": namespace} if namespace else {}), "labels": labels or {}},
        "rules": list(rules),
    }
    if aggregate:
        result["aggregationRule"] = {"clusterRoleSelectors": [{"matchLabels": aggregate}]}
    return result


def subject(text):
    kind, name = text.split("=", 1)
    if kind == "sa":
        namespace, _, account = name.rpartition("/")
        return {"kind": "ServiceAccount", "name": account, **({"namespace": namespace} if namespace else {})}
    return {"kind": {"u": "User", "g": "Group"}[kind], "name": name, "apiGroup": "rbac.authorization.k8s.io"}


def binding(name, reference, *subjects, namespace=""):
    kind, _, role_name = reference.partition("/")
    return {
        "kind": "RoleBinding" if namespace else "ClusterRoleBinding",
        "metadata": {"name": name, **({"namespace": namespace} if namespace else {})},
        "roleRef": {"kind": kind, "name": role_name, "apiGroup": "rbac.authorization.k8s.io"},
        "subjects": [subject(one) for one in subjects],
    }


def ask(text, name="", namespace=""):
    """`get apps/deployments/scale` or `get /healthz`."""
    verb, _, what = text.partition(" ")
    if what.startswith("/"):
        return RequestInfo(what, verb)
    parts = what.split("/")
    group = "" if parts[0] == "core" else parts[0]
    return RequestInfo("", verb, True, group, "v1", namespace, parts[1], parts[2] if len(parts) > 2 else "", name)


READ = "get list watch"
POLICY = [
    role("view-pods", rule(READ, "core", "pods"), rule("get", "core", "pods/log")),
    role("edit-apps", rule("*", "apps", "deployments statefulsets"), rule("update patch", "apps", "deployments/scale")),
    role("one-config", rule("get update", "core", "configmaps", "settings other")),
    role("create-named", rule("create list", "core", "configmaps", "settings")),
    role("any-scale", rule("get update", "*", "*/scale")),
    role("all-core", rule("*", "core", "*")),
    role("root", rule("*", "*", "*"), rule("*", urls="*")),
    role("paths", rule("get", urls="/healthz /logs/* /exact"), rule("post", urls="/hook")),
    role("all-paths-get", rule("get", urls="*")),
    role("empty"),
    role("subresource-only", rule("get", "core", "pods/status")),
    role("literal-star", rule("get", "core", "pods/*")),
    role("two-rules", rule("get", "core", "secrets", "a"), rule("get", "core", "secrets", "b")),
    role("mixed", rule("get", "core", "secrets", "a"), rule("list", "core", "secrets")),
    role("collector", aggregate={"to": "collector"}),
    role("part-1", rule("get", "core", "nodes"), labels={"to": "collector"}),
    role("part-2", aggregate={"to": "part-2"}, labels={"to": "collector"}),
    role("part-3", rule("list", "core", "nodes"), labels={"to": "part-2"}),
    role("local", rule("get delete", "core", "services"), namespace="shop"),
    role("local", rule("get", "core", "endpoints"), namespace="dev"),
    binding("pods-everywhere", "ClusterRole/view-pods", "u=alice", "g=viewers"),
    binding("pods-in-shop", "ClusterRole/view-pods", "u=bob", namespace="shop"),
    binding("apps-in-shop", "ClusterRole/edit-apps", "g=devs", namespace="shop"),
    binding("one-config", "ClusterRole/one-config", "u=carol", namespace="shop"),
    binding("create-named", "ClusterRole/create-named", "u=dave", namespace="shop"),
    binding("scale", "ClusterRole/any-scale", "u=scaler"),
    binding("core", "ClusterRole/all-core", "u=corey"),
    binding("root", "ClusterRole/root", "u=root"),
    binding("paths", "ClusterRole/paths", "u=walker", "g=system:unauthenticated"),
    binding("all-paths", "ClusterRole/all-paths-get", "u=runner"),
    binding("paths-namespaced", "ClusterRole/paths", "u=bob", namespace="shop"),
    binding("empty", "ClusterRole/empty", "u=nobody"),
    binding("sub", "ClusterRole/subresource-only", "u=sub"),
    binding("literal", "ClusterRole/literal-star", "u=literal"),
    binding("two", "ClusterRole/two-rules", "u=two"),
    binding("mixed", "ClusterRole/mixed", "u=mixed"),
    binding("collector", "ClusterRole/collector", "u=collector"),
    binding("local", "Role/local", "u=alice", "sa=robot", "sa=dev/robot", namespace="shop"),
    binding("local", "Role/local", "u=alice", namespace="dev"),
    binding("accounts", "ClusterRole/view-pods", "g=system:serviceaccounts:ci"),
    binding("all-accounts", "ClusterRole/any-scale", "g=system:serviceaccounts"),
    binding("cluster-sa", "ClusterRole/all-core", "sa=ops/admin"),
    binding("homeless-sa", "ClusterRole/all-core", "sa=stray"),
    binding("dangling", "ClusterRole/gone", "u=lost"),
    binding("dangling-role", "Role/gone", "u=lost", namespace="shop"),
    binding("role-from-cluster", "Role/local", "u=cross"),
    binding("case", "ClusterRole/root", "u=Alice"),
]

USERS = {
    "viewer": UserInfo("vic", ("viewers", "system:authenticated")),
    "dev": UserInfo("eve", ("devs", "system:authenticated")),
    "master": UserInfo("m", ("system:masters",)),
    "robot-shop": UserInfo(
        "system:serviceaccount:shop:robot", ("system:serviceaccounts", "system:serviceaccounts:shop")
    ),
    "robot-dev": UserInfo("system:serviceaccount:dev:robot", ("system:serviceaccounts", "system:serviceaccounts:dev")),
    "robot-ci": UserInfo("system:serviceaccount:ci:robot", ("system:serviceaccounts", "system:serviceaccounts:ci")),
    "ops": UserInfo("system:serviceaccount:ops:admin", ("system:serviceaccounts", "system:serviceaccounts:ops")),
    "stray": UserInfo("system:serviceaccount:default:stray", ()),
    "anonymous": UserInfo("system:anonymous", ("system:unauthenticated",)),
}


def user(name):
    return USERS.get(name) or UserInfo(name, ("system:authenticated",))
