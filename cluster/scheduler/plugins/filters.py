"""Filters: may this pod stand on this node? Each says why not, in Kubernetes' words (scheduler/framework/plugins).

A filter is a pure function (shape, node) -> reasons; no reason is a yes. `STATIC` ones depend on the Node object alone and are
asked once per pod template and node; `DYNAMIC` ones depend on the other pods there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cluster.apimachinery.placement import matches_term, tolerates, untolerated
from cluster.apimachinery.podresources import ports_conflict
from cluster.scheduler.nodeinfo import NodeInfo, PodShape

Obj = dict[str, Any]
Filter = Callable[[PodShape, NodeInfo], tuple[str, ...]]

UNSCHEDULABLE_TAINT = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
_YES: tuple[str, ...] = ()


def node_unschedulable(shape: PodShape, node: NodeInfo) -> tuple[str, ...]:
    if node.unschedulable and not any(tolerates(toleration, UNSCHEDULABLE_TAINT) for toleration in shape.tolerations):
        return ("node(s) were unschedulable",)
    return _YES


def node_name(shape: PodShape, node: NodeInfo) -> tuple[str, ...]:
    if shape.node_name and shape.node_name != node.name:
        return ("node(s) didn't match the requested node name",)
    return _YES


def taint_toleration(shape: PodShape, node: NodeInfo) -> tuple[str, ...]:
    taint = untolerated(shape.tolerations, node.taints, ("NoSchedule", "NoExecute"))
    if taint is not None:
        return ("node(s) had untolerated taint(s)",)
    return _YES


def node_affinity(shape: PodShape, node: NodeInfo) -> tuple[str, ...]:
    for key, value in shape.selector.items():
        if node.labels.get(key) != value:
            return ("node(s) didn't match Pod's node affinity/selector",)
    required = shape.affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if required and not any(
        matches_term(term, node.name, node.labels) for term in required.get("nodeSelectorTerms") or ()
    ):
        return ("node(s) didn't match Pod's node affinity/selector",)
    return _YES


def node_ports(shape: PodShape, node: NodeInfo) -> tuple[str, ...]:
    if any(ports_conflict(one, taken) for one in shape.ports for taken in node.ports):
        return ("node(s) didn't have free ports for the requested pod ports",)
    return _YES


def node_resources_fit(shape: PodShape, node: NodeInfo) -> tuple[str, ...]:
    reasons = []
    allocatable, requested = node.allocatable, node.requested
    if len(node.pods) + 1 > allocatable.get("pods", 0):
        reasons.append("Too many pods")
    for name, wanted in shape.requests.items():
        if wanted and wanted > allocatable.get(name, 0) - requested.get(name, 0):
            reasons.append(f"Insufficient {name}")
    return tuple(reasons) if reasons else _YES


# What is said of nodes that a pod's required affinity does not name, when it names nodes.
NOT_NAMED = ("NodeAffinity", ("node(s) didn't satisfy plugin(s) [NodeAffinity]",))

# Plugins whose refusals other pods are to blame for.
ABOUT_OTHERS = frozenset({"NodePorts", "InterPodAffinity", "PodTopologySpread", "VolumeRestrictions"})


def beyond_help(shape: PodShape, node: NodeInfo, plugin: str) -> bool:
    """True when no preemption could make room here: the refusal has nothing to do with other pods."""
    if plugin == "NodeResourcesFit":
        return any(wanted > node.allocatable.get(name, 0) for name, wanted in shape.requests.items())
    return plugin not in ABOUT_OTHERS


STATIC: tuple[tuple[str, Filter], ...] = (
    ("NodeUnschedulable", node_unschedulable),
    ("NodeName", node_name),
    ("TaintToleration", taint_toleration),
    ("NodeAffinity", node_affinity),
)
DYNAMIC: tuple[tuple[str, Filter], ...] = (
    ("NodePorts", node_ports),
    ("NodeResourcesFit", node_resources_fit),
)
