"""What one browser sees of the objects, as cuts: each is everything that changed up to one revision, and nothing beyond it.

Resources are watched one by one, each by a task of its own, and coalesced until the browser takes the next cut: only an
object's newest state waits, so that a slow browser costs the server one entry per object and no more. A cut is exact: it is
taken when all watches have seen all revisions up to it, so that what the page shows after it is a state that the cluster
really was in. What arrives meanwhile waits for the next.

A browser that comes back says up to which revision it knows a resource, and gets what changed since; when the log no longer
reaches back that far (410), it gets a snapshot, which replaces all that it knew.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cluster.apimachinery.errors import StatusError
from cluster.apimachinery.meta import key_of
from cluster.client.client import Client, WatchEvent

Obj = dict[str, Any]

# Changed objects of one resource that may wait for a browser; beyond, a snapshot is cheaper than what it missed.
MOST_WAITING = 50_000
# How many turns of the loop a cut may wait for watches that lag behind, before it is put off.
TURNS = 40
# Seconds (real) until a watch that failed is tried again.
RETRY = 1.0


@dataclass
class Part:
    """What is new about one resource: all of it (`snapshot`), then changes."""

    resource: str
    snapshot: list[Obj] | None = None
    events: list[tuple[str, Obj]] = field(default_factory=list)


@dataclass
class Cut:
    """Everything that is new, up to and including `revision`."""

    revision: int
    parts: list[Part]


@dataclass
class _Waiting:
    """What is not yet sent: whole resources, and the newest state of objects that changed."""

    snapshots: dict[str, list[Obj]] = field(default_factory=dict)
    events: dict[str, dict[str, WatchEvent]] = field(default_factory=dict)

    def snapshot(self, resource: str, items: list[Obj]) -> None:
        self.snapshots[resource] = items
        self.events.pop(resource, None)

    def add(self, resource: str, event: WatchEvent) -> None:
        self.events.setdefault(resource, {})[key_of(event.object)] = event

    def take(self, other: _Waiting) -> None:
        """Put what came later on top."""
        for resource, items in other.snapshots.items():
            self.snapshot(resource, items)
        for resource, events in other.events.items():
            self.events.setdefault(resource, {}).update(events)

    def parts(self) -> list[Part]:
        return [
            Part(
                resource,
                self.snapshots.get(resource),
                [(event.type, event.object) for event in self.events.get(resource, {}).values()],
            )
            for resource in {**self.snapshots, **self.events}
        ]


class Feed:
    """`want` resources, then take a `cut` as often as the browser can use one. `refused` tells what may not be seen."""

    def __init__(self, client: Client, revision: Callable[[], int]) -> None:
        self.client = client
        self.revision = revision
        self.refused: dict[str, str] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        # Watches that have not seen everything yet.
        self._lagging: set[str] = set()
        self._now = _Waiting()
        # While a cut is being taken: what lies beyond it.
        self._later = _Waiting()
        self._until = math.inf

    def want(self, resource: str, after: int | None = None) -> None:
        """Follow a resource: from `after` on, where the browser knows it up to there; else from a snapshot."""
        if resource in self._tasks:
            return
        self._lagging.add(resource)
        self._tasks[resource] = asyncio.create_task(self._follow(resource, after), name=f"feed of {resource}")

    async def cut(self) -> Cut | None:
        """Everything new as of now; None when some watch has not caught up yet (ask again)."""
        revision = self.revision()
        self._until = revision
        try:
            # A commit rings all watches at once: after a turn of the loop each has what it rang for, or says it lags.
            for turn in range(TURNS):
                await asyncio.sleep(0)
                if turn >= 2 and not self._lagging:
                    break
            if self._lagging:
                return None
            found, self._now = self._now, _Waiting()
            return Cut(revision, found.parts())
        finally:
            self._until = math.inf
            self._now.take(self._later)
            self._later = _Waiting()

    async def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()

    # -- one resource ----------------------------------------------------------------------------------------------

    async def _follow(self, resource: str, after: int | None) -> None:
        while True:
            self._lagging.add(resource)
            try:
                if after is None:
                    page = await self.client.list(resource, resource_version="0")
                    after = int(page.resource_version)
                    self._side(after).snapshot(resource, page.items)
                async for batch in self.client.watch(resource, resource_version=str(after), bookmarks=True):
                    after = self._take(resource, batch)
                    if len(self._now.events.get(resource, ())) > MOST_WAITING:
                        after = None
                        break
            except StatusError as error:
                if error.code == 410:
                    after = None
                elif error.code < 500 and error.code != 429:
                    # Refused, or unknown here: nothing to wait for. The others go on.
                    self.refused[resource] = error.message
                    self._lagging.discard(resource)
                    return
                else:
                    await asyncio.sleep(RETRY)

    def _take(self, resource: str, batch: list[WatchEvent]) -> int:
        """Sort one batch in; the revision that the watch has come to."""
        for event in batch:
            if event.type == "BOOKMARK":
                self._lagging.discard(resource)
            else:
                self._lagging.add(resource)
                self._side(event.revision).add(resource, event)
        return batch[-1].revision

    def _side(self, revision: int) -> _Waiting:
        return self._now if revision <= self._until else self._later
