"""What a pod's claims mean for where it may stand (plugins/volumebinding, plugins/volumerestrictions).

None may be missing; bound volumes are reached from some nodes only; claims whose class waits for a consumer are given a volume
that the chosen node reaches, or have one made for it, before the pod is bound; who wants a claim for itself alone gets it so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cluster.apimachinery.meta import controller_of, key_of
from cluster.apimachinery.placement import matches_topology
from cluster.apimachinery.volumes import (
    NO_PROVISIONER,
    SELECTED_NODE,
    WAIT_FOR_FIRST_CONSUMER,
    choose,
    claiming_volumes,
    claims_used_by,
    is_fully_bound,
    reaches,
)
from cluster.client.informer import Informer
from cluster.scheduler.nodeinfo import NodeInfo

Obj = dict[str, Any]
PLUGIN, RESTRICTIONS = "VolumeBinding", "VolumeRestrictions"
OUT_OF_REACH = "node(s) didn't match PersistentVolume's node affinity"
NOTHING_TO_BIND = "node(s) didn't find available persistent volumes to bind"
IN_USE = "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"
Refusal = tuple[str, tuple[str, ...]]


class Around(Protocol):
    """What lies beyond one node and has a say on it."""

    def refusal(self, node: NodeInfo) -> Refusal | None: ...

    def scores(self, feasible: Sequence[NodeInfo]) -> list[tuple[str, int, list[int]]]: ...


@dataclass(frozen=True, slots=True)
class Waiting:
    """A claim that gets its volume with the pod's node, and its class."""

    claim: Obj
    storage_class: Obj


@dataclass(frozen=True, slots=True)
class Promise:
    """What a claim is to get on the chosen node: this free volume, or (None) one that is made."""

    claim: Obj
    volume: Obj | None


class Reach:
    """The nodes from which a pod can have its volumes, and what else is around it."""

    def __init__(
        self, bound: list[Obj], waiting: list[Waiting], free: list[Obj], in_use: bool, around: Around | None
    ) -> None:
        self._bound = bound
        self._waiting = waiting
        self._free = free
        self._in_use = in_use
        self._around = around

    def refusal(self, node: NodeInfo) -> Refusal | None:
        if self._in_use:
            return RESTRICTIONS, (IN_USE,)
        if any(not reaches(volume, node.name, node.labels) for volume in self._bound):
            return PLUGIN, (OUT_OF_REACH,)
        if self._waiting and promises(self._waiting, self._free, node) is None:
            return PLUGIN, (NOTHING_TO_BIND,)
        return None if self._around is None else self._around.refusal(node)

    def scores(self, feasible: Sequence[NodeInfo]) -> list[tuple[str, int, list[int]]]:
        return [] if self._around is None else self._around.scores(feasible)


def promises(waiting: list[Waiting], free: list[Obj], node: NodeInfo) -> list[Promise] | None:
    """What each waiting claim would get on this node; None when one would get nothing."""
    left = [volume for volume in free if reaches(volume, node.name, node.labels)]
    found = []
    for one in waiting:
        annotations = one.claim["metadata"].get("annotations") or {}
        if SELECTED_NODE in annotations:
            # A volume is being made already: for that node.
            if annotations[SELECTED_NODE] != node.name:
                return None
            found.append(Promise(one.claim, None))
            continue
        volume = choose(left, one.claim)
        if volume is not None:
            left.remove(volume)
        elif one.storage_class["provisioner"] == NO_PROVISIONER or not matches_topology(
            one.storage_class.get("allowedTopologies"), node.labels
        ):
            return None
        found.append(Promise(one.claim, volume))
    return found


class Claims:
    """PersistentVolumeClaims as the scheduler reads them."""

    def __init__(self, claims: Informer, classes: Informer, volumes: Informer, pods: Informer) -> None:
        self._claims = claims
        self._classes = classes
        self._volumes = volumes
        self._pods = pods
        pods.add_indexer("claims", claims_used_by)
        # Volumes that are promised and not yet seen as bound: volume → claim's uid.
        self._promised: dict[str, str] = {}

    def missing(self, pod: Obj) -> str:
        """Why the pod's claims keep it from any node; empty when they do not."""
        for volume, key in zip(claiming_volumes(pod), claims_used_by(pod), strict=True):
            claim, name = self._claims.get(key), key.partition("/")[2]
            if claim is None and "ephemeral" in volume:
                return f'waiting for ephemeral volume controller to create the persistentvolumeclaim "{name}"'
            if claim is None:
                return f'persistentvolumeclaim "{name}" not found'
            if "ephemeral" in volume and (controller_of(claim) or {}).get("uid") != pod["metadata"]["uid"]:
                return f"PVC {key} was not created for pod {key_of(pod)} (pod is not owner)"
            if "deletionTimestamp" in claim["metadata"]:
                return f'persistentvolumeclaim "{name}" is being deleted'
            if (claim.get("status") or {}).get("phase") == "Lost":
                return f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume'
            if not is_fully_bound(claim) and self._waits(claim) is None:
                return "pod has unbound immediate PersistentVolumeClaims"
        return ""

    def _waits(self, claim: Obj) -> Waiting | None:
        found = self._classes.get(claim["spec"].get("storageClassName") or "")
        if (
            found is None
            or found.get("volumeBindingMode") != WAIT_FOR_FIRST_CONSUMER
            or claim["spec"].get("volumeName")
        ):
            return None
        return Waiting(claim, found)

    def _waiting(self, pod: Obj) -> list[Waiting]:
        found = []
        for key in claims_used_by(pod):
            claim = self._claims.get(key)
            if claim is not None and not is_fully_bound(claim):
                waits = self._waits(claim)
                if waits is not None:
                    found.append(waits)
        return found

    def _free(self) -> list[Obj]:
        """Volumes that nobody has, or that are kept for a claim by name."""
        found = []
        for volume in self._volumes.list():
            name = volume["metadata"]["name"]
            if (volume["spec"].get("claimRef") or {}).get("uid"):
                self._promised.pop(name, None)
            elif name not in self._promised:
                found.append(volume)
        return found

    def _in_use(self, pod: Obj, claim: Obj, key: str, without: set[str]) -> bool:
        """Another pod has the claim that only one pod may have."""
        if "ReadWriteOncePod" not in (claim["spec"].get("accessModes") or ()):
            return False
        return any(
            other["spec"].get("nodeName")
            and other["metadata"]["uid"] not in (pod["metadata"].get("uid"), *without)
            and (other.get("status") or {}).get("phase") not in ("Succeeded", "Failed")
            for other in self._pods.by_index("claims", key)
        )

    def within(self, pod: Obj, around: Around | None, without: set[str]) -> Around | None:
        """`around`, and the reach of the pod's volumes where they have one. `without`: pods (by uid) that would be gone."""
        keys = claims_used_by(pod)
        if not keys:
            return around
        bound, in_use = [], False
        for key in keys:
            claim = self._claims.get(key)
            if claim is None:
                continue
            in_use = in_use or self._in_use(pod, claim, key, without)
            volume = self._volumes.get(claim["spec"].get("volumeName") or "")
            if volume is not None and volume["spec"].get("nodeAffinity"):
                bound.append(volume)
        waiting = self._waiting(pod)
        if not bound and not waiting and not in_use:
            return around
        return Reach(bound, waiting, self._free() if waiting else [], in_use, around)

    # -- what was chosen -----------------------------------------------------------------------------------------------

    def promise(self, pod: Obj, node: NodeInfo) -> list[Promise]:
        """What the pod's waiting claims get on the chosen node; free volumes are kept for them from now on (Reserve)."""
        waiting = self._waiting(pod)
        found = promises(waiting, self._free(), node) or [] if waiting else []
        for one in found:
            if one.volume is not None:
                self._promised[one.volume["metadata"]["name"]] = one.claim["metadata"]["uid"]
        return found

    def take_back(self, given: list[Promise]) -> None:
        """The pod does not come to that node after all."""
        for one in given:
            if one.volume is not None:
                self._promised.pop(one.volume["metadata"]["name"], None)
