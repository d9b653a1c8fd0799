"""A Deployment's status and conditions (pkg/controller/deployment/progress.go, sync.go)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from cluster import clock
from cluster.apimachinery.meta import get_condition
from cluster.client.client import Obj
from cluster.controllers.policy.revisions import replicas
from cluster.controllers.policy.rollout import Limits

NEW_AVAILABLE = "NewReplicaSetAvailable"
TIMED_OUT = "ProgressDeadlineExceeded"
PAUSED = "DeploymentPaused"


def condition(kind: str, status: str, reason: str, message: str, now: float) -> Obj:
    moment = clock.timestamp(now)
    return {
        "type": kind,
        "status": status,
        "lastUpdateTime": moment,
        "lastTransitionTime": moment,
        "reason": reason,
        "message": message,
    }


def find(conditions: Iterable[Obj], kind: str) -> Obj | None:
    return next((known for known in conditions if known["type"] == kind), None)


def without(conditions: Iterable[Obj], kind: str) -> list[Obj]:
    return [known for known in conditions if known["type"] != kind]


def with_condition(conditions: Sequence[Obj], wanted: Obj) -> list[Obj]:
    """Set a condition; one that already has this status and reason stays as it is, even its message."""
    known = find(conditions, wanted["type"])
    if known is not None and known["status"] == wanted["status"]:
        if known["reason"] == wanted["reason"]:
            return list(conditions)
        wanted = {**wanted, "lastTransitionTime": known["lastTransitionTime"]}
    return [*without(conditions, wanted["type"]), wanted]


def deadline(deployment: Obj) -> int | None:
    """progressDeadlineSeconds, None when progress is not judged."""
    seconds = deployment["spec"].get("progressDeadlineSeconds")
    return None if seconds is None or seconds == 2**31 - 1 else int(seconds)


def _total(objects: Iterable[Obj], counter: Callable[[Obj], int]) -> int:
    return sum(counter(obj) for obj in objects)


def _status_count(name: str) -> Callable[[Obj], int]:
    return lambda obj: int((obj.get("status") or {}).get(name, 0))


def counted(deployment: Obj, everyone: Sequence[Obj], new: Obj | None, limits: Limits, now: float) -> Obj:
    """The counters, and the Available condition."""
    old = deployment.get("status") or {}
    available = _total(everyone, _status_count("availableReplicas"))
    counts = {
        "observedGeneration": deployment["metadata"].get("generation", 0),
        "replicas": _total(everyone, _status_count("replicas")),
        "updatedReplicas": _total([new] if new is not None else [], _status_count("replicas")),
        "readyReplicas": _total(everyone, _status_count("readyReplicas")),
        "availableReplicas": available,
        "unavailableReplicas": max(_total(everyone, replicas) - available, 0),
    }
    status: Obj = {name: count for name, count in counts.items() if count}
    # Unknown as long as one ReplicaSet has not reported it.
    if all("terminatingReplicas" in (replicaset.get("status") or {}) for replicaset in everyone):
        status["terminatingReplicas"] = _total(everyone, _status_count("terminatingReplicas"))
    if "collisionCount" in old:
        status["collisionCount"] = old["collisionCount"]
    if available >= limits.fewest:
        verdict = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        verdict = ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    status["conditions"] = with_condition(old.get("conditions") or (), condition("Available", *verdict, now))
    return status


def complete(deployment: Obj, status: Obj) -> bool:
    """All replicas are of the new template and available, and nothing older is left."""
    desired = replicas(deployment)
    counts = (status.get(name, 0) for name in ("updatedReplicas", "replicas", "availableReplicas"))
    observed = int(status.get("observedGeneration", 0))
    return all(count == desired for count in counts) and observed >= deployment["metadata"].get("generation", 0)


def progressing(old: Obj, new: Obj) -> bool:
    """Something has moved in the right direction since the last status."""

    def leftover(status: Obj) -> int:
        return int(status.get("replicas", 0) - status.get("updatedReplicas", 0))

    return leftover(new) < leftover(old) or any(
        new.get(name, 0) > old.get(name, 0) for name in ("updatedReplicas", "readyReplicas", "availableReplicas")
    )


def timed_out(deployment: Obj, conditions: Iterable[Obj], now: float) -> bool:
    """No progress for longer than the deadline."""
    known, seconds = find(conditions, "Progressing"), deadline(deployment)
    if known is None or seconds is None or known["reason"] == NEW_AVAILABLE:
        return False
    if known["reason"] == TIMED_OUT:
        return True
    return clock.parse(known["lastUpdateTime"]) + seconds < now


def rollout_status(deployment: Obj, everyone: Sequence[Obj], new: Obj | None, limits: Limits, now: float) -> Obj:
    """The status during a rollout: the counters, and the Progressing and ReplicaFailure conditions."""
    old = deployment.get("status") or {}
    status = counted(deployment, everyone, new, limits, now)
    conditions: list[Obj] = status["conditions"]
    known = find(old.get("conditions") or (), "Progressing")
    done = (
        status.get("replicas", 0) == status.get("updatedReplicas", 0)
        and known is not None
        and known["reason"] == NEW_AVAILABLE
    )
    subject = (
        f'ReplicaSet "{new["metadata"]["name"]}"'
        if new is not None
        else (f'Deployment "{deployment["metadata"]["name"]}"')
    )
    if deadline(deployment) is None:
        conditions = without(conditions, "Progressing")
    elif not done:
        if complete(deployment, status):
            text = f"{subject} has successfully progressed."
            conditions = with_condition(conditions, condition("Progressing", "True", NEW_AVAILABLE, text, now))
        elif progressing(old, status):
            fresh = condition("Progressing", "True", "ReplicaSetUpdated", f"{subject} is progressing.", now)
            if known is not None and known["status"] == "True":
                fresh["lastTransitionTime"] = known["lastTransitionTime"]
            # Unlike others, this one is renewed with each step: the deadline counts from the last progress.
            conditions = [*without(conditions, "Progressing"), fresh]
        elif timed_out(deployment, conditions, now):
            text = f"{subject} has timed out progressing."
            conditions = with_condition(conditions, condition("Progressing", "False", TIMED_OUT, text, now))
    failure = _replica_failure(everyone, new)
    if failure is not None:
        conditions = with_condition(conditions, failure)
    else:
        conditions = without(conditions, "ReplicaFailure")
    status["conditions"] = conditions
    return status


def _replica_failure(everyone: Sequence[Obj], new: Obj | None) -> Obj | None:
    """The ReplicaFailure condition of the new ReplicaSet, or else of any."""
    for replicaset in [*([new] if new is not None else []), *everyone]:
        known = get_condition(replicaset, "ReplicaFailure")
        if known is not None:
            return {
                "type": "ReplicaFailure",
                "status": known["status"],
                "lastUpdateTime": known["lastTransitionTime"],
                "lastTransitionTime": known["lastTransitionTime"],
                "reason": known["reason"],
                "message": known["message"],
            }
    return None


def progress_check(deployment: Obj, status: Obj, now: float) -> float | None:
    """In how many seconds to look whether the deadline has passed; None when there is nothing to wait for."""
    known, seconds = find(status.get("conditions") or (), "Progressing"), deadline(deployment)
    if seconds is None or known is None or known["reason"] in (TIMED_OUT, NEW_AVAILABLE):
        return None
    if complete(deployment, status):
        return None
    # One second more: timestamps are whole seconds.
    return max(clock.parse(known["lastUpdateTime"]) + seconds - now, 0.0) + 1.0


def paused_conditions(deployment: Obj, now: float) -> list[Obj] | None:
    """The conditions after a pause or a resume, None when nothing changes. A paused rollout is not late."""
    if deadline(deployment) is None:
        return None
    conditions = (deployment.get("status") or {}).get("conditions") or []
    known = find(conditions, "Progressing")
    reason = known["reason"] if known is not None else ""
    if reason == TIMED_OUT:
        return None
    paused = bool(deployment["spec"].get("paused"))
    if paused and reason != PAUSED:
        wanted = condition("Progressing", "Unknown", PAUSED, "Deployment is paused", now)
    elif not paused and reason == PAUSED:
        wanted = condition("Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed", now)
    else:
        return None
    return with_condition(conditions, wanted)
