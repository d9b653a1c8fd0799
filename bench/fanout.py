"""How long a change takes to reach 100 and 1,000 watchers over HTTPS."""

from __future__ import annotations

import asyncio
import json
import ssl
import statistics
import time

from bench.cluster import running
from tests.support.server import Cluster

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
CHANGES = 20


class Arrivals:
    """When each change arrived at each watcher."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = {}
        self._bell = asyncio.Event()

    def add(self, change: str, at: float) -> None:
        self.times.setdefault(change, []).append(at)
        self._bell.set()

    async def wait(self, change: str, watchers: int) -> None:
        while len(self.times.get(change, ())) < watchers:
            self._bell.clear()
            await self._bell.wait()


async def _watcher(
    cluster: Cluster, token: str, context: ssl.SSLContext, arrived: Arrivals, ready: asyncio.Event
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", cluster.https, ssl=context, limit=1 << 20)
    writer.write(
        f"GET {CONFIGMAPS}?watch=1&fieldSelector=metadata.name%3Dfanout HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {token}\r\n\r\n".encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    ready.set()
    try:
        while line := await reader.readline():
            if line.startswith(b'{"type":"MODIFIED"'):
                number = json.loads(line)["object"]["data"]["n"]
                arrived.add(number, time.perf_counter())
    finally:
        writer.close()


async def _fan_out(cluster: Cluster, watchers: int) -> tuple[float, float]:
    """(median, 99th percentile) in ms, from sending the request to the arrival at each watcher."""
    context = ssl._create_unverified_context()
    arrived = Arrivals()
    ready = [asyncio.Event() for _ in range(watchers)]
    token = cluster.token()
    tasks = []
    for start in range(0, watchers, 50):
        some = [
            asyncio.create_task(_watcher(cluster, token, context, arrived, one)) for one in ready[start : start + 50]
        ]
        await asyncio.gather(*(one.wait() for one in ready[start : start + 50]))
        tasks += some
    delays = []
    for number in range(CHANGES):
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "fanout"}, "data": {"n": str(number)}}
        sent = time.perf_counter()
        await asyncio.to_thread(cluster.request, "PUT", f"{CONFIGMAPS}/fanout", body)
        async with asyncio.timeout(60):
            await arrived.wait(str(number), watchers)
        delays += [at - sent for at in arrived.times[str(number)]]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    delays.sort()
    return statistics.median(delays) * 1000, delays[int(len(delays) * 0.99)] * 1000


def measure() -> dict[str, float]:
    figures: dict[str, float] = {}
    with running("--profile=instant") as cluster:
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "fanout"}, "data": {"n": "-"}}
        cluster.request("POST", CONFIGMAPS, body)
        for watchers in (100, 1000):
            median, tail = asyncio.run(_fan_out(cluster, watchers))
            figures[f"a change reaches {watchers:,} watchers, median (ms)"] = median
            figures[f"a change reaches {watchers:,} watchers, 99th percentile (ms)"] = tail
    return figures
