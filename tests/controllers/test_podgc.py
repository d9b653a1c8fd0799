"""Pods that no kubelet will ever clean up go."""

from __future__ import annotations

import pytest

from cluster.client.client import Obj
from cluster.controllers.podgc import PodGCController, surplus
from tests.support.fakecluster import FakeCluster, Running, settle
from tests.support.objects import named, pod

NODES, PODS = "v1/nodes", "v1/pods"


def on(name: str, node: str = "", phase: str = "Running") -> Obj:
    body = pod(name)
    if node:
        body["spec"]["nodeName"] = node
    return body | {"status": {"phase": phase}}


@pytest.mark.looptime
async def test_pods_of_a_node_that_is_gone_are_given_a_while() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    async with Running(cluster, PodGCController):
        await client.create(NODES, named("Node", "there", spec={}))
        for name, node in (("a", "there"), ("b", "gone"), ("waiting", "")):
            await client.create(PODS, on(name, node))
        await settle(50)
        assert cluster.has(PODS, "default/b")
        await settle(40)
        assert [one["metadata"]["name"] for one in cluster.list(PODS)] == ["a", "waiting"]


def test_the_oldest_finished_pods_are_too_many_and_evicted_ones_first() -> None:
    def ended(name: str, created: str, reason: str = "") -> Obj:
        body = on(name, "n", "Failed") | {"status": {"phase": "Failed", "reason": reason}}
        body["metadata"]["creationTimestamp"] = created
        return body

    found = [ended("new", "2030"), ended("old", "2020"), ended("evicted", "2031", "Evicted"), on("runs", "n")]
    assert [one["metadata"]["name"] for one in surplus(found, 1)] == ["evicted", "old"]
    assert surplus(found, 3) == []


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("ready", "out", "collected"), [("False", True, True), ("False", False, False), ("True", True, False)]
)
async def test_a_node_declared_out_of_service_gives_its_pods_up(ready: str, out: bool, collected: bool) -> None:
    cluster = FakeCluster()
    client = cluster.client()
    async with Running(cluster, PodGCController):
        taints = [{"key": "node.kubernetes.io/out-of-service", "effect": "NoExecute"}] if out else []
        status = {"conditions": [{"type": "Ready", "status": ready}]}
        await client.create(NODES, named("Node", "n", spec={"taints": taints}, status=status))
        await client.create(PODS, on("p", "n"))
        await client.delete(PODS, "p", "default", grace_period_seconds=30)
        await settle(50)
        assert cluster.has(PODS, "default/p") is not collected
