"""namespaces/finalize: the namespace controller says that the content is gone (registry/core/namespace/storage)."""

from __future__ import annotations

from cluster.apimachinery.errors import FieldError
from cluster.apiserver.context import Context, Obj


def prepare(context: Context, obj: Obj, old: Obj) -> list[FieldError]:
    """Only spec.finalizers may change."""
    finalizers = (obj.get("spec") or {}).get("finalizers")
    obj["metadata"] = {**old["metadata"], "resourceVersion": obj["metadata"]["resourceVersion"]}
    obj["spec"] = {**(old.get("spec") or {}), "finalizers": finalizers or []}
    obj["status"] = old.get("status") or {}
    return []
