"""What the cluster did in each of the last minutes' seconds: requests, how long they took, queues, reconciles. Kept in memory, for charts.

One sampler a process, however many browsers look. Latencies come from the journeys that finished within the second (the newest of them,
when there were more than the feed holds); counts come from the counters, which miss nothing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from cluster.journeys.store import JourneyStore
from cluster.journeys.trace import Journey

log = logging.getLogger(__name__)

# Samples kept, one a second (real time): ten minutes.
KEPT, PERIOD = 600, 1.0
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


class Rates:
    """The samples. `stats` are the counters of the process (`requests`, `revision`, `reconciles`, `queues` …)."""

    def __init__(self, journeys: JourneyStore, stats: Callable[[], dict[str, Any]]) -> None:
        self.samples: deque[dict[str, Any]] = deque(maxlen=KEPT)
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
        self.samples.append(
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

    def since(self, at: float) -> list[dict[str, Any]]:
        """The samples after a moment, oldest first."""
        return [sample for sample in self.samples if sample["t"] > at]

    async def run(self) -> None:
        """Sample for ever."""
        while True:
            self.sample(time.time())
            await asyncio.sleep(PERIOD)
