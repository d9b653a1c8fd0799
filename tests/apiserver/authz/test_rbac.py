"""The evaluator: a table of requests over one policy, a property against a naive reference, and what is remembered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.apiserver.authz.rbac import Authorizer, denial, forbidden
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


def cases():
    """(user, request, name, namespace, allowed)"""
    for verb in ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"):
        read = verb in ("get", "list", "watch")
        yield "alice", f"{verb} core/pods", "", "shop", read
        yield "alice", f"{verb} core/pods", "", "", read
        yield "viewer", f"{verb} core/pods", "", "any", read
        yield "bob", f"{verb} core/pods", "", "shop", read
        yield "bob", f"{verb} core/pods", "", "dev", False
        yield "bob", f"{verb} core/pods", "", "", False
        yield "dev", f"{verb} apps/deployments", "web", "shop", True
        yield "dev", f"{verb} apps/deployments", "web", "dev", False
        yield "dev", f"{verb} apps/deployments/scale", "web", "shop", verb in ("update", "patch")
        yield "dev", f"{verb} extensions/deployments", "web", "shop", False
        yield "dev", f"{verb} core/deployments", "web", "shop", False
        yield "root", f"{verb} anything.io/things/sub", "x", "", True
        yield "master", f"{verb} anything.io/things", "x", "", True
        yield "corey", f"{verb} core/secrets", "x", "shop", True
        yield "corey", f"{verb} core/pods/exec", "x", "shop", True
        yield "corey", f"{verb} apps/deployments", "x", "shop", False
        yield "nobody", f"{verb} core/pods", "", "shop", False
        yield "lost", f"{verb} core/pods", "", "shop", False
        yield "cross", f"{verb} core/services", "", "shop", False
    for verb, name, allowed in (
        ("get", "settings", True),
        ("get", "other", True),
        ("get", "third", False),
        ("get", "", False),
        ("update", "settings", True),
        ("patch", "settings", False),
        ("list", "", False),
        ("list", "settings", False),
        ("create", "", False),
    ):
        yield "carol", f"{verb} core/configmaps", name, "shop", allowed
        yield "carol", f"{verb} core/configmaps", name, "dev", False
    yield "dave", "create core/configmaps", "", "shop", False
    yield "dave", "list core/configmaps", "", "shop", False
    # A list with fieldSelector metadata.name carries the name.
    yield "dave", "list core/configmaps", "settings", "shop", True
    for group, resource in (("apps", "deployments"), ("core", "replicationcontrollers"), ("x.io", "things")):
        yield "scaler", f"get {group}/{resource}/scale", "a", "shop", True
        yield "scaler", f"update {group}/{resource}/scale", "a", "", True
        yield "scaler", f"patch {group}/{resource}/scale", "a", "", False
        yield "scaler", f"get {group}/{resource}", "a", "shop", False
        yield "scaler", f"get {group}/{resource}/status", "a", "shop", False
        yield "robot-shop", f"get {group}/{resource}/scale", "a", "shop", True
    for path, verb, allowed in (
        ("/healthz", "get", True),
        ("/healthz/etcd", "get", False),
        ("/logs/", "get", True),
        ("/logs/a/b", "get", True),
        ("/logs", "get", False),
        ("/exact", "get", True),
        ("/exact/", "get", False),
        ("/hook", "post", True),
        ("/hook", "get", False),
        ("/healthz", "post", False),
        ("/", "get", False),
    ):
        yield "walker", f"{verb} {path}", "", "", allowed
        yield "anonymous", f"{verb} {path}", "", "", allowed
        yield "bob", f"{verb} {path}", "", "", False
        yield "runner", f"{verb} {path}", "", "", verb == "get"
        yield "root", f"{verb} {path}", "", "", True
        yield "corey", f"{verb} {path}", "", "", False
    yield "sub", "get core/pods/status", "p", "shop", True
    yield "sub", "get core/pods", "p", "shop", False
    yield "sub", "get core/pods/log", "p", "shop", False
    yield "literal", "get core/pods/log", "p", "shop", False
    yield "literal", "get core/pods", "p", "shop", False
    for name, allowed in (("a", True), ("b", True), ("c", False), ("", False)):
        yield "two", "get core/secrets", name, "shop", allowed
    yield "mixed", "get core/secrets", "a", "shop", True
    yield "mixed", "get core/secrets", "b", "shop", False
    yield "mixed", "list core/secrets", "", "shop", True
    yield "collector", "get core/nodes", "n", "", True
    yield "collector", "list core/nodes", "", "", True
    yield "collector", "watch core/nodes", "", "", False
    yield "alice", "get core/services", "s", "shop", True
    yield "alice", "delete core/services", "s", "shop", True
    yield "alice", "get core/services", "s", "dev", False
    yield "alice", "get core/endpoints", "s", "dev", True
    yield "alice", "get core/endpoints", "s", "shop", False
    yield "alice", "get core/services", "s", "", False
    yield "robot-shop", "get core/services", "s", "shop", True
    yield "robot-dev", "get core/services", "s", "shop", True
    yield "robot-ci", "get core/services", "s", "shop", False
    yield "robot-ci", "list core/pods", "", "elsewhere", True
    yield "robot-dev", "list core/pods", "", "elsewhere", False
    yield "ops", "delete core/secrets", "s", "shop", True
    yield "stray", "get core/secrets", "s", "shop", False
    yield "Alice", "delete core/nodes", "n", "", True
    yield "alice", "delete core/nodes", "n", "", False
    yield "viewers", "list core/pods", "", "", False


TABLE = list(cases())


def test_the_table_is_a_table():
    assert len(TABLE) >= 150
    assert {row[4] for row in TABLE} == {True, False}


@pytest.fixture
def authorizer(reader):
    reader.put(*POLICY)
    return Authorizer(reader)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row[0]}:{row[1]}:{row[2]}:{row[3]}")
def test_requests(authorizer, row):
    who, text, name, namespace, allowed = row
    info = ask(text, name, namespace)
    decision = authorizer.authorize(user(who), info)
    assert decision.allowed is allowed
    assert authorizer.authorize(user(who), info).allowed is allowed, "remembered differently"
    if allowed and who != "master":
        assert decision.reason.startswith("RBAC: allowed by ")
        assert decision.rule and decision.role and decision.binding and decision.subject


def test_the_reason_names_binding_role_and_subject(authorizer):
    decision = authorizer.authorize(user("dev"), ask("get apps/deployments", "web", "shop"))
    assert (
        decision.reason == 'RBAC: allowed by RoleBinding "apps-in-shop/shop" of ClusterRole "edit-apps" to Group "devs"'
    )
    assert (decision.role, decision.binding) == ("ClusterRole/edit-apps", "RoleBinding/shop/apps-in-shop")
    decision = authorizer.authorize(user("robot-shop"), ask("get core/services", "s", "shop"))
    assert decision.reason == 'RBAC: allowed by RoleBinding "local/shop" of Role "local" to ServiceAccount "robot/shop"'
    decision = authorizer.authorize(user("alice"), ask("list core/pods"))
    assert decision.reason == (
        'RBAC: allowed by ClusterRoleBinding "pods-everywhere" of ClusterRole "view-pods" to User "alice"'
    )


def test_a_missing_role_is_said(authorizer):
    decision = authorizer.authorize(user("lost"), ask("list core/pods", namespace="shop"))
    assert decision.reason == (
        'RBAC: [clusterrole.rbac.authorization.k8s.io "gone" not found, role.rbac.authorization.k8s.io "gone" not found]'
    )
    assert authorizer.authorize(user("lost"), ask("list core/pods")).reason == (
        'RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found'
    )


def test_denials_in_kubernetes_words():
    alice = UserInfo("alice")
    text = 'User "alice" cannot list resource "pods" in API group "" in the namespace "shop"'
    assert denial(alice, ask("list core/pods", namespace="shop")) == text
    error = forbidden(alice, ask("list core/pods", namespace="shop"))
    assert error.message == f"pods is forbidden: {text}"
    assert (error.code, error.reason, error.details) == (403, "Forbidden", {"kind": "pods"})
    assert forbidden(alice, ask("list core/pods")).message == (
        'pods is forbidden: User "alice" cannot list resource "pods" in API group "" at the cluster scope'
    )
    error = forbidden(alice, ask("get apps/deployments", "web", "shop"))
    assert error.message == (
        'deployments.apps "web" is forbidden: User "alice" cannot get resource "deployments" in API group "apps" '
        'in the namespace "shop"'
    )
    assert error.details == {"name": "web", "group": "apps", "kind": "deployments"}
    assert forbidden(alice, ask("get core/pods/log", "p", "shop")).message == (
        'pods "p" is forbidden: User "alice" cannot get resource "pods/log" in API group "" in the namespace "shop"'
    )
    assert forbidden(alice, ask("get /foo")).message == 'forbidden: User "alice" cannot get path "/foo"'


def test_decisions_are_forgotten_when_policy_changes(reader, authorizer):
    zoe, info = user("zoe"), ask("list core/pods", namespace="shop")
    assert not authorizer.authorize(zoe, info).allowed
    reader.put(binding("zoe", "ClusterRole/zoe", "u=zoe", namespace="shop"))
    assert not authorizer.authorize(zoe, info).allowed
    reader.put(role("zoe", rule("list", "core", "pods")))
    assert authorizer.authorize(zoe, info).allowed
    reader.put(role("zoe", rule("get", "core", "pods")))
    assert not authorizer.authorize(zoe, info).allowed
    reader.put(role("zoe", aggregate={"to": "zoe"}))
    assert not authorizer.authorize(zoe, info).allowed
    reader.put(role("zoe-part", rule("list", "core", "pods"), labels={"to": "zoe"}))
    assert authorizer.authorize(zoe, info).allowed
    reader.put(role("zoe-part", rule("list", "core", "pods"), labels={"to": "other"}))
    assert not authorizer.authorize(zoe, info).allowed
    reader.put(role("zoe-part", rule("list", "core", "pods"), labels={"to": "zoe"}))
    reader.put(binding("zoe", "ClusterRole/zoe", "u=someone-else", namespace="shop"))
    assert not authorizer.authorize(zoe, info).allowed
    reader.put(binding("zoe", "ClusterRole/zoe", "u=zoe", namespace="shop"))
    assert authorizer.authorize(zoe, info).allowed
    reader.remove("RoleBinding", "shop", "zoe")
    assert not authorizer.authorize(zoe, info).allowed


def test_a_role_that_is_written_back_unchanged_forgets_nothing(reader, authorizer):
    before = authorizer.index.generation
    reader.put(role("view-pods", rule(READ, "core", "pods"), rule("get", "core", "pods/log")))
    assert authorizer.index.generation == before


def test_a_cycle_of_aggregates_ends(reader):
    reader.put(
        role("a", aggregate={"to": "a"}, labels={"to": "b"}),
        role("b", aggregate={"to": "b"}, labels={"to": "a"}),
        role("c", rule("get", "core", "pods"), labels={"to": "b"}),
        binding("x", "ClusterRole/a", "u=x"),
    )
    assert Authorizer(reader).authorize(user("x"), ask("get core/pods", "p", "shop")).allowed


def test_rules_for_collects_cluster_and_namespace(authorizer):
    rules, unresolved = authorizer.rules_for(user("alice"), "shop")
    assert rules == [
        rule(READ, "core", "pods"),
        rule("get", "core", "pods/log"),
        rule("get delete", "core", "services"),
    ]
    assert unresolved == ""
    assert authorizer.rules_for(user("lost"), "")[1] == 'clusterrole.rbac.authorization.k8s.io "gone" not found'


# --- against a naive reference -------------------------------------------------------------------------------------

VERBS, GROUPS = ["get", "list", "*"], ["", "apps", "*"]
RESOURCES, NAMES = ["pods", "pods/log", "*/log", "*", "deployments"], ["a", "b"]
some = lambda values: st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True)  # noqa: E731
a_rule = st.one_of(
    st.fixed_dictionaries(
        {"verbs": some(VERBS), "apiGroups": some(GROUPS), "resources": some(RESOURCES)},
        optional={"resourceNames": some(NAMES)},
    ),
    st.fixed_dictionaries({"verbs": some(VERBS), "nonResourceURLs": some(["/a", "/a/*", "*", "/b"])}),
)
a_subject = st.sampled_from(["u=u1", "u=u2", "g=g1", "g=g2", "sa=ns1/s", "sa=s"])
a_user = st.sampled_from(
    [
        UserInfo("u1", ("g1",)),
        UserInfo("u2", ()),
        UserInfo("u3", ("g2", "g1")),
        UserInfo("system:serviceaccount:ns1:s", ("g2",)),
    ]
)
a_binding = st.tuples(
    st.sampled_from(["", "ns1", "ns2"]),
    st.sampled_from(["ClusterRole/r1", "ClusterRole/r2", "Role/r1", "ClusterRole/gone"]),
    st.lists(a_subject, max_size=3),
)
a_request = st.one_of(
    st.builds(
        lambda verb, what, name, ns: ask(f"{verb} {what}", name, ns),
        st.sampled_from(["get", "list", "delete"]),
        st.sampled_from(["core/pods", "core/pods/log", "apps/deployments", "apps/deployments/log"]),
        st.sampled_from(["", "a", "c"]),
        st.sampled_from(["", "ns1", "ns2"]),
    ),
    st.builds(lambda path: ask(f"get {path}"), st.sampled_from(["/a", "/a/b", "/b", "/c"])),
)


class Static:
    """A watch cache in which nothing happens."""

    def __init__(self, objects):
        self.objects = objects

    def on_change(self, resource, callback):
        for obj in self.objects:
            if resource == f"rbac.authorization.k8s.io/{obj['kind'].lower()}s":
                callback(None, obj)


def naive(roles, bindings, who, info):
    """The definition, word by word, without index, sets or memory."""
    for one in bindings:
        home = one["metadata"].get("namespace", "")
        if home and home != info.namespace:
            continue
        if not any(
            (s["kind"] == "User" and s["name"] == who.name)
            or (s["kind"] == "Group" and s["name"] in who.groups)
            or (
                s["kind"] == "ServiceAccount"
                and (s.get("namespace") or home)
                and who.name == f"system:serviceaccount:{s.get('namespace') or home}:{s['name']}"
            )
            for s in one["subjects"]
        ):
            continue
        reference = one["roleRef"]
        for candidate in roles:
            place = candidate["metadata"].get("namespace", "")
            wanted = home if reference["kind"] == "Role" else ""
            if (reference["kind"] == "Role" and not home) or place != wanted:
                continue
            if candidate["kind"] != reference["kind"] or candidate["metadata"]["name"] != reference["name"]:
                continue
            if any(naive_rule(r, info) for r in candidate["rules"]):
                return True
    return False


def naive_rule(r, info):
    if not any(v in ("*", info.verb) for v in r["verbs"]):
        return False
    if not info.is_resource:
        return any(
            u in ("*", info.path) or (u.endswith("*") and info.path.startswith(u.rstrip("*")))
            for u in r.get("nonResourceURLs", ())
        )
    full = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
    return (
        any(g in ("*", info.group) for g in r.get("apiGroups", ()))
        and any(x in ("*", full) or (info.subresource and x == f"*/{info.subresource}") for x in r.get("resources", ()))
        and (not r.get("resourceNames") or info.name in r["resourceNames"])
    )


@given(
    rules=st.tuples(*[st.lists(a_rule, max_size=3) for _ in range(4)]),
    bound=st.lists(a_binding, max_size=5),
    asked=st.lists(st.tuples(a_user, a_request), min_size=1, max_size=8),
)
def test_index_and_memory_decide_as_the_definition_does(rules, bound, asked):
    roles = [
        role("r1", *rules[0]),
        role("r2", *rules[1]),
        role("r1", *rules[2], namespace="ns1"),
        role("r1", *rules[3], namespace="ns2"),
    ]
    bindings = [binding(f"b{i}", ref, *subs, namespace=ns) for i, (ns, ref, subs) in enumerate(bound)]
    authorizer = Authorizer(Static([*roles, *bindings]))
    for _ in range(2):
        for who, info in asked:
            assert authorizer.authorize(who, info).allowed is naive(roles, bindings, who, info)


# --- cost ------------------------------------------------------------------------------------------------------------


def test_decisions_look_at_ones_own_bindings_only_and_are_remembered(reader, monkeypatch):
    """With 1,000 roles and 5,000 bindings; what that costs in time is in bench/authz.py."""
    for number in range(1000):
        reader.put(role(f"role-{number}", *[rule(READ, "core", f"kind{number}-{r}s") for r in range(5)]))
    for number in range(5000):
        who = f"u=user-{number % 500}" if number % 2 else f"g=group-{number % 50}"
        reader.put(binding(f"b-{number}", f"ClusterRole/role-{number % 1000}", who, namespace=f"ns-{number % 100}"))
    authorizer = Authorizer(reader)
    looked = []
    rules_of = authorizer.index.rules_of
    monkeypatch.setattr(authorizer.index, "rules_of", lambda one: looked.append(one) or rules_of(one))
    people = [UserInfo(f"user-{n}", (f"group-{n % 50}", "system:authenticated")) for n in range(500)]
    for number, who in enumerate(people):
        looked.clear()
        authorizer.authorize(who, ask("list core/pods", namespace=f"ns-{number % 100}"))
        assert {one.namespace for one in looked} <= {f"ns-{number % 100}"}
        assert len(looked) <= 60
        assert all(one.subject_for(who) for one in looked)
    looked.clear()
    for number, who in enumerate(people):
        authorizer.authorize(who, ask("list core/pods", namespace=f"ns-{number % 100}"))
    assert looked == []


def test_an_explanation_looks_at_bindings_that_could_be_meant_only(reader):
    for number in range(200):
        reader.put(binding(f"b-{number}", "ClusterRole/r", f"u=user-{number}", namespace="ns"))
    reader.put(binding("group", "ClusterRole/r", "g=Devs", namespace="ns"))
    reader.put(binding("account", "ClusterRole/r", "u=robot", namespace="ns"))
    index = Authorizer(reader).index
    assert [one.name for one in index.bindings_near(UserInfo("USER-7", ("devs",)))] == ["b-7", "group"]
    assert [one.name for one in index.bindings_near(UserInfo("system:serviceaccount:shop:robot"))] == ["account"]
    reader.remove("RoleBinding", "ns", "b-7")
    reader.put(binding("group", "ClusterRole/r", "g=ops", namespace="ns"))
    assert list(index.bindings_near(UserInfo("user-7", ("devs",)))) == []
