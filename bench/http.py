"""GET, LIST and POST per second over HTTPS with 16 connections, and what each takes of the server's processor.

With wrk where it is installed; a client of our own is slower than the server, so that the rates are its own then. The processor time
holds either way, and on a machine that others use, too.
"""

from __future__ import annotations

import http.client
import json
import re
import shutil
import ssl
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from bench.cluster import processor, running, until_ready
from tests.support.server import Cluster

CONNECTIONS, SECONDS = 16, 8
# Seconds after which what is written behind the answers (audit log, journeys) is counted, too.
BEHIND = 1.0
# Seconds until the cluster has told and written all about its thousand pods.
SETTLED = 15.0
# Seconds at rest before that, to know what the cluster uses anyway.
REST = 5.0
CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
NEW = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "bench-"}, "data": {"key": "value" * 200}}


def load(cluster: Cluster, method: str, path: str, body: str = "") -> tuple[float, float, float]:
    """(requests a second, 99th percentile in ms, the server's processor in µs a request beyond what it uses at rest)."""
    resting = processor(cluster)
    time.sleep(REST)
    before = processor(cluster)
    began = time.perf_counter()
    rate, tail = (_wrk if shutil.which("wrk") else _threads)(cluster, method, path, body)
    time.sleep(BEHIND)
    at_rest = (before - resting) / REST * (time.perf_counter() - began)
    return rate, tail, (processor(cluster) - before - at_rest) / (rate * SECONDS) * 1e6


def _wrk(cluster: Cluster, method: str, path: str, body: str) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "request.lua"
        script.write_text(
            f'wrk.method = "{method}"\nwrk.body = {json.dumps(body)}\n'
            f'wrk.headers["Authorization"] = "Bearer {cluster.token()}"\nwrk.headers["Content-Type"] = "application/json"\n'
        )
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency", "-s", str(script)]
        done = subprocess.run(
            [*command, f"https://127.0.0.1:{cluster.https}{path}"], capture_output=True, text=True, check=True
        )
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    tail = re.search(r"99%\s+([\d.]+)(us|ms|s)", done.stdout)
    assert rate and tail and "Non-2xx" not in done.stdout, done.stdout
    return float(rate[1]), float(tail[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[tail[2]]


def _threads(cluster: Cluster, method: str, path: str, body: str) -> tuple[float, float]:
    headers = {"Authorization": f"Bearer {cluster.token()}", "Content-Type": "application/json"}
    context, times = ssl._create_unverified_context(), []
    deadline = time.perf_counter() + SECONDS

    def run() -> None:
        connection = http.client.HTTPSConnection("127.0.0.1", cluster.https, context=context)
        while time.perf_counter() < deadline:
            began = time.perf_counter()
            connection.request(method, path, body or None, headers)
            response = connection.getresponse()
            response.read()
            assert response.status < 300
            times.append(time.perf_counter() - began)
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times.sort()
    return len(times) / SECONDS, times[int(len(times) * 0.99)] * 1000


def measure() -> dict[str, float]:
    figures: dict[str, float] = {}
    with running("--nodes=20", "--profile=instant") as cluster:
        until_ready(cluster, "thousand", 1000)
        time.sleep(SETTLED)
        pods = "/api/v1/namespaces/default/pods"
        name = cluster.request("GET", f"{pods}?limit=1")[1]["items"][0]["metadata"]["name"]
        for title, method, path, body in (
            ("GET pod", "GET", f"{pods}/{name}", ""),
            ("LIST 1,000 pods", "GET", pods, ""),
            ("POST configmap", "POST", CONFIGMAPS, json.dumps(NEW)),
        ):
            rate, tail, used = load(cluster, method, path, body)
            figures[f"{title} (1/s)"] = rate
            figures[f"{title}, processor (µs)"] = used
            figures[f"{title}, 99th percentile (ms)"] = tail
    return figures
