"""Garbage collection in the background, in the foreground, and orphaning."""

from __future__ import annotations

import pytest

from cluster.apimachinery.meta import owner_reference
from cluster.client.client import Obj
from cluster.controllers.deployment import DeploymentController
from cluster.controllers.garbagecollector import GarbageCollector
from cluster.controllers.lib.graph import Graph
from cluster.controllers.lib.resources import OWNERSHIP
from cluster.controllers.replicaset import ReplicaSetController
from tests.support.fakecluster import FakeCluster, Running, settle
from tests.support.fakekubelet import FakeNodes
from tests.support.objects import deployment, named, pod, replicaset

pytestmark = pytest.mark.looptime
DEPLOYMENTS, RS, PODS, MAPS = "apps/v1/deployments", "apps/v1/replicasets", "v1/pods", "v1/configmaps"
LOOPS = (GarbageCollector, DeploymentController, ReplicaSetController)


def owned(obj: Obj, *owners: Obj, block: bool = True) -> Obj:
    references = [{**owner_reference(owner, block=block), "controller": False} for owner in owners]
    obj["metadata"]["ownerReferences"] = references
    return obj


async def grown(cluster: FakeCluster, replicas: int = 3) -> None:
    await cluster.client().create(DEPLOYMENTS, deployment(replicas=replicas))
    await settle(5)
    assert len(cluster.list(PODS)) == replicas


async def test_background_deletion_takes_the_owner_first_then_all_below() -> None:
    cluster = FakeCluster()
    async with Running(cluster, *LOOPS), FakeNodes(cluster):
        await grown(cluster, 30)
        created = cluster.count("create", PODS)
        await cluster.client().delete(DEPLOYMENTS, "web", "default", propagation_policy="Background")
        assert not cluster.has(DEPLOYMENTS, "default/web")
        await settle(10)
    assert not cluster.list(RS)
    assert not cluster.list(PODS)
    assert cluster.count("create", PODS) == created


async def test_foreground_deletion_takes_the_owner_last() -> None:
    cluster = FakeCluster()
    gone: list[str] = []
    async with Running(cluster, *LOOPS), FakeNodes(cluster, stop=5):
        await grown(cluster)
        start = len(cluster.log)
        await cluster.client().delete(DEPLOYMENTS, "web", "default", propagation_policy="Foreground")
        await settle(3)
        assert cluster.get(DEPLOYMENTS, "default/web")["metadata"]["finalizers"] == ["foregroundDeletion"]
        await settle(20)
        gone = [entry.new["kind"] for entry in cluster.log[start:] if entry.type == "DELETED"]
    assert gone == ["Pod", "Pod", "Pod", "ReplicaSet", "Deployment"]


async def test_orphaning_leaves_the_dependents_without_the_reference() -> None:
    cluster = FakeCluster()
    async with Running(cluster, *LOOPS), FakeNodes(cluster):
        await grown(cluster)
        await cluster.client().delete(DEPLOYMENTS, "web", "default", propagation_policy="Orphan")
        await settle(10)
    assert not cluster.has(DEPLOYMENTS, "default/web")
    (rs,) = cluster.list(RS)
    assert "ownerReferences" not in rs["metadata"]
    assert len(cluster.list(PODS)) == 3
    assert all(p["metadata"]["ownerReferences"][0]["kind"] == "ReplicaSet" for p in cluster.list(PODS))


async def test_a_dependent_with_another_owner_only_loses_the_reference() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    one = await client.create(MAPS, named("ConfigMap", "one"))
    two = await client.create(MAPS, named("ConfigMap", "two"))
    await client.create(MAPS, owned(named("ConfigMap", "child"), one, two))
    async with Running(cluster, GarbageCollector):
        await client.delete(MAPS, "one", "default")
        await settle(5)
        references = cluster.get(MAPS, "default/child")["metadata"]["ownerReferences"]
        assert [reference["name"] for reference in references] == ["two"]
        await client.delete(MAPS, "two", "default")
        await settle(5)
    assert not cluster.has(MAPS, "default/child")


async def test_an_owner_that_never_was_does_not_keep_anything() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    ghost = named("ConfigMap", "ghost", "default")
    ghost["metadata"]["uid"] = "no-such-uid"
    await client.create(MAPS, owned(named("ConfigMap", "child"), ghost))
    async with Running(cluster, GarbageCollector):
        await settle(5)
    assert not cluster.has(MAPS, "default/child")


async def test_a_new_owner_of_the_same_name_does_not_inherit() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    first = await client.create(MAPS, named("ConfigMap", "owner"))
    await client.create(MAPS, owned(named("ConfigMap", "child"), first))
    async with Running(cluster, GarbageCollector):
        await settle()
        await client.delete(MAPS, "owner", "default")
        await client.create(MAPS, named("ConfigMap", "owner"))
        await settle(5)
    assert cluster.has(MAPS, "default/owner")
    assert not cluster.has(MAPS, "default/child")


async def test_an_owner_in_another_namespace_is_no_owner() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    foreign = await client.create(MAPS, named("ConfigMap", "owner", "elsewhere"))
    await client.create(MAPS, owned(named("ConfigMap", "child"), foreign))
    await client.create(MAPS, owned(named("ConfigMap", "sibling", "elsewhere"), foreign))
    async with Running(cluster, GarbageCollector):
        await settle(5)
    assert not cluster.has(MAPS, "default/child")
    assert cluster.has(MAPS, "elsewhere/sibling")


async def test_an_owner_of_an_unknown_kind_keeps_its_dependents() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    thing = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "t", "uid": "u"}}
    await client.create(MAPS, owned(named("ConfigMap", "child"), thing))
    async with Running(cluster, GarbageCollector):
        await settle(120)
    assert cluster.has(MAPS, "default/child")


async def test_a_just_created_owner_that_the_cache_does_not_show_is_looked_up() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    async with Running(cluster, GarbageCollector) as (loop,):
        with cluster.stale():
            rs = await client.create(RS, replicaset(replicas=0))
            child = owned(pod("child"), rs)
            stored = await client.create(PODS, child)
            resource = next(info for info in OWNERSHIP if info.path == PODS)
            loop.graph.observe(resource, None, stored)  # type: ignore[attr-defined]
            loop.queue.add(f"default/{rs['metadata']['uid']}")
            await settle(1)
            assert cluster.count("get", RS, "generic-garbage-collector") == 1
        await settle(2)
    assert cluster.has(PODS, "default/child")


async def test_a_circle_of_foreground_deletions_is_broken() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    one = await client.create(MAPS, named("ConfigMap", "one"))
    two = await client.create(MAPS, owned(named("ConfigMap", "two"), one))
    await client.patch(
        MAPS, "one", {"metadata": owned(named("ConfigMap", "x"), two)["metadata"] | {"name": "one"}}, "default"
    )
    async with Running(cluster, GarbageCollector):
        await settle()
        await client.delete(MAPS, "one", "default", propagation_policy="Foreground")
        await settle(30)
    assert not cluster.list(MAPS)


async def test_an_adopted_object_is_not_deleted_on_stale_knowledge() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    one = await client.create(MAPS, named("ConfigMap", "one"))
    two = await client.create(MAPS, named("ConfigMap", "two"))
    await client.create(MAPS, owned(named("ConfigMap", "child"), one))
    async with Running(cluster, GarbageCollector) as (loop,):
        await settle()
        with cluster.stale():
            await client.delete(MAPS, "one", "default")
            patch = {
                "metadata": {"ownerReferences": owned(named("ConfigMap", "c"), two)["metadata"]["ownerReferences"]}
            }
            await client.patch(MAPS, "child", patch, "default")
            loop.graph.nodes.pop(one["metadata"]["uid"])  # type: ignore[attr-defined]
            loop.queue.add(f"default/{one['metadata']['uid']}")
            await settle(1)
            assert loop.queue.retries > 0
        await settle(5)
    assert cluster.has(MAPS, "default/child")


def test_the_graph_names_the_owners_to_look_at() -> None:
    graph, maps = Graph(), next(info for info in OWNERSHIP if info.path == MAPS)
    owner = named("ConfigMap", "owner")
    owner["metadata"]["uid"] = "o"
    child = owned(named("ConfigMap", "child"), owner)
    child["metadata"]["uid"] = "c"
    assert set(graph.observe(maps, None, child)) == {"o"}
    assert set(graph.observe(maps, None, owner)) == set()
    assert graph.blocking("o")
    assert set(graph.observe(maps, owner, None)) == {"o"}
    loose = {**child, "metadata": {**child["metadata"], "ownerReferences": []}}
    assert set(graph.observe(maps, child, loose)) == {"o"}
    assert not graph.has_dependents("o")
