"""Keeping journeys: the latest in memory, those of requests from outside in the database, for replay after a restart.

A sink of the recorder. What just happened is at hand as objects; every moment a background task packs what has finished
(JSON, zlib) and writes it in one transaction, so that memory holds little and the hot path pays an append.
Reads and writes are kept apart: a thousand GETs do not push out the apply one wants to see again.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import zlib
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from typing import Any

import orjson
from asgiref.sync import sync_to_async
from django.db import transaction

from cluster.journeys.models import Chunk, Root
from cluster.journeys.trace import Journey, encode, recorder, wall

log = logging.getLogger(__name__)

READS = frozenset({"get", "list", "watch"})

# Trees kept, of writes and of reads; journeys kept of one tree; how often to pack and write, and how often reads (real seconds).
KEPT_WRITES, KEPT_READS, KEPT_OF_TREE, FLUSH_EVERY, READS_EVERY = 2000, 600, 60_000, 0.5, 5.0
# Journeys that live viewers may still fetch; they look twenty times a second.
FEED = 2000
# Trees that the cluster began by itself (heartbeats, timers): only ever in memory.
KEPT_INSIDE = 300


class Tree:
    """All journeys with one root."""

    __slots__ = ("dropped", "finished", "kept", "open", "packed", "root", "touched", "writing")

    def __init__(self, root: str) -> None:
        self.root = root
        self.open: dict[str, Journey] = {}
        self.finished: list[Journey] = []
        # On their way to the database, and not to be found there yet.
        self.writing: list[Journey] = []
        self.packed: list[bytes] = []
        self.kept = 0
        self.dropped = 0
        self.touched = 0.0


class JourneyStore:
    """Attach with `start()`. `feed` holds the newest journeys for those who stream them."""

    def __init__(self, *, persist: bool = True) -> None:
        self.persist = persist
        self.feed: deque[tuple[int, Journey]] = deque(maxlen=FEED)
        self.sequence = 0
        self._outside: OrderedDict[str, Tree] = OrderedDict()
        self._inside: OrderedDict[str, Tree] = OrderedDict()
        self._summaries: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._fresh_roots: list[Journey] = []
        # Finished reads, nothing of which is made before somebody looks or they are written: most make room for newer ones first.
        self._fresh_reads: OrderedDict[str, Journey] = OrderedDict()
        # Roots whose summaries are not in the database yet.
        self._unwritten: list[str] = []
        self._dirty: dict[str, Tree] = {}
        self._forget: list[str] = []
        self._counts = {True: 0, False: 0}
        self._unsink: Callable[[], None] | None = None
        self._task: asyncio.Task[None] | None = None

    # -- recording -----------------------------------------------------------------------------------------------

    def record(self, journey: Journey) -> None:
        """The recorder's sink: cheap, and on the hot path of everything."""
        self.sequence += 1
        self.feed.append((self.sequence, journey))
        root = journey.root
        if journey.verb in READS and root == journey.id and journey.end and journey.origin == "outside":
            if root not in self._outside:
                self._fresh_reads[root] = journey
                if len(self._fresh_reads) > KEPT_READS:
                    self._fresh_reads.popitem(last=False)
                return
        elif root in self._fresh_reads:
            self._settle()
        self._keep_in_tree(journey)

    def _keep_in_tree(self, journey: Journey) -> None:
        root = journey.root
        tree = self._outside.get(root)
        if tree is None:
            if journey.origin == "outside" or root in self._summaries:
                tree = self._outside[root] = Tree(root)
            else:
                tree = self._inside.get(root)
                if tree is None:
                    tree = self._inside[root] = Tree(root)
                    if len(self._inside) > KEPT_INSIDE:
                        self._inside.popitem(last=False)
        if journey.origin == "outside" and root == journey.id and journey.end:
            self._fresh_roots.append(journey)
        if not journey.end:
            tree.open[journey.id] = journey
            return
        tree.open.pop(journey.id, None)
        if tree.kept >= KEPT_OF_TREE:
            tree.dropped += 1
            return
        tree.kept += 1
        tree.finished.append(journey)
        if root in self._outside:
            self._dirty[root] = tree

    # -- reading -------------------------------------------------------------------------------------------------

    def recent(
        self,
        *,
        actor: str | None = None,
        limit: int = 50,
        before: str = "",
        wanted: Callable[[dict[str, Any]], bool] | None = None,
    ) -> list[dict[str, Any]]:
        """Summaries of requests from outside, newest first; only one person's when `actor` is given, only those that are `wanted`."""
        self._settle()
        found: list[dict[str, Any]] = []
        skipping = bool(before) and before in self._summaries
        for root in reversed(list(self._summaries)):
            if skipping:
                skipping = root != before
                continue
            summary = self._summaries[root]
            if (actor is None or summary["actor"] == actor) and (wanted is None or wanted(summary)):
                found.append(summary)
                if len(found) >= limit:
                    break
        return found

    async def tree(self, root: str, most: int = 0) -> list[dict[str, Any]]:
        """All journeys of a tree as dicts, by start; empty when it is not known (any more).

        `most`: of what is written away only about so many, the latest.
        """
        self._settle()
        tree = self._outside.get(root) or self._inside.get(root)
        # First what is at hand: what is written away meanwhile is then found in the database.
        at_hand = (
            [] if tree is None else [one.as_dict() for one in (*tree.writing, *tree.finished, *tree.open.values())]
        )
        chunks: list[bytes] = []
        if self.persist and (tree is None or root in self._outside):
            chunks = await sync_to_async(_read_chunks)(root, most)
        if tree is not None:
            chunks += tree.packed
        # A tree may hold thousands: the loop does not wait for them to be unpacked.
        found = await asyncio.to_thread(_unpack, chunks)
        for journey in at_hand:
            found.setdefault(journey["id"], journey)
        return sorted(found.values(), key=lambda journey: (journey["start"], journey["id"]))

    def actor_of(self, root: str) -> str | None:
        """Who made the request at the root; None when it is not known."""
        self._settle()
        summary = self._summaries.get(root)
        return None if summary is None else str(summary["actor"])

    # -- keeping -------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Load what was kept, listen to the recorder, and keep writing."""
        if self.persist:
            rows = await sync_to_async(_read_roots)()
            for row in rows:
                self._summaries[row["id"]] = row
                self._counts[row["verb"] in READS] += 1
        self._unsink = recorder.add_sink(self.record)
        self._task = asyncio.create_task(self._keep(), name="journeys")

    async def stop(self) -> None:
        """Write what is left and let go."""
        if self._unsink is not None:
            self._unsink()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.flush()

    async def _keep(self) -> None:
        reads = wall()
        while True:
            await asyncio.sleep(FLUSH_EVERY)
            due = wall() - reads >= READS_EVERY
            if due:
                reads = wall()
            try:
                await self.flush(reads=due)
            except Exception:
                log.exception("journeys could not be written")

    def _settle(self) -> None:
        """Put the latest reads among what is kept."""
        if self._fresh_reads:
            reads, self._fresh_reads = self._fresh_reads, OrderedDict()
            for journey in reads.values():
                self._keep_in_tree(journey)
            self._fresh_roots.sort(key=lambda journey: journey.end)
        self._summarize()

    def _summarize(self) -> None:
        fresh, self._fresh_roots = self._fresh_roots, []
        for journey in fresh:
            self._summaries[journey.id] = journey.summary()
            self._unwritten.append(journey.id)
            self._counts[journey.verb in READS] += 1
        for reading, most in ((True, KEPT_READS), (False, KEPT_WRITES)):
            if self._counts[reading] > most:
                self._trim(reading, self._counts[reading] - most * 9 // 10)

    def _trim(self, reading: bool, surplus: int) -> None:
        gone = list(
            itertools.islice((k for k, s in self._summaries.items() if (s["verb"] in READS) is reading), surplus)
        )
        for root in gone:
            del self._summaries[root]
            self._outside.pop(root, None)
            self._dirty.pop(root, None)
        self._forget.extend(gone)
        self._counts[reading] -= len(gone)

    async def flush(self, *, reads: bool = True) -> None:
        """Pack what has finished and, if journeys persist, write it in one transaction off the loop. `reads`: the latest reads, too."""
        self._settle() if reads else self._summarize()
        fresh, self._unwritten = self._unwritten, []
        dirty, self._dirty = self._dirty, {}
        work = []
        for tree in dirty.values():
            finished, tree.finished = tree.finished, []
            if finished:
                tree.writing = finished
                work.append((tree, finished))
        for tree in list(self._inside.values()):
            if len(tree.finished) > 200:
                del tree.finished[:-200]
        forget, self._forget = self._forget, []
        if not (work or fresh or forget):
            return
        roots = [self._summaries[root] for root in fresh if root in self._summaries]
        chunks = await asyncio.to_thread(_pack, work)
        if not self.persist:
            for tree, data, _ in chunks:
                tree.packed.append(data)
                tree.writing = []
            return
        await sync_to_async(_write)(roots, [(tree.root, count, data) for tree, data, count in chunks], forget)
        horizon = wall() - 30.0
        for tree, _, _ in chunks:
            tree.touched = wall()
            tree.writing = []
        for root, tree in list(self._outside.items()):
            # At rest and written: the database has it all.
            if tree.touched and tree.touched < horizon and not tree.open and not tree.finished:
                del self._outside[root]


def _pack(work: Iterable[tuple[Tree, list[Journey]]]) -> list[tuple[Tree, bytes, int]]:
    work = list(work)
    for _, journeys in work:
        for journey in journeys:
            journey.render()
    # Journey by journey: the verdicts of thousands in one go would hold the interpreter for seconds.
    return [
        (tree, zlib.compress(b"[" + b",".join([encode(one) for one in journeys]) + b"]", 1), len(journeys))
        for tree, journeys in work
    ]


def _unpack(chunks: list[bytes]) -> dict[str, dict[str, Any]]:
    return {journey["id"]: journey for data in chunks for journey in orjson.loads(zlib.decompress(data))}


def _write(roots: list[dict[str, Any]], chunks: list[tuple[str, int, bytes]], forget: list[str]) -> None:
    with transaction.atomic():
        latest = Root.objects.order_by("-sequence").values_list("sequence", flat=True).first() or 0
        Root.objects.bulk_create(
            [
                Root(
                    id=root["id"],
                    sequence=latest + number,
                    actor=root["actor"],
                    reading=root["verb"] in READS,
                    summary=root,
                )
                for number, root in enumerate(roots, 1)
            ],
            ignore_conflicts=True,
        )
        Chunk.objects.bulk_create([Chunk(root=root, count=count, data=data) for root, count, data in chunks])
        for start in range(0, len(forget), 500):
            some = forget[start : start + 500]
            Root.objects.filter(id__in=some).delete()
            Chunk.objects.filter(root__in=some).delete()


def _read_roots() -> list[dict[str, Any]]:
    return [row.summary for row in Root.objects.order_by("sequence")]


def _read_chunks(root: str, most: int) -> list[bytes]:
    chunks = Chunk.objects.filter(root=root)
    if most:
        chosen, total = [], 0
        for key, count in chunks.order_by("-id").values_list("id", "count"):
            chosen.append(key)
            total += count
            if total >= most:
                break
        chunks = Chunk.objects.filter(id__in=chosen)
    return [bytes(data) for data in chunks.order_by("id").values_list("data", flat=True)]
