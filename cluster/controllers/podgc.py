"""Pod garbage collection: pods that no kubelet will ever clean up (pkg/controller/podgc).

Every twenty seconds: finished pods beyond a threshold, pods of nodes that are gone, pods that were deleted before they had
a node, and pods that terminate on a node that was declared out of service.
"""

from __future__ import annotations

import asyncio

from cluster import clock
from cluster.apimachinery.errors import StatusError, is_not_found
from cluster.apimachinery.meta import set_condition
from cluster.client.client import Obj
from cluster.client.loop import ControlLoop, LoopContext
from cluster.controllers.lib.podcontrol import PODS
from cluster.controllers.node import NODES
from cluster.controllers.policy.node_health import readiness
from cluster.journeys.trace import step

PERIOD = 20.0
# A node that is gone may come back: its pods are given so many seconds.
QUARANTINE = 40.0
# Finished pods kept for people to look at.
THRESHOLD = 12500
CONCURRENCY = 20
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
EVERYTHING = "pods"


def finished(pod: Obj) -> bool:
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def surplus(pods: list[Obj], threshold: int) -> list[Obj]:
    """The finished pods beyond the threshold: evicted ones first, then the oldest."""
    ended = [pod for pod in pods if finished(pod)]
    ended.sort(
        key=lambda pod: (
            (pod.get("status") or {}).get("reason") != "Evicted",
            pod["metadata"].get("creationTimestamp", ""),
            pod["metadata"]["name"],
        )
    )
    return ended[: max(len(ended) - threshold, 0)]


class PodGCController(ControlLoop):
    """Removes pods that no kubelet will ever clean up, every twenty seconds."""

    name = "podgc"
    title = "pod GC"
    account = "pod-garbage-collector"
    workers = 1
    threshold = THRESHOLD

    def __init__(self, context: LoopContext) -> None:
        super().__init__(context)
        self._missing: dict[str, float] = {}

    def setup(self) -> None:
        self.pods = self.informer(PODS)
        self.nodes = self.informer(NODES)
        self.queue.add(EVERYTHING)

    async def reconcile(self, key: str) -> float | None:
        pods, now = self.pods.list(), clock.now()
        with step("decide") as span:
            doomed: dict[str, tuple[Obj, str]] = {}
            for pod in surplus(pods, self.threshold):
                doomed[pod["metadata"]["uid"]] = (pod, "")
            gone = await self._gone_nodes(pods, now)
            for pod in pods:
                message = self._verdict(pod, gone)
                if message is not None:
                    doomed.setdefault(pod["metadata"]["uid"], (pod, message))
            span.detail = {"delete": len(doomed)}
        if doomed:
            with step("act", {"delete": len(doomed)}):
                await self._delete_all(list(doomed.values()))
        return PERIOD

    def _verdict(self, pod: Obj, gone: set[str]) -> str | None:
        """Why this pod is collected (may be empty), or None."""
        node_name, deleting = pod["spec"].get("nodeName", ""), "deletionTimestamp" in pod["metadata"]
        if node_name in gone:
            return "PodGC: node no longer exists"
        if not deleting:
            return None
        if not node_name:
            return ""
        node = self.nodes.get(node_name)
        if node is None or readiness(node) == "True":
            return None
        out = any(taint["key"] == OUT_OF_SERVICE for taint in node["spec"].get("taints") or ())
        return "PodGC: node is out of service" if out else None

    async def _gone_nodes(self, pods: list[Obj], now: float) -> set[str]:
        """Nodes that pods are bound to and that have been missing for longer than the quarantine."""
        missing = {name for pod in pods if (name := pod["spec"].get("nodeName")) and self.nodes.get(name) is None}
        self._missing = {name: self._missing.get(name, now) for name in missing}
        gone = set()
        for name, since in self._missing.items():
            if now - since < QUARANTINE:
                continue
            try:
                await self.client.get(NODES, name)
            except StatusError as error:
                if not is_not_found(error):
                    raise
                gone.add(name)
        return gone

    async def _delete_all(self, doomed: list[tuple[Obj, str]]) -> None:
        slots = asyncio.Semaphore(CONCURRENCY)

        async def one(pod: Obj, message: str) -> None:
            async with slots:
                try:
                    await self._delete(pod, message)
                except StatusError as error:
                    if not is_not_found(error):
                        raise

        for result in await asyncio.gather(*(one(*item) for item in doomed), return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    async def _delete(self, pod: Obj, message: str) -> None:
        """Mark the pod as failed unless it is finished, and delete it without waiting for a kubelet."""
        metadata, status = pod["metadata"], pod.get("status") or {}
        if not finished(pod):
            conditions = status.get("conditions") or []
            if message:
                condition = {
                    "type": "DisruptionTarget",
                    "status": "True",
                    "reason": "DeletionByPodGC",
                    "message": message,
                }
                conditions = set_condition(conditions, condition)
            patch = {
                "metadata": {"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]},
                "status": {"phase": "Failed", "conditions": conditions},
            }
            await self.client.patch(PODS, metadata["name"], patch, metadata["namespace"], subresource="status")
        await self.client.delete(
            PODS, metadata["name"], metadata["namespace"], grace_period_seconds=0, uid=metadata["uid"]
        )
