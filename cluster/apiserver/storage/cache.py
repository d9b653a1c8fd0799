"""The watch cache: the current objects of every resource, and the latest changes to them (apiserver/storage/cacher).

Fed by the log's commits, in revision order, before the writers learn that they succeeded: what was acknowledged can be read.
Every object is kept once, parsed, and shared by all who read it (nobody may change it); its bytes are made when first needed.
Watchers are cursors over a stream of changes; a doorbell only says that there is more.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Any

import orjson

Obj = dict[str, Any]
Key = tuple[str, str]  # (namespace, name)

# Changes kept in memory per stream before a watcher that lags is sent to the log; up to so many while the oldest of them is younger than
# FRESH (real seconds) and all of them come to no more than FRESH_BYTES: thousands of leases are renewed in the time of one long reconcile
# (cacher's dynamic size by eventFreshDuration).
STREAM_LENGTH, LONGEST = 512, 16_384
FRESH, FRESH_BYTES = 15.0, 4 * 1024 * 1024
# Bytes of JSON that they may come to: in memory, parsed and as answered, each is some four times as much.
STREAM_BYTES = 16 * 1024 * 1024

# Resources that come in masses and are rarely read: kept as bytes, parsed when asked for.
KEPT_AS_BYTES = frozenset({"events"})

# Field selectors with a stream of their own, so that a thousand kubelets do not read one another's pods.
TRIGGERS = {"pods": "spec.nodeName"}


def compact(data: bytes) -> bytes:
    """The same bytes without spare room: the encoder's results take up several times their length."""
    return bytes(memoryview(data))


class Entry:
    """One version of one object: parsed, as bytes, or both. `obj` is shared and must not be changed."""

    __slots__ = ("_bytes", "_obj", "key", "revision")

    def __init__(self, key: Key, revision: int, obj: Obj | None, value: bytes | None = None) -> None:
        self.key = key
        self.revision = revision
        self._obj = obj
        # As answered; for an entry that is kept unparsed (`obj` None) as logged, without its resourceVersion.
        self._bytes = value

    @property
    def obj(self) -> Obj:
        if self._obj is not None:
            return self._obj
        parsed: Obj = orjson.loads(self._bytes or b"{}")
        parsed["metadata"]["resourceVersion"] = str(self.revision)
        return parsed

    @property
    def text(self) -> bytes:
        """The object's JSON, with or without its resourceVersion: to look something up in without parsing it."""
        return self._bytes if self._bytes is not None else self.bytes

    @property
    def bytes(self) -> bytes:
        if self._obj is None:
            return orjson.dumps(self.obj)
        if self._bytes is None:
            self._bytes = compact(orjson.dumps(self._obj))
        return self._bytes


class Change:
    """One step of one object: `entry` is the new state (or the last, if deleted), `previous` the one before."""

    __slots__ = ("_lines", "at", "deleted", "entry", "journey", "previous", "revision", "size")

    def __init__(
        self, revision: int, entry: Entry, previous: Entry | None, deleted: bool, journey: str, size: int = 0
    ) -> None:
        self.revision = revision
        self.entry = entry
        self.previous = previous
        self.deleted = deleted
        self.journey = journey
        # Bytes of the object as logged.
        self.size = size
        self.at = time.monotonic()
        self._lines: dict[str, bytes] = {}

    def line(self, kind: str) -> bytes:
        """The watch event as one line of JSON, encoded once for all watchers."""
        line = self._lines.get(kind)
        if line is None:
            line = self._lines[kind] = b'{"type":"%s","object":%s}\n' % (kind.encode(), self.final(kind).bytes)
        return line

    def final(self, kind: str) -> Entry:
        """The object that an event of this kind carries: leaving a selection shows the state before, as of now."""
        if kind == "DELETED" and not self.deleted and self.previous is not None:
            before = self.previous.obj
            metadata = {**before["metadata"], "resourceVersion": str(self.revision)}
            return Entry(self.entry.key, self.revision, {**before, "metadata": metadata})
        return self.entry


class Stream:
    """The latest changes in order, and the bells of those who wait for more."""

    __slots__ = ("bells", "changes", "floor", "offset", "room", "size")

    def __init__(self, floor: int) -> None:
        self.changes: list[Change] = []
        self.room = STREAM_LENGTH  # how many changes stay when the oldest are dropped
        self.offset = 0  # how many changes have been dropped from the front
        self.floor = floor  # every change after this revision is here
        self.size = 0  # bytes of all changes
        self.bells: set[asyncio.Future[None]] = set()

    def append(self, change: Change) -> bool:
        """True when the oldest changes were dropped for it."""
        self.changes.append(change)
        self.size += change.size
        if len(self.changes) <= 2 * self.room and self.size <= 2 * STREAM_BYTES:
            return False
        if self.size <= FRESH_BYTES and self.room < LONGEST and self._age(self.room) < FRESH:
            self.room *= 2
            return False
        while self.room > STREAM_LENGTH and (self.size > FRESH_BYTES or self._age(self.room // 2) >= FRESH):
            self.room //= 2
        surplus, size = max(len(self.changes) - self.room, 0), self.size
        size -= sum(old.size for old in self.changes[:surplus])
        # The newest stays, however large: those who wait read it here.
        while size > STREAM_BYTES and surplus < len(self.changes) - 1:
            size -= self.changes[surplus].size
            surplus += 1
        self._drop(surplus)
        return surplus > 0

    def _age(self, count: int) -> float:
        """Seconds from the last change but so many to the last one."""
        return self.changes[-1].at - self.changes[-min(count, len(self.changes))].at

    def forget(self, floor: int) -> None:
        """Drop the changes up to a revision."""
        self._drop(bisect_right(self.changes, floor, key=lambda change: change.revision))
        self.floor = max(self.floor, floor)

    def _drop(self, surplus: int) -> None:
        if surplus:
            self.floor = self.changes[surplus - 1].revision
            self.size -= sum(old.size for old in self.changes[:surplus])
            del self.changes[:surplus]
            self.offset += surplus

    def ring(self) -> None:
        if self.bells:
            bells, self.bells = self.bells, set()
            for bell in bells:
                if not bell.done():
                    bell.set_result(None)

    def position_after(self, revision: int) -> int:
        """The absolute position of the first change after `revision` (which must not be below the floor)."""
        return self.offset + bisect_right(self.changes, revision, key=lambda change: change.revision)


class ResourceCache:
    """All objects of one resource."""

    def __init__(self, resource: str, revision: int) -> None:
        self.resource = resource
        self.entries: dict[Key, Entry] = {}
        self.stream = Stream(revision)
        self.triggered: dict[str, Stream] = {}
        self.trigger = TRIGGERS.get(resource, "")
        self._trigger_path = self.trigger.split(".")
        self._sorted: list[Key] | None = None
        self._by_namespace: dict[str, dict[str, Entry]] = {}
        self._by_trigger: dict[str, set[Key]] = {}
        self.callbacks: list[Callable[[Obj | None, Obj | None], None]] = []

    def ordered(self) -> list[Key]:
        """All keys in order; sorted anew only after something came or went."""
        if self._sorted is None:
            self._sorted = sorted(self.entries)
        return self._sorted

    def of_namespace(self, namespace: str) -> dict[str, Entry]:
        return self._by_namespace.get(namespace, {})

    def of_trigger(self, value: str) -> Iterable[Key]:
        """The keys of those that have this value where the trigger looks (thousands of kubelets list their own pods)."""
        return self._by_trigger.get(value, ())

    def store(self, entry: Entry, deleted: bool) -> Entry | None:
        """Put one version in its place; returns the version before."""
        namespace, name = entry.key
        previous = self.entries.get(entry.key)
        if deleted:
            if previous is not None:
                del self.entries[entry.key]
                within = self._by_namespace[namespace]
                del within[name]
                if not within:
                    del self._by_namespace[namespace]
                self._sorted = None
        else:
            if previous is None:
                self._sorted = None
            self.entries[entry.key] = entry
            self._by_namespace.setdefault(namespace, {})[name] = entry
        if self.trigger:
            self._index(entry.key, previous, None if deleted else entry)
        return previous

    def _index(self, key: Key, previous: Entry | None, entry: Entry | None) -> None:
        before = None if previous is None else self._trigger_value(previous)
        after = None if entry is None else self._trigger_value(entry)
        if before == after:
            return
        if before is not None:
            within = self._by_trigger[before]
            within.discard(key)
            if not within:
                del self._by_trigger[before]
        if after is not None:
            self._by_trigger.setdefault(after, set()).add(key)

    def apply(self, entry: Entry, deleted: bool, journey: str, size: int = 0) -> Iterable[Stream]:
        """One committed revision: store it, append it to the streams; returns the streams whose bells to ring."""
        previous = self.store(entry, deleted)
        change = Change(entry.revision, entry, previous, deleted, journey, size)
        if self.stream.append(change):
            # The streams of single selectors hold the same changes: they must not keep them longer.
            for triggered in self.triggered.values():
                triggered.forget(self.stream.floor)
        for callback in self.callbacks:
            callback(None if previous is None else previous.obj, None if deleted else entry.obj)
        if not self.triggered:
            return (self.stream,)
        streams = [self.stream]
        values = {self._trigger_value(entry)}
        if previous is not None:
            values.add(self._trigger_value(previous))
        for value in values:
            stream = self.triggered.get(value)
            if stream is not None:
                stream.append(change)
                streams.append(stream)
        return streams

    def stream_for(self, trigger_value: str | None) -> Stream:
        """The stream of those that a triggered selector can match, or the whole one."""
        if trigger_value is None:
            return self.stream
        stream = self.triggered.get(trigger_value)
        if stream is None:
            stream = self.triggered[trigger_value] = Stream(self.stream.floor)
            for change in self.stream.changes:
                touched = [change.entry] if change.previous is None else [change.entry, change.previous]
                if any(self._trigger_value(entry) == trigger_value for entry in touched):
                    stream.changes.append(change)
                    stream.size += change.size
        return stream

    def _trigger_value(self, entry: Entry) -> str:
        here: Any = entry.obj
        for step in self._trigger_path:
            here = here.get(step) if here else None
        return here or ""
