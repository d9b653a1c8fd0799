"""One watch: a cursor over a resource's changes, with Kubernetes' event semantics (apiserver/storage/cacher).

The cursor reads the cache's stream where it reaches back far enough, else the log itself, and joins the stream when it has
caught up. Nothing is queued for a watcher: a slow one is only further behind, a lost doorbell loses nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from cluster.apimachinery.errors import gone
from cluster.apiserver.storage.cache import Change, Entry, Stream
from cluster.apiserver.storage.selecting import select
from cluster.apiserver.storage.selection import Selection
from cluster.apiserver.storage.store import Storage, parse
from cluster.etcd.log import Compacted, Revision

# How many events one batch holds at most: bounds the work between two yields to the loop.
BATCH = 256


@dataclass(slots=True)
class Event:
    """ADDED, MODIFIED or DELETED, and the change it comes from."""

    type: str
    change: Change


class Watch:
    """Use: `start(revision)`, then `await next()` for batches until done. `bookmark` is the revision seen so far."""

    def __init__(self, storage: Storage, resource: str, selection: Selection, reader: str = "") -> None:
        self.storage = storage
        # The user who watches: deliveries are counted by it.
        self.reader = reader
        self.resource = resource
        self.selection = selection
        self.bookmark = 0
        self._cache = storage.cache(resource)
        trigger = selection.field_equals(self._cache.trigger) if self._cache.trigger else None
        self._stream: Stream = self._cache.stream_for(trigger)
        self._position: int | None = None
        # Asked after each doorbell: True ends the waiting, with nothing (what is watched is served no more).
        self.ended: Callable[[], bool] | None = None
        self._plain = selection.everything
        self._namespace = selection.namespace

    def start(self, revision: int) -> None:
        """Begin after `revision`. 410 Expired when the log no longer reaches back to it."""
        if revision < self.storage.log.compacted:
            raise gone(f"too old resource version: {revision} ({self.storage.log.compacted})")
        self.bookmark = revision
        self._join()

    def initial(self) -> list[Entry]:
        """The current state as synthetic additions, and begin right after it."""
        self.start(self.storage.revision)
        return select(self.storage, self.resource, self.selection)

    def _join(self) -> None:
        if self.bookmark >= self._stream.floor:
            self._position = self._stream.position_after(self.bookmark)
        else:
            self._position = None

    async def next(self, timeout: float | None = None) -> list[Event]:
        """The next events, in order; an empty list when `timeout` (real seconds) passed without any."""
        loop = asyncio.get_running_loop()
        deadline = None if timeout is None else loop.time() + timeout
        while True:
            if self._position is None or self._position < self._stream.offset:
                events = await self._from_log()
            else:
                events = self._from_stream()
            if events:
                self.storage.delivered[self.reader] += len(events)
                return events
            if self._position is not None and self._position - self._stream.offset >= len(self._stream.changes):
                self.bookmark = max(self.bookmark, self.storage.revision)
                bell = loop.create_future()
                self._stream.bells.add(bell)
                try:
                    # Not `wait_for`: that forgets a cancellation which comes together with the doorbell.
                    async with asyncio.timeout_at(deadline):
                        await bell
                except TimeoutError:
                    return []
                finally:
                    self._stream.bells.discard(bell)
                if self.ended is not None and self.ended():
                    return []

    def _from_stream(self) -> list[Event]:
        assert self._position is not None
        begin = self._position - self._stream.offset
        changes = self._stream.changes[begin : begin + BATCH]
        if not changes:
            return []
        self._position += len(changes)
        self.bookmark = changes[-1].revision
        return [event for change in changes if (event := self._event(change)) is not None]

    def _event(self, change: Change) -> Event | None:
        if self._namespace and change.entry.key[0] != self._namespace:
            return None
        if self._plain:
            kind = "DELETED" if change.deleted else "ADDED" if change.previous is None else "MODIFIED"
            return Event(kind, change)
        matches = self.selection.matches
        before = change.previous is not None and matches(change.previous.obj)
        after = not change.deleted and matches(change.entry.obj)
        if after:
            return Event("MODIFIED" if before else "ADDED", change)
        return Event("DELETED", change) if before else None

    async def _from_log(self) -> list[Event]:
        """Read what the stream no longer holds; join the stream when caught up with its floor."""
        log, head = self.storage.log, self.storage.log.head
        try:
            revisions = await log.since(self.bookmark, limit=BATCH, resource=self.resource)
        except Compacted as error:
            raise gone(f"too old resource version: {self.bookmark} ({error.compacted})") from error
        # What an object was before matters to those alone who do not see all.
        before = {} if self._plain else await log.superseded(revisions)
        events = []
        for revision in revisions:
            event = self._event(_change_of(revision, before.get(revision.previous)))
            if event is not None:
                events.append(event)
            self.bookmark = revision.revision
        if len(revisions) < BATCH:
            self.bookmark = max(self.bookmark, head)
        if len(revisions) < BATCH or self.bookmark >= self._stream.floor:
            self._join()
        return events


def _change_of(revision: Revision, before: Revision | None) -> Change:
    key = (revision.namespace, revision.name)
    entry = Entry(key, revision.revision, parse(revision.value, revision.revision))
    previous = None
    if before is not None:
        previous = Entry(key, before.revision, parse(before.value, before.revision))
    elif revision.previous:
        # Not asked for, or compacted away: all that is known is that it was there.
        previous = entry
    return Change(revision.revision, entry, previous, revision.verb == "delete", revision.journey)
