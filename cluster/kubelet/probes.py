"""Probes: one task per probe of a running container (pkg/kubelet/prober)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from cluster import clock
from cluster.client.client import Obj
from cluster.journeys import signals
from cluster.kubelet.podstatus import Record
from cluster.kubelet.runtime.cri import HTTPRequest

Verdict = tuple[bool, str]


def port_of(container: Obj, port: int | str) -> int:
    """A port by number or by name; 0 when there is none of that name."""
    if isinstance(port, int):
        return port
    for one in container.get("ports") or ():
        if one.get("name") == port:
            return int(one["containerPort"])
    return int(port) if port.isdigit() else 0


async def run_probe(runtime: Any, record: Record, probe: Obj, ip: str, kind: str, pod: Obj) -> Verdict:
    """One attempt: whether it succeeded, and what it said."""
    container, timeout = record.container, float(probe.get("timeoutSeconds", 1))
    metadata = pod["metadata"]
    if runtime.troubles.probes and runtime.troubles.probe_fails(
        metadata["namespace"], metadata["name"], record.spec["name"], kind
    ):
        return False, "a Fault makes this probe fail"
    if "exec" in probe:
        result = await runtime.exec_sync(container, list(probe["exec"]["command"]), timeout)
        if result.timed_out:
            return False, f'command timed out: "{" ".join(probe["exec"]["command"])}" timed out after {int(timeout)}s'
        return result.exit_code == 0, result.output
    if "httpGet" in probe:
        action = probe["httpGet"]
        port, path = port_of(record.spec, action["port"]), action.get("path", "/")
        headers = {one["name"]: one["value"] for one in action.get("httpHeaders") or ()}
        request = HTTPRequest(path if path.startswith("/") else f"/{path}", headers=headers, client=ip)
        answer = await runtime.http(container, port, request, timeout)
        if answer.status == 0:
            scheme = action.get("scheme", "HTTP").lower()
            return False, f'Get "{scheme}://{ip}:{port}{path}": {answer.error}'
        if 200 <= answer.status < 400:
            return True, ""
        return False, f"HTTP probe failed with statuscode: {answer.status}"
    scheme = "tcpSocket" if "tcpSocket" in probe else "grpc"
    port = port_of(record.spec, probe[scheme]["port"])
    if runtime.listens(container, port) and not container.hung:
        return True, ""
    if scheme == "grpc":
        return (
            False,
            f'timeout: failed to connect service "{ip}:{port}" within {int(timeout)}s: context deadline exceeded',
        )
    return False, f"dial tcp {ip}:{port}: connect: connection refused"


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
        unhealthy: Callable[[Record, str], None],
    ) -> None:
        self._runtime = runtime
        self._record = record
        self._pod = pod
        self._ip = ip
        self._first = first
        self._changed = changed
        self._kill = kill
        self._unhealthy = unhealthy
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks.append(asyncio.create_task(self._run(), name=f"probes {self._record.spec['name']}"))

    def stop(self) -> None:
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()
        self._tasks.clear()

    def only_readiness(self) -> None:
        """The pod is ending: it is not restarted any more, but traffic still follows its readiness."""
        if "readinessProbe" not in self._record.spec or not self._record.passed:
            self.stop()
            return
        for task in self._tasks[1:]:
            task.cancel()
        del self._tasks[1:]

    async def _run(self) -> None:
        spec, record = self._record.spec, self._record
        if "startupProbe" in spec and not await self._watch("Startup", spec["startupProbe"], once=True):
            return
        if not record.passed:
            record.passed = True
            if "readinessProbe" not in spec:
                record.ready = True
            self._changed()
        if "livenessProbe" in spec:
            self._tasks.append(asyncio.create_task(self._liveness(spec["livenessProbe"])))
        if "readinessProbe" in spec:
            await self._readiness(spec["readinessProbe"])

    async def _ask(self, kind: str, probe: Obj) -> Verdict:
        """One attempt, told to whoever looks at the map."""
        good, said = await run_probe(self._runtime, self._record, probe, self._ip, kind, self._pod)
        if signals.heard():
            metadata, node = self._pod["metadata"], self._pod["spec"].get("nodeName", "")
            signals.emit(kind.lower(), node, metadata["namespace"], metadata["name"], good, "" if good else said)
        return good, said

    async def _liveness(self, probe: Obj) -> None:
        await self._watch("Liveness", probe, once=False)

    async def _watch(self, kind: str, probe: Obj, *, once: bool) -> bool:
        """Until it succeeds (`once`) or fails too often in a row, which ends the container."""
        await clock.sleep(probe.get("initialDelaySeconds", 0) or self._first)
        failures = 0
        while True:
            good, said = await self._ask(kind, probe)
            if good:
                failures = 0
                if once:
                    return True
            else:
                failures += 1
                self._unhealthy(self._record, f"{kind} probe failed: {said}")
                if failures >= probe.get("failureThreshold", 3):
                    self._kill(kind, self._record.spec["name"], probe)
                    return False
            await clock.sleep(probe.get("periodSeconds", 10))

    async def _readiness(self, probe: Obj) -> None:
        await clock.sleep(probe.get("initialDelaySeconds", 0) or self._first)
        good_in_row = bad_in_row = 0
        while True:
            good, said = await self._ask("Readiness", probe)
            good_in_row, bad_in_row = (good_in_row + 1, 0) if good else (0, bad_in_row + 1)
            if not good:
                self._unhealthy(self._record, f"Readiness probe failed: {said}")
            ready = self._record.ready
            if good_in_row >= probe.get("successThreshold", 1):
                ready = True
            elif bad_in_row >= probe.get("failureThreshold", 3):
                ready = False
            if ready != self._record.ready:
                self._record.ready = ready
                self._changed()
            # Until it has been ready once it is asked more often, as the kubelet does after a start.
            await clock.sleep(
                probe.get("periodSeconds", 10)
                if good_in_row or bad_in_row > 3
                else min(1.0, probe.get("periodSeconds", 10))
            )
