"""Rows of storage: volumes, claims, classes, drivers and attachments."""

from __future__ import annotations

from typing import Any

from cluster.apiserver.printers.columns import (
    AGE,
    NAME,
    UNSET,
    Cells,
    Column,
    Obj,
    age,
    boolean,
    integer,
    joined,
    name_of,
    printer,
    spec_of,
    status_of,
    wide,
)

_MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
_OLD_CLASS = "volume.beta.kubernetes.io/storage-class"
_DEFAULT_CLASS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
_DEFAULT_ATTRIBUTES = ("volumeattributesclass.alpha.kubernetes.io/is-default-class",)


def _modes(modes: Any) -> str:
    """Access modes, shortened, each once, in Kubernetes' order."""
    return ",".join([short for mode, short in _MODES.items() if mode in (modes or ())])


def _class(obj: Obj, spec: Any) -> str:
    """The storage class; the annotation from before the field wins."""
    annotations = obj["metadata"].get("annotations") or {}
    return str(annotations.get(_OLD_CLASS, spec.get("storageClassName", "")))


def _phase(obj: Obj) -> str:
    return "Terminating" if obj["metadata"].get("deletionTimestamp") else str(status_of(obj).get("phase", ""))


def _name_with_default(obj: Obj, marks: tuple[str, ...]) -> str:
    annotations = obj["metadata"].get("annotations") or {}
    name = name_of(obj)
    return f"{name} (default)" if any(annotations.get(mark) == "true" for mark in marks) else name


@printer(
    "persistentvolumes",
    NAME,
    Column("Capacity", "@core.v1.PersistentVolumeSpec.capacity"),
    Column("Access Modes", "@core.v1.PersistentVolumeSpec.accessModes"),
    Column("Reclaim Policy", "@core.v1.PersistentVolumeSpec.persistentVolumeReclaimPolicy"),
    Column("Status", "@core.v1.PersistentVolumeStatus.phase"),
    Column("Claim", "@core.v1.PersistentVolumeSpec.claimRef"),
    Column("StorageClass", "StorageClass of the pv"),
    Column("VolumeAttributesClass", "VolumeAttributesClass of the pv"),
    Column("Reason", "@core.v1.PersistentVolumeStatus.reason"),
    AGE,
    wide("VolumeMode", "@core.v1.PersistentVolumeSpec.volumeMode"),
)
def volume(obj: Obj, now: float) -> Cells:
    spec = spec_of(obj)
    claim = spec.get("claimRef")
    return [
        name_of(obj),
        (spec.get("capacity") or {}).get("storage", "0"),
        _modes(spec.get("accessModes")),
        spec.get("persistentVolumeReclaimPolicy", ""),
        _phase(obj),
        f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "",
        _class(obj, spec),
        spec.get("volumeAttributesClassName", UNSET),
        status_of(obj).get("reason", ""),
        age(obj, now),
        spec.get("volumeMode", UNSET),
    ]


@printer(
    "persistentvolumeclaims",
    NAME,
    Column("Status", "@core.v1.PersistentVolumeClaimStatus.phase"),
    Column("Volume", "@core.v1.PersistentVolumeClaimSpec.volumeName"),
    Column("Capacity", "@core.v1.PersistentVolumeClaimStatus.capacity"),
    Column("Access Modes", "@core.v1.PersistentVolumeClaimStatus.accessModes"),
    Column("StorageClass", "StorageClass of the pvc"),
    Column("VolumeAttributesClass", "VolumeAttributesClass of the pvc"),
    AGE,
    wide("VolumeMode", "@core.v1.PersistentVolumeClaimSpec.volumeMode"),
)
def claim(obj: Obj, now: float) -> Cells:
    spec, status = spec_of(obj), status_of(obj)
    bound = bool(spec.get("volumeName"))
    return [
        name_of(obj),
        _phase(obj),
        spec.get("volumeName", ""),
        (status.get("capacity") or {}).get("storage", "0") if bound else "",
        _modes(status.get("accessModes")) if bound else "",
        _class(obj, spec),
        spec.get("volumeAttributesClassName", UNSET),
        age(obj, now),
        spec.get("volumeMode", UNSET),
    ]


@printer(
    "storage.k8s.io/storageclasses",
    NAME,
    Column("Provisioner", "@storage.v1.StorageClass.provisioner"),
    Column("ReclaimPolicy", "@storage.v1.StorageClass.reclaimPolicy"),
    Column("VolumeBindingMode", "@storage.v1.StorageClass.volumeBindingMode"),
    Column("AllowVolumeExpansion", "@storage.v1.StorageClass.allowVolumeExpansion"),
    AGE,
)
def storageclass(obj: Obj, now: float) -> Cells:
    return [
        _name_with_default(obj, _DEFAULT_CLASS),
        obj.get("provisioner", ""),
        obj.get("reclaimPolicy", "Delete"),
        obj.get("volumeBindingMode", "Immediate"),
        bool(obj.get("allowVolumeExpansion")),
        age(obj, now),
    ]


@printer(
    "storage.k8s.io/volumeattributesclasses",
    NAME,
    Column("DriverName", "@storage.v1.VolumeAttributesClass.driverName"),
    AGE,
)
def volumeattributesclass(obj: Obj, now: float) -> Cells:
    return [_name_with_default(obj, _DEFAULT_ATTRIBUTES), obj.get("driverName", ""), age(obj, now)]


@printer(
    "storage.k8s.io/volumeattachments",
    NAME,
    Column("Attacher", "@storage.v1.VolumeAttachmentSpec.attacher", format="name"),
    Column("PV", "@storage.v1.VolumeAttachmentSource.persistentVolumeName"),
    Column("Node", "@storage.v1.VolumeAttachmentSpec.nodeName"),
    boolean("Attached", "@storage.v1.VolumeAttachmentStatus.attached"),
    AGE,
)
def volumeattachment(obj: Obj, now: float) -> Cells:
    spec = spec_of(obj)
    return [
        name_of(obj),
        spec.get("attacher", ""),
        (spec.get("source") or {}).get("persistentVolumeName", ""),
        spec.get("nodeName", ""),
        bool(status_of(obj).get("attached")),
        age(obj, now),
    ]


@printer(
    "storage.k8s.io/csidrivers",
    NAME,
    boolean("AttachRequired", "@storage.v1.CSIDriverSpec.attachRequired"),
    boolean("PodInfoOnMount", "@storage.v1.CSIDriverSpec.podInfoOnMount"),
    boolean("StorageCapacity", "@storage.v1.CSIDriverSpec.storageCapacity"),
    Column("TokenRequests", "@storage.v1.CSIDriverSpec.tokenRequests"),
    boolean("RequiresRepublish", "@storage.v1.CSIDriverSpec.requiresRepublish"),
    Column("Modes", "@storage.v1.CSIDriverSpec.volumeLifecycleModes"),
    AGE,
)
def csidriver(obj: Obj, now: float) -> Cells:
    spec = spec_of(obj)
    tokens = spec.get("tokenRequests")
    return [
        name_of(obj),
        bool(spec.get("attachRequired", True)),
        bool(spec.get("podInfoOnMount")),
        bool(spec.get("storageCapacity")),
        UNSET if tokens is None else ",".join([one.get("audience", "") for one in tokens]),
        bool(spec.get("requiresRepublish")),
        joined(spec.get("volumeLifecycleModes") or ()),
        age(obj, now),
    ]


@printer(
    "storage.k8s.io/csinodes",
    NAME,
    integer("Drivers", "Drivers indicates the number of CSI drivers registered on the node"),
    AGE,
)
def csinode(obj: Obj, now: float) -> Cells:
    return [name_of(obj), len(spec_of(obj).get("drivers") or ()), age(obj, now)]


@printer(
    "storage.k8s.io/csistoragecapacities",
    NAME,
    Column("StorageClassName", "@storage.v1.CSIStorageCapacity.storageClassName"),
    Column("Capacity", "@storage.v1.CSIStorageCapacity.capacity"),
)
def csistoragecapacity(obj: Obj, now: float) -> Cells:
    return [name_of(obj), obj.get("storageClassName", ""), obj.get("capacity", UNSET)]
