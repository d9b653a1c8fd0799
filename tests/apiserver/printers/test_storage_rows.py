"""Storage and devices: each kind's row as Kubernetes prints it (wide)."""

from __future__ import annotations

import pytest

from tests.apiserver.printers.rows import (
    AGE,
    DEVICES,
    NONE,
    STORAGE,
    UNSET,
    made,
    numbered,
    shows,
    volume,
)

ROWS = [
    # -- storage
    (
        "persistentvolumes",
        made(
            volume(
                persistentVolumeReclaimPolicy="Retain",
                claimRef={"namespace": "d", "name": "c"},
                storageClassName="fast",
                volumeMode="Filesystem",
                volumeAttributesClassName="gold",
            ),
            {"phase": "Bound", "reason": "why"},
        ),
        ["n", "1Gi", "RWO,RWX", "Retain", "Bound", "d/c", "fast", "gold", "why", AGE, "Filesystem"],
    ),
    (
        "persistentvolumes",
        made({}, {"phase": "Available"}, deleted=True, annotations={"volume.beta.kubernetes.io/storage-class": "old"}),
        ["n", "0", "", "", "Terminating", "", "old", UNSET, "", AGE, UNSET],
    ),
    (
        "persistentvolumeclaims",
        made(
            {"volumeName": "v", "storageClassName": "fast", "volumeMode": "Block"},
            {"phase": "Bound", "capacity": {"storage": "2Gi"}, "accessModes": ["ReadWriteOncePod"]},
        ),
        ["n", "Bound", "v", "2Gi", "RWOP", "fast", UNSET, AGE, "Block"],
    ),
    (
        "persistentvolumeclaims",
        made({"storageClassName": "fast"}, {"phase": "Pending"}),
        ["n", "Pending", "", "", "", "fast", UNSET, AGE, UNSET],
    ),
    (
        f"{STORAGE}/storageclasses",
        made(provisioner="p", annotations={"storageclass.kubernetes.io/is-default-class": "true"}),
        ["n (default)", "p", "Delete", "Immediate", False, AGE],
    ),
    (
        f"{STORAGE}/storageclasses",
        made(
            provisioner="p", reclaimPolicy="Retain", volumeBindingMode="WaitForFirstConsumer", allowVolumeExpansion=True
        ),
        ["n", "p", "Retain", "WaitForFirstConsumer", True, AGE],
    ),
    (f"{STORAGE}/volumeattributesclasses", made(driverName="d"), ["n", "d", AGE]),
    (
        f"{STORAGE}/volumeattachments",
        made({"attacher": "a", "source": {"persistentVolumeName": "v"}, "nodeName": "n1"}, {"attached": True}),
        ["n", "a", "v", "n1", True, AGE],
    ),
    (f"{STORAGE}/csidrivers", made({}), ["n", True, False, False, UNSET, False, NONE, AGE]),
    (
        f"{STORAGE}/csidrivers",
        made(
            {
                "attachRequired": False,
                "podInfoOnMount": True,
                "storageCapacity": True,
                "tokenRequests": [{"audience": "a"}, {"audience": "b"}],
                "requiresRepublish": True,
                "volumeLifecycleModes": ["Persistent", "Ephemeral"],
            }
        ),
        ["n", False, True, True, "a,b", True, "Persistent,Ephemeral", AGE],
    ),
    (f"{STORAGE}/csinodes", made({"drivers": [{}, {}]}), ["n", 2, AGE]),
    (f"{STORAGE}/csistoragecapacities", made(storageClassName="fast", capacity="5Gi"), ["n", "fast", "5Gi"]),
    (f"{STORAGE}/csistoragecapacities", made(storageClassName="fast"), ["n", "fast", UNSET]),
    # -- devices
    (f"{DEVICES}/deviceclasses", made(), ["n", AGE]),
    (f"{DEVICES}/resourceclaims", made(), ["n", "pending", AGE]),
    (
        f"{DEVICES}/resourceclaims",
        made(status={"allocation": {}, "reservedFor": [{}]}),
        ["n", "allocated,reserved", AGE],
    ),
    (f"{DEVICES}/resourceclaims", made(status={"allocation": {}}, deleted=True), ["n", "deleted,allocated", AGE]),
    (f"{DEVICES}/resourceclaims", made(deleted=True), ["n", "deleted", AGE]),
    (
        f"{DEVICES}/resourceslices",
        made({"nodeName": "n1", "driver": "d", "pool": {"name": "p"}}),
        ["n", "n1", "d", "p", AGE],
    ),
]


@pytest.mark.parametrize(("key", "obj", "cells"), ROWS, ids=numbered(ROWS))
def test_a_row(key, obj, cells):
    shows(key, obj, cells)
