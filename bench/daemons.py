"""A thousand nodes with a DaemonSet on each: until all are ready, until all are replaced, and what such a cluster costs at rest."""

from __future__ import annotations

import time
from typing import Any

from bench.cluster import memory, processor, running
from tests.support.server import Cluster

NODES = 1000
DAEMONSETS = "/apis/apps/v1/namespaces/default/daemonsets"
# Seconds over which the processor time at rest is measured.
REST = 20.0


def daemonset(name: str, image: str) -> dict[str, Any]:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": labels},
            "updateStrategy": {"rollingUpdate": {"maxUnavailable": "20%"}},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "c", "image": image}], "terminationGracePeriodSeconds": 0},
            },
        },
    }


def until(cluster: Cluster, name: str, counter: str, *, timeout: float = 300) -> float:
    """Seconds from now until a counter of the status says every node."""
    began = time.perf_counter()
    while True:
        _, found = cluster.request("GET", f"{DAEMONSETS}/{name}")
        status, generation = found["status"], found["metadata"]["generation"]
        if status.get("observedGeneration") == generation and status.get(counter, 0) >= NODES <= status["numberReady"]:
            return time.perf_counter() - began
        assert time.perf_counter() - began < timeout, status
        time.sleep(0.2)


def measure() -> dict[str, float]:
    figures: dict[str, float] = {}
    began = time.perf_counter()
    with running(f"--nodes={NODES}", "--profile=instant") as cluster:
        figures["1,000 nodes ready (s)"] = time.perf_counter() - began
        assert cluster.request("POST", DAEMONSETS, daemonset("agent", "fluentd:v1.16"))[0] == 201
        figures["a DaemonSet on 1,000 nodes ready (s)"] = until(cluster, "agent", "numberAvailable")
        change = {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "fluentd:v1.17"}]}}}}
        kind = {"Content-Type": "application/strategic-merge-patch+json"}
        assert cluster.request("PATCH", f"{DAEMONSETS}/agent", change, kind)[0] == 200
        figures["a DaemonSet on 1,000 nodes replaced, 20 % at a time (s)"] = until(
            cluster, "agent", "updatedNumberScheduled"
        )
        time.sleep(REST)
        used = processor(cluster)
        time.sleep(REST)
        figures["1,000 nodes and their daemons at rest: processor (%)"] = (processor(cluster) - used) / REST * 100
        figures["1,000 nodes and their daemons at rest: memory (MB)"] = memory(cluster)
    return figures
