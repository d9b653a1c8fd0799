"""The cluster's clock: speed, pause, and who is woken when."""

from __future__ import annotations

import asyncio

import pytest

from cluster.clock import Clock, parse, timestamp

pytestmark = pytest.mark.looptime


async def test_twice_the_speed_is_half_the_wait():
    clock, loop = Clock(), asyncio.get_running_loop()
    await clock.sleep(0)
    began = loop.time()
    clock.set_speed(2)
    await clock.sleep(10)
    assert loop.time() - began == pytest.approx(5, abs=0.01)


async def test_a_pause_holds_everybody_and_a_change_of_speed_retimes_them():
    clock, loop = Clock(), asyncio.get_running_loop()
    sleeper = asyncio.ensure_future(clock.sleep(10))
    await asyncio.sleep(4)
    clock.set_speed(0)
    stopped = clock.now()
    await asyncio.sleep(1000)
    assert clock.now() == stopped
    assert not sleeper.done()
    clock.set_speed(3)
    resumed = loop.time()
    await sleeper
    assert loop.time() - resumed == pytest.approx(2, abs=0.01)


async def test_timers_fire_in_order_and_cancelled_ones_never():
    clock, fired = Clock(), []
    clock.call_later(3, lambda: fired.append("late"))
    clock.call_later(1, lambda: fired.append("early"))
    clock.call_later(2, lambda: fired.append("cancelled")).cancel()
    await clock.sleep(5)
    assert fired == ["early", "late"]


async def test_a_clock_does_not_run_backwards():
    with pytest.raises(ValueError, match="backwards"):
        Clock().set_speed(-1)


def test_timestamps_round_trip():
    assert timestamp(1_700_000_000.9) == "2023-11-14T22:13:20Z"
    assert parse("2023-11-14T22:13:20Z") == 1_700_000_000
    assert parse("2023-11-14T23:13:20.5+01:00") == 1_700_000_000.5
