"""What a pod's claims mean for where it may stand (plugins/volumebinding): none that is missing, and nodes that reach the bound volumes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from cluster.apimachinery.placement import matches_term
from cluster.client.informer import Informer
from cluster.scheduler.nodeinfo import NodeInfo

Obj = dict[str, Any]
PLUGIN = "VolumeBinding"
OUT_OF_REACH = "node(s) didn't match PersistentVolume's node affinity"
Refusal = tuple[str, tuple[str, ...]]


class Around(Protocol):
    """What lies beyond one node and has a say on it."""

    def refusal(self, node: NodeInfo) -> Refusal | None: ...

    def scores(self, feasible: Sequence[NodeInfo]) -> list[tuple[str, int, list[int]]]: ...


class Reach:
    """The nodes that reach a pod's volumes, and what else is around it. `terms`: of each volume that names its nodes."""

    def __init__(self, terms: list[list[Obj]], around: Around | None) -> None:
        self._terms = terms
        self._around = around

    def refusal(self, node: NodeInfo) -> Refusal | None:
        for terms in self._terms:
            if not any(matches_term(term, node.name, node.labels) for term in terms):
                return PLUGIN, (OUT_OF_REACH,)
        return None if self._around is None else self._around.refusal(node)

    def scores(self, feasible: Sequence[NodeInfo]) -> list[tuple[str, int, list[int]]]:
        return [] if self._around is None else self._around.scores(feasible)


class Claims:
    """PersistentVolumeClaims as the scheduler reads them."""

    def __init__(self, claims: Informer, classes: Informer, volumes: Informer) -> None:
        self._claims = claims
        self._classes = classes
        self._volumes = volumes

    @staticmethod
    def _names(pod: Obj) -> Iterator[str]:
        for volume in pod["spec"].get("volumes") or ():
            if volume.get("persistentVolumeClaim"):
                yield volume["persistentVolumeClaim"]["claimName"]
            elif volume.get("ephemeral"):
                yield f"{pod['metadata']['name']}-{volume['name']}"

    def missing(self, pod: Obj) -> str:
        """Why the pod's claims keep it from any node; empty when they do not."""
        for name in self._names(pod):
            claim = self._claims.get(f"{pod['metadata']['namespace']}/{name}")
            if claim is None:
                return f'persistentvolumeclaim "{name}" not found'
            if "deletionTimestamp" in claim["metadata"]:
                return f'persistentvolumeclaim "{name}" is being deleted'
            phase = (claim.get("status") or {}).get("phase")
            if phase == "Lost":
                return f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume'
            if phase != "Bound" and not self._binds_later(claim):
                return "pod has unbound immediate PersistentVolumeClaims"
        return ""

    def _binds_later(self, claim: Obj) -> bool:
        name = claim["spec"].get("storageClassName", "")
        found = self._classes.get(name) if name else None
        return found is not None and found.get("volumeBindingMode") == "WaitForFirstConsumer"

    def within(self, pod: Obj, around: Around | None) -> Around | None:
        """`around`, and the reach of the pod's volumes where they have one."""
        found = []
        for name in self._names(pod):
            claim = self._claims.get(f"{pod['metadata']['namespace']}/{name}")
            volume = self._volumes.get(((claim or {}).get("spec") or {}).get("volumeName") or "")
            required = ((volume or {}).get("spec", {}).get("nodeAffinity") or {}).get("required")
            if required:
                found.append(required.get("nodeSelectorTerms") or [])
        return Reach(found, around) if found else around
