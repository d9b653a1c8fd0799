"""What one browser sees of the objects, as cuts: each is everything that changed up to one revision, and nothing beyond it.

Resources are watched one by one, each by a task of its own, and coalesced until the browser takes the next cut: only an
object's newest state waits, so that a slow browser costs the server one entry per object and no more. A cut is exact: it is
taken when all watches have seen all revisions up to it, so that what the page shows after it is a state that the cluster
really was in. What arrives meanwhile waits for the next.

A browser that comes back says up to which revision it knows a resource, and gets what changed since; when the log no longer
reaches back that far (410), it gets a snapshot, which replaces all that it knew.

Who may not see a resource everywhere sees it in those namespaces where they may: watched one by one, listed as of one revision.
When their rights change (`look_again`), all begins anew, and what they may no longer see is taken away.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from cluster.apimachinery.errors import StatusError, gone
from cluster.apimachinery.meta import key_of
from cluster.client.client import Client, WatchEvent

Obj = dict[str, Any]

# Changed objects of one resource that may wait for a browser; beyond, a snapshot is cheaper than what it missed.
MOST_WAITING = 50_000
# How many turns of the loop a cut may wait for watches that lag behind, before it is put off.
TURNS = 40
# Seconds (real) until a watch that failed is tried again.
RETRY = 1.0
# All namespaces (metav1.NamespaceAll); and namespaces watched one by one at most.
EVERYWHERE, MOST_NAMESPACES = "", 200
NAMESPACES = "v1/namespaces"


@dataclass
class Part:
    """What is new about one resource: all of it (`snapshot`, seen in the namespaces `within`; None: in all), then changes."""

    resource: str
    snapshot: list[Obj] | None = None
    within: list[str] | None = None
    events: list[tuple[str, Obj]] = field(default_factory=list)


@dataclass
class Cut:
    """Everything that is new, up to and including `revision`."""

    revision: int
    parts: list[Part]


@dataclass
class _Waiting:
    """What is not yet sent: whole resources, and the newest state of objects that changed."""

    snapshots: dict[str, tuple[list[Obj], list[str] | None]] = field(default_factory=dict)
    events: dict[str, dict[str, WatchEvent]] = field(default_factory=dict)

    def snapshot(self, resource: str, items: list[Obj], within: list[str] | None = None) -> None:
        self.snapshots[resource] = items, within
        self.events.pop(resource, None)

    def add(self, resource: str, event: WatchEvent) -> None:
        self.events.setdefault(resource, {})[key_of(event.object)] = event

    def take(self, other: _Waiting) -> None:
        """Put what came later on top."""
        for resource, (items, within) in other.snapshots.items():
            self.snapshot(resource, items, within)
        for resource, events in other.events.items():
            self.events.setdefault(resource, {}).update(events)

    def parts(self) -> list[Part]:
        found: list[Part] = []
        for resource in {**self.snapshots, **self.events}:
            items, within = self.snapshots.get(resource, (None, None))
            events = [(event.type, event.object) for event in self.events.get(resource, {}).values()]
            found.append(Part(resource, items, within, events))
        return found


class Feed:
    """`want` resources, then take a `cut` as often as the browser can use one. `refused` tells what may not be seen.

    `namespaces`: where the person may have rights, for what they may not see everywhere.
    """

    def __init__(self, client: Client, revision: Callable[[], int], namespaces: Iterable[str] = ()) -> None:
        self.client = client
        self.revision = revision
        self.namespaces = sorted(namespaces)[:MOST_NAMESPACES]
        self.refused: dict[str, str] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        # (resource, namespace) of watches that have not seen everything yet.
        self._lagging: set[tuple[str, str]] = set()
        # Resources of which the browser has been told something.
        self._known: set[str] = set()
        self._now = _Waiting()
        # While a cut is being taken: what lies beyond it.
        self._later = _Waiting()
        self._until = math.inf

    def want(self, resource: str, after: int | None = None) -> None:
        """Follow a resource: from `after` on, where the browser knows it up to there; else from a snapshot."""
        if resource in self._tasks:
            return
        if after is not None:
            self._known.add(resource)
        self._lagging.add((resource, EVERYWHERE))
        self._tasks[resource] = asyncio.create_task(self._follow(resource, after), name=f"feed of {resource}")

    async def look_again(self, namespaces: Iterable[str]) -> None:
        """The person's rights have changed: everything anew, as far as they go now."""
        tasks, self._tasks = self._tasks, {}
        await _end(tasks.values())
        self._lagging.clear()
        self.namespaces = sorted(namespaces)[:MOST_NAMESPACES]
        for resource in tasks:
            self.want(resource)

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
        await _end(self._tasks.values())
        self._tasks.clear()

    # -- one resource ----------------------------------------------------------------------------------------------

    async def _follow(self, resource: str, after: int | None) -> None:
        scopes = [EVERYWHERE]
        while True:
            self._lagging.add((resource, EVERYWHERE))
            try:
                readable = scopes
                if after is None:
                    after, readable = await self._snapshot(resource, scopes)
                await self._watch_all(resource, readable, after)
                return
            except StatusError as error:
                if error.code == 410:
                    after = None
                elif error.code == 403 and scopes == [EVERYWHERE] and self.namespaces:
                    after, scopes = None, self.namespaces
                elif error.code < 500 and error.code != 429:
                    # Refused, or unknown here: nothing to wait for. The others go on.
                    self._refuse(resource, error.message)
                    return
                else:
                    await asyncio.sleep(RETRY)

    async def _snapshot(self, resource: str, scopes: list[str]) -> tuple[int, list[str]]:
        """What there is in those of the scopes that may be seen, as of one revision; StatusError when none may."""
        items: list[Obj] = []
        readable: list[str] = []
        revision, refusal = 0, None
        for scope in scopes:
            try:
                found, at = await self._list(resource, scope, revision)
            except StatusError as error:
                if error.code not in (403, 404):
                    raise
                refusal = error
                continue
            revision = revision or at
            items += found
            readable.append(scope)
        if refusal is not None and not readable:
            raise refusal
        self._known.add(resource)
        within = None if EVERYWHERE in readable else readable
        self._side(revision).snapshot(resource, items, within)
        return revision, readable

    async def _list(self, resource: str, scope: str, at: int) -> tuple[list[Obj], int]:
        """The objects in one scope as of `at` (0: now), and that revision."""
        if resource == NAMESPACES and scope:
            # A Namespace is the one object whose rights are asked for in itself.
            return [await self.client.get(resource, scope)], at or self.revision()
        if at:
            page = await self.client.list(resource, scope, resource_version=str(at), resource_version_match="Exact")
        else:
            page = await self.client.list(resource, scope, resource_version="0")
        return page.items, int(page.resource_version)

    async def _watch_all(self, resource: str, scopes: list[str], after: int) -> None:
        """Watch all of the scopes until one fails; returns where there is nothing to watch."""
        self._lagging |= {(resource, scope) for scope in scopes}
        if EVERYWHERE not in scopes:
            self._lagging.discard((resource, EVERYWHERE))
        try:
            async with asyncio.TaskGroup() as group:
                for scope in scopes:
                    group.create_task(self._watch(resource, scope, after))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def _watch(self, resource: str, scope: str, after: int) -> None:
        if resource == NAMESPACES and scope:
            # Only who may watch all of them may watch one. They come and go with the rights in them (`look_again`).
            self._lagging.discard((resource, scope))
            return
        while True:
            self._lagging.add((resource, scope))
            try:
                async for batch in self.client.watch(resource, scope, resource_version=str(after), bookmarks=True):
                    after = self._take(resource, scope, batch)
                    if len(self._now.events.get(resource, ())) > MOST_WAITING:
                        raise gone("more changed than a browser is told one by one")
            except StatusError as error:
                if error.code < 500 and error.code != 429:
                    raise
                await asyncio.sleep(RETRY)

    def _refuse(self, resource: str, message: str) -> None:
        self.refused[resource] = message
        self._lagging = {one for one in self._lagging if one[0] != resource}
        if resource in self._known:
            self._known.discard(resource)
            self._now.snapshot(resource, [])

    def _take(self, resource: str, scope: str, batch: list[WatchEvent]) -> int:
        """Sort one batch in; the revision that the watch has come to."""
        for event in batch:
            if event.type == "BOOKMARK":
                self._lagging.discard((resource, scope))
            else:
                self._lagging.add((resource, scope))
                self._side(event.revision).add(resource, event)
        return batch[-1].revision

    def _side(self, revision: int) -> _Waiting:
        return self._now if revision <= self._until else self._later


async def _end(tasks: Iterable[asyncio.Task[None]]) -> None:
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)
