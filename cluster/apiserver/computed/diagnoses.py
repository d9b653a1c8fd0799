"""Diagnoses as resources: `kubectl get diagnoses`, one for each workload and for each pod that stands alone; any other by name."""

from __future__ import annotations

from collections.abc import Iterable

from cluster.apiserver.context import Obj
from cluster.apiserver.server import APIServer
from cluster.diagnosis import KINDS, diagnose, diagnose_node
from cluster.diagnosis.facts import owner_of

# `deployment.web` → the storage key of deployments.
_BY_WORD = {kind.lower(): resource for resource, kind in KINDS.items() if kind != "Node"}


class StorageView:
    """Objects as the watch cache has them."""

    def __init__(self, server: APIServer) -> None:
        self._storage = server.storage

    def get(self, resource: str, namespace: str, name: str) -> Obj | None:
        return self._storage.get(resource, namespace, name)

    def list(self, resource: str, namespace: str = "") -> Iterable[Obj]:
        return self._storage.list(resource, namespace)


def workloads(server: APIServer, namespace: str, name: str) -> list[Obj]:
    """The Diagnosis of that name, or of everything that nobody else controls."""
    view = StorageView(server)
    if name:
        word, _, target = name.partition(".")
        resource = _BY_WORD.get(word)
        obj = view.get(resource, namespace, target) if resource else None
        return [diagnose(view, resource, obj)] if resource and obj is not None else []
    return [
        diagnose(view, resource, obj)
        for resource in _BY_WORD.values()
        for obj in view.list(resource, namespace)
        if not owner_of(obj)
    ]


def nodes(server: APIServer, namespace: str, name: str) -> list[Obj]:
    """The NodeDiagnosis of that node, or of all."""
    view = StorageView(server)
    wanted = [view.get("nodes", "", name)] if name else list(view.list("nodes"))
    return [diagnose_node(view, node) for node in wanted if node is not None]
