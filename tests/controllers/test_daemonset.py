"""DaemonSets: placement, one pod a node, rolling updates, history."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from cluster.apimachinery.errors import StatusError
from cluster.apimachinery.placement import DaemonPlacement, wants_node
from cluster.apimachinery.placement import daemon_tolerations as tolerations_for
from cluster.client.client import Obj
from cluster.controllers.daemonset import DAEMONSETS, DaemonSetController
from cluster.controllers.lib.history import REVISIONS
from cluster.controllers.policy import daemon as policy
from tests.support.fakecluster import FakeCluster, Running, settle
from tests.support.fakekubelet import FakeNodes
from tests.support.objects import named, template

PODS, NODES = "v1/pods", "v1/nodes"


def daemonset(image: str = "agent:1", **spec: Any) -> Obj:
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}
    body = {
        "selector": {"matchLabels": {"app": "agent"}},
        "template": template("agent", image),
        "updateStrategy": rolling,
        "revisionHistoryLimit": 2,
        **spec,
    }
    return named("DaemonSet", "agent", "default", "apps/v1", spec=body)


def node(name: str, labels: dict[str, str] | None = None, *taints: Obj) -> Obj:
    obj = named("Node", name, spec={"taints": list(taints)})
    obj["metadata"]["labels"] = labels or {}
    return obj


async def nodes(cluster: FakeCluster, count: int) -> None:
    for number in range(count):
        await cluster.client().create(NODES, node(f"n{number}"))


def where(cluster: FakeCluster) -> list[str]:
    return sorted(pod["spec"].get("nodeName", "") for pod in cluster.list(PODS))


def images(cluster: FakeCluster) -> set[str]:
    return {pod["spec"]["containers"][0]["image"] for pod in cluster.list(PODS)}


async def change(cluster: FakeCluster, patch: Any) -> None:
    await cluster.client().patch(DAEMONSETS, "agent", patch, "default")


@pytest.mark.looptime
async def test_every_node_gets_one_pod_also_those_that_come_later() -> None:
    cluster = FakeCluster()
    async with Running(cluster, DaemonSetController), FakeNodes(cluster):
        await nodes(cluster, 3)
        await cluster.client().create(DAEMONSETS, daemonset())
        await settle(5)
        assert where(cluster) == ["n0", "n1", "n2"]
        assert cluster.get(DAEMONSETS, "default/agent")["status"] == {
            "currentNumberScheduled": 3,
            "numberMisscheduled": 0,
            "desiredNumberScheduled": 3,
            "numberReady": 3,
            "observedGeneration": 1,
            "updatedNumberScheduled": 3,
            "numberAvailable": 3,
        }
        await cluster.client().create(NODES, node("n3"))
        await settle(5)
        assert where(cluster) == ["n0", "n1", "n2", "n3"]
        await cluster.client().patch(
            NODES, "n3", {"spec": {"taints": [{"key": "dedicated", "value": "x", "effect": "NoExecute"}]}}
        )
        await settle(5)
        assert where(cluster) == ["n0", "n1", "n2"]
    (revision,) = cluster.list(REVISIONS)
    assert revision["revision"] == 1
    assert revision["data"]["spec"]["template"]["$patch"] == "replace"
    # Clients compare the data byte by byte with what Go's encoder makes of the template: its keys are sorted.
    assert orjson.dumps(revision["data"]) == orjson.dumps(revision["data"], option=orjson.OPT_SORT_KEYS)
    hashed = revision["metadata"]["labels"]["controller-revision-hash"]
    assert {pod["metadata"]["labels"]["controller-revision-hash"] for pod in cluster.list(PODS)} == {hashed}


@pytest.mark.looptime
@pytest.mark.parametrize(("surge", "unavailable", "fewest", "most"), [(0, 1, 3, 4), (0, 2, 2, 4), (1, 0, 4, 6)])
async def test_a_rolling_update_keeps_its_limits(surge: int, unavailable: int, fewest: int, most: int) -> None:
    # With surge, one node's old pod goes in the same step in which the next node's new one comes: 6 for a moment.
    cluster = FakeCluster()
    seen: list[tuple[int, int]] = []

    def look(*_: object) -> None:
        alive = [pod for pod in cluster.list(PODS) if "deletionTimestamp" not in pod["metadata"]]
        seen.append((sum(bool(pod["status"].get("podIP")) for pod in alive), len(alive)))

    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": unavailable, "maxSurge": surge}}
    async with Running(cluster, DaemonSetController), FakeNodes(cluster):
        await nodes(cluster, 4)
        await cluster.client().create(DAEMONSETS, daemonset(updateStrategy=rolling))
        await settle(5)
        cluster.on_request(look)
        await change(cluster, {"spec": {"template": template("agent", "agent:2")}})
        await settle(60)
    assert images(cluster) == {"agent:2"}
    assert where(cluster) == ["n0", "n1", "n2", "n3"]
    assert min(ready for ready, _ in seen) >= fewest
    assert max(count for _, count in seen) <= most
    assert sorted(revision["revision"] for revision in cluster.list(REVISIONS)) == [1, 2]


@pytest.mark.looptime
async def test_on_delete_waits_for_the_person() -> None:
    cluster = FakeCluster()
    async with Running(cluster, DaemonSetController), FakeNodes(cluster):
        await nodes(cluster, 2)
        await cluster.client().create(DAEMONSETS, daemonset(updateStrategy={"type": "OnDelete"}))
        await settle(5)
        await change(cluster, {"spec": {"template": template("agent", "agent:2")}})
        await settle(10)
        assert images(cluster) == {"agent:1"}
        await cluster.client().delete(PODS, cluster.list(PODS)[0]["metadata"]["name"], "default")
        await settle(10)
        assert images(cluster) == {"agent:1", "agent:2"}


@pytest.mark.looptime
async def test_history_is_limited_and_a_rollback_renews_its_revision() -> None:
    cluster = FakeCluster()
    async with Running(cluster, DaemonSetController), FakeNodes(cluster):
        await nodes(cluster, 1)
        await cluster.client().create(DAEMONSETS, daemonset())
        for image in ("agent:2", "agent:3", "agent:4", "agent:5", "agent:4"):
            await settle(20)
            await change(cluster, {"spec": {"template": template("agent", image)}})
        await settle(20)
    found = {
        revision["data"]["spec"]["template"]["spec"]["containers"][0]["image"]: revision["revision"]
        for revision in cluster.list(REVISIONS)
    }
    assert found == {"agent:3": 3, "agent:5": 5, "agent:4": 6}
    assert images(cluster) == {"agent:4"}


@pytest.mark.looptime
async def test_a_failed_pod_is_replaced_and_told() -> None:
    cluster = FakeCluster()
    async with Running(cluster, DaemonSetController), FakeNodes(cluster):
        await nodes(cluster, 1)
        await cluster.client().create(DAEMONSETS, daemonset())
        await settle(5)
        name = cluster.list(PODS)[0]["metadata"]["name"]
        await cluster.client().patch(PODS, name, {"status": {"phase": "Failed"}}, "default", subresource="status")
        await settle(5)
        assert [pod["status"]["phase"] for pod in cluster.list(PODS)] == ["Running"]
        assert cluster.list(PODS)[0]["metadata"]["name"] != name
    text = f"Found failed daemon pod default/{name} on node n0, will try to kill it"
    assert cluster.events("FailedDaemonPod") == [text]


@pytest.mark.looptime
async def test_a_pod_that_keeps_failing_is_replaced_more_and_more_slowly() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    async with Running(cluster, DaemonSetController):
        await nodes(cluster, 1)
        await client.create(DAEMONSETS, daemonset())
        for _ in range(300):
            await settle(0.4)
            for pod in cluster.list(PODS):
                if pod["status"]["phase"] == "Pending":
                    name = pod["metadata"]["name"]
                    await client.patch(PODS, name, {"status": {"phase": "Failed"}}, "default", subresource="status")
    # 1 + 2 + 4 + … seconds within two minutes.
    assert cluster.count("delete", PODS) == 7


@pytest.mark.looptime
async def test_a_stale_cache_creates_nothing_twice() -> None:
    cluster = FakeCluster()
    async with Running(cluster, DaemonSetController) as (loop,):
        await nodes(cluster, 3)
        await cluster.client().create(DAEMONSETS, daemonset())
        await settle(0.0001)
        with cluster.stale():
            for _ in range(4):
                loop.queue.add("default/agent")
                await settle(1)
            assert len(cluster.list(PODS)) == 3
        await settle(2)
    assert len(cluster.list(PODS)) == 3


AFFINITY = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}]
        }
    }
}


@pytest.mark.parametrize(
    ("spec", "labels", "wanted"),
    [
        ({}, {}, True),
        ({"nodeName": "n"}, {}, True),
        ({"nodeName": "other"}, {}, False),
        ({"nodeSelector": {"disk": "ssd"}}, {"disk": "ssd"}, True),
        ({"nodeSelector": {"disk": "ssd"}}, {}, False),
        ({"affinity": AFFINITY}, {"disk": "ssd"}, True),
        ({"affinity": AFFINITY}, {"disk": "hdd"}, False),
    ],
)
def test_nodes_are_chosen(spec: Obj, labels: dict[str, str], wanted: bool) -> None:
    assert wants_node(spec, node("n", labels)) is wanted


@pytest.mark.parametrize(
    ("taint", "expected"),
    [
        ({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}, (True, True)),
        ({"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}, (True, True)),
        ({"key": "mine", "effect": "NoSchedule"}, (False, True)),
        ({"key": "mine", "effect": "NoExecute"}, (False, False)),
        ({"key": "mine", "effect": "PreferNoSchedule"}, (True, True)),
        ({"key": "node.kubernetes.io/network-unavailable", "effect": "NoSchedule"}, (False, True)),
    ],
)
def test_taints_keep_daemons_away_or_drive_them_out(taint: Obj, expected: tuple[bool, bool]) -> None:
    assert DaemonPlacement({})(node("n", None, taint)) == expected


def test_own_tolerations_stay_and_none_is_doubled() -> None:
    own = {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"}
    found = tolerations_for({"tolerations": [own], "hostNetwork": True})
    assert found[0] == own
    assert found.count(own) == 1
    assert found[-1]["key"] == "node.kubernetes.io/network-unavailable"


@pytest.mark.looptime
async def test_a_revision_remembers_the_annotations_of_its_time() -> None:
    cluster = FakeCluster()
    async with Running(cluster, DaemonSetController), FakeNodes(cluster):
        await nodes(cluster, 1)
        made = daemonset()
        made["metadata"]["annotations"] = {"kubernetes.io/change-cause": "because"}
        await cluster.client().create(DAEMONSETS, made)
        await settle(5)
    (revision,) = cluster.list(REVISIONS)
    assert revision["metadata"]["annotations"]["kubernetes.io/change-cause"] == "because"


@pytest.mark.looptime
async def test_a_namespace_that_goes_is_not_tried_again() -> None:
    cluster = FakeCluster()
    gone = StatusError(403, "Forbidden", "no new content", causes=[{"reason": "NamespaceTerminating"}])
    cluster.refuse("create", REVISIONS, gone)
    async with Running(cluster, DaemonSetController) as (controller,):
        await nodes(cluster, 1)
        await cluster.client().create(DAEMONSETS, daemonset())
        await settle(60)
    assert [one.resource for one in cluster.requests if one.verb == "create"].count(REVISIONS) == 1
    assert controller.queue.retries == 0


def test_a_node_counts_by_its_oldest_pod_while_another_surges_onto_it():
    def one(name, created, template, *, ready):
        labels = {"controller-revision-hash": template}
        conditions = [{"type": "Ready", "status": str(ready)}]
        return {
            "metadata": {"name": name, "creationTimestamp": created, "labels": labels},
            "status": {"conditions": conditions},
        }

    old = one("old", "2026-01-01T00:00:00Z", "a", ready=True)
    new = one("new", "2026-01-01T00:00:09Z", "b", ready=True)
    nodes = [{"metadata": {"name": "n"}}]
    daemonset = {"metadata": {"generation": 2}, "spec": {}}

    def status(*pods):
        return policy.daemon_status(daemonset, lambda node: (True, True), nodes, {"n": pods}, "b", 0.0)

    assert status(new, old).get("updatedNumberScheduled", 0) == 0
    assert status(new)["updatedNumberScheduled"] == 1
