"""metrics.k8s.io: what nodes and pods use now, asked of the kubelets (metrics-server)."""

from __future__ import annotations

from cluster import clock
from cluster.apiserver.context import Obj
from cluster.apiserver.server import APIServer

API_VERSION, WINDOW = "metrics.k8s.io/v1beta1", "15s"


def _usage(cores: float, memory: int) -> dict[str, str]:
    return {"cpu": f"{round(cores * 1e9)}n", "memory": f"{memory // 1024}Ki"}


def nodes(server: APIServer, namespace: str, name: str) -> list[Obj]:
    """NodeMetrics of the nodes whose kubelet answers."""
    moment = clock.timestamp()
    found: list[Obj] = []
    for node, (cores, memory) in server.nodes.node_usage(name).items():
        entry = server.storage.entry("nodes", ("", node))
        if entry is None:
            continue
        found.append(
            {
                "kind": "NodeMetrics",
                "apiVersion": API_VERSION,
                "metadata": {
                    "name": node,
                    "creationTimestamp": moment,
                    "labels": entry.obj["metadata"].get("labels") or {},
                },
                "timestamp": moment,
                "window": WINDOW,
                "usage": _usage(cores, memory),
            }
        )
    return found


def pods(server: APIServer, namespace: str, name: str) -> list[Obj]:
    """PodMetrics of the pods that run."""
    moment = clock.timestamp()
    found: list[Obj] = []
    for key, containers in server.nodes.pod_usage(namespace, name).items():
        entry = server.storage.entry("pods", key)
        if entry is None:
            continue
        found.append(
            {
                "kind": "PodMetrics",
                "apiVersion": API_VERSION,
                "metadata": {
                    "name": key[1],
                    "namespace": key[0],
                    "creationTimestamp": moment,
                    "labels": entry.obj["metadata"].get("labels") or {},
                },
                "timestamp": moment,
                "window": WINDOW,
                "containers": [
                    {"name": container, "usage": _usage(cores, memory)}
                    for container, (cores, memory) in containers.items()
                ],
            }
        )
    return found
