"""What the volume binder writes: volumes that are made for claims, references, annotations (pkg/controller/volume/persistentvolume)."""

from __future__ import annotations

from cluster.apimachinery.volumes import requested
from cluster.client.client import Obj

PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
STORAGE_PROVISIONER = "volume.kubernetes.io/storage-provisioner"
BETA_STORAGE_PROVISIONER = "volume.beta.kubernetes.io/storage-provisioner"
# The provisioner that this cluster plays itself.
SIMULATED = "sim.kubeweb.dev/disk"


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
