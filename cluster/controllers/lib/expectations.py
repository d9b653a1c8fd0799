"""ControllerExpectations: what a controller has asked for and its informer has not shown yet (pkg/controller).

Without them a controller that creates three pods, and looks again before its cache shows them, would create three more.
While expectations of a key are unmet the controller may look, but not create or delete. They expire after five minutes, so
that an event that never comes does not stop a controller for good.
"""

from __future__ import annotations

from collections.abc import Iterable

from cluster import clock

TIMEOUT = 5 * 60.0


class Expectation:
    """Creations still to be seen, and the uids of deletions still to be seen."""

    __slots__ = ("creations", "deletions", "since")

    def __init__(self) -> None:
        self.creations = 0
        self.deletions: set[str] = set()
        self.since = clock.now()

    @property
    def fulfilled(self) -> bool:
        return self.creations <= 0 and not self.deletions

    @property
    def remaining(self) -> float:
        """Seconds until it no longer counts."""
        return self.since + TIMEOUT - clock.now()


class ControllerExpectations:
    """Expectations by the key of the controller's object."""

    def __init__(self) -> None:
        self._expected: dict[str, Expectation] = {}

    def _renewed(self, key: str) -> Expectation:
        expectation = self._expected.get(key)
        if expectation is None or expectation.fulfilled or expectation.remaining <= 0:
            expectation = self._expected[key] = Expectation()
        expectation.since = clock.now()
        return expectation

    def expect_creations(self, key: str, count: int) -> None:
        """Call before creating: the event may arrive before the answer does."""
        self._renewed(key).creations += count

    def expect_deletions(self, key: str, uids: Iterable[str]) -> None:
        self._renewed(key).deletions.update(uids)

    def creation_observed(self, key: str, count: int = 1) -> None:
        """The informer showed `count` new objects, or they will never come."""
        expectation = self._expected.get(key)
        if expectation is not None:
            expectation.creations -= count

    def deletion_observed(self, key: str, uid: str) -> None:
        expectation = self._expected.get(key)
        if expectation is not None:
            expectation.deletions.discard(uid)

    def satisfied(self, key: str) -> bool:
        """May the controller create and delete? Yes if it expects nothing any more."""
        expectation = self._expected.get(key)
        return expectation is None or expectation.fulfilled or expectation.remaining <= 0

    def remaining(self, key: str) -> float:
        """Seconds until an unmet expectation expires."""
        expectation = self._expected.get(key)
        return max(expectation.remaining, 0.0) if expectation is not None else 0.0

    def forget(self, key: str) -> None:
        self._expected.pop(key, None)
