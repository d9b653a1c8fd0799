"""What the endpoints and the endpoint slice controller have in common: when a Service is looked at again.

Pod changes are gathered for 100 ms; a Service with many pods is looked at less often (up to every two seconds), so that a
Service over thousands of pods that all start at once costs a tenth of a core at most. The measure is the number of pods, not
the time that a look has taken: what happens in the cluster must not depend on how busy the machine under it is.
"""

from __future__ import annotations

from cluster import clock
from cluster.apimachinery.labels import from_map
from cluster.apimachinery.meta import key_of
from cluster.client.client import Obj
from cluster.client.loop import ControlLoop, LoopContext
from cluster.controllers.lib.batching import Throttle
from cluster.controllers.lib.podcontrol import PODS
from cluster.controllers.lib.services import ServiceIndex, affected, triggered_at

SERVICES = "v1/services"
BATCH_PERIOD, LONGEST_PERIOD = 0.1, 2.0
# Seconds between two looks for each pod of the Service: ten times what going through one costs.
PERIOD_PER_POD = 0.0003


class EndpointLoop(ControlLoop):
    """Keys are Services. Subclasses implement `sync(service, pods, trigger)` and `gone(key)`."""

    def __init__(self, context: LoopContext) -> None:
        super().__init__(context)
        self.index = ServiceIndex()
        self.throttle = Throttle(self.queue, BATCH_PERIOD)
        self._triggers: dict[str, float] = {}

    def setup(self) -> None:
        self.services = self.watch(SERVICES, self._service_changed)
        self.pods = self.watch(PODS, self._pod_changed)

    def _service_changed(self, old: Obj | None, new: Obj | None) -> None:
        self.index.observe(old, new)
        if old is None and new is not None:
            self._triggers.setdefault(key_of(new), clock.parse(new["metadata"]["creationTimestamp"]))
        self.enqueue(old, new)

    def _pod_changed(self, old: Obj | None, new: Obj | None) -> None:
        for key in affected(self.index, old, new):
            pod = new if new is not None else old
            if pod is not None:
                at = triggered_at(pod)
                self._triggers[key] = min(self._triggers.get(key, at), at)
            self.throttle.add(key)

    async def reconcile(self, key: str) -> float | None:
        service = self.services.get(key)
        if service is None:
            self.throttle.forget(key)
            self._triggers.pop(key, None)
            await self.gone(key)
            return None
        if not service["spec"].get("selector") or service["spec"].get("type") == "ExternalName":
            return None
        trigger = self._triggers.pop(key, None)
        pods = self.pods.list(service["metadata"]["namespace"], from_map(service["spec"]["selector"]))
        try:
            await self.sync(service, pods, trigger)
        except BaseException:
            if trigger is not None:
                self._triggers[key] = min(self._triggers.get(key, trigger), trigger)
            raise
        self.throttle.stretch(key, min(len(pods) * PERIOD_PER_POD, LONGEST_PERIOD))
        return None

    async def sync(self, service: Obj, pods: list[Obj], trigger: float | None) -> None:
        """Bring what is written about the Service up to date. `trigger`: when the first pod change happened."""
        raise NotImplementedError

    async def gone(self, key: str) -> None:
        """The Service no longer exists."""
        raise NotImplementedError
