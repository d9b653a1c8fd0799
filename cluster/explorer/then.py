"""A moment that somebody looks at, and what had been by then: revisions exactly, journeys by the time that the notes give the moment.

What wrote a revision was by then if the revision was. Everything else (an attempt to place a pod, a container's end) has a time only,
and the moment's is interpolated between two notes (timeline.py): right to the second, not to the millisecond.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rest_framework.request import Request

from cluster.apimachinery.errors import bad_request, gone
from cluster.explorer.services import Past, services

Obj = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Then:
    """A revision, and when it was: real seconds since the epoch, as journeys have it. `revision` None: now."""

    revision: int | None = None
    real: float = math.inf

    async def history(self, resource: str, namespace: str, name: str, limit: int) -> list[Past]:
        """The revisions of an object that there were by then, newest first."""
        history = services().history
        return [] if history is None else await history(resource, namespace, name, limit, self.revision)

    def had(self, journey: Obj) -> bool:
        """Whether it had begun by then."""
        if self.revision is not None and journey["revision"]:
            return bool(journey["revision"] <= self.revision)
        return bool(journey["start"] <= self.real)

    def of(self, journeys: Iterable[Obj]) -> list[Obj]:
        """The journeys as they were by then: those that had begun, with the spans that had; what was not over yet is open."""
        return list(journeys) if self.revision is None else [self._cut(one) for one in journeys if self.had(one)]

    def _cut(self, journey: Obj) -> Obj:
        if journey["revision"] or self._over(journey):
            return journey
        spans = [
            span if self._over(span) else {**span, "end": 0.0, "outcome": "open"}
            for span in journey["spans"]
            if span["start"] <= self.real
        ]
        return {**journey, "end": 0.0, "outcome": "open", "code": 0, "reason": "", "spans": spans}

    def _over(self, one: Obj) -> bool:
        """Whether a journey or a span had ended by then; what is open to this day has an end of 0."""
        return bool(0 < one["end"] <= self.real)


NOW = Then()


def then_of(request: Request) -> Then:
    """The moment that `at` names; now without it. Raises as `revision_of`."""
    revision = revision_of(request, "at", 0)
    return Then(revision, services().real_of(revision)) if revision else NOW


def revision_of(request: Request, name: str, otherwise: int | None = None) -> int:
    """A revision that the query names. StatusError 400 for nonsense, 410 for one that was compacted away."""
    text = request.query_params.get(name, "")
    if not text and otherwise is not None:
        return otherwise
    newest, oldest = services().revision(), services().oldest()
    if not text.isdecimal() or len(text) > 18:
        raise bad_request(f"{name} is to be a revision, from {max(oldest, 1)} to {newest}.")
    if not 0 < int(text) <= newest:
        raise bad_request(f"There is no revision {text}: the log goes from {max(oldest, 1)} to {newest}.")
    if int(text) < oldest:
        raise gone(f"Revision {text} has been compacted away: the log goes back to revision {oldest}.")
    return int(text)
