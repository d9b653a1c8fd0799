"""What mends are made of: manifests that name the fields that change and nothing else, so that the rest stays as it is."""

from __future__ import annotations

from cluster.apimachinery.meta import controller_of
from cluster.diagnosis.facts import TEMPLATED, Facts, Obj

# A sentence, and the objects to apply.
Mend = tuple[str, list[Obj]]
MI = 1024**2


def skeleton(obj: Obj, kind: str) -> Obj:
    metadata = {key: obj["metadata"][key] for key in ("name", "namespace") if obj["metadata"].get(key)}
    return {"apiVersion": obj.get("apiVersion") or "v1", "kind": kind, "metadata": metadata}


def target_of(facts: Facts) -> Obj | None:
    """The object whose pods can be changed; None when that is its owner's affair."""
    if facts.kind in TEMPLATED or (facts.kind == "Pod" and controller_of(facts.obj) is None):
        return facts.obj
    return None


def with_pod_spec(facts: Facts, spec: Obj) -> Obj:
    found = skeleton(facts.obj, facts.kind)
    found["spec"] = {"template": {"spec": spec}} if facts.kind in TEMPLATED else spec
    return found


def container_named(spec: Obj, name: str) -> Obj | None:
    """The ordinary container of that name."""
    return next((one for one in spec.get("containers") or () if one["name"] == name), None)


def container_of(finding: Obj) -> str:
    """The container that a finding is about: as its evidence names it."""
    for one in finding["evidence"]:
        if one["field"].startswith(("status.containerStatuses[", "status.initContainerStatuses[")):
            return str(one["field"].partition("[")[2].partition("]")[0])
    return ""


def pod_of(facts: Facts, finding: Obj) -> Obj | None:
    """The pod that a finding is about."""
    for one in finding["evidence"]:
        kind, _, name = one["object"].partition("/")
        if kind == "pod":
            return next((pod for pod in facts.pods if pod["metadata"]["name"] == name), None)
    return None


def said(finding: Obj, field: str) -> str:
    """What the evidence says in a field; empty when it is not among it."""
    return next((str(one["value"]) for one in finding["evidence"] if one["field"] == field), "")
