"""Binds claims to volumes, makes volumes for classes, takes them back (pkg/controller/volume/persistentvolume).

Keys with a slash are claims, the others volumes. The disks of `sim.kubeweb.dev/disk` are made here, too: the provisioner is played.
"""

from __future__ import annotations

from cluster.apimachinery.errors import StatusError, is_already_exists, is_not_found
from cluster.apimachinery.meta import key_of
from cluster.apimachinery.volumes import (
    BIND_COMPLETED,
    BOUND_BY_CONTROLLER,
    NO_PROVISIONER,
    SELECTED_NODE,
    WAIT_FOR_FIRST_CONSUMER,
    choose,
    claims_used_by,
    is_bound_to,
)
from cluster.client.client import Obj
from cluster.client.events import EventRecorder
from cluster.client.loop import ControlLoop, LoopContext
from cluster.controllers.lib.podcontrol import PODS
from cluster.controllers.policy import volumes as policy
from cluster.journeys.trace import step

CLAIMS, VOLUMES = "v1/persistentvolumeclaims", "v1/persistentvolumes"
CLASSES = "storage.k8s.io/v1/storageclasses"


class PersistentVolumeController(ControlLoop):
    """Claims get volumes; volumes that lost their claim are kept or removed."""

    name = "persistentvolume"
    title = "volume binder"
    account = "persistent-volume-binder"

    def __init__(self, context: LoopContext) -> None:
        super().__init__(context)
        self.events = EventRecorder(self.client, "persistentvolume-controller")

    def setup(self) -> None:
        self.claims = self.watch(CLAIMS, self._claim_changed)
        self.volumes = self.watch(VOLUMES, self._volume_changed)
        self.classes = self.watch(CLASSES, self._anything_may_bind)
        self.pods = self.informer(PODS)
        self.pods.add_indexer("claims", claims_used_by)
        self.pods.add_handler(self._pod_changed)

    def _claim_changed(self, old: Obj | None, new: Obj | None) -> None:
        self.enqueue(old, new)
        claim = new or old
        if claim is not None and claim["spec"].get("volumeName"):
            self.queue.add(claim["spec"]["volumeName"])

    def _volume_changed(self, old: Obj | None, new: Obj | None) -> None:
        self.enqueue(old, new)
        volume = new or old
        reference = volume["spec"].get("claimRef") if volume is not None else None
        if reference:
            self.queue.add(f"{reference['namespace']}/{reference['name']}")
        elif new is None or old is None:
            self._anything_may_bind(old, new)

    def _anything_may_bind(self, old: Obj | None, new: Obj | None) -> None:
        for claim in self.claims.list():
            if _phase(claim) != "Bound":
                self.queue.add(key_of(claim))

    def _pod_changed(self, old: Obj | None, new: Obj | None) -> None:
        """A new pod is what some claims wait for, and they tell."""
        if new is not None and old is None:
            for key in claims_used_by(new):
                claim = self.claims.get(key)
                if claim is not None and _phase(claim) != "Bound":
                    self.queue.add(key)

    async def reconcile(self, key: str) -> float | None:
        if "/" in key:
            claim = self.claims.get(key)
            if claim is not None and "deletionTimestamp" not in claim["metadata"]:
                await self._sync_claim(key, claim)
            return None
        volume = self.volumes.get(key)
        if volume is not None:
            # One that is to go is followed to its end: only when it is released does its protection let it go.
            await self._sync_volume(volume)
        return None

    # -- claims ------------------------------------------------------------------------------------------------------

    async def _sync_claim(self, key: str, claim: Obj) -> None:
        spec = claim["spec"]
        with step("observe", {"phase": _phase(claim)}):
            named = self.volumes.get(spec["volumeName"]) if spec.get("volumeName") else None
        if BIND_COMPLETED in (claim["metadata"].get("annotations") or {}):
            if named is None or not is_bound_to(named, claim):
                await self._lost(claim)
            elif _phase(claim) != "Bound":
                await self._bind(named, claim)
            return
        if spec.get("volumeName"):
            if named is not None and (named["spec"].get("claimRef") is None or is_bound_to(named, claim)):
                await self._bind(named, claim)
            else:
                await self._claim_status(claim, {"phase": "Pending"})
            return
        with step("decide") as span:
            # Whose class waits for a consumer gets what the scheduler has chosen with the consumer's node in mind.
            chosen = choose(self.volumes.list(), claim, kept_only=self._waits(claim))
            span.detail = {"volume": chosen["metadata"]["name"] if chosen else None}
        if chosen is not None:
            await self._bind(chosen, claim)
            return
        await self._provide(key, claim)

    async def _provide(self, key: str, claim: Obj) -> None:
        """No volume does: have one made, or say why not."""
        name = claim["spec"].get("storageClassName", "")
        if not name:
            text = "no persistent volumes available for this claim and no storage class is set"
            self.events.event(claim, "Normal", "FailedBinding", text)
            await self._claim_status(claim, {"phase": "Pending"})
            return
        storage_class = self.classes.get(name)
        if storage_class is None:
            text = f'storageclass.storage.k8s.io "{name}" not found'
            self.events.event(claim, "Warning", "ProvisioningFailed", text)
            await self._claim_status(claim, {"phase": "Pending"})
            return
        if self._waits(claim):
            self._tell_what_it_waits_for(key, claim)
            await self._claim_status(claim, {"phase": "Pending"})
            return
        provisioner = storage_class["provisioner"]
        if provisioner == NO_PROVISIONER:
            text = f"no volume plugin matched name: {provisioner}"
            self.events.event(claim, "Warning", "ProvisioningFailed", text)
            await self._claim_status(claim, {"phase": "Pending"})
            return
        annotations = claim["metadata"].get("annotations") or {}
        if annotations.get(policy.STORAGE_PROVISIONER) != provisioner:
            noted = {policy.STORAGE_PROVISIONER: provisioner, policy.BETA_STORAGE_PROVISIONER: provisioner}
            claim = await self.client.update(CLAIMS, policy.annotated(claim, **noted))
        if provisioner != policy.SIMULATED:
            text = (
                f"Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by "
                "the system administrator. If volume creation is delayed, please verify that the provisioner is running "
                "and correctly registered."
            )
            self.events.event(claim, "Normal", "ExternalProvisioning", text)
            await self._claim_status(claim, {"phase": "Pending"})
            return
        await self._make(claim, storage_class)

    def _waits(self, claim: Obj) -> bool:
        """Nothing is bound or made before the scheduler has found a node for a pod that uses the claim."""
        storage_class = self.classes.get(claim["spec"].get("storageClassName") or "")
        waiting = storage_class is not None and storage_class.get("volumeBindingMode") == WAIT_FOR_FIRST_CONSUMER
        return waiting and SELECTED_NODE not in (claim["metadata"].get("annotations") or {})

    def _tell_what_it_waits_for(self, key: str, claim: Obj) -> None:
        users = sorted(
            pod["metadata"]["name"] for pod in self.pods.by_index("claims", key) if not pod["spec"].get("nodeName")
        )
        if users:
            text = f"waiting for pod{'s' if len(users) > 1 else ''} {','.join(users)} to be scheduled"
            self.events.event(claim, "Normal", "WaitForPodScheduled", text)
        else:
            text = "waiting for first consumer to be created before binding"
            self.events.event(claim, "Normal", WAIT_FOR_FIRST_CONSUMER, text)

    async def _make(self, claim: Obj, storage_class: Obj) -> None:
        metadata = claim["metadata"]
        text = f'External provisioner is provisioning volume for claim "{metadata["namespace"]}/{metadata["name"]}"'
        self.events.event(claim, "Normal", "Provisioning", text)
        volume = policy.provisioned(claim, storage_class)
        with step("act", {"create": volume["metadata"]["name"]}):
            try:
                volume = await self.client.create(VOLUMES, volume)
            except StatusError as error:
                if not is_already_exists(error):
                    raise
                volume = await self.client.get(VOLUMES, volume["metadata"]["name"])
        text = f"Successfully provisioned volume {volume['metadata']['name']}"
        self.events.event(claim, "Normal", "ProvisioningSucceeded", text)
        await self._bind(volume, claim)

    async def _bind(self, volume: Obj, claim: Obj) -> None:
        """Both sides name each other, then both say Bound."""
        with step("act", {"bind": volume["metadata"]["name"]}):
            reference = volume["spec"].get("claimRef")
            if reference is None or not reference.get("uid"):
                bound = {**volume, "spec": {**volume["spec"], "claimRef": policy.claim_reference(claim)}}
                if reference is None:
                    bound = policy.annotated(bound, **{BOUND_BY_CONTROLLER: "yes"})
                volume = await self.client.update(VOLUMES, bound)
            volume = await self._volume_status(volume, "Bound")
            name = volume["metadata"]["name"]
            annotations = {BIND_COMPLETED: "yes"}
            if claim["spec"].get("volumeName") != name:
                annotations[BOUND_BY_CONTROLLER] = "yes"
            given = {**claim, "spec": {**claim["spec"], "volumeName": name}}
            claim = await self.client.update(CLAIMS, policy.annotated(given, **annotations))
            status = {
                "phase": "Bound",
                "accessModes": volume["spec"]["accessModes"],
                "capacity": volume["spec"]["capacity"],
            }
            await self._claim_status(claim, status)

    async def _lost(self, claim: Obj) -> None:
        text = (
            "Bound claim has lost its PersistentVolume. Data on the volume is lost! Cluster administrator must fix it."
        )
        self.events.event(claim, "Warning", "ClaimLost", text)
        await self._claim_status(claim, {"phase": "Lost"})

    async def _claim_status(self, claim: Obj, status: Obj) -> None:
        if claim.get("status") != status:
            await self.client.update(CLAIMS, {**claim, "status": status}, subresource="status")

    # -- volumes -----------------------------------------------------------------------------------------------------

    async def _sync_volume(self, volume: Obj) -> None:
        reference = volume["spec"].get("claimRef")
        if reference is None:
            await self._volume_status(volume, "Available")
            return
        if not reference.get("uid"):
            # Kept for a claim by name: that claim binds it.
            await self._volume_status(volume, "Available")
            return
        claim = self.claims.get(f"{reference['namespace']}/{reference['name']}")
        if claim is not None and claim["metadata"]["uid"] == reference["uid"]:
            return
        with step("decide") as span:
            policy_name = volume["spec"].get("persistentVolumeReclaimPolicy", "Retain")
            span.detail = {"reclaim": policy_name}
        volume = await self._volume_status(volume, "Released")
        annotations = volume["metadata"].get("annotations") or {}
        going = "deletionTimestamp" in volume["metadata"]
        if not going and policy_name == "Delete" and annotations.get(policy.PROVISIONED_BY) == policy.SIMULATED:
            with step("act", {"delete": volume["metadata"]["name"]}):
                try:
                    await self.client.delete(VOLUMES, volume["metadata"]["name"], uid=volume["metadata"]["uid"])
                except StatusError as error:
                    if not is_not_found(error):
                        raise

    async def _volume_status(self, volume: Obj, phase: str) -> Obj:
        if (volume.get("status") or {}).get("phase") == phase:
            return volume
        status = {**(volume.get("status") or {}), "phase": phase}
        return await self.client.update(VOLUMES, {**volume, "status": status}, subresource="status")


def _phase(claim: Obj) -> str:
    return str((claim.get("status") or {}).get("phase", "Pending"))
