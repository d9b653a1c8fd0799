"""StatefulSets: order, stable names, claims, partitions, retention; never two pods of one ordinal."""

from __future__ import annotations

from typing import Any

import pytest

from cluster.client.client import Obj
from cluster.controllers.lib.history import HASH, REVISIONS
from cluster.controllers.statefulset import CLAIMS, STATEFULSETS, StatefulSetController
from tests.support.fakecluster import FakeCluster, Running, settle
from tests.support.fakekubelet import FakeNodes, set_status
from tests.support.objects import named, template

PODS = "v1/pods"


def statefulset(replicas: int = 3, image: str = "db:1", **spec: Any) -> Obj:
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
    body = {
        "replicas": replicas,
        "serviceName": "db",
        "selector": {"matchLabels": {"app": "db"}},
        "template": template("db", image),
        "podManagementPolicy": "OrderedReady",
        "updateStrategy": rolling,
        "revisionHistoryLimit": 10,
        **spec,
    }
    return named("StatefulSet", "db", "default", "apps/v1", spec=body)


def names(cluster: FakeCluster) -> list[str]:
    return [pod["metadata"]["name"] for pod in cluster.list(PODS)]


def images(cluster: FakeCluster) -> list[str]:
    return [pod["spec"]["containers"][0]["image"] for pod in cluster.list(PODS)]


def status(cluster: FakeCluster) -> Obj:
    found: Obj = cluster.get(STATEFULSETS, "default/db")["status"]
    return found


async def change(cluster: FakeCluster, spec: Any) -> None:
    await cluster.client().patch(STATEFULSETS, "db", {"spec": spec}, "default")


def history_of(cluster: FakeCluster) -> list[tuple[str, str]]:
    """(type, pod) of creations and removals, as they came."""
    return [
        (entry.type, entry.new["metadata"]["name"])
        for entry in cluster.log
        if entry.resource == PODS and entry.type in ("ADDED", "DELETED")
    ]


@pytest.mark.looptime
async def test_one_after_the_other_up_and_down() -> None:
    cluster = FakeCluster()
    async with Running(cluster, StatefulSetController), FakeNodes(cluster, start=2):
        await cluster.client().create(STATEFULSETS, statefulset())
        await settle(1)
        assert names(cluster) == ["db-0"]
        await settle(2)
        assert names(cluster) == ["db-0", "db-1"]
        await settle(10)
        assert names(cluster) == ["db-0", "db-1", "db-2"]
        pod = cluster.get(PODS, "default/db-1")
        assert pod["spec"]["hostname"] == "db-1" and pod["spec"]["subdomain"] == "db"
        assert pod["metadata"]["labels"]["statefulset.kubernetes.io/pod-name"] == "db-1"
        assert pod["metadata"]["labels"]["apps.kubernetes.io/pod-index"] == "1"
        (revision,) = cluster.list(REVISIONS)
        # A member names its revision whole, unlike a daemon.
        named = {one["metadata"]["labels"]["controller-revision-hash"] for one in cluster.list(PODS)}
        assert named == {revision["metadata"]["name"]}
        assert revision["metadata"]["name"] == f"db-{revision['metadata']['labels']['controller.kubernetes.io/hash']}"
        assert status(cluster) == {
            "observedGeneration": 1,
            "replicas": 3,
            "readyReplicas": 3,
            "availableReplicas": 3,
            "currentReplicas": 3,
            "updatedReplicas": 3,
            "currentRevision": revision["metadata"]["name"],
            "updateRevision": revision["metadata"]["name"],
            "collisionCount": 0,
        }
        await change(cluster, {"replicas": 1})
        await settle(10)
        assert names(cluster) == ["db-0"]
        assert history_of(cluster)[-2:] == [("DELETED", "db-2"), ("DELETED", "db-1")]
        assert "create Pod db-0 in StatefulSet db successful" in cluster.events("SuccessfulCreate")
        assert cluster.events("SuccessfulDelete")[0] == "delete Pod db-2 in StatefulSet db successful"


@pytest.mark.looptime
async def test_parallel_ones_come_at_once() -> None:
    cluster = FakeCluster()
    async with Running(cluster, StatefulSetController), FakeNodes(cluster, start=2):
        await cluster.client().create(STATEFULSETS, statefulset(podManagementPolicy="Parallel"))
        await settle(1)
        assert names(cluster) == ["db-0", "db-1", "db-2"]


@pytest.mark.looptime
async def test_an_unready_pod_stops_the_line() -> None:
    cluster = FakeCluster()
    healthy = {"db-0"}
    async with (
        Running(cluster, StatefulSetController),
        FakeNodes(cluster, healthy=lambda pod: pod["metadata"]["name"] in healthy),
    ):
        await cluster.client().create(STATEFULSETS, statefulset())
        await settle(10)
        assert names(cluster) == ["db-0", "db-1"] and status(cluster)["readyReplicas"] == 1


@pytest.mark.looptime
async def test_the_rolling_update_goes_from_the_end_to_the_partition() -> None:
    cluster = FakeCluster()
    async with Running(cluster, StatefulSetController), FakeNodes(cluster):
        await cluster.client().create(STATEFULSETS, statefulset())
        await settle(10)
        rolling = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}
        await change(cluster, {"template": template("db", "db:2"), "updateStrategy": rolling})
        await settle(10)
        assert images(cluster) == ["db:1", "db:1", "db:2"]
        assert status(cluster)["currentReplicas"] == 2 and status(cluster)["updatedReplicas"] == 1
        assert status(cluster)["currentRevision"] != status(cluster)["updateRevision"]
        # A pod below the partition that is lost comes back as it was.
        await cluster.client().delete(PODS, "db-0", "default")
        await settle(5)
        assert images(cluster) == ["db:1", "db:1", "db:2"]
        before = len(history_of(cluster))
        await change(cluster, {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}})
        await settle(15)
        assert images(cluster) == ["db:2"] * 3
        assert history_of(cluster)[before:] == [
            *(("DELETED", "db-1"), ("ADDED", "db-1")),
            *(("DELETED", "db-0"), ("ADDED", "db-0")),
        ]
        assert status(cluster)["currentRevision"] == status(cluster)["updateRevision"]
        assert len(cluster.list(REVISIONS)) == 2


@pytest.mark.looptime
async def test_on_delete_waits_for_somebody_to_delete() -> None:
    cluster = FakeCluster()
    async with Running(cluster, StatefulSetController), FakeNodes(cluster):
        await cluster.client().create(STATEFULSETS, statefulset(updateStrategy={"type": "OnDelete"}))
        await settle(10)
        await change(cluster, {"template": template("db", "db:2")})
        await settle(10)
        assert images(cluster) == ["db:1"] * 3
        await cluster.client().delete(PODS, "db-1", "default")
        await settle(5)
        assert images(cluster) == ["db:1", "db:2", "db:1"]


@pytest.mark.looptime
async def test_a_failed_pod_is_replaced_under_its_name() -> None:
    cluster = FakeCluster()
    async with Running(cluster, StatefulSetController), FakeNodes(cluster):
        await cluster.client().create(STATEFULSETS, statefulset(1))
        await settle(5)
        first = cluster.get(PODS, "default/db-0")
        await set_status(cluster.client(), first, {"phase": "Failed"})
        await settle(5)
        second = cluster.get(PODS, "default/db-0")
        assert second["metadata"]["uid"] != first["metadata"]["uid"]
        assert cluster.events("RecreatingFailedPod") == ["StatefulSet default/db is recreating failed Pod db-0"]


CLAIM = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}


@pytest.mark.looptime
async def test_claims_outlive_pods_unless_the_policy_says_otherwise() -> None:
    cluster = FakeCluster()
    async with Running(cluster, StatefulSetController), FakeNodes(cluster):
        await cluster.client().create(STATEFULSETS, statefulset(2, volumeClaimTemplates=[CLAIM]))
        await settle(10)
        assert [one["metadata"]["name"] for one in cluster.list(CLAIMS)] == ["data-db-0", "data-db-1"]
        assert cluster.get(PODS, "default/db-1")["spec"]["volumes"] == [
            {"name": "data", "persistentVolumeClaim": {"claimName": "data-db-1"}}
        ]
        assert cluster.events("SuccessfulCreate")[0] == "create Claim data-db-0 Pod db-0 in StatefulSet db success"
        assert "ownerReferences" not in cluster.get(CLAIMS, "default/data-db-1")["metadata"]
        policy = {"whenDeleted": "Delete", "whenScaled": "Delete"}
        await change(cluster, {"persistentVolumeClaimRetentionPolicy": policy})
        await settle(2)
        (owner,) = cluster.get(CLAIMS, "default/data-db-1")["metadata"]["ownerReferences"]
        assert owner["kind"] == "StatefulSet"
        seen = []
        cluster.on_request(
            lambda request, body: (
                seen.append(body["metadata"]["ownerReferences"])
                if (request.verb, request.resource, request.name) == ("update", CLAIMS, "data-db-1")
                else None
            )
        )
        await change(cluster, {"replicas": 1})
        await settle(5)
        assert [one["kind"] for one in seen[0]] == ["Pod"]


@pytest.mark.looptime
async def test_ordinals_may_start_elsewhere() -> None:
    cluster = FakeCluster()
    async with Running(cluster, StatefulSetController), FakeNodes(cluster):
        await cluster.client().create(STATEFULSETS, statefulset(2, ordinals={"start": 5}))
        await settle(10)
        assert names(cluster) == ["db-5", "db-6"]
        assert all(HASH in pod["metadata"]["labels"] for pod in cluster.list(PODS))
