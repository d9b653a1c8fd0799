"""How claims and volumes fit together; what the volume binder and the scheduler have to see alike (component-helpers/storage/volume)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cluster.apimachinery.labels import from_selector
from cluster.apimachinery.placement import matches_term
from cluster.apimachinery.quantity import parse

Obj = dict[str, Any]
BOUND_BY_CONTROLLER, BIND_COMPLETED = "pv.kubernetes.io/bound-by-controller", "pv.kubernetes.io/bind-completed"
# Where the pod that waits for the claim is going to stand: the scheduler writes it, then the volume is made.
SELECTED_NODE = "volume.kubernetes.io/selected-node"
WAIT_FOR_FIRST_CONSUMER = "WaitForFirstConsumer"
# The provisioner of classes whose volumes are made by hand.
NO_PROVISIONER = "kubernetes.io/no-provisioner"


def claiming_volumes(pod: Obj) -> list[Obj]:
    """The pod's volumes that stand for claims."""
    volumes = pod["spec"].get("volumes") or ()
    return [one for one in volumes if one.get("persistentVolumeClaim") or one.get("ephemeral")]


def claims_used_by(pod: Obj) -> tuple[str, ...]:
    """Keys of the claims that a pod mounts, in the order of `claiming_volumes`."""
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    return tuple(
        f"{namespace}/{one['persistentVolumeClaim']['claimName']}"
        if one.get("persistentVolumeClaim")
        else f"{namespace}/{name}-{one['name']}"
        for one in claiming_volumes(pod)
    )


def is_fully_bound(claim: Obj) -> bool:
    """The claim has its volume, and the binder is through with it."""
    return bool(claim["spec"].get("volumeName")) and BIND_COMPLETED in (claim["metadata"].get("annotations") or {})


def reaches(volume: Obj, name: str, labels: Mapping[str, str]) -> bool:
    """Whether the node of this name and labels may mount the volume (spec.nodeAffinity)."""
    required = (volume["spec"].get("nodeAffinity") or {}).get("required")
    return required is None or any(matches_term(term, name, labels) for term in required.get("nodeSelectorTerms") or ())


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


def choose(volumes: Iterable[Obj], claim: Obj, *, kept_only: bool = False) -> Obj | None:
    """The volume kept for this claim, or else (unless `kept_only`) the smallest free one that does."""
    free = []
    for volume in volumes:
        if "deletionTimestamp" in volume["metadata"]:
            continue
        if is_bound_to(volume, claim):
            if not misfit(volume, claim):
                return volume
        elif not kept_only and volume["spec"].get("claimRef") is None and not misfit(volume, claim):
            free.append(volume)
    free.sort(key=lambda volume: (parse((volume["spec"].get("capacity") or {})["storage"]), volume["metadata"]["name"]))
    return free[0] if free else None
