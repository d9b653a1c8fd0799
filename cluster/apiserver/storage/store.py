"""The one place that commits: between the pipeline and the revision log, keeping the watch cache current.

A write is a compare-and-swap on the object's revision; when its future resolves, the write is durable and the cache shows it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import orjson

from cluster.apimachinery.errors import bad_request
from cluster.apiserver.storage.cache import KEPT_AS_BYTES, Entry, Key, ResourceCache, Stream, compact
from cluster.apiserver.storage.said import by_object
from cluster.etcd.log import Log, Revision, Write

Obj = dict[str, Any]


Revisions = list[Revision]  # a name of its own: inside Storage `list` is a method


# Objects are encoded at most 254 deep (orjson's limit). What stands in lists, watch events, audit events and reviews stands deeper
# than it was stored: that many levels are kept free, lest what could be written could never be told.
_ROOM = 16


def encoded(obj: Obj) -> bytes:
    """The object's JSON; 400 when it is nested too deeply."""
    within: Any = obj
    for _ in range(_ROOM):
        within = [within]
    try:
        return orjson.dumps(within)[_ROOM:-_ROOM]
    except TypeError as error:
        if "Recursion" not in str(error):
            raise
        raise bad_request("the object is nested too deeply: exceeded max depth") from error


class Storage:
    """The log with a cache before it. `resource` is a registry key: `pods`, `apps/deployments`."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.revision = 0
        self._caches: dict[str, ResourceCache] = {}
        # What is on its way into the log, by the identity of its bytes: the resource, the verb and the parsed form.
        self._underway: dict[int, tuple[str, str, Obj]] = {}
        self._arrival: list[tuple[int, asyncio.Future[None]]] = []
        # How many watch events each user has been handed.
        self.delivered: Counter[str] = Counter()

    async def open(self) -> None:
        """Open the log and warm the cache from it."""
        await self.log.open()
        self.revision = self.log.head
        async for chunk in self.log.load():
            for revision in chunk:
                self.cache(revision.resource).store(_entry_of(revision), deleted=False)
        self.log.on_commit.append(self._committed)

    async def close(self) -> None:
        await self.log.close()

    def cache(self, resource: str) -> ResourceCache:
        """The cache of one resource (made when first asked for)."""
        cache = self._caches.get(resource)
        if cache is None:
            cache = self._caches[resource] = ResourceCache(resource, self.revision)
        return cache

    # -- reading (request.Reader) --------------------------------------------------------------------------------

    def get(self, resource: str, namespace: str, name: str) -> Obj | None:
        entry = self.cache(resource).entries.get((namespace, name))
        return None if entry is None else entry.obj

    def list(self, resource: str, namespace: str = "") -> Iterable[Obj]:
        cache = self.cache(resource)
        entries = cache.of_namespace(namespace).values() if namespace else cache.entries.values()
        return [entry.obj for entry in entries]

    def said(self, namespace: str) -> Callable[[str], Iterable[Obj]]:
        """Uid of an object → the events about it in a namespace, as of now."""
        return by_object(self.cache("events").of_namespace(namespace).values())

    def underway(self, resource: str, namespace: str) -> Iterable[Obj]:
        """The objects that are being written: what `list` will say in a moment, unless somebody else is faster.

        What is there twice for a moment, here and in the cache, is the same object.
        """
        return [
            obj
            for kind, verb, obj in self._underway.values()
            if kind == resource and verb != "delete" and (obj["metadata"].get("namespace") or "") == namespace
        ]

    def on_change(self, resource: str, callback: Callable[[Obj | None, Obj | None], None]) -> None:
        cache = self.cache(resource)
        for entry in cache.entries.values():
            callback(None, entry.obj)
        cache.callbacks.append(callback)

    def entry(self, resource: str, key: Key) -> Entry | None:
        return self.cache(resource).entries.get(key)

    def counts(self) -> dict[str, int]:
        """How many objects of each resource there are."""
        return {resource: len(cache.entries) for resource, cache in self._caches.items()}

    def watchers(self) -> int:
        """How many watches wait for news right now."""
        return sum(
            len(stream.bells) for cache in self._caches.values() for stream in (cache.stream, *cache.triggered.values())
        )

    # -- writing -------------------------------------------------------------------------------------------------

    async def write(self, resource: str, key: Key, obj: Obj, verb: str, expected: int, journey: str) -> Revision:
        """Commit `obj` as the new state (verb create or update) or the last one (delete).

        `expected` is the revision it replaces, 0 for none; etcd's Conflict is raised when that is not so.
        On success `obj` belongs to the cache, with its resourceVersion set.
        """
        value = encoded(obj)
        self._underway[id(value)] = (resource, verb, obj)
        try:
            return await self.log.submit(Write(resource, key[0], key[1], value, verb, expected, journey))
        finally:
            self._underway.pop(id(value), None)

    def _committed(self, revisions: Revisions) -> None:
        """The doorbell with the tail of the log: publish a group, in order, then ring everybody once."""
        bells: dict[int, Stream] = {}
        for revision in revisions:
            _, _, obj = self._underway.get(id(revision.value), ("", "", None))
            if obj is None or revision.resource in KEPT_AS_BYTES:
                if obj is not None:
                    obj["metadata"]["resourceVersion"] = str(revision.revision)
                entry = _entry_of(revision)
            else:
                obj["metadata"]["resourceVersion"] = str(revision.revision)
                entry = Entry((revision.namespace, revision.name), revision.revision, obj)
            self.revision = revision.revision
            cache, deleted = self.cache(revision.resource), revision.verb == "delete"
            for stream in cache.apply(entry, deleted, revision.journey, len(revision.value)):
                bells[id(stream)] = stream
        for stream in bells.values():
            stream.ring()
        if self._arrival:
            self._announce()

    # -- waiting for a revision ----------------------------------------------------------------------------------

    async def wait_for(self, revision: int, timeout: float) -> bool:
        """Wait (real seconds) until the cache has seen `revision`; False when it did not in time."""
        if self.revision >= revision:
            return True
        arrived: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._arrival.append((revision, arrived))
        try:
            await asyncio.wait_for(arrived, timeout)
        except TimeoutError:
            return False
        finally:
            self._arrival = [(wanted, future) for wanted, future in self._arrival if future is not arrived]
        return True

    def _announce(self) -> None:
        for wanted, future in self._arrival:
            if wanted <= self.revision and not future.done():
                future.set_result(None)


def parse(value: bytes, revision: int) -> Obj:
    """The object that a revision of the log holds, with its resourceVersion."""
    obj: Obj = orjson.loads(value)
    obj["metadata"]["resourceVersion"] = str(revision)
    return obj


def _entry_of(revision: Revision) -> Entry:
    key = (revision.namespace, revision.name)
    if revision.resource in KEPT_AS_BYTES:
        return Entry(key, revision.revision, None, compact(revision.value))
    return Entry(key, revision.revision, parse(revision.value, revision.revision))
