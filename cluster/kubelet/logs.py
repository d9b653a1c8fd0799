"""The kubelet's log endpoint: what a container wrote, cut and followed as asked (pkg/kubelet/kuberuntime/logs)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from cluster import clock
from cluster.apimachinery import errors
from cluster.kubelet.worker import Worker


def container_of(worker: Worker, name: str, *, previous: bool) -> Any:
    """The runtime's container whose log is wanted; 400 in the kubelet's words when there is none."""
    record = next((one for one in worker.records if one.spec["name"] == name), None)
    pod_name = worker.pod["metadata"]["name"]
    if record is None:
        raise errors.bad_request(f"container {name} is not valid for pod {pod_name}")
    if previous:
        found = worker.previous.get(name)
        if found is None and record.last is not None and record.state == "waiting":
            found = record.container
        if found is None:
            raise errors.bad_request(f'previous terminated container "{name}" in pod "{pod_name}" not found')
        return found
    if record.container is None:
        if record.reason in ("ErrImagePull", "ImagePullBackOff", "InvalidImageName"):
            raise errors.bad_request(
                f'container "{name}" in pod "{pod_name}" is waiting to start: trying and failing to pull image'
            )
        raise errors.bad_request(f'container "{name}" in pod "{pod_name}" is waiting to start: {record.reason}')
    return record.container


async def stream(
    container: Any,
    *,
    follow: bool,
    timestamps: bool,
    tail_lines: int | None,
    limit_bytes: int | None,
    since: float | None,
) -> AsyncIterator[bytes]:
    """The lines as bytes, in chunks."""
    log = container.log
    lines, position = log.since(0)
    if since is not None:
        lines = [line for line in lines if line[0] >= since]
    if tail_lines is not None:
        lines = lines[len(lines) - tail_lines :] if tail_lines else []
    left = limit_bytes
    while True:
        if lines:
            data = b"".join(_line(at, text, timestamps) for at, text in lines)
            if left is not None:
                data, left = data[:left], left - len(data)
            if data:
                yield data
            if left is not None and left <= 0:
                return
        if not follow or container.state == "exited" or not await log.more(position):
            return
        lines, position = log.since(position)


def _line(at: float, text: str, timestamps: bool) -> bytes:
    if not timestamps:
        return text.encode("utf-8", "surrogateescape")
    moment = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return f"{moment}000Z {text}".encode("utf-8", "surrogateescape")


def since_of(since_seconds: int | None, since_time: float | None) -> float | None:
    """The earliest time wanted."""
    return clock.now() - since_seconds if since_seconds is not None else since_time
