"""The work queue between informers and reconcile (client-go/util/workqueue).

Keys, not events: a key that is added ten times before a worker gets to it is handed out once; a key in a worker's hands is
handed out again only after `done`. Each key carries the ids of the journeys that dirtied it. Timers: for one key the sooner
wins. Back-off: 5 ms doubling to 1,000 s per failing key, as client-go's ItemExponentialFailureRateLimiter.
"""

from __future__ import annotations

import asyncio
from collections import deque

from cluster import clock

BASE_DELAY, MAX_DELAY = 0.005, 1000.0
# A key dirtied by a thousand pods needs not name them all: the newest causes tell the story.
MAX_CAUSES = 8

# The journey whose event is being delivered; informers set it around their (synchronous) handlers.
delivering: list[str] = [""]


class WorkQueue:
    """Deduplicating queue of keys. Used from one event loop; `add` may be called from handlers."""

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.adds = 0
        self.retries = 0
        self._ready: deque[str] = deque()
        self._dirty: dict[str, dict[str, None]] = {}
        self._processing: set[str] = set()
        self._timers: dict[str, clock.Timer] = {}
        self._timed_causes: dict[str, tuple[str, ...]] = {}
        self._failures: dict[str, int] = {}
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._closed = False

    def __len__(self) -> int:
        return len(self._ready)

    def add(self, key: str, causes: tuple[str, ...] = ()) -> None:
        """Mark `key` as to be reconciled, because of `causes` (default: the event being delivered)."""
        if self._closed:
            return
        self.adds += 1
        if not causes and delivering[0]:
            causes = (delivering[0],)
        known = self._dirty.get(key)
        if known is None:
            self._dirty[key] = dict.fromkeys(causes)
            if key not in self._processing:
                self._ready.append(key)
                self._wake()
            return
        for cause in causes:
            known.pop(cause, None)
            known[cause] = None
        while len(known) > MAX_CAUSES:
            del known[next(iter(known))]

    def add_after(self, key: str, delay: float, causes: tuple[str, ...] = ()) -> None:
        """Add `key` in `delay` seconds of cluster time, unless an earlier timer or event gets there first."""
        if delay <= 0:
            self.add(key, causes)
            return
        due = clock.now() + delay
        timer = self._timers.get(key)
        if timer is not None:
            if timer.due <= due:
                return
            timer.cancel()
        self._timed_causes[key] = causes

        def fire() -> None:
            self._timers.pop(key, None)
            self.add(key, self._timed_causes.pop(key, ()))

        self._timers[key] = clock.call_later(delay, fire)

    def add_rate_limited(self, key: str, causes: tuple[str, ...] = ()) -> float:
        """Add a failed key again after its back-off; returns the delay in seconds."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self.retries += 1
        delay: float = min(BASE_DELAY * 2 ** min(failures, 30), MAX_DELAY)
        self.add_after(key, delay, causes)
        return delay

    def forget(self, key: str) -> None:
        """The key succeeded: its back-off starts anew."""
        self._failures.pop(key, None)

    async def get(self) -> tuple[str, tuple[str, ...]]:
        """The next key and what dirtied it; waits for one. CancelledError when the queue is closed."""
        while not self._ready:
            if self._closed:
                raise asyncio.CancelledError
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                if waiter.done() and not waiter.cancelled():
                    self._wake()
                raise
        key = self._ready.popleft()
        self._processing.add(key)
        return key, tuple(self._dirty.pop(key))

    def done(self, key: str) -> None:
        """The worker is finished with `key`; if it was dirtied meanwhile, it is ready again."""
        self._processing.discard(key)
        if key in self._dirty and not self._closed:
            self._ready.append(key)
            self._wake()

    def close(self) -> None:
        """Hand out nothing more and let all waiters go."""
        self._closed = True
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._ready.clear()
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.cancel()

    @property
    def idle(self) -> bool:
        """Nothing ready and nothing in hand (timers may be pending)."""
        return not self._ready and not self._processing

    def _wake(self) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
