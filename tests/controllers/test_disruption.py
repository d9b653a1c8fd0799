"""PodDisruptionBudgets' status, and ResourceQuotas' status."""

from __future__ import annotations

from typing import Any

import pytest

from cluster import clock
from cluster.apiserver.admission.quota import used_in
from cluster.client.client import Obj
from cluster.controllers.disruption import BUDGETS, DisruptionController
from cluster.controllers.replicaset import ReplicaSetController
from cluster.controllers.resourcequota import QUOTAS, ResourceQuotaController
from tests.support.fakecluster import FakeCluster, Running, settle
from tests.support.fakekubelet import FakeNodes, make_ready, set_status
from tests.support.objects import named, pod, replicaset

PODS = "v1/pods"


def budget(**spec: Any) -> Obj:
    selector = {"matchLabels": {"app": "web"}}
    return named("PodDisruptionBudget", "safe", "default", "policy/v1", spec={"selector": selector, **spec})


def status(cluster: FakeCluster) -> Obj:
    found: Obj = cluster.get(BUDGETS, "default/safe")["status"]
    return found


def numbers(cluster: FakeCluster) -> tuple[int, ...]:
    found = status(cluster)
    names = ("expectedPods", "desiredHealthy", "currentHealthy", "disruptionsAllowed")
    return tuple(found[name] for name in names)


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        ({"minAvailable": 2}, (4, 2, 4, 2)),
        ({"minAvailable": "50%"}, (4, 2, 4, 2)),
        ({"minAvailable": "60%"}, (4, 3, 4, 1)),
        ({"maxUnavailable": 1}, (4, 3, 4, 1)),
        ({"maxUnavailable": "25%"}, (4, 3, 4, 1)),
        ({"minAvailable": 5}, (4, 5, 4, 0)),
    ],
)
async def test_how_many_can_be_spared(spec: Obj, wanted: tuple[int, ...]) -> None:
    cluster = FakeCluster()
    async with Running(cluster, ReplicaSetController, DisruptionController), FakeNodes(cluster):
        await cluster.client().create("apps/v1/replicasets", replicaset(replicas=4))
        await cluster.client().create(BUDGETS, budget(**spec))
        await settle(5)
        assert numbers(cluster) == wanted
        (condition,) = status(cluster)["conditions"]
        assert condition["reason"] == ("SufficientPods" if wanted[3] else "InsufficientPods")


@pytest.mark.looptime
async def test_unready_pods_and_allowed_evictions_count_as_gone() -> None:
    cluster = FakeCluster()
    async with Running(cluster, DisruptionController):
        client = cluster.client()
        for name in ("a", "b", "c"):
            await make_ready(client, await client.create(PODS, pod(name, app="web")))
        await client.create(BUDGETS, budget(minAvailable=1))
        await settle(1)
        assert numbers(cluster) == (3, 1, 3, 2)
        await set_status(client, cluster.get(PODS, "default/a"), {"phase": "Running"})
        await settle(1)
        assert numbers(cluster) == (3, 1, 2, 1)
        found = cluster.get(BUDGETS, "default/safe")
        spent = {**found["status"], "disruptionsAllowed": 0, "disruptedPods": {"b": clock.timestamp()}}
        await client.update(BUDGETS, {**found, "status": spent}, subresource="status")
        await settle(1)
        assert numbers(cluster) == (3, 1, 1, 0) and "b" in status(cluster)["disruptedPods"]
        # The eviction came to nothing: after two minutes it is forgotten.
        await settle(125)
        assert numbers(cluster) == (3, 1, 2, 1) and "disruptedPods" not in status(cluster)


@pytest.mark.looptime
async def test_pods_of_something_without_a_size() -> None:
    cluster = FakeCluster()
    async with Running(cluster, DisruptionController):
        lone = pod("a", app="web")
        lone["metadata"]["ownerReferences"] = [
            {"apiVersion": "batch/v1", "kind": "Job", "name": "j", "uid": "1", "controller": True}
        ]
        await cluster.client().create(PODS, lone)
        await cluster.client().create(BUDGETS, budget(maxUnavailable=1))
        await settle(1)
        assert status(cluster)["conditions"][0]["reason"] == "SyncFailed"
        assert cluster.events("CalculateExpectedPodCountFailed") == [
            "jobs.batch does not implement the scale subresource"
        ]


@pytest.mark.looptime
async def test_what_a_namespace_uses() -> None:
    cluster = FakeCluster()
    async with Running(cluster, ResourceQuotaController, quota_usage=used_in):
        hard = {"pods": "5", "requests.cpu": "2", "count/deployments.apps": "3", "services": "1"}
        await cluster.client().create(QUOTAS, named("ResourceQuota", "q", "default", spec={"hard": hard}))
        await settle(1)
        nothing = dict.fromkeys(hard, "0")
        assert cluster.get(QUOTAS, "default/q")["status"] == {"hard": hard, "used": nothing}
        busy = pod("a")
        busy["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "500m"}}
        await cluster.client().create(PODS, busy)
        await cluster.client().create(PODS, pod("b"))
        await cluster.client().create("apps/v1/deployments", named("Deployment", "d", "default", "apps/v1", spec={}))
        await settle(1)
        used = cluster.get(QUOTAS, "default/q")["status"]["used"]
        assert used == {"pods": "2", "requests.cpu": "500m", "count/deployments.apps": "1", "services": "0"}
        await set_status(cluster.client(), cluster.get(PODS, "default/a"), {"phase": "Succeeded"})
        await settle(1)
        assert cluster.get(QUOTAS, "default/q")["status"]["used"]["pods"] == "1"
