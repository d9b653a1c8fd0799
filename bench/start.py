"""From the start of the process to /readyz, with an empty data directory and with one that is there already; memory when idle."""

from __future__ import annotations

import statistics
import time

from bench.cluster import memory
from tests.support.server import Cluster


def measure() -> dict[str, float]:
    first, again, idle = [], [], []
    for _ in range(3):
        cluster = Cluster()
        try:
            for times in (first, again):
                began = time.perf_counter()
                cluster.start()
                times.append(time.perf_counter() - began)
                if times is first:
                    time.sleep(5)  # at rest: what the start used is given back by then
                    idle.append(memory(cluster))
                cluster.stop()
        finally:
            cluster.close()
    return {
        "start to ready, first time (s)": statistics.median(first),
        "start to ready, again (s)": statistics.median(again),
        "memory idle, 3 nodes (MB)": statistics.median(idle),
    }
