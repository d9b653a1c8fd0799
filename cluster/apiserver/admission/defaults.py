"""The cluster-wide defaults that a class object declares, storage class and ingress class; protection of volumes in use."""

from __future__ import annotations

from typing import Any

from cluster.apimachinery.quantity import parse
from cluster.apimachinery.volumes import requested
from cluster.apiserver.admission.plugin import Plugin, refuse
from cluster.apiserver.request import Attributes

Obj = dict[str, Any]


def _default_of(attributes: Attributes, resource: str, annotation: str) -> str:
    """The newest class that is marked as the default."""
    marked = [
        one
        for one in attributes.reader.list(resource)
        if (one["metadata"].get("annotations") or {}).get(annotation) == "true"
    ]
    marked.sort(key=lambda one: (one["metadata"]["creationTimestamp"], one["metadata"]["name"]))
    return str(marked[-1]["metadata"]["name"]) if marked else ""


class DefaultStorageClass(Plugin):
    name = "DefaultStorageClass"
    resources = frozenset({"persistentvolumeclaims"})

    def admit(self, attributes: Attributes) -> str | None:
        assert attributes.obj is not None
        spec: Obj = attributes.obj.setdefault("spec", {})
        if "storageClassName" in spec:
            return None
        found = _default_of(attributes, "storage.k8s.io/storageclasses", "storageclass.kubernetes.io/is-default-class")
        if not found:
            return None
        spec["storageClassName"] = found
        return f"storageClassName {found}"


class DefaultIngressClass(Plugin):
    name = "DefaultIngressClass"
    resources = frozenset({"networking.k8s.io/ingresses"})

    def admit(self, attributes: Attributes) -> str | None:
        assert attributes.obj is not None
        spec: Obj = attributes.obj.setdefault("spec", {})
        legacy = (attributes.obj["metadata"].get("annotations") or {}).get("kubernetes.io/ingress.class")
        if spec.get("ingressClassName") or legacy:
            return None
        found = _default_of(
            attributes, "networking.k8s.io/ingressclasses", "ingressclass.kubernetes.io/is-default-class"
        )
        if not found:
            return None
        spec["ingressClassName"] = found
        return f"ingressClassName {found}"


class StorageObjectInUseProtection(Plugin):
    """Claims and volumes get the finalizer that their protection controllers take off again."""

    name = "StorageObjectInUseProtection"
    resources = frozenset({"persistentvolumeclaims", "persistentvolumes"})

    def admit(self, attributes: Attributes) -> str | None:
        assert attributes.obj is not None
        kind = "pvc" if attributes.resource.storage_key == "persistentvolumeclaims" else "pv"
        finalizer, metadata = f"kubernetes.io/{kind}-protection", attributes.obj["metadata"]
        if finalizer in (metadata.get("finalizers") or ()):
            return None
        metadata["finalizers"] = [*(metadata.get("finalizers") or ()), finalizer]
        return f"finalizer {finalizer}"


class PersistentVolumeClaimResize(Plugin):
    """Only claims whose class allows it may ask for more."""

    name = "PersistentVolumeClaimResize"
    resources = frozenset({"persistentvolumeclaims"})
    operations = frozenset({"UPDATE"})

    def validate(self, attributes: Attributes) -> None:
        obj, old = attributes.obj, attributes.old
        assert obj is not None and old is not None
        before, now = requested(old), requested(obj)
        if parse(now) <= parse(before):
            return
        if (old.get("status") or {}).get("phase") != "Bound":
            raise refuse(attributes, "Only bound persistent volume claims can be expanded")
        name = old["spec"].get("storageClassName") or ""
        found = attributes.reader.get("storage.k8s.io/storageclasses", "", name) if name else None
        if found is None or not found.get("allowVolumeExpansion"):
            text = (
                "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must "
                "support resize"
            )
            raise refuse(attributes, text)
