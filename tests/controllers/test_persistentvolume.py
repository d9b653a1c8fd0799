"""Claims and volumes: binding, provisioning, reclaiming, protection while in use."""

from __future__ import annotations

from typing import Any

import pytest

from cluster.client.client import Obj
from cluster.controllers.persistentvolume import CLAIMS, CLASSES, VOLUMES, PersistentVolumeController
from cluster.controllers.volumeprotection import ClaimProtectionController, VolumeProtectionController
from tests.support.fakecluster import FakeCluster, Running, settle
from tests.support.fakekubelet import bind, finish_deletion
from tests.support.objects import named, pod

PODS = "v1/pods"
LOOPS = (PersistentVolumeController, ClaimProtectionController, VolumeProtectionController)


def claim(name: str = "data", size: str = "1Gi", **spec: Any) -> Obj:
    body = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}, **spec}
    obj = named("PersistentVolumeClaim", name, "default", spec=body, status={"phase": "Pending"})
    obj["metadata"]["finalizers"] = ["kubernetes.io/pvc-protection"]
    return obj


def volume(name: str, size: str = "1Gi", **spec: Any) -> Obj:
    body = {
        "capacity": {"storage": size},
        "accessModes": ["ReadWriteOnce"],
        "persistentVolumeReclaimPolicy": "Retain",
        **spec,
    }
    obj = named("PersistentVolume", name, spec=body)
    obj["metadata"]["finalizers"] = ["kubernetes.io/pv-protection"]
    return obj


def storage_class(name: str = "standard", mode: str = "Immediate", provisioner: str = "sim.kubeweb.dev/disk") -> Obj:
    obj = named("StorageClass", name, "", "storage.k8s.io/v1", provisioner=provisioner, reclaimPolicy="Delete")
    return {**obj, "volumeBindingMode": mode}


async def created(cluster: FakeCluster, *objects: Obj) -> None:
    resources = {"PersistentVolumeClaim": CLAIMS, "PersistentVolume": VOLUMES, "StorageClass": CLASSES, "Pod": PODS}
    for obj in objects:
        if obj["kind"] == "StorageClass":
            obj["metadata"]["namespace"] = ""
        await cluster.client().create(resources[obj["kind"]], obj)
    await settle(1)


def phases(cluster: FakeCluster) -> dict[str, str]:
    return {
        obj["metadata"]["name"]: (obj.get("status") or {}).get("phase", "")
        for resource in (CLAIMS, VOLUMES)
        for obj in cluster.list(resource)
    }


@pytest.mark.looptime
async def test_the_smallest_volume_that_does() -> None:
    cluster = FakeCluster()
    async with Running(cluster, *LOOPS):
        await created(cluster, volume("big", "10Gi"), volume("fits", "2Gi"), volume("small", "500Mi"))
        assert phases(cluster) == {"big": "Available", "fits": "Available", "small": "Available"}
        await created(cluster, claim())
        assert phases(cluster) == {"data": "Bound", "big": "Available", "fits": "Bound", "small": "Available"}
        found = cluster.get(CLAIMS, "default/data")
        assert found["spec"]["volumeName"] == "fits" and found["status"]["capacity"] == {"storage": "2Gi"}
        assert found["metadata"]["annotations"]["pv.kubernetes.io/bind-completed"] == "yes"
        assert cluster.get(VOLUMES, "fits")["spec"]["claimRef"]["uid"] == found["metadata"]["uid"]


@pytest.mark.looptime
async def test_a_claim_without_class_waits_for_a_volume() -> None:
    cluster = FakeCluster()
    async with Running(cluster, *LOOPS):
        await created(cluster, claim())
        assert phases(cluster) == {"data": "Pending"}
        text = "no persistent volumes available for this claim and no storage class is set"
        assert text in cluster.events("FailedBinding")
        await created(cluster, volume("late", accessModes=["ReadOnlyMany"]))
        assert phases(cluster)["data"] == "Pending"
        await created(cluster, volume("good"))
        assert phases(cluster)["data"] == "Bound"


@pytest.mark.looptime
async def test_a_class_makes_volumes_and_takes_them_back() -> None:
    cluster = FakeCluster()
    async with Running(cluster, *LOOPS):
        await created(cluster, claim(storageClassName="standard"))
        assert cluster.events("ProvisioningFailed") == ['storageclass.storage.k8s.io "standard" not found']
        await created(cluster, storage_class())
        uid = cluster.get(CLAIMS, "default/data")["metadata"]["uid"]
        assert phases(cluster) == {"data": "Bound", f"pvc-{uid}": "Bound"}
        assert cluster.events("ProvisioningSucceeded") == [f"Successfully provisioned volume pvc-{uid}"]
        await cluster.client().delete(CLAIMS, "data", "default")
        await settle(1)
        assert phases(cluster) == {}


@pytest.mark.looptime
async def test_retained_volumes_are_released_and_stay() -> None:
    cluster = FakeCluster()
    async with Running(cluster, *LOOPS):
        await created(cluster, volume("kept"), claim())
        await cluster.client().delete(CLAIMS, "data", "default")
        await settle(1)
        assert phases(cluster) == {"kept": "Released"}
        await created(cluster, claim("other"))
        assert phases(cluster) == {"kept": "Released", "other": "Pending"}


@pytest.mark.looptime
async def test_some_classes_wait_for_the_first_consumer() -> None:
    cluster = FakeCluster()
    async with Running(cluster, *LOOPS):
        await created(cluster, storage_class(mode="WaitForFirstConsumer"), claim(storageClassName="standard"))
        assert phases(cluster) == {"data": "Pending"}
        assert cluster.events("WaitForFirstConsumer") == ["waiting for first consumer to be created before binding"]
        user = pod("user")
        user["spec"]["volumes"] = [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]
        await created(cluster, user)
        assert cluster.events("WaitForPodScheduled") == ["waiting for pod user to be scheduled"]
        # A free volume is not taken either, before the scheduler has said for where.
        await created(cluster, volume("free", storageClassName="standard"))
        assert phases(cluster)["data"] == "Pending"
        selected = {"metadata": {"annotations": {"volume.kubernetes.io/selected-node": "node-1"}}}
        await cluster.client().patch(CLAIMS, "data", selected, "default")
        await settle(1)
        assert phases(cluster)["data"] == "Bound"


@pytest.mark.looptime
async def test_a_claim_in_use_goes_when_its_pod_has_gone() -> None:
    cluster = FakeCluster()
    async with Running(cluster, *LOOPS):
        user = pod("user")
        user["spec"]["volumes"] = [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]
        await created(cluster, volume("v"), claim(), user)
        await bind(cluster.client(), cluster.get(PODS, "default/user"))
        await cluster.client().delete(CLAIMS, "data", "default")
        await settle(5)
        assert "deletionTimestamp" in cluster.get(CLAIMS, "default/data")["metadata"]
        await finish_deletion(cluster.client(), cluster.get(PODS, "default/user"))
        await settle(1)
        assert not cluster.has(CLAIMS, "default/data")


@pytest.mark.looptime
async def test_foreign_provisioners_are_waited_for_and_lost_volumes_told() -> None:
    cluster = FakeCluster()
    async with Running(cluster, *LOOPS):
        foreign = storage_class("fast", provisioner="ebs.csi.aws.com")
        await created(cluster, foreign, claim(storageClassName="fast"), volume("v"), claim("mine"))
        assert "external provisioner 'ebs.csi.aws.com'" in cluster.events("ExternalProvisioning")[0]
        assert phases(cluster)["mine"] == "Bound"
        client = cluster.client()
        await client.patch(VOLUMES, "v", {"metadata": {"finalizers": None}})
        await client.delete(VOLUMES, "v")
        await settle(1)
        assert phases(cluster)["mine"] == "Lost"
        assert "lost its PersistentVolume" in cluster.events("ClaimLost")[0]


@pytest.mark.looptime
async def test_a_volume_deleted_while_bound_goes_when_its_claim_has_gone() -> None:
    cluster = FakeCluster()
    async with Running(cluster, *LOOPS):
        await created(cluster, volume("disk"), claim())
        await cluster.client().delete(VOLUMES, "disk")
        await settle(1)
        assert phases(cluster) == {"data": "Bound", "disk": "Bound"}, "protected while its claim holds it"
        await cluster.client().delete(CLAIMS, "data", "default")
        await settle(1)
        assert phases(cluster) == {}
