"""What is in use is not removed."""

from __future__ import annotations

import pytest

from cluster.controllers.volumeprotection import ClaimProtectionController, VolumeProtectionController
from tests.support.fakecluster import FakeCluster, Running, settle
from tests.support.objects import named, pod

CLAIMS, VOLUMES, PODS = "v1/persistentvolumeclaims", "v1/persistentvolumes", "v1/pods"


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("node", "phase", "kept"), [("n", "Running", True), ("", "Pending", False), ("n", "Succeeded", False)]
)
async def test_a_claim_stays_while_a_pod_that_runs_uses_it(node: str, phase: str, kept: bool) -> None:
    cluster = FakeCluster()
    client = cluster.client()
    async with Running(cluster, ClaimProtectionController):
        body = pod("p")
        body["spec"]["volumes"] = [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]
        if node:
            body["spec"]["nodeName"] = node
        await client.create(PODS, body | {"status": {"phase": phase}})
        claim = named("PersistentVolumeClaim", "c", "default", spec={})
        claim["metadata"]["finalizers"] = ["kubernetes.io/pvc-protection"]
        await client.create(CLAIMS, claim)
        await client.delete(CLAIMS, "c", "default")
        await settle(1)
        assert cluster.has(CLAIMS, "default/c") is kept
        if kept:
            await client.delete(PODS, "p", "default", grace_period_seconds=0)
            await settle(1)
            assert not cluster.has(CLAIMS, "default/c")


@pytest.mark.looptime
async def test_a_volume_stays_while_it_is_bound() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    async with Running(cluster, VolumeProtectionController):
        volume = named("PersistentVolume", "v", spec={}, status={"phase": "Bound"})
        volume["metadata"]["finalizers"] = ["kubernetes.io/pv-protection"]
        await client.create(VOLUMES, volume)
        await client.delete(VOLUMES, "v")
        await settle(1)
        assert cluster.has(VOLUMES, "v")
        await client.patch(VOLUMES, "v", {"status": {"phase": "Released"}})
        await settle(1)
        assert not cluster.has(VOLUMES, "v")
