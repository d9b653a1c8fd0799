"""Mends of claims: a class that makes volumes, or a volume that fits."""

from __future__ import annotations

from collections.abc import Callable

from cluster.diagnosis.checklist.claims import CLASSES, NO_PROVISIONER
from cluster.diagnosis.facts import Facts, Obj
from cluster.diagnosis.mends.common import Mend

DEFAULT = "storageclass.kubernetes.io/is-default-class"


def _class(facts: Facts, finding: Obj) -> Mend | None:
    """A class of that name that works as the cluster's default one; without one, a volume."""
    name = facts.spec["storageClassName"]
    for known in facts.view.list(CLASSES):
        if (known["metadata"].get("annotations") or {}).get(DEFAULT) == "true" and known[
            "provisioner"
        ] != NO_PROVISIONER:
            made = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name}}
            kept = ("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode", "allowVolumeExpansion")
            made |= {field: known[field] for field in kept if field in known}
            return f"Create StorageClass {name}, which works as {known['metadata']['name']} does.", [made]
    return _volume(facts, finding)


def _volume(facts: Facts, finding: Obj) -> Mend | None:
    """A volume of that size for this claim alone, on its pod's node."""
    spec, metadata = facts.spec, facts.obj["metadata"]
    size = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if not size or spec.get("selector") or spec.get("volumeMode", "Filesystem") != "Filesystem":
        return None
    name = f"{metadata['namespace']}-{metadata['name']}"
    reference = {key: metadata[key] for key in ("namespace", "name")}
    made: Obj = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": size},
            "accessModes": list(spec["accessModes"]),
            "storageClassName": spec.get("storageClassName") or "",
            "persistentVolumeReclaimPolicy": "Retain",
            "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", **reference},
            "hostPath": {"path": f"/var/lib/volumes/{name}", "type": "DirectoryOrCreate"},
        },
    }
    return f"Create volume {name} of {size} for it, in a directory of the node.", [made]


MENDS: dict[str, Callable[[Facts, Obj], Mend | None]] = {
    "NoStorageClass": _volume,
    "StorageClassNotFound": _class,
    "NoVolume": _volume,
    "ExternalProvisioning": _volume,
}
