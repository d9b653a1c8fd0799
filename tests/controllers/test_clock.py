"""The Clock object rules the clock. Real time passes here only as far as the loop needs it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from cluster import clock
from cluster.client.client import Obj
from cluster.controllers.clock import CLOCKS, ClockController
from tests.support.fakecluster import FakeCluster, Running


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    yield
    clock.clock.set_speed(1.0)


async def until(cluster: FakeCluster, condition: Callable[[Obj], bool]) -> Obj:
    """The Clock's status, once it says so; the loop needs no cluster time for it, which may stand."""
    for _ in range(2000):
        status: Obj = cluster.objects.get(CLOCKS, {}).get("cluster", {}).get("status") or {}
        if condition(status):
            return status
        await asyncio.sleep(0.001)
    raise AssertionError(f"never: {status}")


@pytest.mark.looptime
async def test_speed_pause_and_step() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    async with Running(cluster, ClockController):
        assert (await until(cluster, lambda status: status.get("speed") == 1.0))["speed"] == 1.0
        await client.patch(CLOCKS, "cluster", {"spec": {"speed": 20}})
        status = await until(cluster, lambda status: status.get("speed") == 20.0)
        assert status["message"] == "runs at 20 times real time" and clock.clock.speed == 20.0
        await client.patch(CLOCKS, "cluster", {"spec": {"paused": True}})
        await until(cluster, lambda status: status.get("speed") == 0.0)
        rung: list[float] = []
        before = clock.now()
        clock.call_later(7.0, lambda: rung.append(clock.now()))
        await asyncio.sleep(1)
        assert clock.now() == before and not rung
        await client.patch(CLOCKS, "cluster", {"spec": {"step": 1}})
        await until(cluster, lambda status: status.get("step") == 1)
        await asyncio.sleep(0.01)
        assert before < clock.now() <= before + 7.0
        await client.patch(CLOCKS, "cluster", {"spec": {"paused": False, "speed": 1}})
        await until(cluster, lambda status: status.get("speed") == 1.0)
        await asyncio.sleep(8)
        assert rung


@pytest.mark.looptime
async def test_the_command_line_comes_first_once() -> None:
    cluster = FakeCluster()
    async with Running(cluster, ClockController, speed=5.0):
        await until(cluster, lambda status: status.get("speed") == 5.0)
        assert cluster.get(CLOCKS, "cluster")["spec"]["speed"] == 5.0
