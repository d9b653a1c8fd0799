"""Node lifecycle: silence, taints, eviction, pods of nodes that are gone."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from cluster import clock
from cluster.apimachinery.meta import get_condition
from cluster.apimachinery.placement import tolerates
from cluster.client.client import Obj
from cluster.controllers.node import LEASES, NodeController
from cluster.controllers.podgc import PodGCController, surplus
from cluster.controllers.policy.node_health import all_disrupted, eviction_rate, ready_in, with_taints
from cluster.controllers.policy.tolerations import tolerated_for
from cluster.controllers.tainteviction import TaintEvictionController
from tests.support.fakecluster import FakeCluster, Running, settle
from tests.support.fakekubelet import make_ready
from tests.support.objects import named, pod

NODES, PODS = "v1/nodes", "v1/pods"
UNREACHABLE = "node.kubernetes.io/unreachable"


def node(name: str, ready: str = "True", **spec: Any) -> Obj:
    kinds = {"Ready": ready, "MemoryPressure": "False", "DiskPressure": "False", "PIDPressure": "False"}
    conditions = [
        {
            "type": kind,
            "status": status,
            "lastHeartbeatTime": clock.timestamp(),
            "lastTransitionTime": clock.timestamp(),
        }
        for kind, status in kinds.items()
    ]
    return named("Node", name, spec=spec, status={"conditions": conditions})


def lease(name: str) -> Obj:
    spec = {"renewTime": clock.micro_timestamp(), "leaseDurationSeconds": 40}
    return named("Lease", name, "kube-node-lease", "coordination.k8s.io/v1", spec=spec)


async def renew(cluster: FakeCluster, seconds: float, *names: str) -> None:
    """Renew these nodes' leases every ten seconds for so long."""
    for _ in range(int(seconds / 10)):
        for name in names:
            if cluster.has(LEASES, f"kube-node-lease/{name}"):
                patch = {"spec": {"renewTime": clock.micro_timestamp()}}
                await cluster.client().patch(LEASES, name, patch, "kube-node-lease")
            else:
                await cluster.client().create(LEASES, lease(name), "kube-node-lease")
        await settle(10)


def taints(cluster: FakeCluster, name: str) -> set[str]:
    return {f"{taint['key']}:{taint['effect']}" for taint in cluster.get(NODES, name)["spec"].get("taints") or ()}


async def started(cluster: FakeCluster, *names: str) -> None:
    for name in names:
        await cluster.client().create(NODES, node(name))


@pytest.mark.looptime
async def test_a_silent_node_becomes_unknown_and_is_tainted_and_its_pods_unready() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    async with Running(cluster, NodeController):
        await started(cluster, "a", "b")
        stored = await client.create(PODS, pod("victim"))
        await make_ready(client, stored, "a")
        await renew(cluster, 60, "a", "b")
        assert taints(cluster, "a") == set()
        await renew(cluster, 40, "b")
        assert get_condition(cluster.get(NODES, "a"), "Ready")["status"] == "True"  # type: ignore[index]
        await renew(cluster, 30, "b")
        for kind in ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure"):
            condition = get_condition(cluster.get(NODES, "a"), kind)
            assert condition is not None
            assert condition["status"] == "Unknown"
            assert condition["reason"] == "NodeStatusUnknown"
            assert condition["message"] == "Kubelet stopped posting node status."
        assert taints(cluster, "a") == {f"{UNREACHABLE}:NoSchedule", f"{UNREACHABLE}:NoExecute"}
        assert taints(cluster, "b") == set()
        assert get_condition(cluster.get(PODS, "default/victim"), "Ready")["status"] == "False"  # type: ignore[index]
    assert cluster.events("NodeNotReady") == ["Node a status is now: NodeNotReady", "Node is not ready"]
    assert sorted(cluster.events("RegisteredNode")) == [
        "Node a event: Registered Node a in Controller",
        "Node b event: Registered Node b in Controller",
    ]


@pytest.mark.looptime
async def test_a_node_that_comes_back_loses_its_taints() -> None:
    cluster = FakeCluster()
    async with Running(cluster, NodeController):
        await started(cluster, "a", "b")
        await renew(cluster, 80, "b")
        assert f"{UNREACHABLE}:NoExecute" in taints(cluster, "a")
        await cluster.client().update(
            NODES, {**cluster.get(NODES, "a"), "status": node("a")["status"]}, subresource="status"
        )
        await settle()
        assert taints(cluster, "a") == set()


@pytest.mark.looptime
async def test_a_kubelet_that_never_reported_gets_longer() -> None:
    cluster = FakeCluster()
    async with Running(cluster, NodeController):
        await started(cluster, "b")
        await cluster.client().create(NODES, named("Node", "new", spec={}, status={}))
        await renew(cluster, 50, "b")
        assert get_condition(cluster.get(NODES, "new"), "Ready") is None
        await renew(cluster, 20, "b")
        condition = get_condition(cluster.get(NODES, "new"), "Ready")
        assert condition is not None
        assert (condition["status"], condition["reason"]) == ("Unknown", "NodeStatusNeverUpdated")
        assert condition["message"] == "Kubelet never posted node status."


@pytest.mark.looptime
async def test_conditions_and_cordon_become_no_schedule_taints() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    async with Running(cluster, NodeController):
        await started(cluster, "a", "b")
        await client.patch(
            NODES, "a", {"spec": {"unschedulable": True, "taints": [{"key": "mine", "effect": "NoSchedule"}]}}
        )
        status = node("a")["status"]
        status["conditions"][1]["status"] = "True"
        await client.update(NODES, {**cluster.get(NODES, "a"), "status": status}, subresource="status")
        await settle()
        assert taints(cluster, "a") == {
            "mine:NoSchedule",
            "node.kubernetes.io/unschedulable:NoSchedule",
            "node.kubernetes.io/memory-pressure:NoSchedule",
        }
        await client.patch(NODES, "a", {"spec": {"unschedulable": None}})
        await settle()
        assert "node.kubernetes.io/unschedulable:NoSchedule" not in taints(cluster, "a")


@pytest.mark.looptime
async def test_nodes_are_emptied_one_by_one_and_never_all() -> None:
    cluster = FakeCluster()
    async with Running(cluster, NodeController):
        names = [f"n{i}" for i in range(6)]
        await started(cluster, *names)
        await renew(cluster, 60, *names)

        def tainted() -> int:
            return sum(f"{UNREACHABLE}:NoExecute" in taints(cluster, name) for name in names)

        await renew(cluster, 40, *names[2:])
        await settle(5)
        assert tainted() == 1
        await renew(cluster, 20, *names[2:])
        assert tainted() == 2
        # All silent: it must be us.
        await settle(70)
        assert tainted() == 0


@pytest.mark.looptime
async def test_a_removed_node_is_told() -> None:
    cluster = FakeCluster()
    async with Running(cluster, NodeController):
        await started(cluster, "a")
        await settle()
        await cluster.client().delete(NODES, "a")
        await settle()
    assert cluster.events("RemovingNode") == ["Node a event: Removing Node a from Controller"]


@pytest.mark.looptime
async def test_taint_eviction_honours_toleration_seconds_and_can_be_cancelled() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    patient = pod("patient")
    patient["spec"]["tolerations"] = [
        {"key": UNREACHABLE, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
    ]
    eternal = pod("eternal")
    eternal["spec"]["tolerations"] = [{"operator": "Exists"}]
    async with Running(cluster, TaintEvictionController):
        await started(cluster, "a")
        for each in (pod("touchy"), patient, eternal):
            await make_ready(client, await client.create(PODS, each), "a")
        taint = {"spec": {"taints": [{"key": UNREACHABLE, "effect": "NoExecute"}]}}
        await client.patch(NODES, "a", taint)
        await settle()
        touchy = cluster.get(PODS, "default/touchy")
        assert "deletionTimestamp" in touchy["metadata"]
        target = get_condition(touchy, "DisruptionTarget")
        assert target is not None
        assert (target["reason"], target["message"]) == (
            "DeletionByTaintManager",
            "Taint manager: deleting due to NoExecute taint",
        )
        assert cluster.events("TaintManagerEviction") == ["Marking for deletion Pod default/touchy"]
        await settle(200)
        await client.patch(NODES, "a", {"spec": {"taints": None}})
        await settle()
        assert cluster.events("TaintManagerEviction")[1:] == ["Cancelling deletion of Pod default/patient"]
        await client.patch(NODES, "a", taint)
        await settle(200)
        assert "deletionTimestamp" not in cluster.get(PODS, "default/patient")["metadata"]
        await settle(110)
        assert "deletionTimestamp" in cluster.get(PODS, "default/patient")["metadata"]
        assert "deletionTimestamp" not in cluster.get(PODS, "default/eternal")["metadata"]


@pytest.mark.looptime
async def test_a_pod_that_is_bound_to_a_tainted_node_is_evicted() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    async with Running(cluster, TaintEvictionController):
        await client.create(NODES, node("a", taints=[{"key": "x", "effect": "NoExecute"}]))
        await make_ready(client, await client.create(PODS, pod("late")), "a")
        await settle()
        assert "deletionTimestamp" in cluster.get(PODS, "default/late")["metadata"]


@pytest.mark.looptime
async def test_pods_of_a_deleted_node_are_collected_after_quarantine() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    async with Running(cluster, PodGCController):
        await started(cluster, "a", "b")
        for name, where in (("lost", "a"), ("safe", "b")):
            await make_ready(client, await client.create(PODS, pod(name)), where)
        await client.delete(NODES, "a")
        await settle(30)
        assert cluster.has(PODS, "default/lost")
        await settle(60)
        assert not cluster.has(PODS, "default/lost")
        assert cluster.has(PODS, "default/safe")
    last = next(e.new for e in reversed(cluster.log) if e.type == "MODIFIED" and e.new["metadata"]["name"] == "lost")
    target = get_condition(last, "DisruptionTarget")
    assert last["status"]["phase"] == "Failed"
    assert target is not None
    assert (target["reason"], target["message"]) == ("DeletionByPodGC", "PodGC: node no longer exists")


@pytest.mark.looptime
async def test_deleted_pods_without_a_node_and_finished_surplus_are_collected() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    held = pod("unscheduled")
    held["metadata"]["deletionTimestamp"] = clock.timestamp()
    held["metadata"]["deletionGracePeriodSeconds"] = 30
    await client.create(PODS, held)
    for number in range(3):
        done = await client.create(PODS, pod(f"done-{number}"))
        await client.update(PODS, {**done, "status": {"phase": "Succeeded"}}, subresource="status")

    class Strict(PodGCController):
        threshold = 1

    async with Running(cluster, Strict):
        await settle(25)
    assert [p["metadata"]["name"] for p in cluster.list(PODS)] == ["done-2"]


def test_evicted_pods_are_the_first_surplus() -> None:
    def make(name: str, created: str, reason: str = "") -> Obj:
        return {
            "metadata": {"name": name, "creationTimestamp": created},
            "status": {"phase": "Failed", "reason": reason},
        }

    pods = [make("old", "2026-01-01"), make("new", "2026-03-01"), make("evicted", "2026-02-01", "Evicted")]
    assert [p["metadata"]["name"] for p in surplus(pods, 1)] == ["evicted", "old"]


@pytest.mark.parametrize(
    ("ready", "not_ready", "rate"),
    [(5, 1, 0.1), (5, 2, 0.1), (2, 3, 0.0), (0, 3, 0.1), (40, 60, 0.01), (60, 40, 0.1), (0, 0, 0.1)],
)
def test_eviction_rate(ready: int, not_ready: int, rate: float) -> None:
    assert eviction_rate(ready, not_ready) == rate


@pytest.mark.parametrize(
    ("toleration", "expected"),
    [
        ({"operator": "Exists"}, True),
        ({"key": "k", "operator": "Exists"}, True),
        ({"key": "other", "operator": "Exists"}, False),
        ({"key": "k", "value": "v"}, True),
        ({"key": "k", "value": "w"}, False),
        ({"key": "k", "value": "v", "effect": "NoExecute"}, True),
        ({"key": "k", "value": "v", "effect": "NoSchedule"}, False),
        ({"key": "k"}, False),
    ],
)
def test_tolerates(toleration: Obj, expected: bool) -> None:
    assert tolerates(toleration, {"key": "k", "value": "v", "effect": "NoExecute"}) is expected


def test_the_shortest_toleration_counts_and_every_taint_needs_one() -> None:
    one, two = {"key": "a", "effect": "NoExecute"}, {"key": "b", "effect": "NoExecute"}
    tolerations = [
        {"key": "a", "operator": "Exists", "tolerationSeconds": 60},
        {"key": "b", "operator": "Exists", "tolerationSeconds": 30},
    ]
    assert tolerated_for(tolerations, [one, two]) == 30
    assert tolerated_for(tolerations[:1], [one, two]) == 0
    assert tolerated_for([{"operator": "Exists"}], [one, two]) is None
    assert tolerated_for([{"operator": "Exists", "tolerationSeconds": -5}], [one]) == 0
    assert tolerated_for([], []) is None


def test_foreign_taints_and_times_are_kept() -> None:
    mine = {"key": UNREACHABLE, "effect": "NoExecute", "timeAdded": "2026-01-01T00:00:00Z"}
    foreign = {"key": "x", "effect": "NoExecute"}
    managed = frozenset((UNREACHABLE, "node.kubernetes.io/not-ready"))
    assert with_taints([foreign, mine], "NoExecute", managed, [UNREACHABLE], 0) == [foreign, mine]
    assert with_taints([foreign, mine], "NoExecute", managed, [], 0) == [foreign]
    swapped = with_taints([mine], "NoExecute", managed, ["node.kubernetes.io/not-ready"], 0)
    assert swapped == [
        {"key": "node.kubernetes.io/not-ready", "effect": "NoExecute", "timeAdded": "1970-01-01T00:00:00Z"}
    ]


def test_a_cluster_without_a_ready_node_is_all_disrupted() -> None:
    sick, well = ("r:a", "Unknown"), ("r:a", "True")
    assert all_disrupted(Counter({sick: 3, well: 0}))
    assert not all_disrupted(Counter({sick: 3, well: 1}))
    assert not all_disrupted(Counter())
    assert ready_in(Counter({sick: 3, well: 2, ("r:other", "False"): 9}), "r:a") == (2, 3)
