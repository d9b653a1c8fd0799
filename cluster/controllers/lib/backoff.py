"""Back-off per key: one second, doubling to fifteen minutes (client-go/util/flowcontrol.Backoff).

For pods that fail as soon as they are replaced: without it they would be replaced as fast as they fail.
"""

from __future__ import annotations

from cluster import clock

INITIAL, LONGEST = 1.0, 15 * 60.0


class Backoff:
    """Remembers for each key when it may be tried again."""

    def __init__(self) -> None:
        self._waits: dict[str, tuple[float, float]] = {}

    def remaining(self, key: str) -> float:
        """Seconds until the key may be tried again; 0: now."""
        _, until = self._waits.get(key, (0.0, 0.0))
        return max(until - clock.now(), 0.0)

    def next(self, key: str) -> None:
        """The key is tried now: the next try has to wait longer. Long good behaviour is forgotten as well as bad."""
        now = clock.now()
        delay, until = self._waits.get(key, (0.0, 0.0))
        grown = INITIAL if not delay or now > until + 2 * LONGEST else min(delay * 2, LONGEST)
        self._waits[key] = (grown, now + grown)

    def forget(self, prefix: str) -> None:
        """Drop all keys that begin so."""
        for key in [key for key in self._waits if key.startswith(prefix)]:
            del self._waits[key]
