"""A small real cluster in virtual time for one scenario: the API server, all loops, and machines. Nothing waits for real.

`play(scenario)` runs an async function of a `Stage` in a loop of its own and returns what it returns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import orjson

from cluster import clock
from cluster.apiserver.admission.plugins import CHAIN
from cluster.apiserver.admission.services import ServiceAllocator
from cluster.journeys.trace import recorder
from tests.simulation.virtual import VirtualLoop
from tests.simulation.world import World

Obj = dict[str, Any]
Result = TypeVar("Result")
BUSYBOX, NGINX = "busybox:1.37", "nginx:1.29"
AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.56"


class Stage:
    """What a scenario does and sees. All times are seconds of cluster time."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.admin = world.admin

    async def create(self, resource: str, obj: Obj, namespace: str = "default") -> Obj:
        return await self.admin.create(resource, obj, namespace)

    async def pod(self, name: str, *containers: Obj, node: str = "node-1", **spec: Any) -> Obj:
        """Create a pod on a node; containers without a name or image get one."""
        filled = [
            {"name": f"c{at}" if at else "c", "image": NGINX, **one} for at, one in enumerate(containers or ({},))
        ]
        body = {"containers": filled, "tolerations": [{"operator": "Exists"}], **({"nodeName": node} if node else {})}
        metadata = {"name": name, "labels": spec.pop("labels", {"app": name}), **spec.pop("metadata", {})}
        return await self.create(
            "v1/pods", {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {**body, **spec}}
        )

    async def get(self, name: str, resource: str = "v1/pods", namespace: str = "default") -> Obj:
        return await self.admin.get(resource, name, namespace)

    def there(self, name: str, resource: str = "pods") -> Obj | None:
        """The object as the storage has it; None when it is gone."""
        return next((one for one in self.world.list(resource) if one["metadata"]["name"] == name), None)

    async def until(self, condition: Callable[[], Any], within: float = 60.0) -> Any:
        """Wait for something; how long is bounded in cluster time."""
        ends = clock.now() + within
        while not (found := condition()):
            assert clock.now() < ends, f"not within {within} s"
            await clock.sleep(0.05)
        return found

    async def when(self, name: str, condition: Callable[[Obj], Any], within: float = 60.0) -> Obj:
        """The pod when the condition holds of it."""

        def holds() -> Obj | None:
            pod = self.there(name)
            try:
                return pod if pod is not None and condition(pod) else None
            except (KeyError, IndexError):
                # Its status does not tell yet.
                return None

        try:
            found: Obj = await self.until(holds, within)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.there(name) and (self.there(name) or {}).get('status')}") from None
        return found

    async def ready(self, name: str, within: float = 60.0) -> Obj:
        return await self.when(name, lambda pod: condition_of(pod, "Ready") == "True", within)

    async def gone(self, name: str, within: float = 120.0) -> float:
        """When the pod has gone."""
        await self.until(lambda: self.there(name) is None, within)
        return clock.now()

    def events(self, name: str, *reasons: str) -> list[str]:
        """`Reason message` of an object's Events in the order of their last time."""
        found = [one for one in self.world.list("events") if (one.get("involvedObject") or {}).get("name") == name]
        found.sort(key=lambda one: int(one["metadata"]["resourceVersion"]))
        return [f"{one['reason']} {one['message']}" for one in found if not reasons or one["reason"] in reasons]

    def story(self, name: str, resource: str = "pods") -> list[Obj]:
        """Every version of an object that was ever stored, in order."""
        return [
            orjson.loads(one.value)
            for one in self.world.log._revisions
            if one.resource == resource and one.name == name and one.value
        ]

    def kubelet(self, node: str = "node-1") -> Any:
        return self.world.machines.kubelets[node]

    async def run(self, pod: str, *command: str, container: str = "") -> tuple[int, str]:
        """A command in a container, as kubectl exec runs it."""
        spec = (await self.get(pod))["spec"]
        out = bytearray()
        code = await self.world.machines.execute(
            spec["nodeName"],
            "default",
            pod,
            container or spec["containers"][0]["name"],
            list(command),
            None,
            out.extend,
            out.extend,
        )
        return code, out.decode()

    async def log(self, pod: str, container: str = "", **options: Any) -> str:
        spec = (await self.get(pod))["spec"]
        name = container or spec["containers"][0]["name"]
        stream = await self.world.machines.logs(spec["nodeName"], "default", pod, name, **options)
        return b"".join([part async for part in stream]).decode()


def condition_of(obj: Obj, kind: str) -> str:
    """The status of a condition; empty when there is none."""
    return next((one["status"] for one in obj["status"].get("conditions") or () if one["type"] == kind), "")


def state_of(pod: Obj, at: int = 0, field: str = "containerStatuses") -> tuple[str, Obj]:
    """(waiting, running or terminated; its fields) of a container."""
    statuses = (pod.get("status") or {}).get(field) or []
    if len(statuses) <= at:
        return "", {}
    return next(iter(statuses[at]["state"].items()))


def reason_of(pod: Obj, at: int = 0, field: str = "containerStatuses") -> str:
    """Why a container waits or has ended; empty when it runs."""
    return str(state_of(pod, at, field)[1].get("reason", ""))


def play(scenario: Callable[[Stage], Awaitable[Result]], nodes: int = 1) -> Result:
    """Run a scenario to its end. What the cluster complained about meanwhile fails it."""
    loop, recording = VirtualLoop(), recorder.enabled
    world = World(nodes)
    for plugin in CHAIN:
        if isinstance(plugin, ServiceAllocator):
            # The addresses of the cluster before this one.
            plugin._promised.clear()

    async def run() -> Result:
        await world.start()
        try:
            await asyncio.gather(*(kubelet.synced.wait() for kubelet in world.machines.kubelets.values()))
            return await scenario(Stage(world))
        finally:
            await world.stop()

    try:
        return loop.run_until_complete(run())
    finally:
        loop.run_until_complete(_sweep())
        loop.close()
        recorder.enabled = recording


async def _sweep() -> None:
    pending = asyncio.all_tasks() - {asyncio.current_task()}
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
