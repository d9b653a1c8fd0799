"""Probes: one task per probe of a running container (pkg/kubelet/prober)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

from cluster import clock
from cluster.client.client import Obj
from cluster.journeys import signals
from cluster.journeys.trace import wall
from cluster.kubelet.podstatus import Record
from cluster.kubelet.runtime.cri import HTTPRequest, HTTPResult, RuntimeFailure
from cluster.kubelet.runtime.shell.options import whole

MAX_REDIRECTS = 10
HEADERS = {"User-Agent": "kube-probe/1.37", "Accept": "*/*"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one attempt came to. `warning`: it counts as success, but is worth a word. `unknown`: it says nothing."""

    good: bool
    said: str = ""
    warning: bool = False
    unknown: bool = False


def port_of(container: Obj, port: int | str) -> int:
    """A port by number or by name; 0 when there is none of that name."""
    if isinstance(port, int):
        return port
    for one in container.get("ports") or ():
        if one.get("name") == port:
            return int(one["containerPort"])
    return whole(port) or 0


LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Elsewhere(Protocol):
    """How a kubelet reaches other hosts than the pod it probes."""

    async def request(self, host: str, port: int, request: HTTPRequest, timeout: float) -> HTTPResult: ...

    async def connect(self, host: str, port: int, timeout: float) -> str: ...


def other_host(pod: Obj, action: Obj, ip: str) -> str:
    """The host that a probe names, where that is not the pod itself; a kubelet's loopback is its machine's."""
    host = action.get("host") or ""
    own = host == ip or (host in LOOPBACK and pod["spec"].get("hostNetwork"))
    return "" if own else str(host)


async def run_probe(
    runtime: Any, record: Record, probe: Obj, ip: str, kind: str, pod: Obj, elsewhere: Elsewhere
) -> Verdict:
    """One attempt."""
    container, timeout = record.container, float(probe.get("timeoutSeconds", 1))
    metadata = pod["metadata"]
    if runtime.troubles.probes and runtime.troubles.probe_fails(
        metadata["namespace"], metadata["name"], record.spec["name"], kind
    ):
        return Verdict(False, "a Fault makes this probe fail")
    if "exec" in probe:
        return await _exec(runtime, container, list(probe["exec"]["command"]), timeout)
    if "httpGet" in probe:
        host = other_host(pod, probe["httpGet"], ip)

        async def ask(port: int, request: HTTPRequest) -> HTTPResult:
            if host:
                return await elsewhere.request(host, port, request, timeout)
            answer: HTTPResult = await runtime.http(container, port, request, timeout)
            return answer

        return await _http(ask, record, probe["httpGet"], host or ip, ip)
    if "grpc" in probe:
        return _grpc(runtime, container, probe["grpc"], ip, timeout)
    port, host = port_of(record.spec, probe["tcpSocket"]["port"]), other_host(pod, probe["tcpSocket"], ip)
    if host:
        trouble = await elsewhere.connect(host, port, timeout)
        return Verdict(not trouble, trouble)
    if runtime.listens(container, port):
        return Verdict(True)
    return Verdict(False, f"dial tcp {ip}:{port}: connect: connection refused")


async def _exec(runtime: Any, container: Any, command: list[str], timeout: float) -> Verdict:
    try:
        result = await runtime.exec_sync(container, command, timeout)
    except RuntimeFailure as failure:
        return Verdict(False, failure.text, unknown=True)
    if result.timed_out:
        return Verdict(False, f'command timed out: "{" ".join(command)}" timed out after {int(timeout)}s')
    return Verdict(result.exit_code == 0, result.output)


Ask = Callable[[int, HTTPRequest], Awaitable[HTTPResult]]


async def _http(ask: Ask, record: Record, action: Obj, host: str, client: str) -> Verdict:
    port, path = port_of(record.spec, action["port"]), action.get("path", "/")
    path = path if path.startswith("/") else f"/{path}"
    scheme = action.get("scheme", "HTTP").lower()
    given = {one["name"]: one["value"] for one in action.get("httpHeaders") or ()}
    headers, start = {"Host": f"{host}:{port}", **HEADERS, **given}, f"{scheme}://{host}:{port}"
    for _ in range(MAX_REDIRECTS):
        answer = await ask(port, HTTPRequest(path, headers=headers, client=client))
        if answer.status == 0:
            return Verdict(False, f'Get "{start}{path}": {answer.error}')
        location = answer.headers.get("Location")
        if not (300 <= answer.status < 400 and location):
            break
        target = urlsplit(urljoin(start + path, location))
        if target.hostname != host:
            # Elsewhere is none of the kubelet's business.
            return Verdict(True, f"Probe terminated redirects, Response body: {answer.body}", warning=True)
        path = (target.path or "/") + (f"?{target.query}" if target.query else "")
        port = target.port or port
    else:
        return Verdict(False, f'Get "{start}{path}": stopped after {MAX_REDIRECTS} redirects')
    if 200 <= answer.status < 400:
        return Verdict(True, answer.body)
    return Verdict(False, f"HTTP probe failed with statuscode: {answer.status}")


def _grpc(runtime: Any, container: Any, action: Obj, ip: str, timeout: float) -> Verdict:
    port = int(action["port"])
    serving = runtime.health(container, port)
    if serving is None:
        why = f'timeout: failed to connect service "{ip}:{port}" within {int(timeout)}s: context deadline exceeded'
        return Verdict(False, why)
    return Verdict(True) if serving else Verdict(False, 'service unhealthy (responded with "NOT_SERVING")')


class Prober:
    """The probes of one container while it runs: startup first, then liveness and readiness side by side."""

    def __init__(
        self,
        runtime: Any,
        record: Record,
        pod: Obj,
        ip: str,
        first: float,
        changed: Callable[[], None],
        kill: Callable[[str, str, Obj], None],
        unhealthy: Callable[[Record, str, str, str, float], None],
        elsewhere: Elsewhere,
    ) -> None:
        """`first`: seconds until the first attempt without an initial delay.

        `unhealthy` is told (record, reason, message, the probe's kind when this is its first failure in a row, when the attempt began).
        """
        self._runtime = runtime
        self._record = record
        self._pod = pod
        self._ip = ip
        self._first = first
        self._changed = changed
        self._kill = kill
        self._unhealthy = unhealthy
        self._elsewhere = elsewhere
        self._startup: asyncio.Task[None] | None = None
        self._liveness: asyncio.Task[None] | None = None
        self._readiness: asyncio.Task[None] | None = None
        self._trigger = asyncio.Event()
        # Probes that failed the last time.
        self._failing: set[str] = set()

    def start(self) -> None:
        self._startup = asyncio.create_task(self._begin(), name=f"probes {self._record.spec['name']}")

    def stop(self) -> None:
        for task in (self._startup, self._liveness, self._readiness):
            if task is not None and task is not asyncio.current_task():
                task.cancel()

    def only_readiness(self) -> None:
        """The pod is ending: it is not restarted any more, but traffic still follows its readiness."""
        for task in (self._startup, self._liveness):
            if task is not None:
                task.cancel()

    def trigger(self) -> None:
        """Ask for readiness now, not when its period is over: the pod is being looked at."""
        if self._record.passed and not self._record.ready:
            self._trigger.set()

    async def _begin(self) -> None:
        spec, record = self._record.spec, self._record
        if "startupProbe" in spec and not await self._watch("Startup", spec["startupProbe"], once=True):
            return
        if not record.passed:
            record.passed = True
            if "readinessProbe" not in spec:
                record.ready = True
            self._changed()
        if "livenessProbe" in spec:
            self._liveness = asyncio.create_task(self._live(spec["livenessProbe"]))
        if "readinessProbe" in spec:
            self._readiness = asyncio.create_task(self._ready(spec["readinessProbe"]))

    async def _live(self, probe: Obj) -> None:
        await self._watch("Liveness", probe, once=False)

    async def _attempt(self, kind: str, probe: Obj) -> Verdict:
        """One attempt, told where it is not well."""
        began = wall()
        verdict = await run_probe(self._runtime, self._record, probe, self._ip, kind, self._pod, self._elsewhere)
        first = "" if kind in self._failing else kind
        if signals.heard():
            metadata, node = self._pod["metadata"], self._pod["spec"].get("nodeName", "")
            said = "" if verdict.good else verdict.said
            signals.emit(kind.lower(), node, metadata["namespace"], metadata["name"], verdict.good, said)
        if verdict.unknown:
            text = f"{kind} probe errored and resulted in unknown state: {verdict.said}"
            self._unhealthy(self._record, "Unhealthy", text, "", began)
        elif verdict.warning:
            self._unhealthy(self._record, "ProbeWarning", f"{kind} probe warning: {verdict.said}", "", began)
        elif not verdict.good:
            self._failing.add(kind)
            self._unhealthy(self._record, "Unhealthy", f"{kind} probe failed: {verdict.said}", first, began)
        if verdict.good:
            self._failing.discard(kind)
        return verdict

    async def _watch(self, kind: str, probe: Obj, *, once: bool) -> bool:
        """Until it succeeds (`once`) or fails too often in a row, which ends the container."""
        await clock.sleep(probe.get("initialDelaySeconds", 0) or self._first)
        failures = successes = 0
        while True:
            verdict = await self._attempt(kind, probe)
            if verdict.good:
                failures, successes = 0, successes + 1
                if once and successes >= probe.get("successThreshold", 1):
                    return True
            elif not verdict.unknown:
                failures, successes = failures + 1, 0
                if failures >= probe.get("failureThreshold", 3):
                    self._kill(kind, self._record.spec["name"], probe)
                    return False
            await clock.sleep(probe.get("periodSeconds", 10))

    async def _ready(self, probe: Obj) -> None:
        await clock.sleep(probe.get("initialDelaySeconds", 0) or self._first)
        good_in_row = bad_in_row = 0
        while True:
            self._trigger.clear()
            verdict = await self._attempt("Readiness", probe)
            if not verdict.unknown:
                good_in_row, bad_in_row = (good_in_row + 1, 0) if verdict.good else (0, bad_in_row + 1)
            ready = self._record.ready
            if good_in_row >= probe.get("successThreshold", 1):
                ready = True
            elif bad_in_row >= probe.get("failureThreshold", 3):
                ready = False
            if ready != self._record.ready:
                self._record.ready = ready
                self._changed()
            await self._pause(float(probe.get("periodSeconds", 10)))

    async def _pause(self, seconds: float) -> None:
        """Until the next attempt is due, or is asked for."""
        timer = clock.call_later(seconds, self._trigger.set)
        try:
            await self._trigger.wait()
        finally:
            timer.cancel()
