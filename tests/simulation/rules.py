"""What each write must respect, whatever is broken at the time: looked at as it is committed, not every few seconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from cluster import clock
from cluster.apimachinery.meta import get_condition, is_pod_ready, scaled
from cluster.apimachinery.placement import DaemonPlacement
from cluster.diagnosis.facts import is_over, node_is_ready
from cluster.diagnosis.surroundings import owner_of

Obj = dict[str, Any]


def _is_up(pod: Obj) -> bool:
    return is_pod_ready(pod) and not pod["metadata"].get("deletionTimestamp")


class Rules:
    """Mirrors the objects of a few kinds from the log, and asks of each change whether it was allowed."""

    def __init__(self, note: Callable[[str], None], excused: Callable[[], bool]) -> None:
        self._note = note
        # Controllers act on what they see: while their news is late by intent, they may be a step behind.
        self._excused = excused
        self._objects: dict[str, dict[tuple[str, str], Obj]] = {
            resource: {}
            for resource in (
                *("pods", "nodes", "policy/poddisruptionbudgets"),
                *("apps/deployments", "apps/replicasets", "apps/statefulsets", "apps/daemonsets"),
            )
        }
        # Pods that a person deleted by hand: nobody keeps a person from it.
        self.by_hand: set[str] = set()
        self.asked = 0

    def see(self, revisions: list[Any]) -> None:
        """To be called with each group of commits, in order."""
        for one in revisions:
            known = self._objects.get(one.resource)
            if known is None:
                continue
            key = (one.namespace, one.name)
            old = known.get(key)
            new = None if one.verb == "delete" else orjson.loads(one.value)
            if not self._excused():
                self._judge(one.resource, old, new)
            if new is None:
                known.pop(key, None)
            else:
                known[key] = new

    def _judge(self, resource: str, old: Obj | None, new: Obj | None) -> None:
        if new is None:
            return
        if resource == "apps/replicasets" and old is not None and old["spec"]["replicas"] > new["spec"]["replicas"]:
            self._shrunk(old, new)
        if resource != "pods":
            return
        if old is None:
            self._created(new)
        elif new["metadata"].get("deletionTimestamp") and not old["metadata"].get("deletionTimestamp"):
            self._deleted(old, new)

    # -- Deployments -------------------------------------------------------------------------------------------------

    def _shrunk(self, old: Obj, new: Obj) -> None:
        """A rollout takes no more running pods away than maxUnavailable leaves it."""
        deployment = self._by_uid("apps/deployments", owner_of(new))
        if deployment is None or deployment["spec"]["strategy"]["type"] != "RollingUpdate":
            return
        self.asked += 1
        desired = deployment["spec"]["replicas"]
        unavailable = scaled(deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"], desired, round_up=False)
        available = sum(
            (one.get("status") or {}).get("availableReplicas", 0)
            for one in self._objects["apps/replicasets"].values()
            if owner_of(one) == deployment["metadata"]["uid"]
        )
        idle = old["spec"]["replicas"] - (old.get("status") or {}).get("availableReplicas", 0)
        cut = old["spec"]["replicas"] - new["spec"]["replicas"] - max(idle, 0)
        if cut > 0 and available - cut < desired - unavailable:
            self._note(
                f"replicaset {new['metadata']['name']} loses {cut} of {available} available pods;"
                f" {desired} are wanted, {unavailable} may be away"
            )

    # -- StatefulSets, DaemonSets, budgets ---------------------------------------------------------------------------

    def _created(self, pod: Obj) -> None:
        """The members of a StatefulSet come one after the other."""
        owner = self._by_uid("apps/statefulsets", owner_of(pod))
        if owner is None or owner["spec"].get("podManagementPolicy") == "Parallel":
            return
        self.asked += 1
        stem, _, ordinal = pod["metadata"]["name"].rpartition("-")
        namespace = pod["metadata"]["namespace"]
        for earlier in range(int(ordinal)):
            member = self._objects["pods"].get((namespace, f"{stem}-{earlier}"))
            if member is None or not is_pod_ready(member):
                self._note(f"{pod['metadata']['name']} is made before {stem}-{earlier} is ready")

    def _deleted(self, old: Obj, new: Obj) -> None:
        name = new["metadata"]["name"]
        why = get_condition(new, "DisruptionTarget") or {}
        if why.get("reason") == "EvictionByEvictionAPI":
            self._evicted(old)
            return
        if why or name in self.by_hand or not _is_up(old) or is_over(old):
            return
        for resource in ("apps/statefulsets", "apps/daemonsets"):
            owner = self._by_uid(resource, owner_of(new))
            if owner is not None:
                self._replaced(owner, old)

    def _replaced(self, owner: Obj, pod: Obj) -> None:
        """A rolling update of a StatefulSet or DaemonSet takes a pod away only while few enough others are."""
        node = self._objects["nodes"].get(("", pod["spec"].get("nodeName", "")))
        if node is None or not node_is_ready(node) or any(t["effect"] == "NoExecute" for t in _taints(node)):
            return
        self.asked += 1
        others = [
            one
            for one in self._objects["pods"].values()
            if owner_of(one) == owner["metadata"]["uid"] and one["metadata"]["name"] != pod["metadata"]["name"]
        ]
        wanted = owner["spec"].get("replicas")
        if wanted is None:
            # A DaemonSet: the nodes that want it now, which may be fewer than its status says yet.
            placement = DaemonPlacement(owner["spec"]["template"]["spec"])
            names = {one["metadata"]["name"] for one in self._objects["nodes"].values() if placement(one)[0]}
            wanted = len(names)
            others = [one for one in others if one["spec"].get("nodeName") in names]
        down = wanted - 1 - sum(map(_is_up, others))
        if down >= 1:
            self._note(f"{pod['metadata']['name']} is replaced while {down} others of {wanted} are down")

    def _evicted(self, pod: Obj) -> None:
        """No eviction of a pod that is up leaves its budget short."""
        labels = pod["metadata"].get("labels") or {}
        for budget in self._objects["policy/poddisruptionbudgets"].values():
            selector = budget["spec"]["selector"]["matchLabels"]
            if not selector.items() <= labels.items() or not _is_up(pod):
                continue
            self.asked += 1
            left = sum(
                _is_up(one) and selector.items() <= (one["metadata"].get("labels") or {}).items()
                for one in self._objects["pods"].values()
                if one["metadata"]["name"] != pod["metadata"]["name"]
            )
            if left < budget["spec"]["minAvailable"]:
                self._note(f"eviction of {pod['metadata']['name']} leaves {left} pods to {budget['metadata']['name']}")

    def _by_uid(self, resource: str, uid: str) -> Obj | None:
        return next((one for one in self._objects[resource].values() if one["metadata"]["uid"] == uid), None)


def _taints(node: Obj) -> list[Obj]:
    return node["spec"].get("taints") or []


def excuse(until: Callable[[], float]) -> Callable[[], bool]:
    """Whether now is before `until()`."""
    return lambda: clock.now() < until()
