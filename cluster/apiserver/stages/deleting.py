"""What a deletion does to an object: gone at once, or marked and left to the kubelet and the finalizers.

Pure functions (apiserver/pkg/registry/rest.BeforeDelete, registry/generic/registry.Store.Delete).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cluster import clock
from cluster.apimachinery.errors import conflict
from cluster.apiserver.apiextensions.definition import CLEANUP, marked_for_deletion
from cluster.apiserver.apiextensions.definition import KEY as DEFINITIONS
from cluster.apiserver.strategies.registry import strategy_of

if TYPE_CHECKING:
    from cluster.apiserver.resources.registry import Resource

Obj = dict[str, Any]

ORPHAN, FOREGROUND = "orphan", "foregroundDeletion"

# The kinds whose deletion answers with the object instead of a Status (genericregistry.Store.ReturnDeletedObject).
RETURNS_DELETED = frozenset(
    {
        "pods",
        "services",
        "serviceaccounts",
        "persistentvolumes",
        "persistentvolumeclaims",
        "podtemplates",
        "resourcequotas",
    }
)


@dataclass(frozen=True, slots=True)
class Plan:
    """`gone`: the object leaves etcd, `obj` is its last state. Otherwise `obj` is what to store (or the old one)."""

    obj: Obj
    gone: bool


def ready_to_go(resource: Resource, obj: Obj) -> bool:
    """Nothing holds a marked object any more: no finalizer, no grace period running, no namespace content."""
    metadata = obj["metadata"]
    if metadata.get("finalizers"):
        return False
    if resource.storage_key == "namespaces" and (obj.get("spec") or {}).get("finalizers"):
        return False
    return not metadata.get("deletionGracePeriodSeconds")


def check_preconditions(resource: Resource, obj: Obj, options: Obj) -> None:
    """409 when the object is not the one that the client means."""
    wanted, metadata = options.get("preconditions") or {}, obj["metadata"]
    for field, title in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
        if wanted.get(field) and wanted[field] != metadata.get(field):
            raise conflict(
                resource.plural,
                resource.group,
                metadata["name"],
                f"Precondition failed: {title} in precondition: {wanted[field]}, "
                f"{title} in object meta: {metadata.get(field)}",
            )


def plan(resource: Resource, old: Obj, options: Obj) -> Plan:
    """What deleting `old` with these DeleteOptions comes to."""
    check_preconditions(resource, old, options)
    metadata = dict(old["metadata"])
    finalizers = _finalizers(
        metadata.get("finalizers") or [], options, orphans=strategy_of(resource).orphans_by_default
    )
    if resource.storage_key == DEFINITIONS and not metadata.get("deletionTimestamp") and CLEANUP not in finalizers:
        finalizers.append(CLEANUP)
    grace = strategy_of(resource).graceful_delete(old, options)
    marked = metadata.get("deletionTimestamp")
    holds = bool(finalizers) or (
        resource.storage_key == "namespaces" and bool((old.get("spec") or {}).get("finalizers"))
    )
    if not grace and not holds:
        if marked or grace is not None:
            metadata["deletionGracePeriodSeconds"] = 0
            metadata.setdefault("deletionTimestamp", clock.timestamp())
        return Plan({**old, "metadata": metadata}, gone=True)
    if marked:
        running = metadata.get("deletionGracePeriodSeconds") or 0
        asked = grace or 0
        if asked >= running and finalizers == (metadata.get("finalizers") or []):
            return Plan(old, gone=False)
        if asked < running:
            # As if the shorter grace period had been given from the beginning.
            metadata["deletionTimestamp"] = clock.timestamp(clock.parse(marked) - running + asked)
            metadata["deletionGracePeriodSeconds"] = asked
    else:
        metadata["deletionTimestamp"] = clock.timestamp(clock.now() + (grace or 0))
        metadata["deletionGracePeriodSeconds"] = grace or 0
        if metadata.get("generation"):
            metadata["generation"] += 1
    if finalizers:
        metadata["finalizers"] = finalizers
    else:
        metadata.pop("finalizers", None)
    obj = {**old, "metadata": metadata}
    if resource.storage_key == "namespaces":
        obj["status"] = {**(old.get("status") or {}), "phase": "Terminating"}
    elif resource.storage_key == DEFINITIONS and not marked:
        obj["status"] = marked_for_deletion(old)
    return Plan(obj, gone=False)


def _finalizers(present: list[str], options: Obj, *, orphans: bool) -> list[str]:
    """The finalizers that the propagation policy asks for (deletionFinalizersForGarbageCollection).

    Without a policy the object's own finalizers say it, and without those its kind: `orphans`.
    """
    policy = options.get("propagationPolicy")
    orphan = options.get("orphanDependents")
    if not policy and orphan is None:
        undecided = ORPHAN not in present and FOREGROUND not in present
        return [*present, ORPHAN] if orphans and undecided else list(present)
    kept = [finalizer for finalizer in present if finalizer not in (ORPHAN, FOREGROUND)]
    if policy == "Orphan" or orphan is True:
        kept.append(ORPHAN)
    elif policy == "Foreground":
        kept.append(FOREGROUND)
    return kept
