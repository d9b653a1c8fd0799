"""Makes the claims of generic ephemeral volumes (pkg/controller/volume/ephemeral): named after pod and volume, owned by the pod."""

from __future__ import annotations

from cluster.apimachinery.errors import StatusError, is_already_exists
from cluster.apimachinery.meta import controller_of, key_of, owner_reference
from cluster.client.client import Obj
from cluster.client.events import EventRecorder
from cluster.client.loop import ControlLoop, LoopContext
from cluster.controllers.lib.podcontrol import PODS
from cluster.controllers.persistentvolume import CLAIMS
from cluster.journeys.trace import step


def claim_of(pod: Obj, volume: Obj) -> Obj:
    """The claim that a volume of a pod asks for."""
    template, metadata = volume["ephemeral"]["volumeClaimTemplate"], pod["metadata"]
    given = template.get("metadata") or {}
    kept = {field: given[field] for field in ("labels", "annotations") if given.get(field)}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": f"{metadata['name']}-{volume['name']}",
            "namespace": metadata["namespace"],
            **kept,
            "ownerReferences": [owner_reference(pod)],
        },
        "spec": template["spec"],
    }


class EphemeralVolumeController(ControlLoop):
    """Keys are pods."""

    name = "ephemeral-volume"
    title = "ephemeral volumes"

    def __init__(self, context: LoopContext) -> None:
        super().__init__(context)
        self.events = EventRecorder(self.client, "ephemeral_volume")

    def setup(self) -> None:
        self.pods = self.informer(PODS)
        self.pods.add_handler(self._pod_changed)
        self.claims = self.informer(CLAIMS)
        self.claims.add_handler(self._claim_changed)

    def _pod_changed(self, old: Obj | None, new: Obj | None) -> None:
        if new is not None and any("ephemeral" in volume for volume in new["spec"].get("volumes") or ()):
            self.queue.add(key_of(new))

    def _claim_changed(self, old: Obj | None, new: Obj | None) -> None:
        owner = controller_of(old) if new is None and old is not None else None
        if owner is not None and owner["kind"] == "Pod" and old is not None:
            self.queue.add(f"{old['metadata']['namespace']}/{owner['name']}")

    async def reconcile(self, key: str) -> float | None:
        pod = self.pods.get(key)
        if (
            pod is None
            or "deletionTimestamp" in pod["metadata"]
            or (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
        ):
            return None
        for volume in pod["spec"].get("volumes") or ():
            if "ephemeral" in volume:
                await self._ensure(pod, claim_of(pod, volume))
        return None

    async def _ensure(self, pod: Obj, wanted: Obj) -> None:
        if self.claims.get(key_of(wanted)) is not None:
            # Somebody else's claim of that name: the scheduler refuses to use it, and says so.
            return
        with step("act", {"create": wanted["metadata"]["name"]}):
            try:
                await self.client.create(CLAIMS, wanted)
            except StatusError as error:
                if is_already_exists(error):
                    return
                text = f"ephemeral volume controller: create PVC {key_of(wanted)}: {error.message}"
                self.events.event(pod, "Warning", "FailedCreate", text)
                raise
