"""The policy a cluster starts with, and how it is kept."""

from __future__ import annotations

import pytest

from cluster.apiserver.authz.bootstrap import AUTOUPDATE, bootstrap_objects, reconcile
from cluster.apiserver.authz.chain import AuthorizerChain
from cluster.apiserver.authz.rules import stale_aggregates
from cluster.apiserver.request import UserInfo
from tests.apiserver.authz import policies

OBJECTS = {(o["kind"], o["metadata"].get("namespace", ""), o["metadata"]["name"]): o for o in bootstrap_objects()}


def sa(name):
    return UserInfo(f"system:serviceaccount:kube-system:{name}", ("system:serviceaccounts", "system:authenticated"))


def ask(text, namespace="shop", name=""):
    return policies.ask(text, name, namespace)


@pytest.fixture
def chain(reader):
    reader.put(*OBJECTS.values())
    return AuthorizerChain(reader)


def test_every_object_is_marked_and_every_binding_leads_to_a_role():
    assert len(OBJECTS) == len(bootstrap_objects())
    for (kind, namespace, _), obj in OBJECTS.items():
        assert obj["metadata"]["labels"]["kubernetes.io/bootstrapping"] == "rbac-defaults"
        assert obj["metadata"]["annotations"] == {AUTOUPDATE: "true"}
        assert obj["apiVersion"] == "rbac.authorization.k8s.io/v1"
        if kind.endswith("Binding"):
            reference = obj["roleRef"]
            home = namespace if reference["kind"] == "Role" else ""
            assert (reference["kind"], home, reference["name"]) in OBJECTS


def test_aggregates_are_filled_in():
    admin, edit, view = (OBJECTS["ClusterRole", "", name] for name in ("admin", "edit", "view"))
    assert all(rule in edit["rules"] for rule in view["rules"])
    assert all(rule in admin["rules"] for rule in edit["rules"])
    assert stale_aggregates(OBJECTS.values()) == []


@pytest.mark.parametrize(
    ("user", "request_text", "allowed"),
    [
        (UserInfo("system:kube-scheduler"), "create core/pods/binding", True),
        (UserInfo("system:kube-scheduler"), "create core/pods", False),
        (UserInfo("system:kube-scheduler"), "patch core/pods/status", True),
        (UserInfo("system:kube-controller-manager"), "list any.io/things", True),
        (sa("replicaset-controller"), "create core/pods", True),
        (sa("replicaset-controller"), "update apps/replicasets/status", True),
        (sa("replicaset-controller"), "delete core/nodes", False),
        (sa("deployment-controller"), "create apps/replicasets", True),
        (sa("job-controller"), "create events.k8s.io/events", True),
        (sa("horizontal-pod-autoscaler"), "update apps/deployments/scale", True),
        (sa("generic-garbage-collector"), "delete any.io/things", True),
        (sa("namespace-controller"), "deletecollection any.io/things", True),
        (sa("node-controller"), "delete core/nodes", True),
        (sa("endpointslice-controller"), "create discovery.k8s.io/endpointslices", True),
        (UserInfo("joe", ("system:authenticated",)), "get /api/v1", True),
        (UserInfo("joe", ("system:authenticated",)), "create authorization.k8s.io/selfsubjectaccessreviews", True),
        (UserInfo("joe", ("system:authenticated",)), "list core/pods", False),
        (UserInfo("system:anonymous", ("system:unauthenticated",)), "get /version", True),
        (UserInfo("system:anonymous", ("system:unauthenticated",)), "get /readyz", True),
        (UserInfo("system:anonymous", ("system:unauthenticated",)), "get /api", False),
        (UserInfo("prom", ("system:monitoring",)), "get /metrics", True),
    ],
)
def test_the_components_can_do_their_work_and_no_more(chain, user, request_text, allowed):
    assert chain.authorize(user, ask(request_text)).allowed is allowed


def test_simulator_kinds_for_viewers_and_editors_but_journeys_for_neither(reader, chain):
    for role in ("view", "edit", "kubeweb:view-all"):
        reader.put(
            {
                "kind": "ClusterRoleBinding",
                "metadata": {"name": role},
                "roleRef": {"kind": "ClusterRole", "name": role},
                "subjects": [{"kind": "User", "name": role}],
            }
        )

    def may(role, text):
        return chain.authorize(UserInfo(role), ask(text)).allowed

    assert may("view", "list sim.kubeweb.dev/faults")
    assert not may("view", "create sim.kubeweb.dev/faults")
    assert may("edit", "create sim.kubeweb.dev/faults")
    assert not may("edit", "list sim.kubeweb.dev/journeys")
    assert not may("view", "list sim.kubeweb.dev/journeys")
    assert may("kubeweb:view-all", "list sim.kubeweb.dev/journeys")
    assert not may("kubeweb:view-all", "create sim.kubeweb.dev/faults")


def test_reconciling_what_is_right_changes_nothing():
    for obj in OBJECTS.values():
        assert reconcile(obj, obj) is None
        assert reconcile(None, obj) is obj


def test_missing_rules_are_added_and_additions_stay():
    wanted = OBJECTS["ClusterRole", "", "system:basic-user"]
    extra = {"apiGroups": ["x"], "resources": ["y"], "verbs": ["get"]}
    existing = {
        **wanted,
        "metadata": {"name": "system:basic-user", "resourceVersion": "5", "labels": {"mine": "1"}},
        "rules": [wanted["rules"][1], extra],
    }
    result = reconcile(existing, wanted)
    assert result["metadata"]["resourceVersion"] == "5"
    assert result["metadata"]["labels"] == {"mine": "1", "kubernetes.io/bootstrapping": "rbac-defaults"}
    assert result["rules"][:2] == existing["rules"]
    assert [rule["resources"] for rule in result["rules"][2:]] == [
        ["selfsubjectaccessreviews"],
        ["selfsubjectrulesreviews"],
    ]
    assert reconcile(result, wanted) is None


def test_missing_subjects_are_added():
    wanted = OBJECTS["ClusterRoleBinding", "", "system:public-info-viewer"]
    mine = {"kind": "User", "name": "me", "apiGroup": "rbac.authorization.k8s.io"}
    existing = {**wanted, "subjects": [wanted["subjects"][1], mine]}
    result = reconcile(existing, wanted)
    assert result["subjects"] == [wanted["subjects"][1], mine, wanted["subjects"][0]]


def test_autoupdate_false_is_respected():
    wanted = OBJECTS["ClusterRole", "", "system:discovery"]
    existing = {**wanted, "rules": [], "metadata": {**wanted["metadata"], "annotations": {AUTOUPDATE: "false"}}}
    assert reconcile(existing, wanted) is None


def test_a_binding_to_another_role_is_made_anew():
    wanted = OBJECTS["ClusterRoleBinding", "", "cluster-admin"]
    existing = {**wanted, "roleRef": {**wanted["roleRef"], "name": "view"}, "metadata": {"name": "cluster-admin"}}
    assert reconcile(existing, wanted) is wanted


def test_an_aggregating_role_keeps_its_rules_but_regains_its_selector():
    wanted = OBJECTS["ClusterRole", "", "view"]
    existing = {**wanted, "rules": [], "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}}
    result = reconcile(existing, wanted)
    assert result["rules"] == []
    assert len(result["aggregationRule"]["clusterRoleSelectors"]) == 2


def test_stale_aggregates_are_settled_among_themselves():
    mine = {
        "kind": "ClusterRole",
        "metadata": {"name": "mine", "labels": {"rbac.authorization.k8s.io/aggregate-to-view": "true"}},
        "rules": [{"apiGroups": ["x"], "resources": ["y"], "verbs": ["get"]}],
    }
    roles = [obj for (kind, _, _), obj in OBJECTS.items() if kind == "ClusterRole"]
    stale = stale_aggregates([*roles, mine])
    assert [role["metadata"]["name"] for role in stale] == ["admin", "edit", "view"]
    assert all(mine["rules"][0] in role["rules"] for role in stale)
    assert mine["rules"][0] not in OBJECTS["ClusterRole", "", "view"]["rules"]
