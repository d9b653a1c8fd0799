"""Volumes, claims, classes and drivers."""

from __future__ import annotations

from typing import Any

from cluster.apimachinery.errors import forbidden_field, invalid_value, not_supported, required
from cluster.apimachinery.quantity import parse
from cluster.apiserver.strategies.base import METADATA_FIELDS, Strategy
from cluster.apiserver.strategies.metadata import Found, immutable

Obj = dict[str, Any]
MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_VOLUME_OPTIONS = frozenset(
    {
        "capacity",
        "accessModes",
        "claimRef",
        "persistentVolumeReclaimPolicy",
        "storageClassName",
        "mountOptions",
        "volumeMode",
        "nodeAffinity",
        "volumeAttributesClassName",
    }
)


def _modes(spec: Obj) -> Found:
    modes = spec.get("accessModes") or []
    if not modes:
        return [required("spec.accessModes", "at least 1 access mode is required")]
    return [not_supported("spec.accessModes", mode, MODES) for mode in modes if mode not in MODES]


class VolumeStrategy(Strategy):
    namespaced = False
    has_status = True
    supported_field_labels = METADATA_FIELDS | {"name"}

    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        spec.setdefault("persistentVolumeReclaimPolicy", "Retain")
        spec.setdefault("volumeMode", "Filesystem")
        if "hostPath" in spec:
            spec["hostPath"].setdefault("type", "")

    def prepare_for_create(self, obj: Obj) -> None:
        obj["status"] = {"phase": "Pending"}

    def check(self, obj: Obj) -> Found:
        spec = obj["spec"]
        found = _modes(spec)
        capacity = spec.get("capacity") or {}
        if not capacity:
            found.append(required("spec.capacity"))
        elif "storage" not in capacity:
            found.append(not_supported("spec.capacity", sorted(capacity), ["storage"]))
        sources = [key for key in spec if key not in _VOLUME_OPTIONS]
        if not sources:
            found.append(required("spec", "must specify a volume type"))
        for extra in sources[1:]:
            found.append(forbidden_field(f"spec.{extra}", "may not specify more than 1 volume type"))
        if spec["persistentVolumeReclaimPolicy"] not in ("Delete", "Recycle", "Retain"):
            found.append(
                not_supported(
                    "spec.persistentVolumeReclaimPolicy",
                    spec["persistentVolumeReclaimPolicy"],
                    ("Delete", "Recycle", "Retain"),
                )
            )
        return found


class ClaimStrategy(Strategy):
    has_status = True
    supported_field_labels = METADATA_FIELDS | {"name"}

    def default(self, obj: Obj) -> None:
        obj.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")

    def prepare_for_create(self, obj: Obj) -> None:
        obj["status"] = {"phase": "Pending"}

    def check(self, obj: Obj) -> Found:
        spec = obj["spec"]
        found = _modes(spec)
        size = _size(spec)
        if size is None:
            found.append(required("spec.resources[storage]"))
        elif parse(size) <= 0:
            found.append(invalid_value("spec.resources[storage]", size, "must be greater than zero"))
        return found

    def check_update(self, obj: Obj, old: Obj) -> Found:
        spec, before = obj["spec"], old["spec"]
        bound = (old.get("status") or {}).get("phase") == "Bound"
        mutable = {"volumeName", "volumeAttributesClassName", *(("resources",) if bound else ())}
        kept = [{k: v for k, v in one.items() if k not in mutable} for one in (spec, before)]
        found: Found = []
        if kept[0] != kept[1] or (before.get("volumeName") and spec.get("volumeName") != before["volumeName"]):
            found.append(
                forbidden_field(
                    "spec",
                    "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims",
                )
            )
        if bound and not found:
            size, had = (_size(one) for one in (spec, before))
            capacity = ((old.get("status") or {}).get("capacity") or {}).get("storage") or "0"
            if size is not None and had is not None and parse(size) < parse(had) and parse(size) <= parse(capacity):
                field = "spec.resources.requests.storage"
                found.append(forbidden_field(field, "field can not be less than status.capacity"))
        return [*found, *self.check(obj)]


def _size(spec: Obj) -> str | None:
    size = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    return None if size is None else str(size)


class StorageClassStrategy(Strategy):
    namespaced = False

    def default(self, obj: Obj) -> None:
        obj.setdefault("reclaimPolicy", "Delete")
        obj.setdefault("volumeBindingMode", "Immediate")

    def check(self, obj: Obj) -> Found:
        found: Found = []
        if not obj.get("provisioner"):
            found.append(required("provisioner"))
        if obj["reclaimPolicy"] not in ("Delete", "Retain"):
            found.append(not_supported("reclaimPolicy", obj["reclaimPolicy"], ("Delete", "Retain")))
        if obj["volumeBindingMode"] not in ("Immediate", "WaitForFirstConsumer"):
            found.append(
                not_supported("volumeBindingMode", obj["volumeBindingMode"], ("Immediate", "WaitForFirstConsumer"))
            )
        return found

    def check_update(self, obj: Obj, old: Obj) -> Found:
        found = [
            forbidden_field(
                field,
                "updates to provisioner are forbidden."
                if field == "provisioner"
                else f"updates to {field} are forbidden.",
            )
            for field in ("parameters", "provisioner", "reclaimPolicy")
            if obj.get(field) != old.get(field)
        ]
        return [*found, *immutable(obj, old, "volumeBindingMode", path="")]


class VolumeAttributesClassStrategy(Strategy):
    namespaced = False

    def check(self, obj: Obj) -> Found:
        return [] if obj.get("driverName") else [required("driverName")]

    def check_update(self, obj: Obj, old: Obj) -> Found:
        return [
            forbidden_field(field, f"updates to {field} are forbidden.")
            for field in ("driverName", "parameters")
            if obj.get(field) != old.get(field)
        ]


class CSIDriverStrategy(Strategy):
    namespaced = False
    has_generation = True

    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        for field, value in (
            ("attachRequired", True),
            ("podInfoOnMount", False),
            ("storageCapacity", False),
            ("fsGroupPolicy", "ReadWriteOnceWithFSType"),
            ("volumeLifecycleModes", ["Persistent"]),
            ("requiresRepublish", False),
            ("seLinuxMount", False),
        ):
            spec.setdefault(field, value)
