"""What the audit log costs: requests a second with and without it, in turns, and what writing takes by itself."""

from __future__ import annotations

import os
import statistics
import time

from bench.cluster import running, until_ready
from tests.support.server import Cluster

ROUNDS, REQUESTS = 3, 1500
PATH = "/api/v1/namespaces/default/configmaps/kube-root-ca.crt"


def _rate(cluster: Cluster) -> float:
    """GETs a second over one connection at a time, as the admin: each is audited at Metadata."""
    import http.client
    import ssl

    connection = http.client.HTTPSConnection("127.0.0.1", cluster.https, context=ssl._create_unverified_context())
    headers = {"Authorization": f"Bearer {cluster.token()}"}
    began = time.perf_counter()
    for _ in range(REQUESTS):
        connection.request("GET", PATH, headers=headers)
        connection.getresponse().read()
    return REQUESTS / (time.perf_counter() - began)


def measure() -> dict[str, float]:
    rates: dict[str, list[float]] = {"1": [], "0": []}
    seconds: dict[str, list[float]] = {"1": [], "0": []}
    before = os.environ.get("KUBEWEB_AUDIT")
    try:
        for _ in range(ROUNDS):
            for setting, found in rates.items():
                os.environ["KUBEWEB_AUDIT"] = setting
                with running("--nodes=0", "--profile=instant") as cluster:
                    _rate(cluster)
                    found.append(_rate(cluster))
                with running("--nodes=100", "--profile=instant") as cluster:
                    seconds[setting].append(until_ready(cluster, "many", 1000))
    finally:
        if before is None:
            os.environ.pop("KUBEWEB_AUDIT", None)
        else:
            os.environ["KUBEWEB_AUDIT"] = before
    on, off = statistics.median(rates["1"]), statistics.median(rates["0"])
    return {
        "1,000 replicas, audited (s)": statistics.median(seconds["1"]),
        "1,000 replicas, not audited (s)": statistics.median(seconds["0"]),
        "GETs a second, one client, audited": on,
        "GETs a second, one client, not audited": off,
        "cost of the audit log (µs a request)": (1 / on - 1 / off) * 1e6,
    }
