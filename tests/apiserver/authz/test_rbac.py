"""The evaluator: a table of requests over one policy, and the words of its answers."""

from __future__ import annotations

import pytest

from cluster.apiserver.authz.rbac import denial, forbidden
from cluster.apiserver.request import UserInfo
from tests.apiserver.authz.policies import READ, ask, rule, user


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


def test_rules_for_collects_cluster_and_namespace(authorizer):
    rules, unresolved = authorizer.rules_for(user("alice"), "shop")
    assert rules == [
        rule(READ, "core", "pods"),
        rule("get", "core", "pods/log"),
        rule("get delete", "core", "services"),
    ]
    assert unresolved == ""
    assert authorizer.rules_for(user("lost"), "")[1] == 'clusterrole.rbac.authorization.k8s.io "gone" not found'
