"""The node lifecycle controller: notices silent nodes, taints unhealthy ones (pkg/controller/nodelifecycle).

A kubelet renews its Lease every ten seconds. When neither Lease nor status has moved for the grace period, the node's
conditions become Unknown; taints follow the conditions, and the taint eviction controller follows the taints.
"""

from __future__ import annotations

from collections import Counter

from cluster import clock
from cluster.apimachinery.errors import StatusError, is_not_found
from cluster.apimachinery.meta import get_condition, is_pod_ready, set_condition
from cluster.client.client import Obj
from cluster.client.loop import ControlLoop, LoopContext
from cluster.controllers.lib.podcontrol import PODS
from cluster.controllers.policy import node_health
from cluster.controllers.policy.node_health import (
    EXECUTE_KEYS,
    GRACE_PERIOD,
    MANAGED_KEYS,
    NO_EXECUTE,
    NO_SCHEDULE,
    STARTUP_GRACE_PERIOD,
    readiness,
)
from cluster.journeys.trace import step

NODES, LEASES = "v1/nodes", "coordination.k8s.io/v1/leases"
LEASE_NAMESPACE = "kube-node-lease"
MONITOR_PERIOD = 5.0
# Many nodes may change at once: when they start, or when their zone goes dark.
LOOK_PERIOD = 0.1


def by_node(pod: Obj) -> tuple[str, ...]:
    """Index of pods by the node they are bound to."""
    name = pod["spec"].get("nodeName")
    return (name,) if name else ()


class NodeController(ControlLoop):
    """Watches the heartbeats of nodes: marks silent ones, and taints those that are not well."""

    name = "node"

    def __init__(self, context: LoopContext) -> None:
        super().__init__(context)
        self._known: dict[str, Obj] = {}
        self._ready: dict[str, str] = {}
        self._states: node_health.States = Counter()
        self._looking = False
        # When each kubelet was last heard of, by our own clock, as its clock may be wrong.
        self._heard: dict[str, float] = {}
        # When the next node of each zone may be emptied.
        self._next_eviction: dict[str, float] = {}

    def setup(self) -> None:
        self.nodes = self.watch(NODES, self._node_changed)
        self.leases = self.watch(LEASES, self._lease_changed)
        self.pods = self.informer(PODS)
        self.pods.add_indexer("node", by_node)

    def _node_changed(self, old: Obj | None, new: Obj | None) -> None:
        if old is not None:
            self._states[_state_of(old)] -= 1
        if new is not None:
            self._states[_state_of(new)] += 1
        if old is not None and new is not None:
            before, after = get_condition(old, "Ready"), get_condition(new, "Ready")
            if after is not None and (before or {}).get("lastHeartbeatTime") != after.get("lastHeartbeatTime"):
                self._heard[new["metadata"]["name"]] = clock.now()
        self.enqueue(old, new)

    def _lease_changed(self, old: Obj | None, new: Obj | None) -> None:
        if new is None or new["metadata"]["namespace"] != LEASE_NAMESPACE:
            return
        if old is None or old["spec"].get("renewTime") != new["spec"].get("renewTime"):
            self._heard[new["metadata"]["name"]] = clock.now()

    async def reconcile(self, key: str) -> float | None:
        node = self.nodes.get(key)
        if node is None:
            self._forget(key)
            return None
        if key not in self._known:
            self._event(node, "RegisteredNode", f"Registered Node {key} in Controller")
        self._known[key] = node
        now = clock.now()
        with step("compare") as span:
            due = self._due(node, now)
            span.detail = {"ready": readiness(node) or "not reported", "silentSince": self._silence(node, now)}
        if now >= due:
            node = await self._mark_silent(node, now)
        if readiness(node) == "Unknown":
            await self._mark_pods(key, now)
        if self._ready.get(key) != readiness(node):
            # Whether others may be emptied depends on how many are well.
            self._ready[key] = readiness(node)
            self._look_at_others()
        wait = await self._sync_taints(node, now)
        silent = readiness(node) == "Unknown"
        delays = [*([wait] if wait is not None else []), *([] if silent else [max(due - now, 0.0) + 0.1])]
        return min(delays, default=None)

    def _look_at_others(self) -> None:
        """Nodes that are not well are looked at again, once for all that changes at about the same time."""
        if not self._looking:
            self._looking = True
            clock.call_later(LOOK_PERIOD, self._look)

    def _look(self) -> None:
        self._looking = False
        for name, status in self._ready.items():
            if status != "True":
                self.queue.add(name)

    # -- health --------------------------------------------------------------------------------------------------

    def _due(self, node: Obj, now: float) -> float:
        """When the node will have been silent for too long."""
        name = node["metadata"]["name"]
        if not readiness(node):
            created = clock.parse(node["metadata"]["creationTimestamp"])
            return max(created, self._heard.get(name, created)) + STARTUP_GRACE_PERIOD
        return self._heard.setdefault(name, now) + GRACE_PERIOD

    def _silence(self, node: Obj, now: float) -> str:
        heard = self._heard.get(node["metadata"]["name"])
        return f"{now - heard:.0f} s" if heard is not None else "its creation"

    async def _mark_silent(self, node: Obj, now: float) -> Obj:
        was = readiness(node)
        conditions = node_health.silent_conditions(node, now)
        status = node.get("status") or {}
        if conditions == status.get("conditions"):
            return node
        with step("act", {"conditions": "Unknown"}):
            fresh = {**node, "status": {**status, "conditions": conditions}}
            written = await self.client.update(NODES, fresh, subresource="status")
        if was == "True":
            name = node["metadata"]["name"]
            self.events.event(node, "Normal", "NodeNotReady", f"Node {name} status is now: NodeNotReady")
        return written

    async def _mark_pods(self, name: str, now: float) -> None:
        """Nobody knows how the silent node's pods are: take them out of service."""
        ready = [pod for pod in self.pods.by_index("node", name) if is_pod_ready(pod)]
        if not ready:
            return
        with step("act", {"podsNotReady": len(ready)}):
            for pod in ready:
                condition = {**(get_condition(pod, "Ready") or {}), "status": "False"}
                condition["lastTransitionTime"] = clock.timestamp(now)
                conditions = set_condition(pod["status"]["conditions"], condition)
                fresh = {**pod, "status": {**pod["status"], "conditions": conditions}}
                try:
                    await self.client.update(PODS, fresh, subresource="status")
                except StatusError as error:
                    if not is_not_found(error):
                        raise
                else:
                    self.events.event(pod, "Warning", "NodeNotReady", "Node is not ready")

    # -- taints --------------------------------------------------------------------------------------------------

    async def _sync_taints(self, node: Obj, now: float) -> float | None:
        """Make the taints follow the conditions; returns when to try again if the node has to wait its turn."""
        with step("decide") as span:
            taints = node["spec"].get("taints") or []
            wanted = node_health.with_taints(taints, NO_SCHEDULE, MANAGED_KEYS, node_health.schedule_keys(node), now)
            execute, wait = node_health.execute_key(node), None
            has = {taint["key"] for taint in taints if taint.get("effect") == NO_EXECUTE} & EXECUTE_KEYS
            if execute and node_health.all_disrupted(self._states_with(node)):
                execute = ""
            elif execute and not has:
                wait = self._wait_turn(node, now)
                execute = "" if wait is not None else execute
            wanted = node_health.with_taints(wanted, NO_EXECUTE, EXECUTE_KEYS, [execute] if execute else [], now)
            span.detail = {"taints": [f"{taint['key']}:{taint['effect']}" for taint in wanted]}
        if wanted != taints:
            with step("act", {"taint": node["metadata"]["name"]}):
                metadata = {"resourceVersion": node["metadata"]["resourceVersion"]}
                patch = {"metadata": metadata, "spec": {"taints": wanted or None}}
                await self.client.patch(NODES, node["metadata"]["name"], patch, kind="merge")
        return wait

    def _states_with(self, node: Obj) -> node_health.States:
        """How many nodes are how ready, this one as it has just been written. Counted as they change: thousands may fall silent at once."""
        states = self._states.copy()
        cached = self.nodes.get(node["metadata"]["name"])
        if cached is not None:
            states[_state_of(cached)] -= 1
        states[_state_of(node)] += 1
        return states

    def _wait_turn(self, node: Obj, now: float) -> float | None:
        """Nodes are emptied one by one; None: it is this one's turn, otherwise seconds to wait."""
        zone = node_health.zone_of(node)
        rate = node_health.eviction_rate(*node_health.ready_in(self._states_with(node), zone))
        if rate == 0:
            return MONITOR_PERIOD
        ready_at = self._next_eviction.get(zone, 0.0)
        if now < ready_at:
            return ready_at - now
        self._next_eviction[zone] = now + 1 / rate
        return None

    # -- coming and going ----------------------------------------------------------------------------------------

    def _forget(self, name: str) -> None:
        node = self._known.pop(name, None)
        self._heard.pop(name, None)
        self._ready.pop(name, None)
        if node is not None:
            self._event(node, "RemovingNode", f"Removing Node {name} from Controller")

    def _event(self, node: Obj, reason: str, text: str) -> None:
        self.events.event(node, "Normal", reason, f"Node {node['metadata']['name']} event: {text}")


def _state_of(node: Obj) -> tuple[str, str]:
    return node_health.zone_of(node), readiness(node)
