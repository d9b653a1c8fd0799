"""The conditions of a namespace that is being deleted (pkg/controller/namespace/deletion/status_condition_utils.go)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from cluster.apimachinery.meta import set_condition
from cluster.client.client import Obj

_FINE = {
    "NamespaceDeletionDiscoveryFailure": ("ResourcesDiscovered", "All resources successfully discovered"),
    "NamespaceDeletionGroupVersionParsingFailure": (
        "ParsedGroupVersions",
        "All legacy kube types successfully parsed",
    ),
    "NamespaceDeletionContentFailure": (
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
    "NamespaceContentRemaining": ("ContentRemoved", "All content successfully removed"),
    "NamespaceFinalizersRemaining": ("ContentHasNoFinalizers", "All content-preserving finalizers finished"),
}


def deletion_conditions(
    known: Iterable[Obj],
    remaining: Mapping[str, int],
    finalizers: Mapping[str, int],
    failures: Iterable[str] = (),
    discovery_failure: str = "",
) -> list[Obj]:
    """The five conditions. `remaining` counts objects by `resource.group`, `finalizers` objects by finalizer."""
    wrong: dict[str, tuple[str, str]] = {}
    if discovery_failure:
        text = f"Discovery failed for some groups, 1 failing: {discovery_failure}"
        wrong["NamespaceDeletionDiscoveryFailure"] = ("DiscoveryFailed", text)
    messages = sorted(failures)
    if messages:
        text = f"Failed to delete all resource types, {len(messages)} remaining: {', '.join(messages)}"
        wrong["NamespaceDeletionContentFailure"] = ("ContentDeletionFailed", text)
    counts = [f"{name} has {count} resource instances" for name, count in sorted(remaining.items()) if count]
    if counts:
        text = f"Some resources are remaining: {', '.join(counts)}"
        wrong["NamespaceContentRemaining"] = ("SomeResourcesRemain", text)
    held = [f"{name} in {count} resource instances" for name, count in sorted(finalizers.items()) if count]
    if held:
        text = f"Some content in the namespace has finalizers remaining: {', '.join(held)}"
        wrong["NamespaceFinalizersRemaining"] = ("SomeFinalizersRemain", text)
    conditions = list(known)
    for kind, fine in _FINE.items():
        reason, message = wrong.get(kind, fine)
        status = "True" if kind in wrong else "False"
        conditions = set_condition(conditions, {"type": kind, "status": status, "reason": reason, "message": message})
    return conditions


def finalizer_counts(objects: Iterable[Obj]) -> Counter[str]:
    """How many objects each finalizer holds."""
    return Counter(name for obj in objects for name in obj["metadata"].get("finalizers") or ())


def grace_estimate(pods: Iterable[Obj]) -> int:
    """How long the slowest of these pods may take to stop, in seconds."""
    running = (pod for pod in pods if (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed"))
    return max((pod["spec"].get("terminationGracePeriodSeconds", 30) for pod in running), default=0)
