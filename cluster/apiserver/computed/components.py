"""ComponentStatuses: deprecated, and still asked for by `kubectl get cs`."""

from __future__ import annotations

from cluster.apiserver.context import Obj
from cluster.apiserver.server import APIServer


def statuses(server: APIServer, namespace: str, name: str) -> list[Obj]:
    """The control plane's parts and whether they are well."""
    well = server.storage.log.healthy
    parts = {"controller-manager": True, "etcd-0": well, "scheduler": True}
    return [
        {
            "kind": "ComponentStatus",
            "apiVersion": "v1",
            "metadata": {"name": part, "creationTimestamp": None},
            "conditions": [
                {"type": "Healthy", "status": "True" if fine else "False", "message": "ok" if fine else "unhealthy"}
            ],
        }
        for part, fine in parts.items()
        if name in ("", part)
    ]
