"""Spans as evidence: the recorded work in whose course something was written, and what its stages said.

Every object carries the revision that wrote it, every revision the journey, every journey its causes: from an Event, or from a status,
the way leads back to the very attempt, sync or reconcile that noted it. Journeys are dicts (`Journey.as_dict()`), handed in through
`Traces` by whoever knows which of them the asker may see; one that is gone, or not theirs, is simply no evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

Obj = dict[str, Any]

# Outcomes of a stage that has not done what it was to do.
BAD = frozenset({"refused", "error", "wait"})
# Characters of a span's line; causes followed.
LINE, LONGEST = 300, 30
# Of a piece of work that went well, the stage that says most about it: the later of these.
_TELLING = (
    "decide",
    "compare",
    "mount",
    "pull",
    "create",
    "start",
    "probe",
    "exit",
    "back-off",
    "preempt",
    "bind",
    "act",
)


class Traces(Protocol):
    """The journeys that the asker may see."""

    def of(self, written: Obj) -> tuple[str, Sequence[Obj]]:
        """The id of the journey that wrote this state of an object, and its tree by start; ("", ()) when that is not known."""
        ...

    def refusals(self, user: str) -> Sequence[Obj]:
        """Requests of a user that authz refused and would refuse again, the newest first."""
        ...


class Untold:
    """Nobody asks for spans."""

    def of(self, written: Obj) -> tuple[str, Sequence[Obj]]:
        return "", ()

    def refusals(self, user: str) -> Sequence[Obj]:
        return ()


Picked = tuple[Obj, int]


def work(
    traces: Traces, written: Obj, kind: str, namespace: str, name: str, stages: Iterable[str] = (), container: str = ""
) -> Picked | None:
    """The journey of this kind about this object that led to what was written, and the number of its telling span.

    `stages`: the span has to be of one of these (and of that container, where it names one); none: whichever says most.
    The work that wrote it comes first; where that has no such span, the latest other of the same tree.
    """
    wrote, tree = traces.of(written)
    if not tree:
        return None
    known = {one["id"]: one for one in tree}
    latest = sorted(tree, key=lambda one: float(one["start"]), reverse=True)
    wanted = tuple(stages)
    for journey in (*_causes(known, wrote), *latest):
        if (journey["kind"], journey["namespace"], journey["name"]) != (kind, namespace, name):
            continue
        number = _telling(journey["spans"], wanted, container)
        if number is not None:
            return journey, number
    return None


def _causes(known: Mapping[str, Obj], start: str) -> Iterator[Obj]:
    """A journey and what led to it, the nearest first."""
    here, seen = known.get(start), 0
    while here is not None and seen < LONGEST:
        yield here
        seen += 1
        here = next((known[cause] for cause in here["causes"] if cause in known), None)


def _telling(spans: Sequence[Obj], stages: tuple[str, ...], container: str) -> int | None:
    fitting = [
        number
        for number, span in enumerate(spans)
        if (not stages or span["stage"] in stages) and _is_about(span, container)
    ]
    if not fitting:
        return None
    bad = [number for number in fitting if spans[number]["outcome"] in BAD]
    if bad:
        return bad[-1]
    if stages:
        return fitting[-1]
    rank = {stage: place for place, stage in enumerate(_TELLING)}
    return max(fitting, key=lambda number: (rank.get(spans[number]["stage"], -1), number))


def _is_about(span: Obj, container: str) -> bool:
    detail = span.get("detail")
    named = detail.get("container") if isinstance(detail, dict) else None
    return not container or named in (None, container)


def refused_requests(traces: Traces, written: Obj, journey: Obj) -> Picked | None:
    """The latest request that this piece of work made and the API server refused, and the stage that did."""
    _, tree = traces.of(written)
    made = [one for one in tree if one["kind"] == "request" and journey["id"] in one["causes"]]
    for one in sorted(made, key=lambda one: float(one["start"]), reverse=True):
        if (picked := refusing(one)) is not None:
            return picked
    return None


def refusing(request: Obj) -> Picked | None:
    """The stage of a request that refused it."""
    spans = request["spans"]
    number = next((number for number, span in enumerate(spans) if span["outcome"] == "refused"), None)
    return None if number is None or request["outcome"] != "refused" else (request, number)


def span_of(picked: Picked) -> Obj:
    """The reference to a span, as a Diagnosis gives it. `id` is the journey's id and the span's number in it."""
    journey, number = picked
    span = journey["spans"][number]
    return {
        "journey": journey["id"],
        "id": f"{journey['id']}:{number}",
        "component": journey["component"],
        "stage": span["stage"],
        "outcome": span["outcome"],
        "time": datetime.fromtimestamp(float(span["start"]), UTC)
        .isoformat(timespec="microseconds")
        .replace("+00:00", "Z"),
        "detail": line_of(span),
    }


def line_of(span: Obj) -> str:
    """What a span says, in a line."""
    detail = span.get("detail")
    if not isinstance(detail, dict):
        return "" if detail is None else str(detail)[:LINE]
    if span["stage"] == "filter" and "considered" in detail:
        refused = ", ".join(f"{plugin} {count}" for plugin, count in (detail.get("refused_by") or {}).items())
        text = f"{detail.get('passed', 0)} of {detail['considered']} nodes passed"
        return f"{text}; refused by {refused}"[:LINE] if refused else text
    said = detail.get("error") or detail.get("message")
    if said:
        return str(said)[:LINE]
    plain = (
        f"{key.replace('_', ' ')} {value}"
        for key, value in detail.items()
        if isinstance(value, (str, int, float)) and value not in ("", None)
    )
    return ", ".join(plain)[:LINE]
