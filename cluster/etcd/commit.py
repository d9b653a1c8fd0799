"""Group commit: one thread, one connection, one transaction for everything that is waiting.

An fsync costs the same for one write as for 256, so the writer takes all writes queued, decides each one's
compare-and-swap in order, and commits the winners together. Nothing is published before the commit returned; when it
fails, the whole group hears so. The deciding is the pure function `decide`; SQL surrounds it.

The head's row is locked first. On SQLite BEGIN IMMEDIATE does so anyway; on PostgreSQL it puts the ids of all processes in
commit order without gaps, and shows at once what other processes have committed since: those revisions are published
ahead of the group's own. So the writer thread is the one source of publication, in order and exactly once.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

from django.db import connections, transaction

from cluster.etcd import models, ranges, statements
from cluster.etcd.codec import pack
from cluster.etcd.records import CREATE, DELETE, UPDATE, CommitFailed, Conflict, Key, Revision, Write

CAP = 256

State = dict[Key, tuple[int, int]]  # key -> its current revision and the one that created it


@dataclass(slots=True)
class Publication:
    """What the event loop gets to hear of one transaction: revisions in order, then the answer to each write."""

    revisions: list[Revision] = field(default_factory=list)
    outcomes: list[Revision | Exception] = field(default_factory=list)
    entries: Sequence[Entry] = ()
    compacted: int = 0
    lost: bool = False  # other processes' revisions up to `compacted` were gone before we saw them
    seconds: float = 0.0


class Entry:
    """A write in the queue, with the future that waits for it."""

    __slots__ = ("future", "queued", "write")

    def __init__(self, write: Write, future: asyncio.Future[Revision]) -> None:
        self.write = write
        self.future = future
        self.queued = time.perf_counter()


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of one write: the revision it gets, what really happened, and what it supersedes."""

    revision: int
    verb: str
    previous: int
    created: int


def decide(writes: Sequence[Write], state: State, last: int) -> list[Decision | Conflict]:
    """Each write's compare-and-swap, in order, each seeing those before it. Updates `state`: (0, 0) for a deleted key."""
    decisions: list[Decision | Conflict] = []
    for write in writes:
        key = (write.resource, write.namespace, write.name)
        current, created = state.get(key, (0, 0))
        deleting = write.verb == DELETE
        if (write.expected is not None and write.expected != current) or (deleting and not current):
            decisions.append(Conflict(current))
            continue
        last += 1
        if deleting:
            decisions.append(Decision(last, DELETE, current, created))
            state[key] = (0, 0)
        else:
            decisions.append(Decision(last, UPDATE if current else CREATE, current, created or last))
            state[key] = (last, created or last)
    return decisions


class Writer:
    """The thread that owns the log's write connection. `publish` is called in it, once per transaction, after the commit."""

    def __init__(self, using: str, publish: Callable[[Publication], None]) -> None:
        self._using = using
        self._publish = publish
        self._queue: SimpleQueue[Entry | Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="etcd-writer", daemon=True)
        self._known = 0
        self.put = self._queue.put  # a write, or work to do between two groups

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Finish what is queued, then end. Blocks."""
        self._queue.put(None)
        self._thread.join()

    @property
    def waiting(self) -> int:
        return self._queue.qsize()

    def recover(self) -> tuple[int, int]:
        """Read where the log stands, creating the head of a new one. Runs in the writer thread, before any write."""
        with transaction.atomic(using=self._using, durable=True):
            models.Head.objects.using(self._using).bulk_create([models.Head()], ignore_conflicts=True)
            head = models.Head.objects.using(self._using).select_for_update().get()
            newest = models.Revision.objects.using(self._using).order_by("-id").values_list("id", flat=True).first()
        if newest is not None and newest > head.last:
            raise RuntimeError(f"the log holds revision {newest}, but its head says {head.last}: not our log")
        self._known = head.last
        return head.last, head.compacted

    def catch_up(self) -> None:
        """Publish what other processes have committed since we last looked. Runs in the writer thread."""
        with ranges.snapshot(self._using) as (last, compacted):
            missed = self._missed(last, compacted)
        if missed is not None:
            self._known = last
            self._publish(missed)

    def _run(self) -> None:
        try:
            while (item := self._queue.get()) is not None:
                entries: list[Entry] = []
                while isinstance(item, Entry):
                    entries.append(item)
                    if len(entries) == CAP:
                        break
                    try:
                        item = self._queue.get_nowait()
                    except Empty:
                        break
                if entries:
                    self._publish_group(entries)
                if item is None:
                    return
                if not isinstance(item, Entry):
                    item()
        finally:
            connections[self._using].close()

    def _publish_group(self, entries: list[Entry]) -> None:
        try:
            missed, group = self._commit(entries)
        except Exception as error:
            # Whatever broke may have broken the connection: the next group starts with a new one.
            connections[self._using].close()
            missed, group = None, Publication(entries=entries)
            for _ in entries:
                failure = CommitFailed(str(error))
                failure.__cause__ = error
                group.outcomes.append(failure)
        if missed is not None:
            self._publish(missed)
        self._publish(group)

    def _commit(self, entries: list[Entry]) -> tuple[Publication | None, Publication]:
        began = time.perf_counter()
        writes = [entry.write for entry in entries]
        packed = [pack(write.value) for write in writes]
        with transaction.atomic(using=self._using, durable=True), connections[self._using].cursor() as cursor:
            cursor.execute(statements.LOCK_HEAD[connections[self._using].vendor])
            last, compacted = cursor.fetchone()
            missed = self._missed(last, compacted)
            state = self._state(cursor, writes)
            decisions = decide(writes, state, last)
            rows = [
                (won.revision, w.resource, w.namespace, w.name, won.verb, won.previous, won.created, w.journey, value)
                for won, w, value in zip(decisions, writes, packed, strict=True)
                if isinstance(won, Decision)
            ]
            if rows:
                self._append(cursor, rows, state)
        seconds = time.perf_counter() - began
        group = Publication(entries=entries, compacted=compacted, seconds=seconds)
        size = len(entries)
        for entry, won in zip(entries, decisions, strict=True):
            if isinstance(won, Conflict):
                group.outcomes.append(won)
                continue
            w = entry.write
            revision = Revision(
                won.revision, w.resource, w.namespace, w.name, won.verb, won.previous, won.created, w.value, w.journey,
                began - entry.queued, seconds, size,
            )  # fmt: skip
            group.revisions.append(revision)
            group.outcomes.append(revision)
        self._known = last + len(rows)
        return missed, group

    def _state(self, cursor: Any, writes: Sequence[Write]) -> State:
        keys = {(write.resource, write.namespace, write.name) for write in writes}
        cursor.execute(statements.state(len(keys)), [part for key in keys for part in key])
        return {(row[0], row[1], row[2]): (row[3], row[4]) for row in cursor.fetchall()}

    def _append(self, cursor: Any, rows: list[tuple[Any, ...]], state: State) -> None:
        touched: set[Key] = {(row[1], row[2], row[3]) for row in rows}
        cursor.executemany(statements.APPEND, rows)
        if living := [(*key, *state[key]) for key in touched if state[key][0]]:
            cursor.executemany(statements.POINT, living)
        if gone := [key for key in touched if not state[key][0]]:
            cursor.executemany(statements.FORGET, gone)
        cursor.execute(statements.MOVE_HEAD, [rows[-1][0]])

    def _missed(self, last: int, compacted: int) -> Publication | None:
        """Other processes' revisions after the newest we know, up to `last`. Only ever any with several processes."""
        if self._known >= last:
            return None
        revisions = ranges.between(self._using, max(self._known, compacted), last)
        return Publication(revisions=revisions, compacted=compacted, lost=self._known < compacted)
