"""The status of a ReplicaSet (pkg/controller/replicaset/replica_set_utils.go)."""

from __future__ import annotations

from collections.abc import Iterable

from cluster import clock
from cluster.apimachinery.meta import get_condition
from cluster.client.client import Obj
from cluster.controllers.lib.tally import Tally


def fully_labeled(tally: Tally, template_labels: Obj) -> int:
    """How many active pods carry all labels of the template."""
    wanted = template_labels.items()
    return sum(count for labels, count in tally.labels.items() if wanted <= dict(labels).items())


def availability(pods: Iterable[Obj], min_ready_seconds: int, now: float) -> tuple[int, float | None]:
    """How many of these active pods have been ready for long enough, and in how many seconds the next one will have."""
    available, soonest = 0, None
    for pod in pods:
        ready = get_condition(pod, "Ready")
        if ready is None or ready["status"] != "True":
            continue
        since = ready.get("lastTransitionTime")
        wait = clock.parse(since) + min_ready_seconds - now if since else float(min_ready_seconds)
        if wait <= 0:
            available += 1
        elif soonest is None or wait < soonest:
            soonest = wait
    return available, soonest


def replicaset_status(replicaset: Obj, tally: Tally, available: int, failure: str, failed_to: str) -> Obj:
    """The status to be written. `failure` is the message of what went wrong, `failed_to` Create or Delete."""
    template = replicaset["spec"].get("template") or {}
    labeled = fully_labeled(tally, (template.get("metadata") or {}).get("labels") or {})
    old = replicaset.get("status") or {}
    status: Obj = {"replicas": tally.active}
    for name, count in (
        ("fullyLabeledReplicas", labeled),
        ("readyReplicas", tally.ready),
        ("availableReplicas", available),
    ):
        if count:
            status[name] = count
    status["terminatingReplicas"] = tally.terminating
    status["observedGeneration"] = replicaset["metadata"].get("generation", 0)
    conditions = [kept for kept in old.get("conditions") or () if kept["type"] != "ReplicaFailure"]
    known = get_condition(replicaset, "ReplicaFailure")
    if failure and known is None:
        known = {
            "type": "ReplicaFailure",
            "status": "True",
            "lastTransitionTime": clock.timestamp(),
            "reason": f"Failed{failed_to}",
            "message": failure,
        }
    # As Kubernetes: a failure stays as it was first seen until a sync succeeds.
    if failure and known is not None:
        conditions.append(known)
    if conditions:
        status["conditions"] = conditions
    return status
