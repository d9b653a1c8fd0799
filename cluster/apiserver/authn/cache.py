"""A memory of checked credentials that is never more than a second behind the truth.

Young entries answer at once. Entries past half their life answer at once and are checked again in the background, so that a
busy client never waits for the database. Older ones wait for a check. Refusals are remembered like successes.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

V = TypeVar("V")
LIFE = 1.0
REFRESH_AFTER = 0.5
CAPACITY = 10_000
log = logging.getLogger(__name__)


class RevalidatingCache(Generic[V]):
    """Values by digest; `load` asks the truth, given the digest and whatever the caller knows."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        # digest → (when the check that produced it began, value)
        self._entries: dict[bytes, tuple[float, V]] = {}
        self._loading: dict[bytes, asyncio.Task[V]] = {}

    def fresh(self, digest: bytes) -> V | None:
        """The value when it needs no thought: the hot path. None: ask `get`."""
        entry = self._entries.get(digest)
        if entry is not None and self._now() - entry[0] < REFRESH_AFTER:
            return entry[1]
        return None

    async def get(self, digest: bytes, load: Callable[[], Awaitable[V]]) -> V:
        entry = self._entries.get(digest)
        if entry is not None:
            age = self._now() - entry[0]
            if age < REFRESH_AFTER:
                return entry[1]
            if age < LIFE:
                self._start(digest, load)
                return entry[1]
        # Shielded: several may wait for one check, and one of them going away must not end it.
        return await asyncio.shield(self._start(digest, load))

    def forget(self) -> None:
        self._entries.clear()

    def _start(self, digest: bytes, load: Callable[[], Awaitable[V]]) -> asyncio.Task[V]:
        task = self._loading.get(digest)
        if task is None:
            task = self._loading[digest] = asyncio.ensure_future(self._run(digest, load))
            task.add_done_callback(lambda done: self._finished(digest, done))
        return task

    async def _run(self, digest: bytes, load: Callable[[], Awaitable[V]]) -> V:
        began = self._now()
        value = await load()
        self._entries.pop(digest, None)
        self._entries[digest] = (began, value)
        while len(self._entries) > CAPACITY:
            del self._entries[next(iter(self._entries))]
        return value

    def _finished(self, digest: bytes, task: asyncio.Task[V]) -> None:
        self._loading.pop(digest, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Whoever waits gets the error; a background check has nobody waiting, and its entry will run out.
            log.error("checking a credential failed", exc_info=error)
