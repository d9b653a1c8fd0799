"""The scheduling queue: active, backing off, and unschedulable pods (scheduler/backend/queue).

Active pods leave by priority, then age. A pod that found no node waits as unschedulable until an event that could help it (a
node came or changed, a pod went), then backs off 1 s doubling to 10 s, and is active again. Five minutes are the longest wait.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from dataclasses import dataclass, field
from typing import Any

from cluster import clock

Obj = dict[str, Any]

INITIAL_BACKOFF, MAX_BACKOFF, LONGEST_WAIT = 1.0, 10.0, 300.0

# Which events may make room for a pod that these plugins refused (the plugins' EventsToRegister).
HELPED_BY: dict[str, frozenset[str]] = {
    "NodeUnschedulable": frozenset({"node"}),
    "NodeName": frozenset({"node"}),
    "TaintToleration": frozenset({"node"}),
    "NodeAffinity": frozenset({"node"}),
    "NodePorts": frozenset({"node", "pod gone"}),
    "NodeResourcesFit": frozenset({"node", "pod gone"}),
    "InterPodAffinity": frozenset({"node", "pod gone", "pod placed"}),
    "PodTopologySpread": frozenset({"node", "pod gone", "pod placed"}),
    "VolumeBinding": frozenset({"claim", "node"}),
    "VolumeRestrictions": frozenset({"claim", "pod gone"}),
}


@dataclass(slots=True)
class Queued:
    """A pod in the queue: its key, why it is there, how often it was tried, and which plugins refused it last."""

    key: str
    pod: Obj
    since: float
    causes: tuple[str, ...] = ()
    attempts: int = 0
    refused_by: frozenset[str] = field(default_factory=frozenset)
    entered: float = 0.0


class SchedulingQueue:
    """Keys are `namespace/name`; a pod is in at most one of the three places."""

    def __init__(self) -> None:
        self._active: list[tuple[int, float, int, str]] = []
        self._queued: dict[str, Queued] = {}
        self._place: dict[str, str] = {}
        self._unschedulable: dict[str, None] = {}
        self._timers: dict[str, clock.Timer] = {}
        self._sequence = itertools.count()
        self._bell = asyncio.Event()
        self._closed = False
        # Counts events, so that one that happens while a pod is being tried is not missed.
        self.events = 0
        self._recent: list[tuple[int, str]] = []

    def __len__(self) -> int:
        # Whoever is in one of the other two places has a timer.
        return len(self._place) - len(self._timers)

    def counts(self) -> dict[str, int]:
        """How many pods wait where."""
        found = {"active": 0, "backoff": 0, "unschedulable": 0}
        for place in self._place.values():
            found[place] += 1
        return found

    def add(self, key: str, pod: Obj, causes: tuple[str, ...] = ()) -> None:
        """A pod that needs a node, new or changed."""
        queued = self._queued.get(key)
        if queued is None:
            queued = self._queued[key] = Queued(key, pod, clock.now(), causes)
        else:
            queued.pod = pod
            queued.causes = causes or queued.causes
            if self._place.get(key) == "active":
                return
        self._activate(queued)

    def refresh(self, key: str, pod: Obj) -> bool:
        """Keep the newest version of a waiting pod; False when it is not here."""
        queued = self._queued.get(key)
        if queued is not None:
            queued.pod = pod
        return queued is not None

    def remove(self, key: str) -> None:
        self._queued.pop(key, None)
        self._place.pop(key, None)
        self._unschedulable.pop(key, None)
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()

    async def pop(self) -> Queued:
        """The next pod to try; waits for one."""
        while True:
            while self._active:
                *_, key = heapq.heappop(self._active)
                queued = self._queued.get(key)
                if queued is not None and self._place.get(key) == "active":
                    del self._queued[key], self._place[key]
                    queued.attempts += 1
                    return queued
            if self._closed:
                raise asyncio.CancelledError
            self._bell.clear()
            await self._bell.wait()

    def unschedulable(self, queued: Queued, refused_by: frozenset[str], seen_events: int) -> None:
        """Put back a pod that found no node. Events since `seen_events` count as if they came now."""
        queued.refused_by = refused_by
        if queued.key in self._queued:
            return
        self._queued[queued.key] = queued
        missed = {kind for number, kind in self._recent if number > seen_events}
        if any(self._helps(queued, kind) for kind in missed):
            self._back_off(queued)
            return
        self._place[queued.key] = "unschedulable"
        self._unschedulable[queued.key] = None
        self._timer(queued, LONGEST_WAIT)

    def back_off(self, queued: Queued) -> None:
        """Put back a pod whose attempt failed for a reason that passes (a lost race, an error)."""
        if queued.key not in self._queued:
            self._queued[queued.key] = queued
            self._back_off(queued)

    def event(self, kind: str) -> None:
        """Something changed in the cluster (see HELPED_BY). Pods that it may help back off and try again."""
        self.events += 1
        self._recent.append((self.events, kind))
        del self._recent[:-256]
        for key in list(self._unschedulable):
            queued = self._queued[key]
            if self._helps(queued, kind):
                self._back_off(queued)

    def close(self) -> None:
        self._closed = True
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._bell.set()

    def _helps(self, queued: Queued, kind: str) -> bool:
        if not queued.refused_by:
            return True
        return any(kind in HELPED_BY.get(plugin, frozenset()) for plugin in queued.refused_by)

    def _activate(self, queued: Queued) -> None:
        timer = self._timers.pop(queued.key, None)
        if timer is not None:
            timer.cancel()
        self._place[queued.key] = "active"
        self._unschedulable.pop(queued.key, None)
        queued.entered = clock.now()
        priority = queued.pod["spec"].get("priority") or 0
        heapq.heappush(self._active, (-priority, queued.since, next(self._sequence), queued.key))
        self._bell.set()

    def _back_off(self, queued: Queued) -> None:
        self._place[queued.key] = "backoff"
        self._unschedulable.pop(queued.key, None)
        delay = min(INITIAL_BACKOFF * 2 ** min(max(queued.attempts - 1, 0), 10), MAX_BACKOFF)
        self._timer(queued, delay)

    def _timer(self, queued: Queued, delay: float) -> None:
        timer = self._timers.pop(queued.key, None)
        if timer is not None:
            timer.cancel()

        def fire() -> None:
            self._timers.pop(queued.key, None)
            if self._queued.get(queued.key) is queued and self._place.get(queued.key) != "active":
                self._activate(queued)

        self._timers[queued.key] = clock.call_later(delay, fire)
