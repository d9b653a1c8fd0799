"""Virtual time and a log in memory: what lets a day of the whole cluster run in a minute, the same way each time."""

from __future__ import annotations

import asyncio
import selectors
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any

from cluster.etcd.commit import decide
from cluster.etcd.log import Compacted, Conflict, Revision, Write

# Revisions that watches may still look back to.
KEPT = 50_000


class _Selector(selectors.SelectSelector):
    """Never waits: where the loop would wait for a timer, its time jumps."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("nothing will ever happen again")
        self.now += max(timeout, 0.0)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only when there is nothing else to do."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now


class MemoryLog:
    """The revision log without a disk: the same compare-and-swap, the same order of news and answers."""

    def __init__(self) -> None:
        self.head = 0
        self.compacted = 0
        self.healthy = True
        self.on_commit: list[Callable[[list[Revision]], object]] = []
        self.on_lost: list[Callable[[int], object]] = []
        self._state: dict[tuple[str, str, str], tuple[int, int]] = {}
        self._revisions: deque[Revision] = deque(maxlen=KEPT)
        self._waiting: list[tuple[Write, asyncio.Future[Revision]]] = []

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def load(self, chunk: int = 1000) -> AsyncIterator[list[Revision]]:
        for revision in ():
            yield [revision]

    def submit(self, write: Write) -> asyncio.Future[Revision]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Revision] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._commit)
        self._waiting.append((write, future))
        return future

    def _commit(self) -> None:
        group, self._waiting = self._waiting, []
        decisions = decide([write for write, _ in group], self._state, self.head)
        news, answers = [], []
        for (write, future), won in zip(group, decisions, strict=True):
            if isinstance(won, Conflict):
                answers.append((future, won))
                continue
            revision = Revision(
                won.revision,
                write.resource,
                write.namespace,
                write.name,
                won.verb,
                won.previous,
                won.created,
                write.value,
                write.journey,
            )
            self.head = won.revision
            news.append(revision)
            answers.append((future, revision))
        self._revisions.extend(news)
        if news:
            self.compacted = max(self._revisions[0].revision - 1, 0)
            for callback in tuple(self.on_commit):
                callback(news)
        for future, answer in answers:
            if future.done():
                continue
            if isinstance(answer, Revision):
                future.set_result(answer)
            else:
                future.set_exception(answer)

    async def since(self, revision: int, limit: int = 1000) -> list[Revision]:
        if revision < self.compacted:
            raise Compacted(self.compacted)
        first = self._revisions[0].revision if self._revisions else 1
        start = max(revision + 1 - first, 0)
        return [self._revisions[at] for at in range(start, min(start + limit, len(self._revisions)))]

    async def get(self, resource: str, namespace: str, name: str, at: int | None = None) -> Revision | None:
        for revision in reversed(self._revisions):
            if revision.key == (resource, namespace, name) and (at is None or revision.revision <= at):
                return None if revision.verb == "delete" else revision
        return None

    async def auto_compact(self, keep: int = 0) -> int:
        return 0

    def __getattr__(self, name: str) -> Any:
        raise NotImplementedError(f"the log in memory has no {name}")
