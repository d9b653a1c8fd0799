"""Nobody grants more than they hold."""

from __future__ import annotations

import pytest

from cluster.apimachinery.errors import StatusError
from cluster.apiserver.authz.bootstrap import bootstrap_objects
from cluster.apiserver.authz.rbac import Authorizer
from cluster.apiserver.authz.rules import describe, missing_rights
from cluster.apiserver.request import UserInfo

RBAC = "rbac.authorization.k8s.io"
ALICE = UserInfo("alice", ("devs", "system:authenticated"))


def cluster_role(name, *rules, **extra):
    return {"kind": "ClusterRole", "metadata": {"name": name}, "rules": list(rules), **extra}


def role(name, *rules, namespace="shop"):
    return {"kind": "Role", "metadata": {"name": name, "namespace": namespace}, "rules": list(rules)}


def binding(name, reference, *subjects, namespace=""):
    kind, _, target = reference.partition("/")
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {
        "kind": "RoleBinding" if namespace else "ClusterRoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": RBAC, "kind": kind, "name": target},
        "subjects": [{"kind": "User", "name": one} for one in subjects],
    }


def pods(*verbs, names=()):
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": list(verbs)}
    return {**rule, "resourceNames": list(names)} if names else rule


@pytest.fixture
def authorizer(reader):
    reader.put(
        *bootstrap_objects(),
        binding("admin", "ClusterRole/admin", "alice", namespace="shop"),
        cluster_role("granter", {"apiGroups": [RBAC], "resources": ["roles"], "verbs": ["escalate"]}),
        cluster_role(
            "binder", {"apiGroups": [RBAC], "resources": ["clusterroles"], "verbs": ["bind"], "resourceNames": ["view"]}
        ),
        binding("granter", "ClusterRole/granter", "gerd", namespace="shop"),
        binding("binder", "ClusterRole/binder", "bert"),
    )
    return Authorizer(reader)


def test_granting_what_one_holds_is_fine(authorizer):
    authorizer.check_escalation(ALICE, role("r", pods("get", "list")))
    authorizer.check_escalation(ALICE, binding("b", "ClusterRole/edit", "bob", namespace="shop"))
    authorizer.check_escalation(ALICE, binding("b", "ClusterRole/admin", "bob", namespace="shop"))


def test_granting_more_is_refused_in_kubernetes_words(authorizer):
    wanted = role("r", pods("get", "list"), {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list"]})
    with pytest.raises(StatusError) as refused:
        authorizer.check_escalation(ALICE, wanted)
    assert refused.value.code == 403
    assert refused.value.message == (
        'roles.rbac.authorization.k8s.io "r" is forbidden: user "alice" (groups=["devs" "system:authenticated"]) '
        "is attempting to grant RBAC permissions not currently held:\n"
        '{APIGroups:[""], Resources:["nodes"], Verbs:["get" "list"]}'
    )


def test_what_is_held_in_one_namespace_cannot_be_granted_in_another(authorizer):
    with pytest.raises(StatusError):
        authorizer.check_escalation(ALICE, role("r", pods("get"), namespace="dev"))
    with pytest.raises(StatusError) as refused:
        authorizer.check_escalation(ALICE, cluster_role("r", pods("get")))
    assert refused.value.details["kind"] == "clusterroles"


def test_masters_escalate_and_bind_at_will(authorizer):
    authorizer.check_escalation(UserInfo("root", ("system:masters",)), cluster_role("r", pods("*")))
    authorizer.check_escalation(UserInfo("gerd"), role("r", pods("*")))
    authorizer.check_escalation(UserInfo("bert"), binding("b", "ClusterRole/view", "x", namespace="dev"))


def test_bind_covers_only_the_role_it_names(authorizer):
    with pytest.raises(StatusError) as refused:
        authorizer.check_escalation(UserInfo("bert"), binding("b", "ClusterRole/edit", "x", namespace="dev"))
    assert refused.value.message.startswith('rolebindings.rbac.authorization.k8s.io "b" is forbidden: user "bert"')


def test_binding_to_a_missing_role_needs_bind(authorizer):
    with pytest.raises(StatusError) as refused:
        authorizer.check_escalation(ALICE, binding("b", "Role/none", "x", namespace="shop"))
    assert (refused.value.code, refused.value.message) == (404, 'roles.rbac.authorization.k8s.io "none" not found')
    authorizer.check_escalation(UserInfo("root", ("system:masters",)), binding("b", "Role/none", "x", namespace="shop"))


def test_aggregation_needs_everything(authorizer):
    rule = {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}
    with pytest.raises(StatusError) as refused:
        authorizer.check_escalation(ALICE, cluster_role("r", aggregationRule=rule))
    assert refused.value.message == (
        'clusterroles.rbac.authorization.k8s.io "r" is forbidden: '
        "must have cluster-admin privileges to use the aggregationRule"
    )


def test_the_garbage_collector_may_touch_owners(authorizer):
    old = role("r", pods("*"), namespace="dev")
    new = {**old, "metadata": {**old["metadata"], "ownerReferences": [], "resourceVersion": "7"}}
    authorizer.check_escalation(ALICE, new, old)
    with pytest.raises(StatusError):
        authorizer.check_escalation(ALICE, {**new, "rules": [pods("*"), pods("get")]}, old)


@pytest.mark.parametrize(
    ("held", "wanted", "missing"),
    [
        ([pods("*")], [pods("get")], []),
        ([pods("get")], [pods("*")], [pods("*")]),
        ([pods("get")], [pods("get", names=["a"])], []),
        ([pods("get", names=["a"])], [pods("get")], [pods("get")]),
        ([pods("get", names=["a"])], [pods("get", names=["a", "b"])], [pods("get", names=["b"])]),
        ([pods("get"), pods("list")], [pods("get", "list")], []),
        (
            [{"apiGroups": ["*"], "resources": ["*/scale"], "verbs": ["get"]}],
            [{"apiGroups": ["apps"], "resources": ["deployments/scale"], "verbs": ["get"]}],
            [],
        ),
        (
            [{"nonResourceURLs": ["/a/*"], "verbs": ["get"]}],
            [{"nonResourceURLs": ["/a/b", "/c"], "verbs": ["get"]}],
            [{"nonResourceURLs": ["/c"], "verbs": ["get"]}],
        ),
        (
            [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}],
            [{"nonResourceURLs": ["/c"], "verbs": ["get"]}],
            [{"nonResourceURLs": ["/c"], "verbs": ["get"]}],
        ),
    ],
)
def test_covering(held, wanted, missing):
    assert missing_rights(held, wanted) == missing


def test_rules_are_described_as_go_prints_them():
    assert describe({"nonResourceURLs": ["/a"], "verbs": ["get"]}) == '{NonResourceURLs:["/a"], Verbs:["get"]}'
    assert describe(pods("get", names=["x"])) == (
        '{APIGroups:[""], Resources:["pods"], ResourceNames:["x"], Verbs:["get"]}'
    )
