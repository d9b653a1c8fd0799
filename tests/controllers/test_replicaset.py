"""The ReplicaSet controller against a fake cluster, in virtual time."""

from __future__ import annotations

import pytest

from cluster import clock
from cluster.apimachinery import errors
from cluster.controllers.replicaset import ReplicaSetController, ReplicationControllerController
from cluster.journeys.trace import Journey, recorder
from tests.support.fakecluster import FakeCluster, Running, settle
from tests.support.fakekubelet import FakeNodes, bind, make_ready
from tests.support.objects import pod, replicaset, template

pytestmark = pytest.mark.looptime
RS, PODS = "apps/v1/replicasets", "v1/pods"


async def test_it_creates_the_wanted_pods_and_reports_them() -> None:
    cluster = FakeCluster()
    async with Running(cluster, ReplicaSetController), FakeNodes(cluster):
        await cluster.client().create(RS, replicaset(replicas=3))
        await settle()
        status = cluster.get(RS, "default/web")["status"]
    pods = cluster.list(PODS)
    assert [name.rpartition("-")[0] for name in (p["metadata"]["name"] for p in pods)] == ["web"] * 3
    assert status == {
        "replicas": 3,
        "fullyLabeledReplicas": 3,
        "readyReplicas": 3,
        "availableReplicas": 3,
        "terminatingReplicas": 0,
        "observedGeneration": 1,
    }
    assert sorted(cluster.events("SuccessfulCreate")) == sorted(f"Created pod: {p['metadata']['name']}" for p in pods)


async def test_a_thousand_replicas_are_created_once_each_in_bursts() -> None:
    cluster = FakeCluster()
    async with Running(cluster, ReplicaSetController) as (loop,), FakeNodes(cluster):
        await cluster.client().create(RS, replicaset(replicas=1200))
        await settle(5)
        assert cluster.count("create", PODS) == 1200
        assert cluster.get(RS, "default/web")["status"]["availableReplicas"] == 1200
        # Thousands of pod events, but far fewer reconciles.
        assert loop.reconciles < 200


async def test_a_stale_informer_never_leads_to_double_creation() -> None:
    cluster = FakeCluster()
    async with Running(cluster, ReplicaSetController) as (loop,):
        await cluster.client().create(RS, replicaset(replicas=3))
        await settle(0.001)
        with cluster.stale():
            await settle(0.5)
            for _ in range(5):
                loop.queue.add("default/web")
                await settle(0.5)
            assert cluster.count("create", PODS) == 3
        await settle()
    assert cluster.count("create", PODS) == 3


async def test_a_stale_informer_never_leads_to_double_deletion() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    async with Running(cluster, ReplicaSetController) as (loop,):
        await client.create(RS, replicaset(replicas=6))
        await settle()
        await client.patch(RS, "web", {"spec": {"replicas": 3}}, "default")
        await settle(0.0001)
        with cluster.stale():
            await settle(0.5)
            for _ in range(5):
                loop.queue.add("default/web")
                await settle(0.5)
        await settle()
    assert len(cluster.list(PODS)) == 3
    assert cluster.count("delete", PODS) == 3


async def test_an_expectation_that_is_never_met_expires_after_five_minutes() -> None:
    cluster = FakeCluster()
    async with Running(cluster, ReplicaSetController) as (loop,):
        await cluster.client().create(RS, replicaset(replicas=1))
        await settle()
        loop.expectations.expect_creations("default/web", 1)  # type: ignore[attr-defined]
        await cluster.client().delete(PODS, cluster.list(PODS)[0]["metadata"]["name"], "default")
        await settle(200)
        assert not cluster.list(PODS)
        await settle(200)
        assert len(cluster.list(PODS)) == 1


async def test_a_quota_costs_one_refused_request_and_leaves_a_condition() -> None:
    cluster = FakeCluster()
    refusal = errors.forbidden("pods", "", "", "exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0")
    cluster.refuse("create", PODS, refusal, times=1)
    async with Running(cluster, ReplicaSetController), FakeNodes(cluster):
        with_failure = []
        cluster.on_request(lambda request, body: with_failure.append(body) if request.subresource == "status" else None)
        await cluster.client().create(RS, replicaset(replicas=50))
        await settle()
    condition = next(body for body in with_failure if body and body["kind"] == "ReplicaSet")["status"]["conditions"][0]
    assert condition["type"] == "ReplicaFailure"
    assert condition["reason"] == "FailedCreate"
    assert condition["message"] == refusal.message
    assert cluster.events("FailedCreate") == [f"Error creating: {refusal.message}"]
    assert "conditions" not in cluster.get(RS, "default/web")["status"]
    assert len(cluster.list(PODS)) == 50
    assert cluster.count("create", PODS) == 51


async def test_matching_orphans_are_adopted_and_strays_released() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    await client.create(PODS, pod("orphan", app="web"))
    await client.create(PODS, pod("stranger", app="db"))
    async with Running(cluster, ReplicaSetController):
        await client.create(RS, replicaset(replicas=2))
        await settle()
        assert len(cluster.list(PODS)) == 3
        assert cluster.get(PODS, "default/orphan")["metadata"]["ownerReferences"][0]["name"] == "web"
        assert "ownerReferences" not in cluster.get(PODS, "default/stranger")["metadata"]
        await client.patch(PODS, "orphan", {"metadata": {"labels": {"app": "debug"}}}, "default")
        await settle()
        assert "ownerReferences" not in cluster.get(PODS, "default/orphan")["metadata"]
        assert len(cluster.list(PODS, selector="app=web")) == 2


async def test_an_orphan_that_comes_later_is_adopted_and_a_surplus_removed() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    async with Running(cluster, ReplicaSetController), FakeNodes(cluster):
        await client.create(RS, replicaset(replicas=2))
        await settle()
        await client.create(PODS, pod("late", app="web"))
        await settle()
    # The newcomer was the least ready of three.
    assert len(cluster.list(PODS)) == 2
    assert not cluster.has(PODS, "default/late")


async def test_nothing_is_adopted_while_the_owner_is_being_deleted() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    owner = replicaset(replicas=1)
    owner["metadata"]["finalizers"] = ["example.com/wait"]
    async with Running(cluster, ReplicaSetController):
        await client.create(RS, owner)
        await settle()
        await client.delete(RS, "web", "default")
        await settle()
        await client.create(PODS, pod("orphan", app="web"))
        await settle()
        assert "ownerReferences" not in cluster.get(PODS, "default/orphan")["metadata"]


async def test_scaling_down_prefers_pods_that_are_not_ready() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    async with Running(cluster, ReplicaSetController):
        await client.create(RS, replicaset(replicas=4))
        await settle()
        ready, bound, *_ = cluster.list(PODS)
        await make_ready(client, ready)
        await bind(client, bound)
        await settle()
        await client.patch(RS, "web", {"spec": {"replicas": 2}}, "default")
        await settle()
        left = {p["metadata"]["name"] for p in cluster.list(PODS)}
        assert left == {ready["metadata"]["name"], bound["metadata"]["name"]}


async def test_min_ready_seconds_delays_availability() -> None:
    cluster = FakeCluster()
    async with Running(cluster, ReplicaSetController), FakeNodes(cluster):
        await cluster.client().create(RS, replicaset(replicas=2, minReadySeconds=30))
        await settle(20)
        status = cluster.get(RS, "default/web")["status"]
        assert (status["readyReplicas"], status.get("availableReplicas", 0)) == (2, 0)
        await settle(20)
        assert cluster.get(RS, "default/web")["status"]["availableReplicas"] == 2


async def test_a_terminating_pod_is_replaced_at_once_and_counted_as_terminating() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    async with Running(cluster, ReplicaSetController), FakeNodes(cluster, stop=60):
        await client.create(RS, replicaset(replicas=2))
        await settle()
        await client.delete(PODS, cluster.list(PODS)[0]["metadata"]["name"], "default")
        await settle()
        status = cluster.get(RS, "default/web")["status"]
        assert (status["replicas"], status["terminatingReplicas"]) == (2, 1)
        assert len(cluster.list(PODS)) == 3
        await settle(120)
        assert cluster.get(RS, "default/web")["status"]["terminatingReplicas"] == 0


async def test_a_second_reconcile_finds_nothing_to_do() -> None:
    cluster = FakeCluster()
    async with Running(cluster, ReplicaSetController) as (loop,), FakeNodes(cluster):
        await cluster.client().create(RS, replicaset(replicas=3))
        await settle()
        before = cluster.revision
        loop.queue.add("default/web")
        await settle()
        assert cluster.revision == before


async def test_a_finished_pod_is_replaced() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    async with Running(cluster, ReplicaSetController):
        await client.create(RS, replicaset(replicas=1))
        await settle()
        name = cluster.list(PODS)[0]["metadata"]["name"]
        await client.patch(PODS, name, {"status": {"phase": "Failed"}}, "default", subresource="status")
        await settle()
        assert len(cluster.list(PODS)) == 2
        assert cluster.get(RS, "default/web")["status"]["replicas"] == 1


async def test_its_journey_tells_what_it_saw_and_did() -> None:
    cluster = FakeCluster()
    journeys: list[Journey] = []
    stop = recorder.add_sink(journeys.append)
    try:
        async with Running(cluster, ReplicaSetController):
            await cluster.client().create(RS, replicaset(replicas=2))
            await settle()
    finally:
        stop()
    first = next(journey for journey in journeys if journey.component == "replicaset")
    assert (first.namespace, first.name, first.outcome) == ("default", "web", "ok")
    assert [(span.stage, span.detail) for span in first.spans] == [
        ("observe", {"pods": 0, "ready": 0}),
        ("compare", {"desired": 2, "actual": 0}),
        ("decide", {"create": 2}),
        ("act", {"created": 2}),
        ("verify", {"ready": 0, "available": 0}),
    ]


async def test_it_works_at_the_pace_of_the_clusters_clock() -> None:
    cluster = FakeCluster()
    async with Running(cluster, ReplicaSetController):
        started = clock.now()
        await cluster.client().create(RS, replicaset(replicas=1))
        await settle(60)
        assert clock.now() - started == pytest.approx(60, abs=1)


@pytest.mark.looptime
async def test_replication_controllers_do_the_same_with_a_plain_selector() -> None:
    cluster = FakeCluster()
    controller = {
        "apiVersion": "v1",
        "kind": "ReplicationController",
        "metadata": {"name": "old", "namespace": "default"},
        "spec": {"replicas": 2, "selector": {"app": "old"}, "template": template("old")},
    }
    resource = "v1/replicationcontrollers"
    async with Running(cluster, ReplicationControllerController), FakeNodes(cluster):
        await cluster.client().create(resource, controller)
        await settle(3)
        assert len(cluster.list("v1/pods")) == 2
        assert cluster.get(resource, "default/old")["status"]["readyReplicas"] == 2
        await cluster.client().patch(resource, "old", {"spec": {"replicas": 1}}, "default")
        await settle(3)
        assert len(cluster.list("v1/pods")) == 1
