"""Claims in use by pods, and volumes in use by claims, are not removed (pkg/controller/volume/{pvc,pv}protection).

Admission puts a finalizer on each; these loops take it off when the object is being deleted and nobody uses it any more.
"""

from __future__ import annotations

from typing import ClassVar

from cluster.apimachinery.volumes import claims_used_by
from cluster.client.client import Obj
from cluster.client.loop import ControlLoop
from cluster.controllers.lib.podcontrol import PODS
from cluster.controllers.persistentvolume import CLAIMS, VOLUMES
from cluster.journeys.trace import step


class _Protection(ControlLoop):
    """Takes `finalizer` off what is being deleted and `in_use` says nothing of."""

    resource: ClassVar[str]
    finalizer: ClassVar[str]
    workers = 1

    def setup(self) -> None:
        self.objects = self.watch(self.resource)

    def in_use(self, key: str, obj: Obj) -> bool:
        raise NotImplementedError

    async def reconcile(self, key: str) -> float | None:
        obj = self.objects.get(key)
        if obj is None or "deletionTimestamp" not in obj["metadata"]:
            return None
        finalizers = obj["metadata"].get("finalizers") or []
        if self.finalizer not in finalizers:
            return None
        with step("compare") as span:
            used = self.in_use(key, obj)
            span.detail = {"in use": used}
        if used:
            return None
        with step("act", {"remove": self.finalizer}):
            kept = [name for name in finalizers if name != self.finalizer]
            await self.client.update(self.resource, {**obj, "metadata": {**obj["metadata"], "finalizers": kept}})
        return None


class ClaimProtectionController(_Protection):
    name = "pvc-protection"
    title = "claim protection"
    resource = CLAIMS
    finalizer = "kubernetes.io/pvc-protection"

    def setup(self) -> None:
        super().setup()
        self.pods = self.informer(PODS)
        self.pods.add_indexer("claims", claims_used_by)
        self.pods.add_handler(self._pod_changed)

    def _pod_changed(self, old: Obj | None, new: Obj | None) -> None:
        ended = new is None or (new.get("status") or {}).get("phase") in ("Succeeded", "Failed")
        pod = new or old
        if ended and pod is not None:
            for key in claims_used_by(pod):
                self.queue.add(key)

    def in_use(self, key: str, obj: Obj) -> bool:
        """By a pod that has come to a node and not finished."""
        return any(
            pod["spec"].get("nodeName") and (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")
            for pod in self.pods.by_index("claims", key)
        )


class VolumeProtectionController(_Protection):
    name = "pv-protection"
    title = "volume protection"
    resource = VOLUMES
    finalizer = "kubernetes.io/pv-protection"

    def in_use(self, key: str, obj: Obj) -> bool:
        return bool((obj.get("status") or {}).get("phase") == "Bound")
