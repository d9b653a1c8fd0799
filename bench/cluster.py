"""What the parts share: a cluster to measure, its process's memory, and a Deployment to start."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.manifests import deployment
from tests.support.server import Cluster

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"


@contextmanager
def running(*arguments: str) -> Iterator[Cluster]:
    cluster = Cluster(*arguments).start()
    try:
        yield cluster
    finally:
        cluster.close()


def memory(cluster: Cluster) -> float:
    """Resident memory in MB."""
    assert cluster.process is not None
    text = Path(f"/proc/{cluster.process.pid}/status").read_text()
    line = next(line for line in text.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def processor(cluster: Cluster) -> float:
    """Seconds of processor time that the process has used."""
    assert cluster.process is not None
    with open(f"/proc/{cluster.process.pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def disk(cluster: Cluster) -> int:
    """Bytes of all database files."""
    return sum(path.stat().st_size for path in cluster.data.glob("*.sqlite3*"))


def until_ready(cluster: Cluster, name: str, replicas: int, *, timeout: float = 300) -> float:
    """Seconds from the request to the last pod's readiness, as the API shows it."""
    began = time.perf_counter()
    wanted = {"resources": {"requests": {"cpu": "10m", "memory": "16Mi"}}}
    status, answer = cluster.request("POST", DEPLOYMENTS, deployment(name, replicas, container=wanted))
    assert status == 201, answer
    pause = 0.02 if replicas < 100 else 0.1
    while True:
        _, found = cluster.request("GET", f"{DEPLOYMENTS}/{name}")
        if found["status"].get("readyReplicas", 0) >= replicas:
            return time.perf_counter() - began
        assert time.perf_counter() - began < timeout, found["status"]
        time.sleep(pause)
