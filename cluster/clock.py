"""The cluster's clock: what time it is, and every wait in the cluster.

All components ask this clock, never `time` or `asyncio.sleep`, so that the whole cluster can run slower, faster,
paused, or under a test's own event loop time. Cluster time is a linear function of the event loop's time, re-anchored
whenever the speed changes; sleepers wait in one heap and are woken by one event loop timer.

Units: seconds (float) everywhere; `now()` is seconds since the epoch, in cluster time.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime


class Timer:
    """A pending call; `cancel()` before it is due and it never happens."""

    __slots__ = ("callback", "due")

    def __init__(self, due: float, callback: Callable[[], None]) -> None:
        self.due = due
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class Clock:
    """Cluster time over the running event loop's time. `speed` 0 is a pause."""

    def __init__(self) -> None:
        self.speed = 1.0
        self._anchor_real = time.monotonic()
        self._anchor_cluster = time.time()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timers: list[tuple[float, int, Timer]] = []
        self._sequence = itertools.count()
        self._handle: asyncio.TimerHandle | None = None

    def _real(self) -> float:
        return self._loop.time() if self._loop is not None else time.monotonic()

    def _bind(self) -> asyncio.AbstractEventLoop:
        """Adopt the running loop. Each loop has a time of its own (tests fake it), so re-anchor on a new one."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._anchor_cluster = self.now() if self._loop is None else time.time()
            self._loop = loop
            self._anchor_real = loop.time()
            self._timers.clear()
            self._handle = None
        return loop

    def now(self) -> float:
        """Seconds since the epoch, in cluster time."""
        return self._anchor_cluster + (self._real() - self._anchor_real) * self.speed

    def set_speed(self, speed: float) -> None:
        """Run at `speed` times real time from now on; 0 pauses. Everyone who waits is re-timed."""
        if speed < 0:
            raise ValueError("the clock does not run backwards")
        self._anchor_cluster, self._anchor_real = self.now(), self._real()
        self.speed = speed
        self._arm()

    def next_due(self) -> float | None:
        """When the next timer is due, in cluster time; None when nobody waits."""
        while self._timers and self._timers[0][2].callback is None:
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def step(self) -> float | None:
        """While paused: go on to the next timer and let it (and all that are due with it) happen. The time reached, or None."""
        due = self.next_due()
        if due is None or self.speed > 0:
            return None
        self._anchor_cluster, self._anchor_real = max(due, self._anchor_cluster), self._real()
        self._fire()
        return due

    def advance_to(self, moment: float) -> None:
        """Cluster time has been further already (before a restart): go on from there. Never backwards."""
        if moment > self.now():
            self._anchor_cluster, self._anchor_real = moment, self._real()
            self._arm()

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        """Call back after `delay` seconds of cluster time."""
        self._bind()
        timer = Timer(self.now() + max(delay, 0.0), callback)
        heapq.heappush(self._timers, (timer.due, next(self._sequence), timer))
        if self._timers[0][2] is timer:
            self._arm()
        return timer

    async def sleep(self, seconds: float) -> None:
        """Wait `seconds` of cluster time; 0 or less only yields to the others."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future = self._bind().create_future()

        def wake() -> None:
            if not future.done():
                future.set_result(None)

        timer = self.call_later(seconds, wake)
        try:
            await future
        finally:
            timer.cancel()

    def _arm(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        if self._loop is None or self._loop.is_closed():
            return
        while self._timers and self._timers[0][2].callback is None:
            heapq.heappop(self._timers)
        if self._timers and self.speed > 0:
            wait = max(self._timers[0][0] - self.now(), 0.0) / self.speed
            self._handle = self._loop.call_later(wait, self._fire)

    def _fire(self) -> None:
        self._handle = None
        now = self.now() + 1e-6
        while self._timers and self._timers[0][0] <= now:
            timer = heapq.heappop(self._timers)[2]
            if timer.callback is not None:
                callback, timer.callback = timer.callback, None
                callback()
        self._arm()


clock = Clock()


def now() -> float:
    """Seconds since the epoch, in cluster time."""
    return clock.now()


async def sleep(seconds: float) -> None:
    """Wait `seconds` of cluster time."""
    await clock.sleep(seconds)


def call_later(delay: float, callback: Callable[[], None]) -> Timer:
    """Call back after `delay` seconds of cluster time."""
    return clock.call_later(delay, callback)


class Skew:
    """How far a machine's own clock is off, in seconds: it shows in every time that it writes down."""

    __slots__ = ("seconds",)

    def __init__(self) -> None:
        self.seconds = 0.0


# Whose clock the running task reads; a kubelet's tasks have its machine's.
skew: ContextVar[Skew | None] = ContextVar("skew", default=None)


def _skewed(at: float | None) -> float:
    machine = skew.get()
    moment = now() if at is None else at
    return moment if machine is None else moment + machine.seconds


def timestamp(at: float | None = None) -> str:
    """metav1.Time: RFC 3339 in UTC with whole seconds, `2026-11-23T17:00:00Z`."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(_skewed(at)))


def micro_timestamp(at: float | None = None) -> str:
    """metav1.MicroTime: RFC 3339 in UTC with microseconds, as Leases and Events use it."""
    moment = datetime.fromtimestamp(_skewed(at), UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse(text: str) -> float:
    """Seconds since the epoch of an RFC 3339 time; ValueError when it is none."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
