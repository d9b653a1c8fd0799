"""Watches: every change once, in order, whatever the watcher's place; selections enter and leave."""

from __future__ import annotations

import asyncio

import pytest

from cluster.apimachinery.errors import StatusError
from cluster.apiserver.storage import cache
from cluster.apiserver.storage.selecting import select
from cluster.apiserver.storage.selection import Selection
from cluster.apiserver.storage.watching import Watch

pytestmark = pytest.mark.asyncio


def seen(events):
    return [(event.type, event.change.entry.key[1], event.change.revision) for event in events]


async def test_a_watch_sees_what_follows_its_revision(storage, put):
    first = await put("a/one")
    watch = Watch(storage, "pods", Selection())
    watch.start(first.revision)
    await put("a/two")
    await put("a/one", phase="Running")
    await put("a/two", delete=True)
    assert seen(await watch.next()) == [("ADDED", "two", 2), ("MODIFIED", "one", 3), ("DELETED", "two", 4)]


@pytest.fixture
def short(storage, monkeypatch):
    """A stream that keeps four changes, however fresh."""
    monkeypatch.setattr(cache, "STREAM_LENGTH", 4)
    monkeypatch.setattr(cache, "FRESH", 0.0)
    storage.cache("pods").stream.room = 4


async def test_a_watch_from_the_past_reads_the_log_and_joins_the_stream(storage, put, short):
    for number in range(40):
        await put(f"a/p{number}")
    assert storage.cache("pods").stream.floor > 20
    watch = Watch(storage, "pods", Selection())
    watch.start(0)
    found = []
    while len(found) < 40:
        found += seen(await watch.next())
    assert [revision for *_, revision in found] == list(range(1, 41))
    await put("a/last")
    assert seen(await watch.next()) == [("ADDED", "last", 41)]


async def test_a_waiting_watch_is_woken_and_times_out(storage, put):
    watch = Watch(storage, "pods", Selection("a"))
    watch.start(storage.revision)
    waiting = asyncio.ensure_future(watch.next())
    await asyncio.sleep(0)
    await put("b/other")
    await put("a/mine")
    assert seen(await waiting) == [("ADDED", "mine", 2)]
    assert await watch.next(timeout=0.01) == []


async def test_a_cancellation_that_comes_with_the_doorbell_is_heard(storage, put):
    watch = Watch(storage, "pods", Selection())
    watch.start((await put("a/one")).revision)
    waiting = asyncio.ensure_future(watch.next(600.0))
    await asyncio.sleep(0)
    for bell in list(watch._stream.bells):
        bell.set_result(None)
    waiting.cancel()
    done, _ = await asyncio.wait({waiting}, timeout=30)
    assert done and waiting.cancelled()


async def test_entering_and_leaving_a_selection(storage, put):
    watch = Watch(storage, "pods", Selection("", "app=web"))
    watch.start(0)
    await put("a/x", labels={"app": "db"})
    await put("a/x", labels={"app": "web"})
    await put("a/x", labels={"app": "web"}, phase="Running")
    await put("a/x", labels={"app": "db"})
    await put("a/x", delete=True)
    events = await watch.next()
    assert [(kind, revision) for kind, _, revision in seen(events)] == [("ADDED", 2), ("MODIFIED", 3), ("DELETED", 4)]
    left = events[-1].change.final("DELETED").obj
    assert left["metadata"]["labels"] == {"app": "web"}, "leaving shows the state before"
    assert left["metadata"]["resourceVersion"] == "4", "as of the change that made it leave"


async def test_entering_and_leaving_a_selection_as_the_log_tells_it(storage, put, short):
    await put("a/x", labels={"app": "db"})
    await put("a/x", labels={"app": "web"})
    await put("a/x", labels={"app": "web"}, phase="Running")
    await put("a/x", labels={"app": "db"})
    for number in range(20):
        await put(f"b/other{number}")
        await storage.write("nodes", ("", f"n{number}"), {"metadata": {"name": f"n{number}"}}, "create", 0, "j")
    assert storage.cache("pods").stream.floor > 4
    watch = Watch(storage, "pods", Selection("", "app=web"))
    watch.start(0)
    events = await watch.next()
    assert [(kind, revision) for kind, _, revision in seen(events)] == [("ADDED", 2), ("MODIFIED", 3), ("DELETED", 4)]
    assert events[-1].change.final("DELETED").obj["metadata"] | {"uid": ""} == {
        "namespace": "a",
        "name": "x",
        "labels": {"app": "web"},
        "resourceVersion": "4",
        "uid": "",
    }
    assert await watch.next(timeout=0.01) == []
    assert watch.bookmark == storage.revision


async def test_a_burst_of_small_changes_stays_in_memory_while_it_is_fresh(storage, put):
    watch = Watch(storage, "pods", Selection())
    watch.start(0)
    for number in range(4 * cache.STREAM_LENGTH):
        await put(f"a/p{number}")
    stream = storage.cache("pods").stream
    assert (stream.floor, len(stream.changes)) == (0, 4 * cache.STREAM_LENGTH)
    for change in stream.changes:
        change.at -= cache.FRESH
    for number in range(2 * stream.room - len(stream.changes) + 1):
        await put(f"b/p{number}")
    assert (stream.room, len(stream.changes)) == (cache.STREAM_LENGTH, cache.STREAM_LENGTH)


async def test_a_triggered_watch_reads_only_its_own_stream(storage, put):
    watch = Watch(storage, "pods", Selection("", "", "spec.nodeName=n1"))
    watch.start(0)
    await put("a/elsewhere", node="n2")
    await put("a/pending")
    await put("a/pending", node="n1")
    await put("a/pending", node="n1", delete=True)
    assert seen(await watch.next()) == [("ADDED", "pending", 3), ("DELETED", "pending", 4)]
    assert len(storage.cache("pods").triggered["n1"].changes) == 2


async def test_below_the_compacted_revision_is_gone(storage, put):
    for _ in range(5):
        await put("a/x", n=_)
    await storage.log.compact(4)
    watch = Watch(storage, "pods", Selection())
    with pytest.raises(StatusError) as failure:
        watch.start(2)
    assert (failure.value.code, failure.value.reason) == (410, "Expired")


async def test_the_cache_is_warm_after_a_restart(storage, put):
    await put("a/one")
    await put("a/two")
    await put("a/one", phase="Running")
    await put("a/two", delete=True)
    await storage.close()
    reopened = type(storage)(storage.log)
    await reopened.open()
    assert reopened.revision == 4
    assert [entry.key for entry in select(reopened, "pods", Selection())] == [("a", "one")]
    pod = reopened.get("pods", "a", "one")
    assert pod["status"] == {"phase": "Running"}
    assert pod["metadata"]["resourceVersion"] == "3"


async def test_changes_in_memory_are_bounded_in_bytes_and_who_lags_reads_the_log(storage, put, monkeypatch):
    monkeypatch.setattr(cache, "STREAM_BYTES", 4_000)
    slow = Watch(storage, "pods", Selection())
    slow.start(0)
    for number in range(40):
        await put(f"a/p{number}", labels={"large": "x" * 500})
    stream = storage.cache("pods").stream
    assert stream.size == sum(change.size for change in stream.changes)
    assert 0 < stream.size <= 8_000
    found = []
    while len(found) < 40:
        found += seen(await slow.next())
    assert [revision for *_, revision in found] == list(range(1, 41))


async def test_a_change_larger_than_all_room_still_reaches_who_waits(storage, put, monkeypatch):
    monkeypatch.setattr(cache, "STREAM_BYTES", 10)
    watch = Watch(storage, "pods", Selection())
    watch.start(storage.revision)
    for number in range(3):
        await put(f"a/p{number}")
        assert seen(await watch.next()) == [("ADDED", f"p{number}", number + 1)]
