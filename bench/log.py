"""The revision log on its own: writes a second by number of writers, latency, compaction pauses, bytes on disk.

    python -m bench.log [--seconds 2] [--busy 200]

Prints one JSON object. `--busy` burns that many microseconds in the event loop after each write, as an API server would,
so that the writer thread has to fight for the interpreter lock.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kubeweb.settings")
os.environ.setdefault("KUBEWEB_DATA_DIR", tempfile.mkdtemp(prefix="kubeweb-bench-"))

import django

django.setup()

from cluster.etcd.log import Log, Write  # noqa: E402
from tests.support.log import database  # noqa: E402

VALUE_SIZE = 2700


def pod(number: int) -> bytes:
    """Something as long, and about as repetitive, as a pod."""
    source = random.Random(number)
    labels = {f"app.kubernetes.io/label-{index}": f"{source.getrandbits(48):x}" for index in range(12)}
    body: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"pod-{number}", "labels": labels}}
    body["status"] = {"conditions": []}
    while len(text := json.dumps(body, separators=(",", ":"))) < VALUE_SIZE:
        body["status"]["conditions"].append(
            {"type": f"{source.getrandbits(160):x}", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
        )
    return text.encode()


async def writes(log: Log, writers: int, seconds: float, busy: float, values: list[bytes]) -> dict[str, float]:
    latencies: list[float] = []
    groups, until = log.stats["groups"], time.perf_counter() + seconds

    async def write(writer: int) -> None:
        number = 0
        while time.perf_counter() < until:
            began = time.perf_counter()
            name = f"w{writer}-{number % 50}"
            await log.commit(Write("pods", "default", name, values[number % len(values)], "update", None, "bench.1"))
            latencies.append(time.perf_counter() - began)
            number += 1
            if busy:
                end = time.perf_counter() + busy
                while time.perf_counter() < end:
                    pass

    began = time.perf_counter()
    await asyncio.gather(*(write(writer) for writer in range(writers)))
    elapsed = time.perf_counter() - began
    latencies.sort()
    return {
        "writes_per_second": round(len(latencies) / elapsed),
        "median_ms": round(latencies[len(latencies) // 2] * 1000, 2),
        "p99_ms": round(latencies[len(latencies) * 99 // 100] * 1000, 2),
        "mean_group": round(len(latencies) / (log.stats["groups"] - groups), 1),
    }


async def compaction(log: Log) -> dict[str, float]:
    """How long single writes take while everything is compacted."""
    task = asyncio.create_task(log.compact(log.head))
    pauses: list[float] = []
    began = time.perf_counter()
    while not task.done():
        start = time.perf_counter()
        await log.commit(Write("pods", "default", "probe", b"{}", "update", None))
        pauses.append((time.perf_counter() - start) * 1000)
    elapsed = time.perf_counter() - began
    pauses.sort()
    deleted = await task
    return {
        "deleted": deleted,
        "deleted_per_second": round(deleted / elapsed),
        "write_median_ms": round(pauses[len(pauses) // 2], 2),
        "write_max_ms": round(pauses[-1], 2),
    }


def bytes_per_revision(directory: Path, revisions: int) -> int | None:
    """None on PostgreSQL, which keeps its files to itself."""
    files = list(directory.glob("*.sqlite3"))
    return round(sum(path.stat().st_size for path in files) / revisions) if files else None


async def run(seconds: float, busy: float, directory: Path) -> dict[str, Any]:
    values = [pod(number) for number in range(200)]
    with database(directory) as alias:
        log = Log(alias)
        await log.open()
        report: dict[str, Any] = {f"writers_{n}": await writes(log, n, seconds, busy, values) for n in (1, 16, 256)}
        await log.close()  # empties the write-ahead log into the database
        report["value_bytes"] = len(values[0])
        report["disk_bytes_per_revision"] = await asyncio.to_thread(bytes_per_revision, directory, log.head)
        log = Log(alias)
        await log.open()
        report["compaction"] = await compaction(log)
        await log.close()
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--busy", type=float, default=0.0, help="microseconds of work in the loop after each write")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kubeweb-bench-") as directory:
        print(json.dumps(asyncio.run(run(options.seconds, options.busy / 1e6, Path(directory))), indent=2))


if __name__ == "__main__":
    main()
