"""Claims that ask for more than they have (pkg/controller/volume/expand, external-resizer).

The disk grows at once; its file system when the kubelet of a pod that uses it next looks: until then FileSystemResizePending says so.
"""

from __future__ import annotations

from cluster import clock
from cluster.apimachinery.meta import set_condition
from cluster.apimachinery.quantity import parse
from cluster.apimachinery.volumes import requested
from cluster.client.client import Obj
from cluster.client.events import EventRecorder
from cluster.client.loop import ControlLoop, LoopContext
from cluster.controllers.persistentvolume import CLAIMS, VOLUMES
from cluster.controllers.policy.volumes import PROVISIONED_BY, SIMULATED
from cluster.journeys.trace import step

WAITING = "Waiting for user to (re-)start a pod to finish file system resize of volume on node."
FOREIGN = "waiting for an external controller to expand this PVC"


def asks_for_more(claim: Obj) -> bool:
    """A bound claim whose request is beyond its capacity."""
    status = claim.get("status") or {}
    have = (status.get("capacity") or {}).get("storage")
    return status.get("phase") == "Bound" and have is not None and parse(requested(claim)) > parse(have)


def resizing(claim: Obj, kind: str, progress: str, message: str = "") -> Obj:
    """The claim's status on its way to the size it asks for."""
    condition = {"type": kind, "status": "True", "lastProbeTime": None, "lastTransitionTime": clock.timestamp()}
    if message:
        condition["message"] = message
    others = [one for one in claim["status"].get("conditions") or () if one["type"] not in ("Resizing", kind)]
    return {
        **claim["status"],
        "allocatedResources": {"storage": requested(claim)},
        "allocatedResourceStatuses": {"storage": progress},
        "conditions": set_condition(others, condition),
    }


class VolumeExpandController(ControlLoop):
    """Keys are claims."""

    name = "expand"
    title = "volume expander"

    def __init__(self, context: LoopContext) -> None:
        super().__init__(context)
        self.events = EventRecorder(self.client, "volume_expand")

    def setup(self) -> None:
        self.claims = self.watch(CLAIMS)
        self.volumes = self.informer(VOLUMES)

    async def reconcile(self, key: str) -> float | None:
        claim = self.claims.get(key)
        if claim is None or not asks_for_more(claim):
            return None
        volume = self.volumes.get(claim["spec"].get("volumeName") or "")
        if volume is None:
            return None
        if (volume["metadata"].get("annotations") or {}).get(PROVISIONED_BY) != SIMULATED:
            if "csi" in volume["spec"]:
                self.events.event(claim, "Normal", "ExternalExpanding", FOREIGN)
            else:
                text = "Ignoring the PVC: didn't find a plugin capable of expanding the volume; "
                self.events.event(claim, "Warning", "ExternalExpanding", text + FOREIGN.replace("expand", "process"))
            return None
        wanted, name = requested(claim), volume["metadata"]["name"]
        with step("decide", {"from": claim["status"]["capacity"]["storage"], "to": wanted}):
            grown = parse(volume["spec"]["capacity"]["storage"]) >= parse(wanted)
        if not grown:
            self.events.event(claim, "Normal", "Resizing", f"External resizer is resizing volume {name}")
            status = resizing(claim, "Resizing", "ControllerResizeInProgress")
            claim = await self.client.update(CLAIMS, {**claim, "status": status}, subresource="status")
            with step("act", {"grow": name}):
                capacity = {**volume["spec"]["capacity"], "storage": wanted}
                await self.client.update(VOLUMES, {**volume, "spec": {**volume["spec"], "capacity": capacity}})
        if (claim["status"].get("allocatedResourceStatuses") or {}).get("storage") != "NodeResizePending":
            status = resizing(claim, "FileSystemResizePending", "NodeResizePending", WAITING)
            claim = await self.client.update(CLAIMS, {**claim, "status": status}, subresource="status")
            text = "Require file system resize of volume on node"
            self.events.event(claim, "Normal", "FileSystemResizeRequired", text)
        return None
