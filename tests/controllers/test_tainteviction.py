"""Pods leave nodes whose NoExecute taints they do not tolerate, when their time there is over."""

from __future__ import annotations

from typing import Any

import pytest

from cluster.apimachinery.meta import get_condition
from cluster.controllers.tainteviction import TaintEvictionController
from tests.support.fakecluster import FakeCluster, Running, settle
from tests.support.objects import named, pod

NODES, PODS = "v1/nodes", "v1/pods"
TAINT = {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}


def tolerating(seconds: int | None) -> list[dict[str, Any]]:
    found = {"key": TAINT["key"], "operator": "Exists", "effect": "NoExecute"}
    return [found if seconds is None else {**found, "tolerationSeconds": seconds}]


async def begin(cluster: FakeCluster, tolerations: list[dict[str, Any]]) -> None:
    await cluster.client().create(NODES, named("Node", "n", spec={}))
    body = pod("p")
    body["spec"] |= {"nodeName": "n", "tolerations": tolerations}
    await cluster.client().create(PODS, body)
    await settle(1)


async def taint(cluster: FakeCluster, *taints: dict[str, str]) -> None:
    await cluster.client().patch(NODES, "n", {"spec": {"taints": list(taints) or None}})


def going(cluster: FakeCluster) -> bool:
    return "deletionTimestamp" in cluster.get(PODS, "default/p")["metadata"]


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("tolerations", "after", "expected"),
    [
        ([], 1, True),
        (tolerating(300), 290, False),
        (tolerating(300), 302, True),
        (tolerating(None), 10_000, False),
        ([{"operator": "Exists"}], 10_000, False),
    ],
)
async def test_a_pod_stays_as_long_as_it_tolerates(
    tolerations: list[dict[str, Any]], after: float, expected: bool
) -> None:
    cluster = FakeCluster()
    async with Running(cluster, TaintEvictionController):
        await begin(cluster, tolerations)
        await taint(cluster, TAINT)
        await settle(after)
        assert going(cluster) is expected
        if expected:
            why = get_condition(cluster.get(PODS, "default/p"), "DisruptionTarget") or {}
            assert why["reason"] == "DeletionByTaintManager"
            assert cluster.events("TaintManagerEviction") == ["Marking for deletion Pod default/p"]


@pytest.mark.looptime
async def test_a_node_that_comes_back_in_time_keeps_its_pods() -> None:
    cluster = FakeCluster()
    async with Running(cluster, TaintEvictionController):
        await begin(cluster, tolerating(300))
        await taint(cluster, TAINT)
        await settle(200)
        await taint(cluster)
        await settle(1)
        assert cluster.events("TaintManagerEviction") == ["Cancelling deletion of Pod default/p"]
        await taint(cluster, TAINT)
        await settle(200)
        # Its time began anew.
        assert not going(cluster)
