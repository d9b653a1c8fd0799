"""Which nodes a pod's spec admits: selectors, required affinity, tolerations (k8s.io/component-helpers/scheduling/corev1).

Shared by the scheduler, the controllers and diagnosis, so that all three mean the same by "this pod may stand there".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cluster.apimachinery.labels import Requirement

Obj = dict[str, Any]
Map = Mapping[str, Any]
# What a DaemonSet's pods tolerate: they stay on nodes that are not well.
_DAEMONS_TOLERATE = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)
HARD = ("NoSchedule", "NoExecute")


def tolerates(toleration: Map, taint: Map) -> bool:
    """An empty effect tolerates all effects; an empty key with Exists tolerates all taints (v1.Toleration.ToleratesTaint)."""
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    if toleration.get("key") and toleration["key"] != taint.get("key"):
        return False
    operator = toleration.get("operator") or "Equal"
    if operator == "Exists":
        return True
    if not toleration.get("key"):
        return False
    return operator == "Equal" and (toleration.get("value") or "") == (taint.get("value") or "")


def untolerated(tolerations: Iterable[Map], taints: Iterable[Obj], effects: tuple[str, ...] = HARD) -> Obj | None:
    """The first taint with one of these effects that nothing tolerates."""
    tolerations = tuple(tolerations)
    for taint in taints:
        if taint.get("effect") in effects and not any(tolerates(one, taint) for one in tolerations):
            return taint
    return None


def matches_term(term: Map, name: str, labels: Mapping[str, str]) -> bool:
    """One nodeSelectorTerm: all its expressions and fields must hold; an empty one matches nothing."""
    expressions, fields = term.get("matchExpressions") or (), term.get("matchFields") or ()
    if not expressions and not fields:
        return False
    for part, values in ((expressions, labels), (fields, {"metadata.name": name})):
        for expression in part:
            need = Requirement(expression["key"], expression["operator"], tuple(expression.get("values") or ()))
            if not need.matches(values):
                return False
    return True


def matches_topology(terms: Iterable[Map] | None, labels: Mapping[str, str]) -> bool:
    """A StorageClass's allowedTopologies: one of the terms must hold; none given means anywhere."""
    chosen = list(terms or ())
    return not chosen or any(
        all(labels.get(one["key"]) in one["values"] for one in term.get("matchLabelExpressions") or ())
        for term in chosen
    )


def wants_node(spec: Map, node: Map) -> bool:
    """Do nodeName, nodeSelector and required node affinity of a pod's spec admit this node?"""
    name, labels = node["metadata"]["name"], node["metadata"].get("labels") or {}
    if spec.get("nodeName") and spec["nodeName"] != name:
        return False
    if any(labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return False
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    return required is None or any(matches_term(term, name, labels) for term in required.get("nodeSelectorTerms") or ())


def daemon_tolerations(spec: Map) -> list[Obj]:
    """The pod's own tolerations and those every daemon gets."""
    result: list[Obj] = list(spec.get("tolerations") or ())
    added = list(_DAEMONS_TOLERATE)
    if spec.get("hostNetwork"):
        added.append(("node.kubernetes.io/network-unavailable", "NoSchedule"))
    for key, effect in added:
        wanted = {"key": key, "operator": "Exists", "effect": effect}
        if wanted not in result:
            result.append(wanted)
    return result


class DaemonPlacement:
    """Of one template, by node: (should a daemon be started on it, may one that is there stay). Each node is judged once."""

    def __init__(self, spec: Map) -> None:
        self._spec = spec
        self._tolerations = daemon_tolerations(spec)
        self._anywhere = not any(spec.get(key) for key in ("nodeName", "nodeSelector", "affinity"))
        self._known: dict[str, tuple[bool, bool]] = {}

    def __call__(self, node: Map) -> tuple[bool, bool]:
        name = node["metadata"]["name"]
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = self._judge(node)
        return found

    def _judge(self, node: Map) -> tuple[bool, bool]:
        if not self._anywhere and not wants_node(self._spec, node):
            return False, False
        taints = (node.get("spec") or {}).get("taints")
        if not taints:
            return True, True
        return (
            untolerated(self._tolerations, taints) is None,
            untolerated(self._tolerations, taints, ("NoExecute",)) is None,
        )
