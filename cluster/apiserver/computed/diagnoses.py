"""Diagnoses as resources: `kubectl get diagnoses`, one for each workload and for each pod that stands alone; any other by name."""

from __future__ import annotations

from cluster.apiserver.context import Obj
from cluster.diagnosis import KINDS, View, diagnose, diagnose_node
from cluster.diagnosis.facts import owner_of

# `deployment.web` → the storage key of deployments.
_BY_WORD = {kind.lower(): resource for resource, kind in KINDS.items() if kind != "Node"}


def workloads(view: View, now: float, namespace: str, name: str) -> list[Obj]:
    """The Diagnosis of that name, or of everything that nobody else controls."""
    if name:
        word, _, target = name.partition(".")
        resource = _BY_WORD.get(word)
        obj = view.get(resource, namespace, target) if resource else None
        return [diagnose(view, resource, obj, now)] if resource and obj is not None else []
    return [
        diagnose(view, resource, obj, now)
        for resource in _BY_WORD.values()
        for obj in view.list(resource, namespace)
        if not owner_of(obj)
    ]


def nodes(view: View, now: float, namespace: str, name: str) -> list[Obj]:
    """The NodeDiagnosis of that node, or of all."""
    wanted = [view.get("nodes", "", name)] if name else list(view.list("nodes"))
    return [diagnose_node(view, node, now) for node in wanted if node is not None]
