"""Throttle: at most one reconcile of a key per period, the first of them at once.

A thousand pods that turn ready within a second dirty their ReplicaSet two thousand times. The work queue already hands out
a waiting key only once; the throttle makes sure that it also waits long enough to be worth a reconcile. A lone change is
not delayed. (Kubernetes' endpoint controllers do so with their endpointUpdatesBatchPeriod.)
"""

from __future__ import annotations

from cluster import clock
from cluster.client.workqueue import MAX_CAUSES, WorkQueue, delivering


class Throttle:
    """Adds keys to `queue`; used by informer handlers, so it names the event being delivered as the cause."""

    def __init__(self, queue: WorkQueue, period: float) -> None:
        self.queue = queue
        self.period = period
        self._last: dict[str, float] = {}
        self._stretched: dict[str, float] = {}
        self._pending: dict[str, dict[str, None]] = {}

    def add(self, key: str) -> None:
        """Have `key` reconciled: now if it is the first in this period, otherwise at the period's end."""
        causes = self._pending.get(key)
        if causes is not None:
            if delivering[0] and len(causes) < MAX_CAUSES:
                causes[delivering[0]] = None
            return
        now, period = clock.now(), self._stretched.get(key, self.period)
        wait = self._last.get(key, 0.0) + period - now
        if wait <= 0 or wait > period:
            self._last[key] = now
            self.queue.add(key)
            return
        self._pending[key] = {delivering[0]: None} if delivering[0] else {}
        clock.call_later(wait, lambda: self._fire(key))

    def _fire(self, key: str) -> None:
        causes = self._pending.pop(key, None)
        if causes is not None:
            self._last[key] = clock.now()
            self.queue.add(key, tuple(causes))

    def stretch(self, key: str, period: float) -> None:
        """From now on this key needs a longer period (never a shorter one than the throttle's)."""
        if period > self.period:
            self._stretched[key] = period
        else:
            self._stretched.pop(key, None)

    def forget(self, key: str) -> None:
        """The key's object is gone."""
        self._stretched.pop(key, None)
        self._last.pop(key, None)
