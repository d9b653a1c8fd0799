"""From the request to the last pod Ready, over 100 nodes; memory and disk with 5,000 pods."""

from __future__ import annotations

import statistics
import time

from bench.cluster import disk, memory, running, until_ready


def measure() -> dict[str, float]:
    figures: dict[str, float] = {}
    with running("--nodes=100", "--profile=instant") as cluster:
        until_ready(cluster, "warm", 3)
        figures["3 replicas ready (s)"] = statistics.median(until_ready(cluster, f"three-{n}", 3) for n in range(5))
    for replicas in (1000, 5000):
        with running("--nodes=100", "--profile=instant") as cluster:
            before = disk(cluster)
            seconds = until_ready(cluster, "many", replicas)
            figures[f"{replicas:,} replicas over 100 nodes ready (s)"] = seconds
            figures[f"{replicas:,} replicas: ms per pod"] = seconds / replicas * 1000
            if replicas == 5000:
                time.sleep(20)  # at rest: memory is given back every 15 s
                figures["memory with 5,000 pods (MB)"] = memory(cluster)
                figures["disk per pod, all of its history (KB)"] = (disk(cluster) - before) / replicas / 1024
    return figures
