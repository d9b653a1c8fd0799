"""Which nodes a DaemonSet's pods belong on, and which pods go or come now (pkg/controller/daemon).

A pod is created for a node by a node affinity on its name; the scheduler does the binding.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cluster.apimachinery.meta import is_condition_true, scaled
from cluster.apimachinery.placement import DaemonPlacement
from cluster.client.client import Obj
from cluster.controllers.lib.history import HASH
from cluster.controllers.policy.replicaset_status import availability

GENERATION_LABEL, GENERATION = "pod-template-generation", "deprecated.daemonset.template.generation"


def pinned_affinity(affinity: Mapping[str, Any] | None, node: str) -> Obj:
    """The affinity with a requirement on the node's name in place of any other required node affinity."""
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    result: Obj = dict(affinity or {})
    required = {"nodeSelectorTerms": [term]}
    result["nodeAffinity"] = {
        **(result.get("nodeAffinity") or {}),
        "requiredDuringSchedulingIgnoredDuringExecution": required,
    }
    return result


def node_of(pod: Obj) -> str:
    """The node a daemon pod is for: the one it is on, or the one it is pinned to."""
    spec = pod["spec"]
    if spec.get("nodeName"):
        return str(spec["nodeName"])
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    for term in required.get("nodeSelectorTerms") or ():
        for expression in term.get("matchFields") or ():
            if expression["key"] == "metadata.name" and len(expression.get("values") or ()) == 1:
                return str(expression["values"][0])
    return ""


@dataclass(slots=True)
class DaemonPlan:
    """Nodes that get a pod, and pods that go."""

    create: list[str] = field(default_factory=list)
    delete: list[Obj] = field(default_factory=list)


def is_available(pod: Obj, min_ready_seconds: int, now: float) -> bool:
    if not min_ready_seconds:
        return is_condition_true(pod, "Ready")
    return availability([pod], min_ready_seconds, now)[0] == 1


def is_current(pod: Obj, current: str) -> bool:
    return bool((pod["metadata"].get("labels") or {}).get(HASH) == current)


def _age(pod: Obj) -> tuple[str, str]:
    return pod["metadata"].get("creationTimestamp", ""), pod["metadata"]["name"]


def keep_one_each(
    placement: DaemonPlacement, nodes: Sequence[Obj], by_node: Mapping[str, Sequence[Obj]], surging: bool, current: str
) -> DaemonPlan:
    """One pod on each node that wants one, none elsewhere. `by_node` has no finished pods.

    While surging, a node may have an old and a new pod; otherwise the oldest stays.
    """
    result = DaemonPlan()
    existing = set()
    for node in nodes:
        name = node["metadata"]["name"]
        existing.add(name)
        start, stay = placement(node)
        pods = by_node.get(name, ())
        if start and stay and len(pods) == 1:
            continue
        running = sorted((pod for pod in pods if "deletionTimestamp" not in pod["metadata"]), key=_age)
        if start and not pods:
            result.create.append(name)
        elif not stay:
            result.delete += running
        elif surging:
            old = [pod for pod in running if not is_current(pod, current)]
            new = [pod for pod in running if is_current(pod, current)]
            result.delete += old[1:] + new[1:]
        else:
            result.delete += running[1:]
    for name, pods in by_node.items():
        if name not in existing:
            # Pinned to a node that is gone and never bound: the scheduler will never place it.
            result.delete += [pod for pod in pods if not pod["spec"].get("nodeName")]
    return result


def update_limits(daemonset: Obj, desired: int) -> tuple[int, int]:
    """(maxSurge, maxUnavailable) in nodes; both zero would never move."""
    rolling = (daemonset["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
    surge = scaled(rolling.get("maxSurge", 0), desired, round_up=True)
    unavailable = scaled(rolling.get("maxUnavailable", 1), desired, round_up=True)
    return surge, unavailable if surge or unavailable else 1


def roll(
    by_node: Mapping[str, Sequence[Obj]],
    wanted: Iterable[str],
    current: str,
    surge: int,
    unavailable: int,
    min_ready_seconds: int,
    now: float,
) -> DaemonPlan:
    """The next step of a rolling update over the nodes in `wanted`."""
    result = DaemonPlan()
    must: list[Obj] = []
    may: list[Obj] = []
    missing = surging = 0
    for name in wanted:
        pods = [pod for pod in by_node.get(name, ()) if "deletionTimestamp" not in pod["metadata"]]
        new = next((pod for pod in pods if is_current(pod, current)), None)
        old = next((pod for pod in pods if not is_current(pod, current)), None)
        if old is None:
            if new is None or not is_available(new, min_ready_seconds, now):
                missing += 1
        elif new is not None:
            if not surge:
                missing += 1
            elif is_available(new, min_ready_seconds, now):
                result.delete.append(old)
            else:
                surging += 1
        elif not is_available(old, min_ready_seconds, now):
            # It serves nobody: replacing it makes nothing worse. It counts as one of those that may be away.
            must.append(old)
            missing += 1
        else:
            may.append(old)
    if surge:
        result.create = [node_of(pod) for pod in [*must, *may[: max(surge - surging, 0)]]]
    else:
        result.delete += [*must, *may[: max(unavailable - missing, 0)]]
    return result


def daemon_status(
    daemonset: Obj,
    placement: DaemonPlacement,
    nodes: Sequence[Obj],
    by_node: Mapping[str, Sequence[Obj]],
    current: str,
    now: float,
) -> Obj:
    """The counters of the status; a node counts once, by its oldest pod."""
    wait = daemonset["spec"].get("minReadySeconds", 0)
    desired = scheduled = misplaced = ready = updated = available = 0
    for node in nodes:
        start, _ = placement(node)
        pods = by_node.get(node["metadata"]["name"], ())
        if len(pods) > 1:
            pods = sorted(pods, key=_age)
        if not start:
            misplaced += bool(pods)
            continue
        desired += 1
        if not pods:
            continue
        scheduled += 1
        # While one surges onto the node it is the old one that counts, until it is gone (updateDaemonSetStatus).
        pod = pods[0]
        updated += is_current(pod, current)
        if is_condition_true(pod, "Ready"):
            ready += 1
            available += not wait or is_available(pod, wait, now)
    status: Obj = {
        "currentNumberScheduled": scheduled,
        "numberMisscheduled": misplaced,
        "desiredNumberScheduled": desired,
        "numberReady": ready,
        "observedGeneration": daemonset["metadata"].get("generation", 0),
    }
    for name, count in (
        ("updatedNumberScheduled", updated),
        ("numberAvailable", available),
        ("numberUnavailable", desired - available),
    ):
        if count:
            status[name] = count
    old = daemonset.get("status") or {}
    for name in ("collisionCount", "conditions"):
        if name in old:
            status[name] = old[name]
    return status
