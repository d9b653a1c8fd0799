"""What the cluster did in each of the last minutes' seconds: requests, how long they took, queues, reconciles. Kept in memory, for charts.

One sampler a process, however many browsers look. Latencies come from the journeys that finished within the second (the newest of them,
when there were more than the feed holds); counts come from the counters, which miss nothing. What is older than the last minutes is kept
by the minute, for a day: whoever goes back in time finds it coarser, and farther back nothing.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from cluster.journeys.store import JourneyStore
from cluster.journeys.trace import Journey

log = logging.getLogger(__name__)

# Samples kept, one a second (real time): ten minutes.
KEPT, PERIOD = 600, 1.0
# And one a minute, of so many seconds together: a day.
KEPT_MINUTES, TOGETHER = 1440, 60
READS = frozenset({"get", "list"})


def percentile(ordered: list[float], share: float) -> float | None:
    """The value below which this share of an ordered list lies; None of an empty one."""
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else None


def latencies(journeys: Iterable[Journey]) -> dict[str, Any]:
    """Milliseconds by kind of request (p50, p99, how many were looked at), and how many were refused. Watches are not counted: they stay open."""
    took: dict[str, list[float]] = {"read": [], "write": []}
    refused = 0
    for journey in journeys:
        if journey.kind != "request" or not journey.end or journey.verb == "watch":
            continue
        refused += journey.code >= 400
        took["read" if journey.verb in READS else "write"].append((journey.end - journey.start) * 1000)
    found: dict[str, Any] = {"refused": refused}
    for kind, times in took.items():
        times.sort()
        found[kind] = {"n": len(times), "p50": percentile(times, 0.5), "p99": percentile(times, 0.99)}
    return found


def together(samples: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Several samples as one, at the time of the last: rates on average, queues at their longest, latencies at their worst."""
    last, n = samples[-1], len(samples)
    found = {"t": last["t"], "watchers": last["watchers"], "pods": last["pods"]}
    for name in ("requests", "revisions"):
        found[name] = round(sum(one[name] for one in samples) / n, 1)
    loops = {name for one in samples for name in one["reconciles"]}
    found["reconciles"] = {
        name: round(sum(one["reconciles"].get(name, 0) for one in samples) / n, 2) for name in sorted(loops)
    }
    waited = {name for one in samples for name in one["queues"]}
    found["queues"] = {name: max(one["queues"].get(name, 0) for one in samples) for name in sorted(waited)}
    latency: dict[str, Any] = {"refused": round(sum(one["latency"]["refused"] for one in samples) / n, 2)}
    for kind in ("read", "write"):
        measured = [one["latency"][kind] for one in samples if one["latency"][kind]["n"]]
        latency[kind] = {"n": sum(one["n"] for one in measured)}
        for share in ("p50", "p99"):
            latency[kind][share] = max((one[share] for one in measured), default=None)
    return {**found, "latency": latency}


class Rates:
    """The samples. `stats` are the counters of the process (`requests`, `revision`, `reconciles`, `queues` …)."""

    def __init__(self, journeys: JourneyStore, stats: Callable[[], dict[str, Any]]) -> None:
        self.samples: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.minutes: deque[dict[str, Any]] = deque(maxlen=KEPT_MINUTES)
        self._minute: list[dict[str, Any]] = []
        self._journeys = journeys
        self._stats = stats
        self._seen = journeys.sequence
        self._before: tuple[float, dict[str, Any]] | None = None

    def sample(self, now: float) -> None:
        """Take one sample; `now` in real seconds since the epoch."""
        fresh: list[Journey] = []
        for sequence, journey in reversed(self._journeys.feed):
            if sequence <= self._seen:
                break
            fresh.append(journey)
        self._seen = self._journeys.sequence
        stats = self._stats()
        before, self._before = self._before, (now, stats)
        if before is None:
            return
        seconds = max(now - before[0], 0.001)
        reconciles = {
            name: round((count - before[1]["reconciles"].get(name, 0)) / seconds, 2)
            for name, count in stats["reconciles"].items()
            if count != before[1]["reconciles"].get(name, 0)
        }
        self._keep(
            {
                "t": round(now, 2),
                "requests": round((stats["requests"] - before[1]["requests"]) / seconds, 1),
                "revisions": round((stats["revision"] - before[1]["revision"]) / seconds, 1),
                "queues": {name: depth for name, depth in stats["queues"].items() if depth},
                "reconciles": reconciles,
                "watchers": stats["watchers"],
                "pods": stats["pods"],
                "latency": latencies(fresh),
            }
        )

    def _keep(self, sample: dict[str, Any]) -> None:
        self.samples.append(sample)
        self._minute.append(sample)
        if len(self._minute) >= TOGETHER:
            self.minutes.append(together(self._minute))
            self._minute = []

    def since(self, at: float, until: float = math.inf) -> list[dict[str, Any]]:
        """The samples after a moment and up to another, oldest first: by the second as far as those reach back, before that by the minute."""
        seconds = [sample for sample in self.samples if at < sample["t"] <= until]
        begin = self.samples[0]["t"] if self.samples else math.inf
        if at >= begin - PERIOD:
            return seconds
        return [sample for sample in self.minutes if at < sample["t"] <= until and sample["t"] < begin] + seconds

    def oldest(self) -> float | None:
        """Since when anything is kept."""
        first = next(iter(self.minutes), None) or next(iter(self.samples), None)
        return None if first is None else float(first["t"])

    async def run(self) -> None:
        """Sample for ever."""
        while True:
            self.sample(time.time())
            await asyncio.sleep(PERIOD)
