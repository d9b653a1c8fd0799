"""The work queue: once per key, never twice at a time, sooner timer wins, causes kept."""

from __future__ import annotations

import asyncio

import pytest

from cluster import clock
from cluster.client.workqueue import MAX_CAUSES, WorkQueue, delivering

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


async def test_a_key_added_often_is_handed_out_once_with_its_causes():
    queue = WorkQueue()
    queue.add("a", ("j1",))
    queue.add("b")
    queue.add("a", ("j2",))
    assert await queue.get() == ("a", ("j1", "j2"))
    assert await queue.get() == ("b", ())
    assert len(queue) == 0


async def test_a_key_in_hand_waits_for_done():
    queue = WorkQueue()
    queue.add("a")
    await queue.get()
    queue.add("a", ("again",))
    assert len(queue) == 0, "it is in somebody's hands"
    queue.done("a")
    assert await queue.get() == ("a", ("again",))


async def test_the_sooner_timer_wins():
    queue, before = WorkQueue(), clock.now()
    queue.add_after("a", 10)
    queue.add_after("a", 2)
    queue.add_after("a", 5)
    await queue.get()
    assert clock.now() - before == pytest.approx(2, abs=0.01)
    queue.done("a")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(queue.get(), 30)


async def test_back_off_doubles_and_is_forgotten():
    queue = WorkQueue()
    assert [queue.add_rate_limited("a") for _ in range(4)] == [0.005, 0.01, 0.02, 0.04]
    queue.forget("a")
    assert queue.add_rate_limited("a") == 0.005


async def test_only_the_newest_causes_are_kept():
    queue = WorkQueue()
    for number in range(50):
        queue.add("a", (f"j{number}",))
    _, causes = await queue.get()
    assert len(causes) == MAX_CAUSES
    assert causes[-1] == "j49"


async def test_the_event_being_delivered_is_the_cause():
    queue = WorkQueue()
    delivering[0] = "j9"
    try:
        queue.add("a")
    finally:
        delivering[0] = ""
    assert await queue.get() == ("a", ("j9",))


async def test_closing_lets_waiters_go():
    queue = WorkQueue()
    waiting = asyncio.ensure_future(queue.get())
    await asyncio.sleep(0)
    queue.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
