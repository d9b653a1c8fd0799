"""Journeys: trees by id alone, kept over a restart, reads never pushing out writes."""

from __future__ import annotations

import asyncio
import threading

import pytest

from cluster.journeys import store as store_module
from cluster.journeys import trace
from cluster.journeys.store import JourneyStore
from cluster.journeys.trace import Journey, recorder

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


def outside(verb="create", actor="alice"):
    journey = Journey("request", "apiserver")
    journey.origin, journey.verb, journey.actor = "outside", verb, actor
    journey.add("authn", journey.start, detail={"user": actor})
    return journey


async def test_a_child_knows_its_root_by_its_id():
    root = Journey("request", "apiserver")
    child = Journey("reconcile", "deployment", (root.id,))
    grandchild = Journey("request", "apiserver", (child.id, "other.1"))
    assert {child.root, grandchild.root} == {root.id}
    assert len({root.id, child.id, grandchild.id}) == 3
    assert grandchild.causes == (child.id, "other.1")


async def test_a_tree_survives_a_restart():
    store = JourneyStore()
    await store.start()
    root = outside()
    root.finish(code=201)
    with trace.working_on(root):
        child = Journey("reconcile", "deployment", trace.current_causes())
        child.finish()
    await store.stop()
    late = Journey("sync", "kubelet/node-1", (child.id,))

    again = JourneyStore()
    await again.start()
    late.finish()
    assert [summary["id"] for summary in again.recent()] == [root.id]
    tree = await again.tree(root.id)
    assert [journey["id"] for journey in tree] == [root.id, child.id, late.id]
    assert tree[0]["spans"][0]["detail"] == {"user": "alice"}
    await again.stop()


async def test_a_tree_that_is_just_being_written_is_there_all_the_while(monkeypatch):
    store = JourneyStore()
    await store.start()
    root = outside()
    root.finish(code=201)
    began, go_on = threading.Event(), threading.Event()
    pack = store_module._pack

    def slow(work):
        began.set()
        assert go_on.wait(10)
        return pack(work)

    monkeypatch.setattr(store_module, "_pack", slow)
    flushing = asyncio.ensure_future(store.flush())
    await asyncio.to_thread(began.wait, 10)
    assert [journey["id"] for journey in await store.tree(root.id)] == [root.id]
    go_on.set()
    await flushing
    assert [journey["id"] for journey in await store.tree(root.id)] == [root.id]
    await store.stop()


async def test_reads_do_not_push_out_writes(monkeypatch):
    monkeypatch.setattr(store_module, "KEPT_READS", 10)
    store = JourneyStore()
    await store.start()
    write = outside()
    write.finish(code=201)
    for _ in range(100):
        outside("get").finish(code=200)
    await store.flush()
    summaries = store.recent(limit=500)
    assert write.id in {summary["id"] for summary in summaries}
    assert sum(summary["verb"] == "get" for summary in summaries) <= 10
    assert await store.tree(write.id)
    await store.stop()


async def test_what_was_looked_at_before_it_was_written_survives_a_restart_too():
    store = JourneyStore()
    await store.start()
    read, write = outside("get"), outside()
    read.finish(code=200)
    write.finish(code=201)
    assert [summary["id"] for summary in store.recent()] == [write.id, read.id]
    await store.stop()

    again = JourneyStore()
    await again.start()
    assert [summary["id"] for summary in again.recent()] == [write.id, read.id]
    assert [len(await again.tree(one.id)) for one in (read, write)] == [1, 1]
    await again.stop()


async def test_what_follows_from_a_read_stands_in_its_tree():
    store = JourneyStore()
    await store.start()
    read = outside("get")
    read.finish(code=200)
    child = Journey("request", "apiserver", (read.id,))
    child.finish(code=200)
    assert [journey["id"] for journey in await store.tree(read.id)] == [read.id, child.id]
    await store.flush(reads=False)
    assert [journey["id"] for journey in await store.tree(read.id)] == [read.id, child.id]
    await store.stop()


async def test_people_see_their_own():
    store = JourneyStore(persist=False)
    await store.start()
    mine, other = outside(actor="alice"), outside(actor="bob")
    mine.finish()
    other.finish()
    assert [summary["id"] for summary in store.recent(actor="alice")] == [mine.id]
    assert store.actor_of(other.id) == "bob"
    await store.stop()


async def test_an_exception_marks_its_span():
    journey = Journey("sync", "kubelet/n")
    with pytest.raises(RuntimeError, match="no such image"), journey.span("pull"):
        raise RuntimeError("no such image")
    assert (journey.spans[0].outcome, journey.spans[0].detail) == ("error", {"message": "no such image"})


async def test_nothing_is_recorded_when_switched_off():
    store = JourneyStore(persist=False)
    await store.start()
    recorder.enabled = False
    try:
        outside().finish()
    finally:
        recorder.enabled = True
    assert store.recent() == []
    await store.stop()


async def test_large_details_are_kept_as_what_they_show():
    class Verdicts:
        large = True

        def as_detail(self):
            return {"node-1": {"total": 7}}

    store = JourneyStore()
    await store.start()
    root = outside()
    root.add("score", root.start, detail=Verdicts())
    before = root.as_dict()
    root.finish(code=201)
    await store.flush()
    assert not isinstance(root.spans[1].detail, Verdicts)
    assert root.as_dict()["spans"] == before["spans"] == (await store.tree(root.id))[0]["spans"]
    await store.stop()
