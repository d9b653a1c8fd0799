"""Simulated clients: sends requests to Services as Traffic objects say, and counts what was felt (sim.kubeweb.dev; no Kubernetes has this).

The requests go through the simulated network that the wiring hands over (`settings["network"]`): a node's view of the endpoints, the
containers' own answers. What is counted is kept in memory and written to the status about once in five seconds.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any, Protocol

from cluster import clock
from cluster.apimachinery.errors import StatusError
from cluster.client.client import Obj
from cluster.client.loop import ControlLoop, LoopContext
from cluster.journeys.trace import step

TRAFFICS, SERVICES = "sim.kubeweb.dev/v1alpha1/traffics", "v1/services"
WRITE_PERIOD, RECENT = 5.0, 10.0
# Requests of one Traffic that may wait for an answer at a time.
MOST_WAITING = 2000
MOST_PODS = 20


class Network(Protocol):
    """What the simulated network does for a client outside of all pods."""

    def nodes(self) -> list[str]:
        """The machines through which a client may come."""
        ...

    async def ask(self, node: str, ip: str, port: int, path: str, timeout: float) -> tuple[int, str, str]:
        """One GET: (status, why there was no answer, the pod that answered)."""
        ...


@dataclass(slots=True)
class Counts:
    """What the clients of one Traffic felt so far."""

    started: str = ""
    sent: int = 0
    succeeded: int = 0
    failed: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    pods: Counter[str] = field(default_factory=Counter)
    last_failure: str = ""
    last_failure_time: str = ""
    # (time, answered well, seconds)
    recent: deque[tuple[float, bool, float]] = field(default_factory=deque)

    @classmethod
    def from_status(cls, status: Obj) -> Counts:
        """Go on where the status stands."""
        return cls(
            status.get("startTime", ""),
            status.get("requests", 0),
            status.get("succeeded", 0),
            status.get("failed", 0),
            Counter(status.get("failures") or {}),
            Counter(status.get("pods") or {}),
            status.get("lastFailure", ""),
            status.get("lastFailureTime", ""),
        )

    def note(self, began: float, code: int, error: str, pod: str) -> None:
        """One request has come to an end."""
        now = clock.now()
        well = 0 < code < 500
        self.sent += 1
        self.succeeded += well
        self.failed += not well
        self.recent.append((now, well, now - began))
        while self.recent and now - self.recent[0][0] > RECENT:
            self.recent.popleft()
        if pod:
            self.pods[pod] += 1
        if not well:
            self.failures[_reason(code, error)] += 1
            self.last_failure = error or f"HTTP {code}"
            self.last_failure_time = clock.timestamp()

    def status(self) -> Obj:
        recent = [one for one in self.recent if clock.now() - one[0] <= RECENT]
        status: Obj = {
            "startTime": self.started,
            "requests": self.sent,
            "succeeded": self.succeeded,
            "failed": self.failed,
            "successPercent": _percent(self.succeeded, self.sent),
            "recentSuccessPercent": _percent(sum(well for _, well, _ in recent), len(recent)),
        }
        answered = [took for _, well, took in recent if well]
        if answered:
            status["latencyMilliseconds"] = round(sum(answered) / len(answered) * 1000, 2)
        if self.failures:
            status["failures"] = dict(self.failures.most_common(MOST_PODS))
            status["lastFailure"], status["lastFailureTime"] = self.last_failure, self.last_failure_time
        if self.pods:
            status["pods"] = dict(self.pods.most_common(MOST_PODS))
        return status


def _percent(part: int, whole: int) -> str:
    """With two decimals, and never 100 when something failed."""
    if not whole:
        return ""
    return "100" if part == whole else f"{min(part / whole * 100, 99.99):.2f}"


_REASONS = (
    ("connection refused", "connection refused"),
    ("reset by peer", "connection reset"),
    ("no such host", "no such host"),
    ("no route to host", "no route to host"),
    ("timeout", "timeout"),
    ("deadline exceeded", "timeout"),
    ("EOF", "connection closed"),
)


def _reason(code: int, error: str) -> str:
    if code:
        return f"HTTP {code}"
    return next((word for part, word in _REASONS if part in error), "no answer")


class TrafficController(ControlLoop):
    """Keeps the simulated clients of each Traffic at work."""

    name = "traffic"
    title = "traffic"

    def __init__(self, context: LoopContext) -> None:
        super().__init__(context)
        self.network: Network = context.settings["network"]
        self._senders: dict[str, asyncio.Task[None]] = {}
        self._counts: dict[str, Counts] = {}
        self._waiting: set[asyncio.Task[None]] = set()

    def setup(self) -> None:
        self.traffics = self.watch(TRAFFICS)
        self.services = self.informer(SERVICES)

    async def loop_stop(self, message: dict[str, Any] | None = None) -> None:
        for task in (*self._senders.values(), *self._waiting):
            task.cancel()
        await super().loop_stop(message)

    async def reconcile(self, key: str) -> float | None:
        traffic = self.traffics.get(key)
        if traffic is None:
            self._quit(key)
            self._counts.pop(key, None)
            return None
        if traffic["spec"].get("paused"):
            self._quit(key)
        elif key not in self._senders:
            with step("act", {"start": traffic["spec"]["service"]}):
                self._counts.setdefault(key, Counts.from_status(traffic.get("status") or {}))
                self._senders[key] = asyncio.create_task(self._send(key), name=f"traffic {key}")
        await self._write(key, traffic)
        return WRITE_PERIOD if key in self._senders else None

    def _quit(self, key: str) -> None:
        task = self._senders.pop(key, None)
        if task is not None:
            task.cancel()

    async def _write(self, key: str, traffic: Obj) -> None:
        counts = self._counts.get(key)
        if counts is None or not counts.started:
            return
        status = counts.status()
        if status != traffic.get("status"):
            with step("verify", {"requests": counts.sent, "failed": counts.failed}):
                try:
                    await self.client.update(TRAFFICS, {**traffic, "status": status}, subresource="status")
                except StatusError as error:
                    # The next look writes a newer one anyway.
                    if error.reason not in ("Conflict", "NotFound"):
                        raise

    # -- sending -------------------------------------------------------------------------------------------------------

    async def _send(self, key: str) -> None:
        """One request after the other, evenly spread; each waits for its answer by itself."""
        counts, turn = self._counts[key], 0
        counts.started = counts.started or clock.timestamp()
        due = clock.now()
        while True:
            traffic = self.traffics.get(key)
            if traffic is None:
                return
            spec = traffic["spec"]
            rate = float(spec.get("requestsPerSecond") or 10)
            while due <= clock.now():
                due += 1.0 / rate
                turn += 1
                if len(self._waiting) < MOST_WAITING:
                    task = asyncio.create_task(self._one(traffic, counts, turn))
                    self._waiting.add(task)
                    task.add_done_callback(self._waiting.discard)
            await clock.sleep(max(due - clock.now(), 0.005))

    async def _one(self, traffic: Obj, counts: Counts, turn: int) -> None:
        spec, began = traffic["spec"], clock.now()
        service = self.services.get(f"{traffic['metadata']['namespace']}/{spec['service']}")
        place = address_of(service, spec.get("port"))
        nodes = [spec["node"]] if spec.get("node") else self.network.nodes()
        if place is None or not nodes:
            name = f"{spec['service']}.{traffic['metadata']['namespace']}.svc.cluster.local"
            counts.note(began, 0, f"dial tcp: lookup {name}: no such host", "")
            return
        timeout = float(spec.get("timeoutSeconds") or 1)
        code, error, pod = await self.network.ask(
            nodes[turn % len(nodes)], place[0], place[1], spec.get("path") or "/", timeout
        )
        counts.note(began, code, error, pod)


def address_of(service: Obj | None, port: int | str | None) -> tuple[str, int] | None:
    """Where a Service is asked: its address and the port by number or name (without one the first)."""
    if service is None:
        return None
    spec = service["spec"]
    ports = spec.get("ports") or ()
    found = next((one for one in ports if port in (None, "", one["port"], one.get("name"))), None)
    if found is None or spec.get("clusterIP") in (None, "", "None"):
        return None
    return spec["clusterIP"], int(found["port"])
