"""The taint eviction controller: pods leave nodes with NoExecute taints they do not tolerate (pkg/controller/tainteviction).

Every pod tolerates not-ready and unreachable nodes for 300 seconds by default (an admission plugin sees to it).
"""

from __future__ import annotations

from cluster import clock
from cluster.apimachinery.errors import StatusError, is_not_found
from cluster.apimachinery.meta import key_of, set_condition
from cluster.client.client import Obj
from cluster.client.events import EventRecorder
from cluster.client.loop import ControlLoop, LoopContext
from cluster.controllers.lib.podcontrol import PODS
from cluster.controllers.node import NODES, by_node
from cluster.controllers.policy.node_health import NO_EXECUTE
from cluster.controllers.policy.tolerations import tolerated_for
from cluster.journeys.trace import step


def execute_taints(node: Obj | None) -> list[Obj]:
    if node is None:
        return []
    return [taint for taint in node["spec"].get("taints") or () if taint.get("effect") == NO_EXECUTE]


class TaintEvictionController(ControlLoop):
    """Evicts pods from nodes whose NoExecute taints they do not, or no longer, tolerate."""

    name = "tainteviction"
    title = "taint eviction"
    # As in Kubernetes, where it was split off the node controller.
    account = "node-controller"

    def __init__(self, context: LoopContext) -> None:
        super().__init__(context)
        self.events = EventRecorder(self.client, "taint-eviction-controller")
        # uid of a pod → since when its time on the tainted node is running
        self._since: dict[str, float] = {}

    def setup(self) -> None:
        self.pods = self.informer(PODS)
        self.pods.add_indexer("node", by_node)
        self.nodes = self.watch(NODES, self._node_changed)
        self.pods.add_handler(self._pod_changed)

    def _node_changed(self, old: Obj | None, new: Obj | None) -> None:
        if new is None or execute_taints(old) == execute_taints(new):
            return
        for pod in self.pods.by_index("node", new["metadata"]["name"]):
            self.queue.add(key_of(pod))

    def _pod_changed(self, old: Obj | None, new: Obj | None) -> None:
        if new is None:
            if old is not None:
                self._since.pop(old["metadata"]["uid"], None)
            return
        node = new["spec"].get("nodeName")
        if not node:
            return
        before = old["spec"] if old is not None else {}
        if before.get("nodeName") == node and before.get("tolerations") == new["spec"].get("tolerations"):
            return
        if execute_taints(self.nodes.get(node)):
            self.queue.add(key_of(new))

    async def reconcile(self, key: str) -> float | None:
        pod = self.pods.get(key)
        if pod is None or not pod["spec"].get("nodeName") or "deletionTimestamp" in pod["metadata"]:
            return None
        uid, now = pod["metadata"]["uid"], clock.now()
        with step("compare") as span:
            taints = execute_taints(self.nodes.get(pod["spec"]["nodeName"]))
            seconds = tolerated_for(pod["spec"].get("tolerations") or (), taints)
            span.detail = {"taints": [taint["key"] for taint in taints], "toleratedFor": seconds}
        if not taints or seconds is None:
            if self._since.pop(uid, None) is not None:
                self.events.event(pod, "Normal", "TaintManagerEviction", f"Cancelling deletion of Pod {key}")
            return None
        wait = self._since.setdefault(uid, now) + seconds - now
        if wait > 0:
            return wait
        with step("act", {"delete": key}):
            await self._evict(key, pod)
        self._since.pop(uid, None)
        return None

    async def _evict(self, key: str, pod: Obj) -> None:
        metadata, status = pod["metadata"], pod.get("status") or {}
        condition = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "DeletionByTaintManager",
            "message": "Taint manager: deleting due to NoExecute taint",
        }
        conditions = set_condition(status.get("conditions") or (), condition)
        try:
            if conditions != status.get("conditions"):
                fresh = {**pod, "status": {**status, "conditions": conditions}}
                await self.client.update(PODS, fresh, subresource="status")
            self.events.event(pod, "Normal", "TaintManagerEviction", f"Marking for deletion Pod {key}")
            await self.client.delete(PODS, metadata["name"], metadata["namespace"], uid=metadata["uid"])
        except StatusError as error:
            if not is_not_found(error):
                raise
