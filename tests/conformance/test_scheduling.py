"""[sig-scheduling]: SchedulerPredicates, SchedulerPreemption, LimitRange."""

from __future__ import annotations

import pytest

from tests.conformance.api import Refused, pod_template, workload
from tests.support.server import wait_for

CUSTOM = "example.com~1fakecpu"


def give(ns, node, amount):
    ns.request(
        "PATCH",
        f"/api/v1/nodes/{node}/status",
        [{"op": "add", "path": f"/status/capacity/{CUSTOM}", "value": amount}],
        "application/json-patch+json",
    )
    wait_for(
        lambda: ns.get("nodes", node)["status"]["allocatable"].get("example.com/fakecpu"), "it can be allocated", 60
    )


def take(ns, node):
    ns.request(
        "PATCH",
        f"/api/v1/nodes/{node}/status",
        [{"op": "remove", "path": f"/status/capacity/{CUSTOM}"}],
        "application/json-patch+json",
    )
    wait_for(lambda: "example.com/fakecpu" not in ns.get("nodes", node)["status"]["allocatable"], "it is gone", 60)


def wants(amount):
    return {"resources": {"requests": {"example.com/fakecpu": amount}, "limits": {"example.com/fakecpu": amount}}}


def test_predicates_validate_resource_limits_of_pods_that_are_allowed_to_run(ns):
    allocatable = int(ns.get("nodes", "node-1")["status"]["allocatable"]["cpu"])
    cpu = {"requests": {"cpu": str(allocatable)}, "limits": {"cpu": str(allocatable)}}
    ns.pod("additional", "pause", container={"resources": cpu}, nodeSelector={"kubernetes.io/hostname": "node-1"})
    ns.pod("second", "pause", container={"resources": cpu}, nodeSelector={"kubernetes.io/hostname": "node-1"})
    wait_for(
        lambda: ns.said("second", "FailedScheduling") or ns.said("additional", "FailedScheduling"), "one has no room"
    )
    (text,) = set(ns.said("second", "FailedScheduling") + ns.said("additional", "FailedScheduling"))
    assert "Insufficient cpu" in text


def test_predicates_node_selector(ns):
    ns.patch("nodes", "node-2", {"metadata": {"labels": {"kubernetes.io/e2e-42": ns.name}}})
    ns.pod("with-labels", "pause", nodeSelector={"kubernetes.io/e2e-42": ns.name})
    assert ns.ready("with-labels")[0]["spec"]["nodeName"] == "node-2"
    ns.patch("nodes", "node-2", {"metadata": {"labels": {"kubernetes.io/e2e-42": None}}})
    ns.pod("restricted", "pause", nodeSelector={"label": "nonempty"})
    wait_for(lambda: ns.said("restricted", "FailedScheduling"), "it says so")
    assert "3 node(s) didn't match Pod's node affinity/selector" in ns.said("restricted", "FailedScheduling")[0]


def test_predicates_host_port_conflicts(ns):
    def holder(name, ip):
        return ns.pod(
            name,
            "pause",
            container={"ports": [{"containerPort": 8080, "hostPort": 54322, "hostIP": ip}]},
            nodeSelector={"kubernetes.io/hostname": "node-3"},
        )

    holder("pod4", "0.0.0.0")
    ns.ready("pod4")
    holder("pod5", "127.0.0.1")
    wait_for(lambda: ns.said("pod5", "FailedScheduling"), "the port is taken")
    assert "node(s) didn't have free ports for the requested pod ports" in ns.said("pod5", "FailedScheduling")[0]


@pytest.fixture
def fake_cpu(ns):
    give(ns, "node-1", "5")
    yield "node-1"
    take(ns, "node-1")


@pytest.fixture
def priority(ns):
    """`priority(name, value)` makes a class for this test and says its name."""
    made = []

    def make(name, value):
        made.append(f"{ns.name}-{name}")
        body = {"metadata": {"name": made[-1]}, "value": value}
        ns.request("POST", ns.path("priorityclasses"), body)
        return made[-1]

    yield make
    for name in made:
        if ns.find("priorityclasses", name):
            ns.delete("priorityclasses", name)


def test_preemption_runs_replica_sets_to_verify_the_preemption_running_path(ns, fake_cpu, priority):
    """PreemptionExecutionPath: p1 to p3 fill the node, p4 takes their place."""
    pin = {"nodeSelector": {"kubernetes.io/hostname": fake_cpu}}
    for at, (count, amount) in enumerate(((1, "1"), (1, "2"), (1, "2")), 1):
        name = f"rs-{at}"
        template = pod_template(
            {"app": name}, "pause", container=wants(amount), priorityClassName=priority(f"p{at}", at), **pin
        )
        ns.create("replicasets", name, workload(name, template=template, replicas=count))
        wait_for(lambda one=name: ns.get("replicasets", one)["status"].get("readyReplicas") == 1, "it runs")
    template = pod_template({"app": "rs-4"}, "pause", container=wants("3"), priorityClassName=priority("p4", 4), **pin)
    ns.create("replicasets", "rs-4", workload("rs-4", template=template, replicas=1))
    wait_for(lambda: ns.get("replicasets", "rs-4")["status"].get("readyReplicas") == 1, "it preempts", 60)
    still = [ns.get("replicasets", f"rs-{at}")["status"].get("readyReplicas", 0) for at in (1, 2, 3)]
    assert still == [0, 0, 1]
    assert [one for one in ns.list("events") if one["reason"] == "Preempted"]


def test_preemption_critical_pods_and_the_disruption_target_condition(ns, fake_cpu, priority):
    pin = {"nodeSelector": {"kubernetes.io/hostname": fake_cpu}}
    ns.pod(
        "victim",
        "pause",
        container=wants("5"),
        metadata={"finalizers": ["example.com/test-finalizer"]},
        priorityClassName=priority("low", 1),
        **pin,
    )
    ns.ready("victim")
    ns.pod("preemptor", "pause", container=wants("5"), priorityClassName=priority("high", 1000), **pin)
    wait_for(lambda: ns.get("pods", "victim")["metadata"].get("deletionTimestamp"), "it has to go")
    wait_for(lambda: ns.condition("pods", "victim", "DisruptionTarget")["status"] == "True", "and knows why")
    assert ns.condition("pods", "victim", "DisruptionTarget")["reason"] == "PreemptionByScheduler"
    ns.patch("pods", "victim", {"metadata": {"finalizers": None}})
    ns.ready("preemptor")


def test_priority_class_endpoints(ns, priority):
    name = priority("end", 5)
    assert ns.patch("priorityclasses", name, {"description": "updated"})["description"] == "updated"
    body = ns.get("priorityclasses", name)
    with pytest.raises(Refused) as refused:
        ns.put("priorityclasses", name, {**body, "value": 6})
    assert refused.value.code == 422 and "may not be changed in an update" in str(refused.value.status)
    ns.delete("priorityclasses", name)


def test_limit_range_should_create_a_limit_range_with_defaults_and_ensure_pod_has_those_defaults_applied(ns):
    limit = {
        "type": "Container",
        "min": {"cpu": "50m", "memory": "100Mi"},
        "max": {"cpu": "500m", "memory": "500Mi"},
        "default": {"cpu": "500m", "memory": "500Mi"},
        "defaultRequest": {"cpu": "100m", "memory": "200Mi"},
    }
    ns.create("limitranges", "lr", {"limits": [limit]})
    ns.pod("none", "pause")
    resources = ns.get("pods", "none")["spec"]["containers"][0]["resources"]
    assert resources == {"limits": limit["default"], "requests": limit["defaultRequest"]}
    ns.pod(
        "partial",
        "pause",
        container={"resources": {"requests": {"cpu": "140m", "memory": "150Mi"}, "limits": {"cpu": "300m"}}},
    )
    assert ns.get("pods", "partial")["spec"]["containers"][0]["resources"] == {
        "requests": {"cpu": "140m", "memory": "150Mi"},
        "limits": {"cpu": "300m", "memory": "500Mi"},
    }
    for wrong in ({"requests": {"cpu": "10m"}}, {"limits": {"cpu": "600m"}}):
        with pytest.raises(Refused) as refused:
            ns.pod("wrong", "pause", container={"resources": wrong})
        assert refused.value.code == 403
    ns.delete("limitranges", "lr")
    ns.pod("free", "pause", container={"resources": {"limits": {"cpu": "600m"}}})


def test_limit_range_should_list_patch_and_delete_a_limit_range_by_collection(ns):
    limits = [{"type": "Container", "max": {"cpu": "500m"}, "defaultRequest": {"cpu": "50m"}}]
    ns.create("limitranges", "e2e", {"limits": limits}, metadata={"labels": {"e2e": ns.name}})
    everywhere = ns.request("GET", f"/api/v1/limitranges?labelSelector=e2e%3D{ns.name}")["items"]
    assert [one["metadata"]["namespace"] for one in everywhere] == [ns.name]
    change = {
        "metadata": {"labels": {"e2e": "patched"}},
        "spec": {"limits": [{"type": "Container", "max": {"cpu": "500m"}, "defaultRequest": {"cpu": "60m"}}]},
    }
    assert ns.patch("limitranges", "e2e", change)["spec"]["limits"][0]["defaultRequest"] == {"cpu": "60m"}
    ns.delete("limitranges", query="?labelSelector=e2e%3Dpatched")
    wait_for(lambda: ns.list("limitranges") == [], "they are gone")
