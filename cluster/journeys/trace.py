"""Recording journeys: the spans of one piece of work, and the journeys it was caused by.

A journey is one request through the API server, one reconcile of a control loop, one scheduling attempt, or one sync of a
pod by a kubelet. Its id is `ROOT` for what came from outside (or from a timer) and `ROOT.N` for everything that followed
from it, so that the tree of causes needs no lookup: a revision carries the id of the journey that wrote it, an informer
hands that id to the work queue, the reconcile names it as its cause, and the requests it makes name the reconcile.

Times are seconds since the epoch in real time: journeys measure the work, not the simulated world.
Spans have OpenTelemetry's shape (name, start, end, status, attributes), kept as small slotted objects.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields
from typing import Any

import orjson

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_EPOCH = 1_700_000_000
_counter = itertools.count(1)
_process = int.from_bytes(os.urandom(2), "big") % 1296


def _base36(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text or "0"


_anchor = time.time() - time.perf_counter()


def wall() -> float:
    """Seconds since the epoch, real time, never running backwards within a process."""
    return _anchor + time.perf_counter()


_prefix = _base36(int((time.time() - _EPOCH) * 10)) + _base36(1296 + _process)


def new_root() -> str:
    """A fresh root id, unique across processes and restarts."""
    return f"{_prefix}{_base36(next(_counter))}"


def root_of(journey: str) -> str:
    """The id of the journey at the root of this one's tree."""
    return journey.partition(".")[0]


@dataclass(slots=True, eq=False)
class Span:
    """One stage of a journey. `outcome`: ok, refused, error, wait, skipped or open (still running).

    `detail` is JSON-able, or an object whose `as_detail()` says it: rendering waits until somebody reads, or, where the object's class
    says `large`, until the journey is put away.
    """

    stage: str
    start: float
    end: float
    outcome: str = "ok"
    detail: Any = None


@dataclass(slots=True, init=False, eq=False)
class Journey:
    """The record of one piece of work. See the module's docstring; fields are plain and filled in as they are known."""

    id: str
    root: str
    causes: tuple[str, ...]
    kind: str
    component: str
    actor: str
    # Who really asked, when the actor is somebody they act as.
    impersonator: str
    agent: str
    # "outside" for what a person or a program asked for over the wire; empty for what the cluster does by itself.
    origin: str
    verb: str
    group: str
    resource: str
    subresource: str
    namespace: str
    name: str
    start: float
    end: float
    code: int
    outcome: str
    reason: str
    revision: int
    spans: list[Span]

    def __init__(self, kind: str, component: str, causes: Iterable[str] = ()) -> None:
        self.causes = tuple(causes)
        if self.causes:
            self.root = root_of(self.causes[0])
            self.id = f"{self.root}.{_prefix}{_base36(next(_counter))}"
        else:
            self.root = self.id = new_root()
        self.kind = kind
        self.component = component
        self.actor = ""
        self.impersonator = ""
        self.agent = ""
        self.origin = ""
        self.verb = ""
        self.group = ""
        self.resource = ""
        self.subresource = ""
        self.namespace = ""
        self.name = ""
        self.start = wall()
        self.end = 0.0
        self.code = 0
        self.outcome = "open"
        self.reason = ""
        self.revision = 0
        self.spans = []

    def add(self, stage: str, start: float, outcome: str = "ok", detail: Any = None) -> Span:
        """Record a stage that ran from `start` until now."""
        span = Span(stage, start, wall(), outcome, detail)
        self.spans.append(span)
        return span

    @contextmanager
    def span(self, stage: str, detail: Any = None) -> Iterator[Span]:
        """Record the enclosed work; an exception makes the outcome `error` unless the body set another."""
        span = Span(stage, wall(), 0.0, "open", detail)
        self.spans.append(span)
        try:
            yield span
        except BaseException as error:
            if span.outcome == "open":
                span.outcome = "error"
                if isinstance(span.detail, dict):
                    span.detail = {**span.detail, "error": str(error)}
                else:
                    span.detail = span.detail or {"message": str(error)}
            raise
        finally:
            span.end = wall()
            if span.outcome == "open":
                span.outcome = "ok"

    def finish(self, outcome: str = "ok", *, code: int = 0, reason: str = "") -> None:
        """Close the journey and hand it to the recorder's sinks."""
        self.end = wall()
        self.outcome = outcome
        self.code = code or self.code
        self.reason = reason or self.reason
        recorder.publish(self)

    def render(self) -> None:
        """Let go of what large details are made from (those whose class says `large`): from now on they are what they show."""
        for span in self.spans:
            if getattr(span.detail, "large", False):
                # The encoder's own result takes up several times its length.
                span.detail = orjson.Fragment(bytes(memoryview(encode(span.detail.as_detail()))))

    def summary(self) -> dict[str, Any]:
        """All but the spans."""
        return {**{name: getattr(self, name) for name in _SUMMARY}, "causes": list(self.causes), "spans": []}

    def as_dict(self) -> dict[str, Any]:
        """The shape that the page and the REST API show."""
        found: dict[str, Any] = orjson.loads(encode(self))
        return found


_SUMMARY = tuple(field.name for field in fields(Journey) if field.name not in ("causes", "spans"))


def encode(journeys: Any) -> bytes:
    """A journey, or several within lists and dicts, as JSON."""
    return orjson.dumps(journeys, default=_rendered)


def _rendered(value: Any) -> Any:
    render = getattr(value, "as_detail", None)
    return str(value) if render is None else render()


class Recorder:
    """Hands journeys to whoever keeps or shows them. A journey may be published again while it is still open."""

    def __init__(self) -> None:
        self.enabled = True
        self._sinks: list[Callable[[Journey], None]] = []

    def add_sink(self, sink: Callable[[Journey], None]) -> Callable[[], None]:
        """Call `sink(journey)` for each; returns the function that stops it. Sinks must not block or raise."""
        self._sinks.append(sink)
        return lambda: self._sinks.remove(sink)

    def publish(self, journey: Journey) -> None:
        if self.enabled:
            for sink in self._sinks:
                sink(journey)


recorder = Recorder()

# The journey that the running task works on; what it requests is caused by it.
current: ContextVar[Journey | None] = ContextVar("journey", default=None)


def current_causes() -> tuple[str, ...]:
    """The causes a request made now should name."""
    journey = current.get()
    return (journey.id,) if journey is not None else ()


@contextmanager
def working_on(journey: Journey) -> Iterator[Journey]:
    """Make `journey` the current one for the enclosed work."""
    token = current.set(journey)
    try:
        yield journey
    finally:
        current.reset(token)


def step(stage: str, detail: Any = None) -> Any:
    """A span on the journey that the running task works on (`with step("compare") as span:`).

    Outside of any journey it records into one that nobody keeps, so that callers need no branch.
    """
    journey = current.get()
    return (journey if journey is not None else Journey("untracked", "")).span(stage, detail)
