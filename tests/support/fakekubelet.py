"""Playing scheduler and kubelet for tests of control loops: bind pods, make them ready, end them.

`FakeNodes(cluster)` as an async context does so by itself for every pod, after delays of cluster time; the functions do one
step for one pod.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

from cluster import clock
from cluster.apimachinery.errors import StatusError
from cluster.client.client import Obj
from tests.support.fakeclient import FakeClient
from tests.support.fakecluster import FakeCluster

PODS = "v1/pods"


def ready_status(ip: str = "10.0.0.1", *, ready: bool = True, at: float | None = None) -> Obj:
    """The status of a running pod."""
    since = clock.timestamp(at)
    word = "True" if ready else "False"
    return {
        "phase": "Running",
        "podIP": ip,
        "podIPs": [{"ip": ip}],
        "conditions": [
            {"type": "PodScheduled", "status": "True", "lastTransitionTime": since},
            {"type": "Ready", "status": word, "lastTransitionTime": since},
        ],
        "containerStatuses": [],
    }


async def bind(client: FakeClient, pod: Obj, node: str = "node-0") -> Obj:
    """Put the pod on a node."""
    metadata = pod["metadata"]
    return await client.patch(PODS, metadata["name"], {"spec": {"nodeName": node}}, metadata["namespace"])


async def set_status(client: FakeClient, pod: Obj, status: Obj) -> Obj:
    """Replace the pod's status."""
    fresh = await client.get(PODS, pod["metadata"]["name"], pod["metadata"]["namespace"])
    return await client.update(PODS, {**fresh, "status": status}, subresource="status")


async def make_ready(client: FakeClient, pod: Obj, node: str = "node-0", ip: str = "10.0.0.1") -> Obj:
    """Bind the pod and make it Running and Ready."""
    return await set_status(client, await bind(client, pod, node), ready_status(ip))


async def finish_deletion(client: FakeClient, pod: Obj) -> None:
    """What a kubelet does once the containers have stopped."""
    metadata = pod["metadata"]
    await client.delete(PODS, metadata["name"], metadata["namespace"], grace_period_seconds=0, uid=metadata["uid"])


def pinned_node(pod: Obj) -> str:
    """The node that the pod's affinity names (as those of DaemonSets do), or nothing."""
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    for term in required.get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            return str(field["values"][0])
    return ""


class FakeNodes:
    """Binds every pod, makes it ready after `start` seconds, and lets it go `stop` seconds after its deletion.

    `healthy(pod)` decides whether a pod becomes ready; `nodes` names the nodes, used in turn.
    """

    def __init__(
        self,
        cluster: FakeCluster,
        *,
        start: float = 0.5,
        stop: float = 0.5,
        nodes: tuple[str, ...] = ("node-0", "node-1"),
        healthy: Any = lambda pod: True,
    ) -> None:
        self.client = cluster.client("system:node:fake")
        self.start, self.stop, self.nodes, self.healthy = start, stop, itertools.cycle(nodes), healthy
        self._addresses = itertools.count(1)
        self._seen: set[tuple[str, str]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> FakeNodes:
        self._watching = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = [task for task in (self._watching, *self._tasks) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self) -> None:
        page = await self.client.list(PODS)
        for pod in page.items:
            self._consider(pod)
        async for batch in self.client.watch(PODS, resource_version=page.resource_version):
            for event in batch:
                if event.type != "DELETED":
                    self._consider(event.object)

    def _consider(self, pod: Obj) -> None:
        step = "stop" if pod["metadata"].get("deletionTimestamp") else "start"
        if (pod["metadata"]["uid"], step) in self._seen:
            return
        self._seen.add((pod["metadata"]["uid"], step))
        task = asyncio.create_task(self._stop(pod) if step == "stop" else self._start(pod))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _start(self, pod: Obj) -> None:
        try:
            if not pod["spec"].get("nodeName"):
                pod = await bind(self.client, pod, pinned_node(pod) or next(self.nodes))
            await clock.sleep(self.start)
            number = next(self._addresses)
            ip = f"10.244.{number // 250}.{number % 250 + 1}"
            await set_status(self.client, pod, ready_status(ip, ready=self.healthy(pod)))
        except StatusError as error:
            if error.reason not in ("NotFound", "Conflict"):
                raise

    async def _stop(self, pod: Obj) -> None:
        await clock.sleep(self.stop)
        try:
            await finish_deletion(self.client, pod)
        except StatusError as error:
            if error.reason not in ("NotFound", "Conflict"):
                raise
