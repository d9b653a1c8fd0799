"""Which pods a ReplicaSet gives up first (controller.ActivePodsWithRanks).

In this order: not yet on a node, not running, not ready, lower pod-deletion-cost, more siblings on the same node, ready for
a shorter time, more restarts, newer. Times are compared by order of magnitude, so that pods of about the same age are
chosen at random (by uid) and a scale-down does not always hit the newest zone.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any

from cluster import clock
from cluster.apimachinery.meta import get_condition
from cluster.client.client import Obj

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


def deletion_cost(pod: Obj) -> int:
    """The annotation's value; anything that is not a plain int32 counts as 0."""
    text = (pod["metadata"].get("annotations") or {}).get(DELETION_COST, "0")
    digits = text[1:] if text[:1] == "-" else text
    if not digits.isascii() or not digits.isdigit() or (len(digits) > 1 and digits[0] == "0"):
        return 0
    cost = int(text)
    return cost if -(2**31) <= cost < 2**31 else 0


def restarts(pod: Obj) -> int:
    """The highest restart count among the containers that are meant to keep running."""
    status = pod.get("status") or {}
    return max((container.get("restartCount", 0) for container in status.get("containerStatuses") or ()), default=0)


def magnitude(since: str | None, now: float) -> int:
    """The logarithm of an age, -1 for the unknown or future: ages of the same magnitude count as equal."""
    if not since:
        return -1
    age = now - clock.parse(since)
    return int(math.log2(age)) if age >= 1 else 0 if age > 0 else -1


def rank_key(pod: Obj, siblings: int, now: float) -> tuple[Any, ...]:
    """Pods with smaller keys go first; `siblings` is how many related pods share its node."""
    status = pod.get("status") or {}
    ready = get_condition(pod, "Ready")
    is_ready = ready is not None and ready["status"] == "True"
    ready_since = ready.get("lastTransitionTime") if is_ready and ready is not None else None
    return (
        bool(pod["spec"].get("nodeName")),
        _PHASES.get(status.get("phase", "Pending"), 1),
        is_ready,
        deletion_cost(pod),
        -siblings,
        magnitude(ready_since, now) if is_ready else 0,
        -restarts(pod),
        magnitude(pod["metadata"].get("creationTimestamp"), now),
        pod["metadata"].get("uid", ""),
    )


def pods_to_delete(pods: list[Obj], related: Iterable[Obj], count: int, now: float) -> list[Obj]:
    """The `count` pods to give up. `related` are the active pods that the owner's owner runs, on whichever revision."""
    if count >= len(pods):
        return list(pods)
    crowd = Counter(pod["spec"].get("nodeName", "") for pod in related)
    return sorted(pods, key=lambda pod: rank_key(pod, crowd[pod["spec"].get("nodeName", "")], now))[:count]
