"""The scheduling queue: order, back-off, and waking up, on virtual time."""

from __future__ import annotations

import pytest

from cluster import clock
from cluster.scheduler.queue import SchedulingQueue

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


def pod(priority=0):
    return {"spec": {"priority": priority}}


async def test_priority_first_then_age():
    queue = SchedulingQueue()
    queue.add("ns/old", pod())
    await clock.sleep(1)
    queue.add("ns/young", pod())
    queue.add("ns/important", pod(100))
    assert [(await queue.pop()).key for _ in range(3)] == ["ns/important", "ns/old", "ns/young"]


async def test_an_unschedulable_pod_waits_for_an_event_that_helps():
    queue = SchedulingQueue()
    queue.add("ns/a", pod())
    queued = await queue.pop()
    queue.unschedulable(queued, frozenset({"NodeAffinity"}), queue.events)
    queue.event("pod gone")
    await clock.sleep(60)
    assert queue.counts() == {"active": 0, "backoff": 0, "unschedulable": 1}
    queue.event("node")
    assert queue.counts()["backoff"] == 1
    before = clock.now()
    assert (await queue.pop()).key == "ns/a"
    assert clock.now() - before == pytest.approx(1, abs=0.01)


async def test_back_off_doubles_up_to_ten_seconds():
    queue = SchedulingQueue()
    queue.add("ns/a", pod())
    queued = await queue.pop()
    waits = []
    for _ in range(6):
        queue.unschedulable(queued, frozenset({"NodeResourcesFit"}), queue.events)
        queue.event("node")
        before = clock.now()
        queued = await queue.pop()
        waits.append(round(clock.now() - before))
    assert waits == [1, 2, 4, 8, 10, 10]


async def test_an_event_during_the_attempt_is_not_missed():
    queue = SchedulingQueue()
    queue.add("ns/a", pod())
    queued = await queue.pop()
    seen = queue.events
    queue.event("node")
    queue.unschedulable(queued, frozenset({"NodeResourcesFit"}), seen)
    assert queue.counts()["backoff"] == 1


async def test_five_minutes_are_the_longest_wait():
    queue = SchedulingQueue()
    queue.add("ns/a", pod())
    queued = await queue.pop()
    queue.unschedulable(queued, frozenset({"NodeAffinity"}), queue.events)
    before = clock.now()
    assert (await queue.pop()).key == "ns/a"
    assert clock.now() - before == pytest.approx(300, abs=0.1)


async def test_a_removed_pod_is_not_handed_out():
    queue = SchedulingQueue()
    queue.add("ns/a", pod())
    queue.add("ns/b", pod())
    queue.remove("ns/a")
    assert (await queue.pop()).key == "ns/b"
    assert len(queue) == 0
