"""Scores: how well would this pod stand on this node? 0 to 100 per plugin, weighted as in Kubernetes' default profile.

`PER_NODE` scores are final as they are; `NORMALIZED` ones are raw counts that only mean something beside the other nodes'.
"""

from __future__ import annotations

from collections.abc import Callable

from cluster.apimachinery.placement import matches_term, tolerates
from cluster.scheduler.nodeinfo import NodeInfo, PodShape

Score = Callable[[PodShape, NodeInfo], int]
MAX = 100


def least_allocated(shape: PodShape, node: NodeInfo) -> int:
    """NodeResourcesFit, strategy LeastAllocated: the emptier the better."""
    total, weights = 0, 0
    for name in ("cpu", "memory"):
        capacity = node.allocatable.get(name, 0)
        if capacity:
            asked = node.scored.get(name, 0) + shape.scored.get(name, 0)
            total += max(capacity - asked, 0) * MAX // capacity
            weights += 1
    return total // weights if weights else 0


def balanced_allocation(shape: PodShape, node: NodeInfo) -> int:
    """NodeResourcesBalancedAllocation: CPU and memory should be used up evenly."""
    shares = []
    for name in ("cpu", "memory"):
        capacity = node.allocatable.get(name, 0)
        if capacity:
            asked = node.requested.get(name, 0) + shape.requests.get(name, 0)
            shares.append(min(asked / capacity, 1.0))
    if len(shares) < 2:
        return MAX
    return int((1 - abs(shares[0] - shares[1]) / 2) * MAX)


def image_locality(shape: PodShape, node: NodeInfo) -> int:
    """ImageLocality: images that are there already need no pull."""
    if not node.images or not shape.images:
        return 0
    return MAX * sum(image in node.images for image in shape.images) // len(shape.images)


def intolerable_preferences(shape: PodShape, node: NodeInfo) -> int:
    """TaintToleration: PreferNoSchedule taints that the pod does not tolerate (fewer is better)."""
    return sum(
        1
        for taint in node.taints
        if taint.get("effect") == "PreferNoSchedule"
        and not any(tolerates(toleration, taint) for toleration in shape.tolerations)
    )


def preferred_affinity(shape: PodShape, node: NodeInfo) -> int:
    """NodeAffinity: the weights of the preferred terms that match (more is better)."""
    return sum(
        int(term.get("weight", 0))
        for term in shape.affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
        if matches_term(term.get("preference") or {}, node.name, node.labels)
    )


def normalized(raw: list[int], *, reverse: bool) -> list[int]:
    """0–100 in proportion to the largest; reversed: the largest gets 0 (helper.DefaultNormalizeScore)."""
    largest = max(raw, default=0)
    if largest == 0:
        return [MAX if reverse else 0] * len(raw)
    scaled = [value * MAX // largest for value in raw]
    return [MAX - value for value in scaled] if reverse else scaled


PER_NODE: tuple[tuple[str, Score, int], ...] = (
    ("NodeResourcesFit", least_allocated, 1),
    ("NodeResourcesBalancedAllocation", balanced_allocation, 1),
    ("ImageLocality", image_locality, 1),
)
NORMALIZED: tuple[tuple[str, Score, int, bool], ...] = (
    ("TaintToleration", intolerable_preferences, 3, True),
    ("NodeAffinity", preferred_affinity, 2, False),
)
SPREAD, SPREAD_WEIGHT = "PodTopologySpread", 2
