"""Breaks the simulated world as Fault objects say, and lets it heal (sim.kubeweb.dev; no Kubernetes has this).

What is broken is kept here, in memory: after a restart active Faults are applied anew. The wiring hands over the machines
(`settings["machines"]`), the control plane (`settings["control_plane"]`) and the names of loops that may not act (`settings["stopped"]`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from cluster import clock
from cluster.client.client import Obj
from cluster.client.loop import ControlLoop, LoopContext
from cluster.controllers.node import NODES
from cluster.journeys.trace import step

FAULTS = "sim.kubeweb.dev/v1alpha1/faults"
# Over as soon as they have happened.
AT_ONCE = frozenset({"ContainerCrash", "OutOfMemory"})
PRESSURES = {"MemoryPressure": "memory", "DiskPressure": "disk", "PIDPressure": "process ids"}
# Faults that do not mind others of their kind.
BY_KEY = frozenset({*PRESSURES, "RegistryDown", "RegistrySlow", "ProbeFailure", "SlowEtcd", "APIServerOverload"})
TARGET = ("node", "namespace", "pod", "controller")


class Machines(Protocol):
    """What a fault can do to the simulated machines. LookupError: there is no such target."""

    async def fail(self, node: Obj) -> None: ...

    def recover(self, name: str) -> None: ...

    def partition(self, name: str) -> None: ...

    def reconnect(self, name: str) -> None: ...

    def press(self, name: str, condition: str, key: str) -> None: ...

    def release(self, name: str, key: str) -> None: ...

    def skew(self, name: str, seconds: float) -> None: ...

    def crash(self, namespace: str, pod: str, container: str, *, out_of_memory: bool) -> str:
        """The name of the container that was ended."""
        ...

    def hang(self, namespace: str, pod: str, container: str) -> str:
        """The name of the container that does not answer any more."""
        ...

    def awake(self, namespace: str, pod: str) -> None: ...

    def sicken(self, key: str, namespace: str, pod: str, container: str, probe: str) -> None: ...

    def disturb_registry(self, key: str, domain: str, delay: float | None) -> None:
        """Pulls take `delay` seconds longer; None: they fail."""
        ...

    def cure(self, key: str) -> None:
        """What sicken and disturb_registry did under this key is over."""
        ...


class ControlPlane(Protocol):
    """What a fault can do to the API server and etcd: by the fault's key, seconds and percent."""

    delays: dict[str, float]
    overload: dict[str, int]


class FaultController(ControlLoop):
    """Starts and ends what goes wrong."""

    name = "fault"
    title = "faults"
    workers = 1

    def __init__(self, context: LoopContext) -> None:
        super().__init__(context)
        self.machines: Machines = context.settings["machines"]
        self.stopped: set[str] = context.settings["stopped"]
        self.control_plane: ControlPlane = context.settings["control_plane"]
        # By key: the spec of what is broken now.
        self._broken: dict[str, Obj] = {}
        # By type: what breaks (key, spec → what was done), and what mends when no other fault holds it broken.
        self._how: dict[str, tuple[Callable[[str, Obj], Awaitable[str]], Callable[[str, Obj], None] | None]] = {
            "NodeDown": (self._node_down, lambda key, spec: self.machines.recover(spec["node"])),
            "NetworkPartition": (self._partition, lambda key, spec: self.machines.reconnect(spec["node"])),
            **dict.fromkeys(PRESSURES, (self._press, self._release)),
            "ClockSkew": (self._skew, self._unskew),
            "RegistryDown": (self._registry, self._cure),
            "RegistrySlow": (self._registry, self._cure),
            "ContainerCrash": (self._crash, None),
            "OutOfMemory": (self._crash, None),
            "ContainerHang": (self._hang, lambda key, spec: self.machines.awake(spec["namespace"], spec["pod"])),
            "ProbeFailure": (self._probe, self._cure),
            "SlowEtcd": (self._slow_etcd, lambda key, spec: self._forget(self.control_plane.delays, key)),
            "APIServerOverload": (self._overload, lambda key, spec: self._forget(self.control_plane.overload, key)),
            "ControllerStopped": (self._stop, lambda key, spec: self.stopped.discard(spec["controller"])),
        }

    def setup(self) -> None:
        self.faults = self.watch(FAULTS)
        self.nodes = self.informer(NODES)

    async def reconcile(self, key: str) -> float | None:
        fault = self.faults.get(key)
        if fault is None or "deletionTimestamp" in fault["metadata"]:
            self._mend(key)
            return None
        status = fault.get("status") or {}
        if status.get("phase") in ("Ended", "Failed"):
            self._mend(key)
            return None
        spec, now = fault["spec"], clock.now()
        started = clock.parse(status["startTime"]) if status.get("startTime") else now
        duration = spec.get("durationSeconds")
        with step("compare") as span:
            left = None if duration is None else started + duration - now
            span.detail = {"type": spec["type"], "seconds left": left}
        if left is not None and left <= 0 and status:
            with step("act", {"mend": spec["type"]}):
                self._mend(key)
            await self._write(fault, {**status, "phase": "Ended", "endTime": clock.timestamp()})
            self.events.event(fault, "Normal", "FaultEnded", f"{spec['type']} is over")
            return None
        if key not in self._broken:
            with step("act", {"break": spec["type"]}) as span:
                try:
                    message = await self._how[spec["type"]][0](key, spec)
                except LookupError as error:
                    span.outcome = "error"
                    await self._write(fault, {"phase": "Failed", "message": str(error.args[0])})
                    self.events.event(fault, "Warning", "FaultFailed", str(error.args[0]))
                    return None
            if not status:
                self.events.event(fault, "Warning", "FaultStarted", message)
            if spec["type"] in AT_ONCE:
                moment = clock.timestamp()
                await self._write(fault, {"phase": "Ended", "startTime": moment, "endTime": moment, "message": message})
                return None
            self._broken[key] = spec
            await self._write(
                fault,
                {"phase": "Active", "startTime": status.get("startTime") or clock.timestamp(), "message": message},
            )
        return left

    async def _write(self, fault: Obj, status: Obj) -> None:
        with step("verify", {"phase": status["phase"]}):
            if fault.get("status") != status:
                await self.client.update(FAULTS, {**fault, "status": status}, subresource="status")

    # -- breaking and mending ------------------------------------------------------------------------------------------

    async def _node_down(self, key: str, spec: Obj) -> str:
        await self.machines.fail(self._node(spec))
        return f"{spec['node']} has lost power"

    def _node(self, spec: Obj) -> Obj:
        node = self.nodes.get(spec["node"])
        if node is None:
            raise LookupError(f'node "{spec["node"]}" not found')
        return node

    async def _partition(self, key: str, spec: Obj) -> str:
        self.machines.partition(spec["node"])
        return f"{spec['node']} and the API server do not reach one another"

    async def _press(self, key: str, spec: Obj) -> str:
        self.machines.press(spec["node"], spec["type"], key)
        return f"{spec['node']} runs short of {PRESSURES[spec['type']]}"

    def _release(self, key: str, spec: Obj) -> None:
        self.machines.release(spec["node"], key)

    async def _skew(self, key: str, spec: Obj) -> str:
        seconds = float(spec["skewSeconds"])
        self.machines.skew(spec["node"], seconds)
        return f"the clock of {spec['node']} is {abs(seconds):g} seconds {'ahead' if seconds > 0 else 'behind'}"

    def _unskew(self, key: str, spec: Obj) -> None:
        with contextlib.suppress(LookupError):
            self.machines.skew(spec["node"], 0.0)

    async def _registry(self, key: str, spec: Obj) -> str:
        domain = spec.get("registry", "")
        delay = float(spec["delaySeconds"]) if spec["type"] == "RegistrySlow" else None
        self.machines.disturb_registry(key, domain, delay)
        did = "does not answer" if delay is None else f"takes {delay:g} seconds longer"
        return f"{domain or 'every registry'} {did}"

    async def _probe(self, key: str, spec: Obj) -> str:
        probe = spec.get("probe") or "readiness"
        self.machines.sicken(key, spec["namespace"], spec["pod"], spec.get("container") or "", probe)
        return f"the {probe} probe of pod {spec['namespace']}/{spec['pod']} fails"

    def _cure(self, key: str, spec: Obj) -> None:
        self.machines.cure(key)

    async def _crash(self, key: str, spec: Obj) -> str:
        name = self.machines.crash(
            spec["namespace"],
            spec["pod"],
            spec.get("container") or "",
            out_of_memory=spec["type"] == "OutOfMemory",
        )
        did = "ran out of memory" if spec["type"] == "OutOfMemory" else "crashed"
        return f"container {name} of pod {spec['namespace']}/{spec['pod']} {did}"

    async def _hang(self, key: str, spec: Obj) -> str:
        name = self.machines.hang(spec["namespace"], spec["pod"], spec.get("container") or "")
        return f"container {name} of pod {spec['namespace']}/{spec['pod']} does not answer"

    async def _slow_etcd(self, key: str, spec: Obj) -> str:
        self.control_plane.delays[key] = float(spec["delaySeconds"])
        return f"every write takes {spec['delaySeconds']:g} seconds longer"

    async def _overload(self, key: str, spec: Obj) -> str:
        self.control_plane.overload[key] = percent = spec.get("percent") or 50
        return f"the API server refuses {percent} % of the requests"

    @staticmethod
    def _forget(table: dict[str, Any], key: str) -> None:
        table.pop(key, None)

    async def _stop(self, key: str, spec: Obj) -> str:
        name = spec["controller"]
        if name == self.name or name not in self.context.running:
            raise LookupError(f'there is no control loop "{name}" to stop; there are {", ".join(self._stoppable())}')
        self.stopped.add(name)
        return f"the {name} loop does not act"

    def _stoppable(self) -> list[str]:
        return sorted(name for name in self.context.running if name != self.name)

    def _mend(self, key: str) -> None:
        spec: dict[str, Any] | None = self._broken.pop(key, None)
        if spec is None:
            return
        target = [spec.get(field) for field in TARGET]
        held = any(
            one["type"] == spec["type"] and [one.get(field) for field in TARGET] == target
            for one in self._broken.values()
        )
        mend = self._how[spec["type"]][1]
        # What is kept by key is mended each by itself; the rest when the last fault of the same target is over.
        if mend is not None and (not held or spec["type"] in BY_KEY):
            mend(key, spec)
