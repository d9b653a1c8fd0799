"""The revision log, as the API server uses it: etcd's place in the diagram.

One `Log` per process, used from one asyncio loop. Writes go to the writer thread (commit.py), reads to a few reader
threads (ranges.py); the loop itself never touches the database. `on_commit` is the doorbell with the news in its hand:
every revision, in order, exactly once, after it is durable and before the writer's own future resolves. The `value` of a
revision just written is the very bytes object of its Write.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import local
from typing import Any, ParamSpec, TypeVar

from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from cluster.etcd import compaction, ranges
from cluster.etcd.commit import Entry, Publication, Writer
from cluster.etcd.records import VERBS, CommitFailed, Compacted, Conflict, Key, Revision, Write

__all__ = ["CommitFailed", "Compacted", "Conflict", "Log", "Revision", "Write"]

P = ParamSpec("P")
T = TypeVar("T")

_READERS = 2


class Log:
    """See the module. `on_lost` callbacks hear a compacted revision when other processes' changes up to there vanished
    before this process saw them: whoever mirrors the log must load it again."""

    def __init__(self, using: str = "etcd") -> None:
        self.using = using
        self._loop: asyncio.AbstractEventLoop | None = None
        self._writer: Writer | None = None
        self._readers: ThreadPoolExecutor | None = None
        self._reader_connections: list[BaseDatabaseWrapper] = []
        self._thread = local()
        self._swept = False
        self.head = 0
        self.compacted = 0
        self.on_commit: list[Callable[[list[Revision]], object]] = []
        self.on_lost: list[Callable[[int], object]] = []
        self.stats: dict[str, float] = {
            "commits": 0,
            "conflicts": 0,
            "failures": 0,
            "groups": 0,
            "largest_group": 0,
            "last_group": 0,
            "last_commit_seconds": 0.0,
            "commit_seconds": 0.0,
        }

    @property
    def healthy(self) -> bool:
        """Whether writes are being taken."""
        return self._writer is not None

    async def open(self) -> None:
        """Start the threads and read where the log stands."""
        if self._writer is not None:
            raise RuntimeError("the log is already open")
        self._loop = asyncio.get_running_loop()
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="etcd-reader")
        self._writer = Writer(self.using, self._publish_from_thread)
        self._writer.start()
        try:
            self.head, self.compacted = await self._write(self._writer.recover)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Commit what is queued, then stop. Safe to call twice."""
        if self._writer is None or self._readers is None:
            return
        writer, readers, self._writer, self._readers = self._writer, self._readers, None, None

        def stop() -> None:
            writer.stop()
            readers.shutdown()
            for connection in self._reader_connections:
                connection.close()
            self._reader_connections.clear()

        await asyncio.to_thread(stop)

    # Writing

    def submit(self, write: Write) -> asyncio.Future[Revision]:
        """Queue a write. The future holds its Revision once durable, or Conflict, or CommitFailed."""
        if self._writer is None or self._loop is None:
            raise RuntimeError("the log is closed")
        if write.verb not in VERBS:
            raise ValueError(f"no such verb: {write.verb!r}")
        future: asyncio.Future[Revision] = self._loop.create_future()
        self._writer.put(Entry(write, future))
        return future

    async def commit(self, write: Write) -> Revision:
        """Write and wait until it is durable. A caller who is cancelled may still have written."""
        return await self.submit(write)

    async def catch_up(self) -> None:
        """Publish what other processes have committed: to be called when their doorbell rings."""
        if self._writer is None:
            raise RuntimeError("the log is closed")
        await self._write(self._writer.catch_up)

    # Reading

    async def since(self, revision: int, limit: int = 1000, resource: str | None = None) -> list[Revision]:
        """The cursor: the next `limit` revisions (of one resource) after `revision`, in order. Compacted when that lies below.

        Fewer than `limit`: these are all that there were up to the `head` noted before.
        """
        return await self._read(ranges.since, self.using, revision, limit, resource)

    async def superseded(self, revisions: Iterable[Revision]) -> dict[int, Revision]:
        """What these superseded, by number, as far as it has not been compacted away."""
        numbers = [one.previous for one in revisions if one.previous]
        return await self._read(ranges.those, self.using, numbers) if numbers else {}

    async def range(
        self,
        resource: str,
        namespace: str | None = None,
        at: int | None = None,
        after_key: tuple[str, str] | None = None,
        limit: int = 0,
    ) -> tuple[list[Revision], int]:
        """Objects ordered by (namespace, name), now or exactly at a revision, and the head when they were read."""
        return await self._read(ranges.range_, self.using, resource, namespace, at, after_key, limit)

    async def count(
        self, resource: str, namespace: str | None, at: int, after_key: tuple[str, str] | None = None
    ) -> int:
        """How many objects `range` would find at a revision."""
        return await self._read(ranges.count, self.using, resource, namespace, at, after_key)

    async def get(self, resource: str, namespace: str, name: str, at: int | None = None) -> Revision | None:
        """One object, now or exactly at a revision; None when it does not exist there."""
        return await self._read(ranges.get, self.using, resource, namespace, name, at)

    async def history(
        self, resource: str, namespace: str, name: str, limit: int, at: int | None = None
    ) -> list[Revision]:
        """What is still known of a key's past (up to a revision), deletes included, newest first."""
        return await self._read(ranges.history, self.using, resource, namespace, name, limit, at)

    async def load(self, chunk: int = 1000) -> AsyncIterator[list[Revision]]:
        """All living objects of all resources, in key order, in chunks.

        Chunks are read one after another while writes go on. To mirror the log: note `head` first, load, then apply
        what comes after the noted head, ignoring whatever is not newer than the object at hand.
        """
        after: Key | None = None
        while revisions := await self._read(ranges.load, self.using, after, chunk):
            after = revisions[-1].key
            yield revisions

    # Forgetting

    async def compact(self, to: int) -> int:
        """Forget what was superseded at or before `to`; returns how many revisions went. Writes go on in between."""
        self.compacted = max(self.compacted, await self._write(compaction.mark, self.using, to))
        total = 0
        self._swept = False
        while not self._swept:
            deleted, self._swept = await self._write(compaction.sweep, self.using)
            total += deleted
        return total

    async def auto_compact(self, keep: int = 100_000) -> int:
        """One step of housekeeping: keep at least the newest `keep` revisions, forget the superseded before them.

        Waits until a batch is worth it; the first call of a process also finishes what a crash left undone.
        """
        to = self.head - keep
        if to - self.compacted < min(compaction.BATCH, max(1, keep)) and self._swept:
            return 0
        return await self.compact(to)

    # Threads

    async def _read(self, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._readers is None or self._loop is None:
            raise RuntimeError("the log is closed")
        return await self._loop.run_in_executor(self._readers, lambda: self._in_reader(read, *args, **kwargs))

    def _in_reader(self, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        connection = connections[self.using]
        if not hasattr(self._thread, "connection"):
            self._thread.connection = connection
            connection.inc_thread_sharing()  # close() closes it from another thread
            self._reader_connections.append(connection)
        try:
            return read(*args, **kwargs)
        except DatabaseError:
            connection.close()
            raise

    async def _write(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run something in the writer thread, between two groups."""
        if self._writer is None or self._loop is None:
            raise RuntimeError("the log is closed")
        loop = self._loop
        done: asyncio.Future[T] = loop.create_future()

        def finish(result: T | None, error: Exception | None) -> None:
            if done.done():
                return
            if error is not None:
                done.set_exception(error)
            else:
                done.set_result(result)  # type: ignore[arg-type]

        def run() -> None:
            try:
                result = work(*args, **kwargs)
            except Exception as error:
                connections[self.using].close()
                loop.call_soon_threadsafe(finish, None, error)
            else:
                loop.call_soon_threadsafe(finish, result, None)

        self._writer.put(run)
        return await done

    def _publish_from_thread(self, publication: Publication) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._publish, publication)

    def _publish(self, publication: Publication) -> None:
        """In the loop: first the news to everyone, then the answer to each writer."""
        self.compacted = max(self.compacted, publication.compacted)
        if publication.lost:
            self.head = publication.compacted
            self._call(self.on_lost, publication.compacted)
        if revisions := publication.revisions:
            self.head = revisions[-1].revision
            self._call(self.on_commit, revisions)
        if publication.entries:
            self._count(publication)
        for entry, outcome in zip(publication.entries, publication.outcomes, strict=True):
            future = entry.future
            if future.done():
                continue
            if isinstance(outcome, Revision):
                future.set_result(outcome)
            else:
                future.set_exception(outcome)

    def _call(self, callbacks: list[Callable[[T], object]], news: T) -> None:
        assert self._loop is not None
        for callback in tuple(callbacks):
            try:
                callback(news)
            except Exception as error:
                # The revisions are committed: one listener's failure must keep neither the others nor the writers waiting.
                context: dict[str, Any] = {"message": "a listener of the log failed", "exception": error}
                self._loop.call_exception_handler(context)

    def _count(self, publication: Publication) -> None:
        stats = self.stats
        conflicts = sum(1 for outcome in publication.outcomes if isinstance(outcome, Conflict))
        committed = len(publication.revisions)
        stats["commits"] += committed
        stats["conflicts"] += conflicts
        stats["failures"] += len(publication.entries) - committed - conflicts
        stats["groups"] += 1
        stats["last_group"] = len(publication.entries)
        stats["largest_group"] = max(stats["largest_group"], len(publication.entries))
        stats["last_commit_seconds"] = publication.seconds
        stats["commit_seconds"] += publication.seconds
