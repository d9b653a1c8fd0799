"""Causes and effects: from a pod back to the person's request, and from a request to all that followed."""

from __future__ import annotations

from cluster.explorer.causes import about, chain, changes, effects, step
from cluster.explorer.services import Past


def journey(id, causes=(), kind="request", **more):
    values = {
        "id": id,
        "root": "r",
        "causes": list(causes),
        "kind": kind,
        "component": "apiserver",
        "actor": "controller",
        "agent": "",
        "verb": "create",
        "group": "",
        "resource": "pods",
        "subresource": "",
        "namespace": "shop",
        "name": id,
        "revision": 1,
        "outcome": "ok",
        "reason": "",
        "code": 201,
        "start": len(id) * 1.0,
        "end": 9.0,
        "spans": [],
    }
    return {**values, **more}


def tree(*journeys):
    return {one["id"]: one for one in journeys}


APPLIED = tree(
    journey("r", actor="alice", group="apps", resource="deployments", name="web"),
    journey("r.1", ["r"], "reconcile", component="deployment", revision=0, resource="", verb=""),
    journey("r.11", ["r.1"], group="apps", resource="replicasets", name="web-1"),
    journey("r.12", ["r.1"], resource="events", name="web.1"),
    journey("r.111", ["r.11"], "reconcile", component="replicaset", revision=0, resource="", verb=""),
    journey("r.1111", ["r.111"], name="web-1-a"),
    journey("r.1112", ["r.111"], name="web-1-b"),
    journey("r.1113", ["r.111"], name="web-1-c", outcome="refused", revision=0, code=403, reason="exceeded quota"),
    journey("r.11111", ["r.1111"], "schedule", name="web-1-a", revision=0, actor="system:kube-scheduler"),
    journey("r.111111", ["r.11111"], subresource="binding", name="web-1-a", actor="system:kube-scheduler"),
    journey(
        "r.1111111", ["r.111111"], "sync", component="kubelet/n1", name="web-1-a", actor="system:node:n1", revision=0
    ),
    journey("r.11111111", ["r.1111111"], subresource="status", name="web-1-a", actor="system:node:n1"),
)


def test_the_chain_of_a_pod_begins_with_the_person():
    assert [one["id"] for one in chain(APPLIED, "r.1111")] == ["r", "r.1", "r.11", "r.111", "r.1111"]
    assert chain(APPLIED, "r.1111")[0]["actor"] == "alice"


def test_an_unknown_journey_has_no_chain_and_a_circle_ends():
    assert chain(APPLIED, "nothing") == []
    circle = tree(journey("a", ["b"]), journey("b", ["a"]))
    assert [one["id"] for one in chain(circle, "a")] == ["b", "a"]


def test_effects_look_through_reconciles_status_and_bindings():
    (replicaset,) = effects(APPLIED, ["r"])
    assert replicaset["step"]["resource"] == "replicasets"
    pods, refused = replicaset["branches"]
    assert (pods["n"], [one["name"] for one in pods["names"]]) == (2, ["web-1-a", "web-1-b"])
    assert refused["step"]["reason"] == "exceeded quota"
    (scheduled,) = pods["branches"]
    (kept,) = scheduled["branches"]
    assert (scheduled["step"]["kind"], kept["step"]["kind"]) == ("schedule", "sync")
    assert kept["branches"] == []


def test_what_scheduler_and_kubelet_did_about_a_pod():
    assert [one["kind"] for one in about(APPLIED, "pods", "shop", "web-1-a")] == ["schedule", "sync"]
    assert about(APPLIED, "pods", "other", "web-1-a") == []


def test_a_verdict_tells_the_node_and_its_score_in_both_shapes():
    def said(score):
        spans = [
            {
                "stage": "filter",
                "outcome": "ok",
                "detail": {"considered": 3, "passed": 2, "refused_by": {"NodePorts": 1}},
            },
            {"stage": "score", "outcome": "ok", "detail": score},
            {"stage": "bind", "outcome": "ok", "detail": {"node": "n2"}},
        ]
        return step(journey("s", kind="schedule", spans=spans))["said"]

    expected = {"considered": 3, "passed": 2, "refused_by": {"NodePorts": 1}, "node": "n2", "score": 7}
    assert said({"n1": {"total": 5}, "n2": {"total": 7}}) == expected
    assert said({"nodes": ["n1", "n2"], "total": [5, 7], "columns": {}}) == expected


def revision(number, verb="update", **obj):
    return Past(number, verb, f"j{number}", {"metadata": {"name": "web"}, **obj})


def test_changes_name_the_fields_and_tell_status_from_the_rest():
    past = [
        revision(5, spec={"replicas": 5}, status={"replicas": 3}),
        revision(4, spec={"replicas": 3}, status={"replicas": 3}),
        revision(3, "create", spec={"replicas": 3}, status={}),
    ]
    made, status, scaled = changes(past)
    assert (made["verb"], made["fields"]) == ("create", [])
    assert (status["status"], status["fields"]) == (True, [{"field": "status.replicas", "from": None, "to": 3}])
    assert (scaled["status"], scaled["fields"]) == (False, [{"field": "spec.replicas", "from": 3, "to": 5}])


def test_only_the_last_life_counts_and_secrets_show_no_values():
    past = [
        revision(9, data={"key": "new"}),
        revision(8, "create", data={"key": "old"}),
        revision(7, "delete", data={"key": "older"}),
        revision(6, "create", data={"key": "older"}),
    ]
    found = changes(past, secret=True)
    assert [one["revision"] for one in found] == [8, 9]
    assert found[1]["fields"] == [{"field": "data.key"}]


def test_list_items_are_named():
    before = {"spec": {"containers": [{"name": "web", "image": "nginx:1"}]}}
    after = {"spec": {"containers": [{"name": "web", "image": "nginx:2"}]}}
    found = changes([revision(1, "create", **before), revision(2, **after)])
    assert found[1]["fields"] == [{"field": "spec.containers[web].image", "from": "nginx:1", "to": "nginx:2"}]
