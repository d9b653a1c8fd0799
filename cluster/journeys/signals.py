"""Signals: the probes of kubelets and the requests of simulated clients, as facts to be looked at and soon forgotten.

They are far too many for journeys and change nothing by themselves, so they are kept for a moment only, and only while somebody looks:
`listen()` opens a bounded ear, and without ears `emit` returns at once. Times are real seconds, as those of journeys.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cluster.journeys.trace import wall

# Signals that an ear holds until it is emptied; what comes on top is counted, not kept.
HELD = 4000


@dataclass(frozen=True, slots=True)
class Signal:
    """One probe or one request that has come to an end.

    `kind`: startup, liveness or readiness (from the kubelet of `node` to a pod), or request (of `client`: the uid-less name of a pod, or
    empty for a client outside; through `service`, empty for a plain address). `pod` is where it came to, empty when nowhere.
    """

    kind: str
    at: float
    node: str
    namespace: str
    pod: str
    ok: bool
    said: str = ""
    service: str = ""
    client: str = ""


class Ear:
    """What one listener has not looked at yet."""

    __slots__ = ("held", "missed")

    def __init__(self) -> None:
        self.held: deque[Signal] = deque()
        self.missed = 0

    def hear(self, signal: Signal) -> None:
        if len(self.held) >= HELD:
            self.missed += 1
        else:
            self.held.append(signal)

    def take(self) -> tuple[list[Signal], int]:
        """All that was heard since the last time, and how many more there were."""
        taken, missed = list(self.held), self.missed
        self.held.clear()
        self.missed = 0
        return taken, missed


_ears: set[Ear] = set()


def heard() -> bool:
    """Whether anybody listens: asked before a signal is made."""
    return bool(_ears)


def emit(
    kind: str,
    node: str,
    namespace: str,
    pod: str,
    ok: bool,
    said: str = "",
    *,
    service: str = "",
    client: str = "",
) -> None:
    """Tell whoever listens."""
    if not _ears:
        return
    signal = Signal(kind, wall(), node, namespace, pod, ok, said, service, client)
    for ear in _ears:
        ear.hear(signal)


@contextmanager
def listen() -> Iterator[Ear]:
    """An ear for as long as the block runs."""
    ear = Ear()
    _ears.add(ear)
    try:
        yield ear
    finally:
        _ears.discard(ear)
