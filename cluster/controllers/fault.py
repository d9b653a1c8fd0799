"""Breaks the simulated world as Fault objects say, and lets it heal (sim.kubeweb.dev; no Kubernetes has this).

What is broken is kept here, in memory: after a restart active Faults are applied anew. The wiring hands over the machines
(`settings["machines"]`) and the names of loops that may not act (`settings["stopped"]`).
"""

from __future__ import annotations

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


class Machines(Protocol):
    """What a fault can do to the simulated machines."""

    async def fail(self, node: Obj) -> None: ...

    def recover(self, name: str) -> None: ...

    def crash(self, namespace: str, pod: str, container: str, *, out_of_memory: bool) -> str:
        """The name of the container that was ended; LookupError when there is none."""
        ...


class FaultController(ControlLoop):
    """Starts and ends what goes wrong."""

    name = "fault"
    title = "faults"
    workers = 1

    def __init__(self, context: LoopContext) -> None:
        super().__init__(context)
        self.machines: Machines = context.settings["machines"]
        self.stopped: set[str] = context.settings["stopped"]
        # By key: the spec of what is broken now.
        self._broken: dict[str, Obj] = {}
        self._break: dict[str, Callable[[Obj], Awaitable[str]]] = {
            "NodeDown": self._node_down,
            "ContainerCrash": self._crash,
            "OutOfMemory": self._crash,
            "ControllerStopped": self._stop,
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
                    message = await self._break[spec["type"]](spec)
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

    async def _node_down(self, spec: Obj) -> str:
        node = self.nodes.get(spec["node"])
        if node is None:
            raise LookupError(f'node "{spec["node"]}" not found')
        await self.machines.fail(node)
        return f"{spec['node']} has lost power"

    async def _crash(self, spec: Obj) -> str:
        name = self.machines.crash(
            spec["namespace"],
            spec["pod"],
            spec.get("container") or "",
            out_of_memory=spec["type"] == "OutOfMemory",
        )
        did = "ran out of memory" if spec["type"] == "OutOfMemory" else "crashed"
        return f"container {name} of pod {spec['namespace']}/{spec['pod']} {did}"

    async def _stop(self, spec: Obj) -> str:
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
        others = [one for one in self._broken.values() if one["type"] == spec["type"]]
        if spec["type"] == "NodeDown" and all(one["node"] != spec["node"] for one in others):
            self.machines.recover(spec["node"])
        elif spec["type"] == "ControllerStopped" and all(one["controller"] != spec["controller"] for one in others):
            self.stopped.discard(spec["controller"])
