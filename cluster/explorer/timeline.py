"""Which revision was when: noted once a second while anything happens, kept as long as the log goes back.

The log knows order, not time. Between two notes a revision's time is interpolated by whoever draws it.
"""

from __future__ import annotations

import asyncio
import bisect
import contextlib
import logging
import time
from collections.abc import Callable, Sequence

from asgiref.sync import sync_to_async
from django.db import transaction

from cluster import clock
from cluster.explorer.models import Moment

log = logging.getLogger(__name__)

# Seconds (real) between two notes, and between two writes of them.
PERIOD, FLUSH_EVERY = 1.0, 5.0
# Notes kept at most.
KEPT = 100_000

# (revision, cluster time, real time)
Note = tuple[int, float, float]


class Timeline:
    """Attach with `start()`. `between` reads what `note` wrote, the newest of it from memory."""

    def __init__(self, revision: Callable[[], int], oldest: Callable[[], int]) -> None:
        self.revision = revision
        self.oldest = oldest
        self._fresh: list[Note] = []
        self._last = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="timeline")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self.flush()

    def note(self) -> None:
        """Note what time it is at the newest revision, if there is a new one."""
        revision = self.revision()
        if revision > self._last:
            self._last = revision
            self._fresh.append((revision, clock.now(), time.time()))

    def real_of(self, revision: int) -> float:
        """When a revision was, in real seconds since the epoch: between two notes on a straight line. For threads."""
        fresh = [(one[0], one[2]) for one in self._fresh]
        notes = Moment.objects.values_list("revision", "real")
        earlier = [one for one in fresh if one[0] <= revision]
        before = earlier[-1] if earlier else notes.filter(revision__lte=revision).order_by("-revision").first()
        after = notes.filter(revision__gt=revision).order_by("revision").first()
        if after is None:
            after = next((one for one in fresh if one[0] > revision), (self.revision() + 1, time.time()))
        if before is None or before[0] == revision:
            return float((before or after)[1])
        share = (revision - before[0]) / max(after[0] - before[0], 1)
        return float(before[1] + (after[1] - before[1]) * share)

    async def flush(self) -> None:
        """Write what was noted."""
        fresh, self._fresh = self._fresh, []
        if not fresh:
            return
        try:
            await sync_to_async(_write)(fresh, self.oldest())
        except BaseException:
            # They are written the next time.
            self._fresh = fresh + self._fresh
            raise

    async def _run(self) -> None:
        """In real time: a paused cluster has a past, too."""
        written = time.monotonic()
        while True:
            self.note()
            if time.monotonic() - written >= FLUSH_EVERY:
                written = time.monotonic()
                try:
                    await self.flush()
                except Exception:
                    log.exception("noting the time of revisions")
            await asyncio.sleep(PERIOD)


def _write(notes: Sequence[Note], oldest: int) -> None:
    with transaction.atomic():
        Moment.objects.bulk_create(
            [Moment(revision=revision, cluster=cluster, real=real) for revision, cluster, real in notes],
            ignore_conflicts=True,
        )
        Moment.objects.filter(revision__lt=oldest).delete()
        surplus = Moment.objects.order_by("-revision").values_list("revision", flat=True)[KEPT : KEPT + 1]
        for last in surplus:
            Moment.objects.filter(revision__lte=last).delete()


def between(since: float, points: int) -> list[Note]:
    """Notes from real time `since` on, in order, thinned to about `points`; the first and the last are always there."""
    notes: list[Note] = list(
        Moment.objects.filter(real__gte=since).order_by("revision").values_list("revision", "cluster", "real")
    )
    if len(notes) <= points:
        return notes
    step = (notes[-1][2] - notes[0][2]) / max(points - 1, 1)
    times = [note[2] for note in notes]
    chosen = sorted({bisect.bisect_left(times, times[0] + step * index) for index in range(points)} | {len(notes) - 1})
    return [notes[index] for index in chosen if index < len(notes)]
