"""What recording journeys costs: the same work with and without, in turns."""

from __future__ import annotations

import statistics

from bench.cluster import running, until_ready

ROUNDS, REPLICAS = 3, 1000


def measure() -> dict[str, float]:
    seconds: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(ROUNDS):
        for recording in (True, False):
            more = () if recording else ("--no-journeys",)
            with running("--nodes=100", "--profile=instant", *more) as cluster:
                seconds[recording].append(until_ready(cluster, "many", REPLICAS))
    on, off = statistics.median(seconds[True]), statistics.median(seconds[False])
    return {
        "1,000 replicas with journeys (s)": on,
        "1,000 replicas without journeys (s)": off,
        "cost of journeys (% of throughput)": (1 - off / on) * 100,
    }
