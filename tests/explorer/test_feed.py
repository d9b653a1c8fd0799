"""What a browser is told of objects: exact cuts, coalesced, resumed where it was, bounded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cluster.apimachinery.errors import StatusError, gone
from cluster.client.client import ObjectList
from cluster.explorer.feed import Cut, Feed
from tests.support.fakeclient import FakeClient
from tests.support.fakecluster import FakeCluster

PODS, MAPS = "v1/pods", "v1/configmaps"


def pod(name: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "default", "labels": labels}, "spec": {"containers": []}}


@pytest.fixture
async def fake() -> FakeCluster:
    return FakeCluster()


@pytest.fixture
async def feed(fake: FakeCluster) -> AsyncIterator[Feed]:
    feed = Feed(FakeClient(fake, "alice"), lambda: fake.revision)
    yield feed
    await feed.close()


async def next_cut(feed: Feed) -> Cut:
    while (cut := await feed.cut()) is None:
        pass
    return cut


def told(cut: Cut) -> dict[str, list[tuple[str, str]]]:
    return {part.resource: [(kind, obj["metadata"]["name"]) for kind, obj in part.events] for part in cut.parts}


async def test_first_a_snapshot_then_what_changed(fake: FakeCluster, feed: Feed) -> None:
    client = FakeClient(fake, "admin")
    await client.create(PODS, pod("a"))
    feed.want(PODS)
    first = await next_cut(feed)
    assert [[obj["metadata"]["name"] for obj in part.snapshot or []] for part in first.parts] == [["a"]]
    await client.create(PODS, pod("b"))
    await client.delete(PODS, "a", "default")
    cut = await next_cut(feed)
    assert cut.revision == fake.revision
    assert told(cut) == {PODS: [("ADDED", "b"), ("DELETED", "a")]}
    assert (await next_cut(feed)).parts == []


async def test_only_the_newest_state_of_an_object_waits(fake: FakeCluster, feed: Feed) -> None:
    client = FakeClient(fake, "admin")
    feed.want(PODS)
    await next_cut(feed)
    await client.create(PODS, pod("a"))
    for turn in range(20):
        await client.patch(PODS, "a", {"metadata": {"labels": {"turn": str(turn)}}}, "default")
    (part,) = (await next_cut(feed)).parts
    assert len(part.events) == 1
    assert part.events[0][1]["metadata"]["labels"] == {"turn": "19"}


async def test_a_cut_is_one_state_of_all_resources(fake: FakeCluster, feed: Feed) -> None:
    """Each turn writes a ConfigMap, then a pod: a pod whose ConfigMap is not there never was."""
    client = FakeClient(fake, "admin")
    feed.want(PODS)
    feed.want(MAPS)
    await next_cut(feed)

    async def write() -> None:
        for turn in range(200):
            await client.create(MAPS, {"metadata": {"name": f"x-{turn}", "namespace": "default"}, "data": {}})
            await client.create(PODS, pod(f"x-{turn}"))

    writing = asyncio.create_task(write())
    seen: dict[str, set[str]] = {PODS: set(), MAPS: set()}
    cuts = 0
    while len(seen[PODS]) < 200:
        cut = await next_cut(feed)
        cuts += bool(cut.parts)
        for resource, events in told(cut).items():
            seen[resource] |= {name for _, name in events}
        assert seen[PODS] <= seen[MAPS]
        assert len(seen[MAPS]) - len(seen[PODS]) <= 1
    await writing
    assert cuts > 5, "the cuts were taken while things changed"


async def test_who_comes_back_gets_what_changed_since(fake: FakeCluster, feed: Feed) -> None:
    client = FakeClient(fake, "admin")
    await client.create(PODS, pod("kept"))
    await client.create(PODS, pod("goes"))
    known = fake.revision
    await client.delete(PODS, "goes", "default")
    await client.create(PODS, pod("comes"))
    feed.want(PODS, known)
    (part,) = (await next_cut(feed)).parts
    assert part.snapshot is None
    assert [(kind, obj["metadata"]["name"]) for kind, obj in part.events] == [("DELETED", "goes"), ("ADDED", "comes")]


class Forgetful(FakeClient):
    """A log that has been compacted up to now."""

    async def watch(self, resource: str, *arguments: Any, resource_version: str = "", **options: Any) -> Any:
        if int(resource_version) < self.cluster.revision:
            raise gone("too old resource version")
        async for batch in super().watch(resource, *arguments, resource_version=resource_version, **options):
            yield batch


async def test_who_was_away_too_long_gets_everything_anew(fake: FakeCluster) -> None:
    client = FakeClient(fake, "admin")
    await client.create(PODS, pod("goes"))
    known = fake.revision
    await client.delete(PODS, "goes", "default")
    await client.create(PODS, pod("here"))
    feed = Feed(Forgetful(fake, "alice"), lambda: fake.revision)
    feed.want(PODS, known)
    (part,) = (await next_cut(feed)).parts
    assert [obj["metadata"]["name"] for obj in part.snapshot or []] == ["here"], "what went meanwhile is not in it"
    await feed.close()


class Refusing(FakeClient):
    async def list(self, resource: str, *arguments: Any, **options: Any) -> ObjectList:
        if resource == MAPS:
            raise StatusError(403, "Forbidden", "configmaps is forbidden")
        return await super().list(resource, *arguments, **options)


async def test_what_is_refused_does_not_hold_up_the_rest(fake: FakeCluster) -> None:
    await FakeClient(fake, "admin").create(PODS, pod("a"))
    feed = Feed(Refusing(fake, "alice"), lambda: fake.revision)
    feed.want(MAPS)
    feed.want(PODS)
    assert [part.resource for part in (await next_cut(feed)).parts] == [PODS]
    assert feed.refused == {MAPS: "configmaps is forbidden"}
    await feed.close()


class Confined(FakeClient):
    """Somebody with rights in some namespaces only."""

    allowed: frozenset[str] = frozenset({"default"})

    def _refuse(self, resource: str, namespace: str) -> None:
        if namespace not in self.allowed:
            raise StatusError(403, "Forbidden", f"{resource} is forbidden in {namespace or 'the cluster'}")

    async def get(self, resource: str, name: str, namespace: str = "", **options: Any) -> Any:
        self._refuse(resource, name if resource == "v1/namespaces" else namespace)
        return await super().get(resource, name, namespace, **options)

    async def list(self, resource: str, namespace: str = "", **options: Any) -> ObjectList:
        self._refuse(resource, namespace)
        return await super().list(resource, namespace, **options)

    async def watch(self, resource: str, namespace: str = "", **options: Any) -> Any:
        self._refuse(resource, namespace)
        async for batch in super().watch(resource, namespace, **options):
            yield batch


def in_namespace(name: str, namespace: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {"containers": []}}


async def confined(fake: FakeCluster, *namespaces: str) -> tuple[Feed, Confined, FakeClient]:
    client, admin = Confined(fake, "carol"), FakeClient(fake, "admin")
    for namespace in ("default", "other"):
        await admin.create("v1/namespaces", {"metadata": {"name": namespace}})
        await admin.create(PODS, in_namespace("first", namespace))
    return Feed(client, lambda: fake.revision, namespaces), client, admin


async def test_who_may_not_see_everywhere_sees_where_they_may(fake: FakeCluster) -> None:
    feed, _, admin = await confined(fake, "default", "other")
    for resource in (PODS, "v1/namespaces", "v1/nodes"):
        feed.want(resource)
    parts = {part.resource: part for part in (await next_cut(feed)).parts}
    assert [pod["metadata"]["namespace"] for pod in parts[PODS].snapshot or []] == ["default"]
    assert parts[PODS].within == ["default"]
    assert [one["metadata"]["name"] for one in parts["v1/namespaces"].snapshot or []] == ["default"]
    for namespace in ("default", "other"):
        await admin.create(PODS, in_namespace("second", namespace))
    (part,) = (await next_cut(feed)).parts
    assert [(kind, obj["metadata"]["namespace"]) for kind, obj in part.events] == [("ADDED", "default")]
    await feed.close()


async def test_with_more_rights_there_is_more_to_see_and_with_fewer_less(fake: FakeCluster) -> None:
    feed, client, _ = await confined(fake)
    feed.want(PODS)
    assert (await next_cut(feed)).parts == []
    assert list(feed.refused) == [PODS]
    feed.refused.clear()
    await feed.look_again(["default", "other"])
    client.allowed = frozenset({"default", "other"})
    (part,) = (await next_cut(feed)).parts
    assert [pod["metadata"]["namespace"] for pod in part.snapshot or []] == ["default", "other"]
    client.allowed = frozenset({"other"})
    await feed.look_again(["other"])
    (part,) = (await next_cut(feed)).parts
    assert [pod["metadata"]["namespace"] for pod in part.snapshot or []] == ["other"]
    client.allowed = frozenset()
    await feed.look_again([])
    (part,) = (await next_cut(feed)).parts
    assert (part.snapshot, part.within) == ([], None), "what they may no longer see is taken away"
    assert list(feed.refused) == [PODS]
    await feed.close()


async def test_who_comes_back_with_fewer_rights_keeps_nothing(fake: FakeCluster) -> None:
    feed, client, _ = await confined(fake)
    client.allowed = frozenset()
    feed.want(PODS, fake.revision)
    (part,) = (await next_cut(feed)).parts
    assert part.snapshot == []
    await feed.close()
