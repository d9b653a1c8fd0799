"""Which PersistentVolume a claim gets (pkg/controller/volume/persistentvolume)."""

from __future__ import annotations

from collections.abc import Iterable

from cluster.apimachinery.labels import from_selector
from cluster.apimachinery.quantity import parse
from cluster.client.client import Obj

BOUND_BY_CONTROLLER, BIND_COMPLETED = "pv.kubernetes.io/bound-by-controller", "pv.kubernetes.io/bind-completed"
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
STORAGE_PROVISIONER = "volume.kubernetes.io/storage-provisioner"
BETA_STORAGE_PROVISIONER = "volume.beta.kubernetes.io/storage-provisioner"
# The provisioner that this cluster plays itself.
SIMULATED = "sim.kubeweb.dev/disk"


def requested(claim: Obj) -> str:
    """The size that a claim asks for."""
    return str(((claim["spec"].get("resources") or {}).get("requests") or {}).get("storage", "0"))


def is_bound_to(volume: Obj, claim: Obj) -> bool:
    """The volume is this claim's, or kept for it by name."""
    reference = volume["spec"].get("claimRef")
    if reference is None:
        return False
    same = (reference.get("namespace"), reference.get("name")) == (
        claim["metadata"]["namespace"],
        claim["metadata"]["name"],
    )
    return same and reference.get("uid", claim["metadata"]["uid"]) in ("", claim["metadata"]["uid"])


def misfit(volume: Obj, claim: Obj) -> str:
    """Why a volume does not do for a claim; empty when it does."""
    spec, wanted = volume["spec"], claim["spec"]
    if spec.get("volumeMode", "Filesystem") != wanted.get("volumeMode", "Filesystem"):
        return "volumeMode"
    if spec.get("storageClassName", "") != wanted.get("storageClassName", ""):
        return "storageClassName"
    if not set(wanted.get("accessModes") or ()) <= set(spec.get("accessModes") or ()):
        return "accessModes"
    if parse((spec.get("capacity") or {}).get("storage", "0")) < parse(requested(claim)):
        return "requested storage"
    selector = wanted.get("selector")
    if selector is not None and not from_selector(selector).matches(volume["metadata"].get("labels")):
        return "selector"
    return ""


def choose(volumes: Iterable[Obj], claim: Obj) -> Obj | None:
    """The volume kept for this claim, or else the smallest free one that does."""
    free = []
    for volume in volumes:
        if "deletionTimestamp" in volume["metadata"]:
            continue
        if is_bound_to(volume, claim):
            if not misfit(volume, claim):
                return volume
        elif volume["spec"].get("claimRef") is None and not misfit(volume, claim):
            free.append(volume)
    free.sort(key=lambda volume: (parse((volume["spec"].get("capacity") or {})["storage"]), volume["metadata"]["name"]))
    return free[0] if free else None


def provisioned(claim: Obj, storage_class: Obj) -> Obj:
    """The volume that the simulated provisioner makes for a claim."""
    metadata, spec = claim["metadata"], claim["spec"]
    name = f"pvc-{metadata['uid']}"
    body: Obj = {
        "capacity": {"storage": requested(claim)},
        "accessModes": spec.get("accessModes") or ["ReadWriteOnce"],
        "volumeMode": spec.get("volumeMode", "Filesystem"),
        "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
        "storageClassName": storage_class["metadata"]["name"],
        "hostPath": {"path": f"/var/lib/kubeweb/{metadata['namespace']}_{metadata['name']}_{name}"},
        "claimRef": claim_reference(claim),
    }
    if storage_class.get("mountOptions"):
        body["mountOptions"] = storage_class["mountOptions"]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {PROVISIONED_BY: storage_class["provisioner"]}},
        "spec": body,
    }


def claim_reference(claim: Obj) -> Obj:
    metadata = claim["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "resourceVersion": metadata["resourceVersion"],
    }


def annotated(obj: Obj, **annotations: str) -> Obj:
    """A copy of `obj` with these annotations (names as in this module's constants)."""
    metadata = obj["metadata"]
    return {**obj, "metadata": {**metadata, "annotations": {**(metadata.get("annotations") or {}), **annotations}}}
