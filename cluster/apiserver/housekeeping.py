"""What the API server does on its own: events expire, the log is compacted, spare memory goes back (etcd's leases and compactor).

Started and stopped by the wiring. Each round is short; a round that fails is told and tried again.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import time
from collections import deque

from cluster import clock
from cluster.apiserver.storage.store import Storage
from cluster.etcd.log import Conflict

log = logging.getLogger(__name__)

# Seconds of cluster time that an event lives after it was last written (--event-ttl), and seconds of real time between rounds.
EVENT_TTL, PERIOD = 3600.0, 15.0
# Revisions that are kept at least, so that one can go back to them; and, unless fewer are wanted, all of the last minutes
# (--etcd-compaction-interval, in real seconds): thousands of kubelets write a hundred thousand while a client pages through a long list.
HISTORY, HISTORY_SECONDS = 100_000, 300.0
# Giving memory back stops everything for a third of a second when there are gigabytes: then it is done so many times more rarely.
REST = 500.0
# Expired events that go in one round: a busy hour must not end in one big pause.
EXPIRE_AT_ONCE = 2000


class Housekeeping:
    """`start()` and `stop()`; `round()` does all of it once."""

    def __init__(self, storage: Storage, *, event_ttl: float = EVENT_TTL, history: int = HISTORY) -> None:
        self.storage = storage
        self.event_ttl = event_ttl
        self.history = history
        # Which revision was the newest at which time: an event of that revision or an older one has that age at least.
        self._marks: deque[tuple[float, int]] = deque()
        # The newest revision at moments of the last minutes, to compact by.
        self._ages: deque[tuple[float, int]] = deque()
        # When memory may be given back again (real seconds).
        self._next_return = 0.0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="housekeeping")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(PERIOD)
            try:
                await self.round()
            except Exception:
                log.exception("housekeeping")

    async def round(self) -> None:
        """Expire, compact, give back."""
        await self.expire_events()
        await self.storage.log.auto_compact(self._kept(time.monotonic()))
        began = time.monotonic()
        if began >= self._next_return:
            give_back_memory()
            self._next_return = time.monotonic() + REST * (time.monotonic() - began)

    def _kept(self, now: float) -> int:
        """How many revisions are kept now. What was there before this process started is older than everything."""
        self._ages.append((now, self.storage.revision))
        while len(self._ages) > 1 and self._ages[1][0] <= now - HISTORY_SECONDS:
            self._ages.popleft()
        return self.history if self.history < HISTORY else max(self.history, self.storage.revision - self._ages[0][1])

    async def expire_events(self) -> int:
        """Delete the events that nobody has written for `event_ttl`; returns how many."""
        now = clock.now()
        self._marks.append((now, self.storage.revision))
        horizon = 0
        while self._marks and self._marks[0][0] <= now - self.event_ttl:
            horizon = self._marks.popleft()[1]
        if not horizon:
            return 0
        # The mark that just passed stays the horizon until the next one does.
        self._marks.appendleft((now - self.event_ttl, horizon))
        expired = [entry for entry in self.storage.cache("events").entries.values() if entry.revision <= horizon]
        gone = 0
        for entry in expired[:EXPIRE_AT_ONCE]:
            try:
                await self.storage.write("events", entry.key, entry.obj, "delete", entry.revision, "")
                gone += 1
            except Conflict:
                # Written again, or deleted, in the meantime.
                continue
        return gone


def give_back_memory() -> None:
    """Ask the C library for the pages that are free; elsewhere than on glibc this does nothing."""
    gc.collect(0)
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError):
        return
