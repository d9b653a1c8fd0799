"""The cluster's clock as an object: its speed, a pause, a step to the next event (sim.kubeweb.dev; no Kubernetes has this).

Reconciled without any wait of cluster time, so that a clock that stands can be set going again. The speed is kept in the object, and is
taken up again after a restart.
"""

from __future__ import annotations

from cluster import clock
from cluster.apimachinery.errors import StatusError, is_already_exists
from cluster.client.client import Obj
from cluster.client.loop import ControlLoop, LoopContext
from cluster.journeys.trace import step

CLOCKS = "sim.kubeweb.dev/v1alpha1/clocks"
NAME = "cluster"


class ClockController(ControlLoop):
    """Lets cluster time run as the Clock says."""

    name = "clock"
    title = "clock"
    workers = 1

    def __init__(self, context: LoopContext) -> None:
        super().__init__(context)
        # What the command line asked for comes before what the object says, once.
        self._speed: float | None = context.settings.get("speed")
        self._steps: int | None = None

    def setup(self) -> None:
        self.clocks = self.watch(CLOCKS)
        self.queue.add(NAME)

    async def reconcile(self, key: str) -> float | None:
        if key != NAME:
            return None
        wanted = self.clocks.get(NAME)
        if wanted is None or self._speed is not None:
            await self._create(wanted)
            return None
        spec = wanted.get("spec") or {}
        speed = 0.0 if spec.get("paused") else float(spec.get("speed") or 1.0)
        steps = int(spec.get("step") or 0)
        if self._steps is None:
            # Steps of an earlier run are made already.
            self._steps = int((wanted.get("status") or {}).get("step") or 0) if wanted.get("status") else steps
        message = ""
        with step("act") as span:
            if speed != clock.clock.speed:
                clock.clock.set_speed(speed)
                message = f"runs at {speed:g} times real time" if speed else "stands"
            if speed == 0.0 and steps > self._steps:
                due = clock.clock.step()
                message = f"went on to {clock.timestamp()}" if due is not None else "nothing is due"
            self._steps = steps
            span.detail = {"speed": speed, "message": message}
        await self._write(wanted, speed, message)
        return None

    async def _create(self, known: Obj | None) -> None:
        speed, self._speed = self._speed, None
        spec = {"speed": 1.0 if speed is None else speed} if speed != 0.0 else {"paused": True}
        try:
            if known is not None:
                await self.client.patch(CLOCKS, NAME, {"spec": {"paused": False, **spec}})
                return
            obj = {"apiVersion": "sim.kubeweb.dev/v1alpha1", "kind": "Clock", "metadata": {"name": NAME}, "spec": spec}
            await self.client.create(CLOCKS, obj)
        except StatusError as error:
            if not is_already_exists(error):
                raise

    async def _write(self, wanted: Obj, speed: float, message: str) -> None:
        before = wanted.get("status") or {}
        status: Obj = {"speed": speed, "step": self._steps, "message": message or before.get("message", "")}
        same = all(before.get(name) == value for name, value in status.items())
        if same and not message:
            return
        due = clock.clock.next_due()
        status["time"] = clock.timestamp()
        if due is not None:
            status["nextEvent"] = clock.timestamp(due)
        with step("verify"):
            await self.client.update(CLOCKS, {**wanted, "status": status}, subresource="status")
