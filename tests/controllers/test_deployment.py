"""The Deployment controller with the ReplicaSet controller and fake nodes, in virtual time."""

from __future__ import annotations

from typing import Any

import pytest

from cluster.apimachinery import errors
from cluster.apimachinery.meta import get_condition
from cluster.client.client import Obj
from cluster.controllers.deployment import DeploymentController
from cluster.controllers.replicaset import ReplicaSetController
from tests.support.fakecluster import FakeCluster, Running, settle
from tests.support.fakekubelet import FakeNodes
from tests.support.objects import deployment, replicaset, template

pytestmark = pytest.mark.looptime
DEPLOYMENTS, RS, PODS = "apps/v1/deployments", "apps/v1/replicasets", "v1/pods"
LOOPS = (DeploymentController, ReplicaSetController)


def status_of(cluster: FakeCluster) -> Obj:
    return dict(cluster.get(DEPLOYMENTS, "default/web")["status"])


def condition(cluster: FakeCluster, kind: str) -> tuple[str, str, str]:
    found = get_condition(cluster.get(DEPLOYMENTS, "default/web"), kind)
    assert found is not None
    return found["status"], found["reason"], found["message"]


def by_image(cluster: FakeCluster) -> dict[str, Obj]:
    return {rs["spec"]["template"]["spec"]["containers"][0]["image"]: rs for rs in cluster.list(RS)}


async def change(cluster: FakeCluster, patch: Any) -> None:
    await cluster.client().patch(DEPLOYMENTS, "web", patch, "default")


def image(name: str) -> Obj:
    return {"spec": {"template": template("web", name)}}


class Watcher:
    """Notes the fewest available and the most existing pods ever seen."""

    def __init__(self, cluster: FakeCluster, fewest: int) -> None:
        self.cluster, self.most, self.fewest = cluster, 0, fewest
        cluster.on_request(self._look)

    def _look(self, *_: object) -> None:
        pods = [pod for pod in self.cluster.list(PODS) if not pod["metadata"].get("deletionTimestamp")]
        ready = sum(any(c["type"] == "Ready" for c in p.get("status", {}).get("conditions", ())) for p in pods)
        self.most, self.fewest = max(self.most, len(pods)), min(self.fewest, ready)


async def test_a_new_deployment_becomes_available() -> None:
    cluster = FakeCluster()
    async with Running(cluster, *LOOPS), FakeNodes(cluster):
        await cluster.client().create(DEPLOYMENTS, deployment(replicas=3))
        await settle(5)
    (rs,) = cluster.list(RS)
    name = rs["metadata"]["name"]
    hashed = rs["metadata"]["labels"]["pod-template-hash"]
    assert name == f"web-{hashed}"
    assert rs["spec"]["selector"]["matchLabels"] == {"app": "web", "pod-template-hash": hashed}
    assert rs["metadata"]["annotations"] == {
        "deployment.kubernetes.io/revision": "1",
        "deployment.kubernetes.io/desired-replicas": "3",
        "deployment.kubernetes.io/max-replicas": "4",
    }
    status = status_of(cluster)
    conditions = status.pop("conditions")
    assert status == {
        "observedGeneration": 1,
        "replicas": 3,
        "updatedReplicas": 3,
        "readyReplicas": 3,
        "availableReplicas": 3,
        "terminatingReplicas": 0,
    }
    assert [(c["type"], c["status"], c["reason"], c["message"]) for c in conditions] == [
        ("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability."),
        ("Progressing", "True", "NewReplicaSetAvailable", f'ReplicaSet "{name}" has successfully progressed.'),
    ]
    assert cluster.events("ScalingReplicaSet") == [f"Scaled up replica set {name} from 0 to 3"]
    assert cluster.get(DEPLOYMENTS, "default/web")["metadata"]["annotations"] == {
        "deployment.kubernetes.io/revision": "1"
    }


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "fewest", "most"),
    [(4, "25%", "25%", 3, 5), (10, 3, 2, 8, 13), (5, 0, 1, 4, 5), (3, 1, 0, 3, 4), (6, "100%", 0, 6, 12)],
)
async def test_a_rolling_update_stays_within_its_limits(
    replicas: int, surge: int | str, unavailable: int | str, fewest: int, most: int
) -> None:
    cluster = FakeCluster()
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}
    async with Running(cluster, *LOOPS), FakeNodes(cluster):
        await cluster.client().create(DEPLOYMENTS, deployment(replicas=replicas, strategy=strategy))
        await settle(5)
        watcher = Watcher(cluster, replicas)
        await change(cluster, image("nginx:2"))
        await settle(60)
    assert watcher.fewest >= fewest
    assert watcher.most <= most
    sizes = {name: rs["spec"]["replicas"] for name, rs in by_image(cluster).items()}
    assert sizes == {"nginx:1": 0, "nginx:2": replicas}
    assert len(cluster.list(PODS)) == replicas
    assert condition(cluster, "Progressing")[1] == "NewReplicaSetAvailable"
    assert "deployment.kubernetes.io/revision" in by_image(cluster)["nginx:2"]["metadata"]["annotations"]


async def test_recreate_ends_all_old_pods_before_the_first_new_one() -> None:
    cluster = FakeCluster()
    overlaps = []

    def look(*_: object) -> None:
        overlaps.append({pod["spec"]["containers"][0]["image"] for pod in cluster.list(PODS)})

    async with Running(cluster, *LOOPS), FakeNodes(cluster, stop=5):
        await cluster.client().create(DEPLOYMENTS, deployment(replicas=3, strategy={"type": "Recreate"}))
        await settle(5)
        cluster.on_request(look)
        await change(cluster, image("nginx:2"))
        await settle(60)
    assert all(len(images) <= 1 for images in overlaps)
    assert {pod["spec"]["containers"][0]["image"] for pod in cluster.list(PODS)} == {"nginx:2"}
    assert status_of(cluster)["availableReplicas"] == 3
    assert condition(cluster, "Progressing")[1] == "NewReplicaSetAvailable"


async def test_a_rollback_reuses_the_old_replica_set_and_bumps_its_revision() -> None:
    cluster = FakeCluster()
    async with Running(cluster, *LOOPS), FakeNodes(cluster):
        await cluster.client().create(DEPLOYMENTS, deployment(replicas=2))
        await settle(5)
        for name in ("nginx:2", "nginx:1"):
            await change(cluster, image(name))
            await settle(30)
    sets = by_image(cluster)
    assert set(sets) == {"nginx:1", "nginx:2"}
    noted = sets["nginx:1"]["metadata"]["annotations"]
    assert noted["deployment.kubernetes.io/revision"] == "3"
    assert noted["deployment.kubernetes.io/revision-history"] == "1"
    assert sets["nginx:2"]["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"
    revision = cluster.get(DEPLOYMENTS, "default/web")["metadata"]["annotations"]
    assert revision["deployment.kubernetes.io/revision"] == "3"
    assert {pod["spec"]["containers"][0]["image"] for pod in cluster.list(PODS)} == {"nginx:1"}


async def test_a_bad_rollout_stops_and_passes_its_deadline() -> None:
    cluster = FakeCluster()

    def healthy(pod: Obj) -> bool:
        return bool(pod["spec"]["containers"][0]["image"] != "broken")

    async with Running(cluster, *LOOPS), FakeNodes(cluster, healthy=healthy):
        await cluster.client().create(DEPLOYMENTS, deployment(replicas=4, progressDeadlineSeconds=30))
        await settle(5)
        await change(cluster, image("broken"))
        await settle(20)
        assert condition(cluster, "Progressing")[:2] == ("True", "ReplicaSetUpdated")
        assert status_of(cluster)["availableReplicas"] == 3
        await settle(60)
        name = by_image(cluster)["broken"]["metadata"]["name"]
        assert condition(cluster, "Progressing") == (
            "False",
            "ProgressDeadlineExceeded",
            f'ReplicaSet "{name}" has timed out progressing.',
        )
        await change(cluster, image("nginx:3"))
        await settle(30)
    assert condition(cluster, "Progressing")[:2] == ("True", "NewReplicaSetAvailable")
    assert by_image(cluster)["broken"]["spec"]["replicas"] == 0


async def test_scaling_amid_a_rollout_is_proportional() -> None:
    cluster = FakeCluster()
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 3, "maxUnavailable": 2}}

    def healthy(pod: Obj) -> bool:
        return bool(pod["spec"]["containers"][0]["image"] != "broken")

    async with Running(cluster, *LOOPS), FakeNodes(cluster, healthy=healthy):
        await cluster.client().create(DEPLOYMENTS, deployment(replicas=10, strategy=strategy))
        await settle(5)
        await change(cluster, image("broken"))
        await settle(20)
        assert {name: rs["spec"]["replicas"] for name, rs in by_image(cluster).items()} == {"nginx:1": 8, "broken": 5}
        await change(cluster, {"spec": {"replicas": 15}})
        await settle(20)
    # The documentation's example: ten more by 8:5 shares, rounded, the rest to the largest.
    assert {name: rs["spec"]["replicas"] for name, rs in by_image(cluster).items()} == {"nginx:1": 11, "broken": 7}


async def test_a_paused_deployment_scales_but_does_not_roll() -> None:
    cluster = FakeCluster()
    async with Running(cluster, *LOOPS), FakeNodes(cluster):
        await cluster.client().create(DEPLOYMENTS, deployment(replicas=2))
        await settle(5)
        await change(cluster, {"spec": {"paused": True}})
        await settle(5)
        assert condition(cluster, "Progressing") == ("Unknown", "DeploymentPaused", "Deployment is paused")
        await change(cluster, image("nginx:2"))
        await change(cluster, {"spec": {"replicas": 4}})
        await settle(5)
        assert set(by_image(cluster)) == {"nginx:1"}
        assert by_image(cluster)["nginx:1"]["spec"]["replicas"] == 4
        await change(cluster, {"spec": {"paused": None}})
        await settle(30)
    assert by_image(cluster)["nginx:2"]["spec"]["replicas"] == 4
    assert condition(cluster, "Progressing")[1] == "NewReplicaSetAvailable"


async def test_history_is_kept_to_its_limit() -> None:
    cluster = FakeCluster()
    async with Running(cluster, *LOOPS), FakeNodes(cluster):
        await cluster.client().create(DEPLOYMENTS, deployment(replicas=1, revisionHistoryLimit=2))
        for number in range(2, 7):
            await settle(20)
            await change(cluster, image(f"nginx:{number}"))
        await settle(30)
    assert set(by_image(cluster)) == {"nginx:4", "nginx:5", "nginx:6"}


async def test_a_hash_collision_makes_another_name() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    async with Running(cluster, *LOOPS), FakeNodes(cluster):
        await client.create(DEPLOYMENTS, deployment(replicas=1))
        await settle(5)
        taken = cluster.list(RS)[0]["metadata"]["name"]
        await client.delete(DEPLOYMENTS, "web", "default")
        await client.delete(RS, taken, "default")
        await client.create(RS, replicaset(taken, 0, app="someone-else"))
        await client.create(DEPLOYMENTS, deployment(replicas=1))
        await settle(5)
        assert status_of(cluster)["collisionCount"] == 1
        assert status_of(cluster)["availableReplicas"] == 1


async def test_a_stale_cache_does_not_create_a_second_replica_set() -> None:
    cluster = FakeCluster()
    async with Running(cluster, *LOOPS) as (loop, _):
        await cluster.client().create(DEPLOYMENTS, deployment(replicas=1))
        await settle(0.0001)
        with cluster.stale():
            for _ in range(3):
                loop.queue.add("default/web")
                await settle(0.2)
            assert len(cluster.list(RS)) == 1
        await settle()
    assert len(cluster.list(RS)) == 1
    assert "collisionCount" not in status_of(cluster)


async def test_matching_replica_sets_are_adopted_and_others_released() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    await client.create(RS, replicaset("by-hand", 1, app="web"))
    async with Running(cluster, *LOOPS), FakeNodes(cluster):
        await client.create(DEPLOYMENTS, deployment(replicas=1))
        await settle(5)
        adopted = cluster.get(RS, "default/by-hand")
        assert adopted["metadata"].get("ownerReferences") is None  # its own labels do not match: it is not selected
        await client.patch(RS, "by-hand", {"metadata": {"labels": {"app": "web"}}}, "default")
        await settle(5)
        adopted = cluster.get(RS, "default/by-hand")
        assert adopted["metadata"]["ownerReferences"][0]["kind"] == "Deployment"
        # It has the very template: it is the new ReplicaSet's equal, and the older one.
        await client.patch(RS, "by-hand", {"metadata": {"labels": {"app": "else"}}}, "default")
        await settle(5)
        assert "ownerReferences" not in cluster.get(RS, "default/by-hand")["metadata"]


async def test_a_failing_replica_set_shows_in_the_deployment() -> None:
    cluster = FakeCluster()
    refusal = errors.forbidden("pods", "", "", "exceeded quota: q")
    cluster.refuse("create", PODS, refusal)
    async with Running(cluster, *LOOPS):
        await cluster.client().create(DEPLOYMENTS, deployment(replicas=2))
        await settle(5)
    assert condition(cluster, "ReplicaFailure") == ("True", "FailedCreate", refusal.message)
    assert condition(cluster, "Available")[1:] == (
        "MinimumReplicasUnavailable",
        "Deployment does not have minimum availability.",
    )
    assert condition(cluster, "Progressing")[:2] == ("True", "NewReplicaSetCreated")
    assert status_of(cluster)["unavailableReplicas"] == 2


async def test_a_replica_set_that_cannot_be_created_is_reported() -> None:
    cluster = FakeCluster()
    cluster.refuse("create", RS, errors.forbidden("replicasets", "apps", "", "no"), times=1)
    seen = []
    cluster.on_request(lambda request, body: seen.append(body) if body and request.subresource == "status" else None)
    async with Running(cluster, *LOOPS), FakeNodes(cluster):
        await cluster.client().create(DEPLOYMENTS, deployment(replicas=1))
        await settle(5)
    reported = get_condition(seen[0], "Progressing")
    assert reported is not None
    assert (reported["status"], reported["reason"]) == ("False", "ReplicaSetCreateError")
    assert cluster.events("ReplicaSetCreateError")[0].startswith('Failed to create new replica set "web-')
    assert status_of(cluster)["availableReplicas"] == 1


async def test_scaling_up_and_down_is_told_in_events() -> None:
    cluster = FakeCluster()
    async with Running(cluster, *LOOPS), FakeNodes(cluster):
        await cluster.client().create(DEPLOYMENTS, deployment(replicas=1))
        await settle(5)
        await change(cluster, {"spec": {"replicas": 3}})
        await settle(5)
        await change(cluster, {"spec": {"replicas": 0}})
        await settle(5)
    name = cluster.list(RS)[0]["metadata"]["name"]
    assert cluster.events("ScalingReplicaSet") == [
        f"Scaled up replica set {name} from 0 to 1",
        f"Scaled up replica set {name} from 1 to 3",
        f"Scaled down replica set {name} from 3 to 0",
    ]
    assert "availableReplicas" not in status_of(cluster)
    assert condition(cluster, "Available")[0] == "True"


async def test_a_settled_deployment_is_left_alone() -> None:
    cluster = FakeCluster()
    async with Running(cluster, *LOOPS) as (loop, _), FakeNodes(cluster):
        await cluster.client().create(DEPLOYMENTS, deployment(replicas=2))
        await settle(10)
        before, reconciles = cluster.revision, loop.reconciles
        await settle(3600)
        assert cluster.revision == before
        assert loop.reconciles - reconciles <= 2
        loop.queue.add("default/web")
        await settle()
        assert cluster.revision == before


async def test_changing_min_ready_seconds_reaches_the_replica_set() -> None:
    cluster = FakeCluster()
    async with Running(cluster, *LOOPS), FakeNodes(cluster):
        await cluster.client().create(DEPLOYMENTS, deployment(replicas=1))
        await settle(5)
        await change(cluster, {"spec": {"minReadySeconds": 7}})
        await settle(5)
    assert cluster.list(RS)[0]["spec"]["minReadySeconds"] == 7
