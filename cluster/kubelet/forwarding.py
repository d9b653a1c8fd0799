"""Bytes that are forwarded to a pod's port, and what comes back: HTTP/1.1 for servers that speak it (the kubelet's port-forward)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from cluster.kubelet.runtime.cri import HTTPRequest, HTTPResult
from cluster.kubelet.runtime.shell.options import whole
from cluster.kubelet.worker import Worker

MAX_HEAD, MAX_BODY = 64 * 1024, 8 * 1024 * 1024
_LINE = re.compile(rb"([A-Z]+) (\S+) HTTP/1\.[01]\r?\n")
TIMEOUT = 30.0
Incoming = asyncio.Queue[bytes | None]


async def converse(worker: Worker, port: int, incoming: Incoming, write: Callable[[bytes], None]) -> str:
    """One connection, until the client closes its side; why it failed, or nothing."""
    listener = worker.listening(port)
    if listener is None:
        ip = f"failed to connect to localhost:{port} inside namespace"
        return (
            f'failed to execute portforward in network namespace: {ip} "{worker.pod["metadata"]["uid"]}", IPv4: dial tcp4 '
            f"127.0.0.1:{port}: connect: connection refused IPv6 dial tcp6: address localhost: no suitable address found "
        )
    if await worker.kubelet.runtime.converse(listener, port, incoming, write):
        return ""
    waiting = bytearray()
    while (data := await incoming.get()) is not None:
        waiting += data
        while True:
            taken = _take(waiting)
            if taken is None:
                break
            request, keep = taken
            container = worker.listening(port)
            if container is None:
                return "lost connection to pod"
            answer = await worker.kubelet.runtime.http(container, port, request, TIMEOUT)
            if answer.status == 0:
                return "" if answer.error == "EOF" else answer.error
            write(_bytes(answer, request.method, keep=keep))
            if not keep:
                return ""
        if len(waiting) > MAX_HEAD + MAX_BODY or (len(waiting) > 16 and not _may_be_http(waiting)):
            # A protocol that nothing here speaks: the server hangs up.
            return ""
    return ""


def _may_be_http(data: bytearray) -> bool:
    return re.match(rb"[A-Z]{3,7} ", data) is not None


def _take(waiting: bytearray) -> tuple[HTTPRequest, bool] | None:
    """The first whole request, and whether the connection stays; None while there is none."""
    end = waiting.find(b"\r\n\r\n")
    if end < 0:
        return None
    line = _LINE.match(waiting)
    if line is None:
        waiting.clear()
        return None
    # Read before the bytes are taken away: a match looks into them.
    method, path = line[1].decode(), line[2].decode("latin-1")
    headers = {}
    for one in waiting[line.end() : end].decode("latin-1").split("\r\n"):
        name, _, value = one.partition(":")
        if name:
            headers[name.strip().title()] = value.strip()
    length = whole(headers.get("Content-Length", "0")) or 0
    if len(waiting) < end + 4 + length:
        return None
    body = bytes(waiting[end + 4 : end + 4 + length])
    del waiting[: end + 4 + length]
    keep = headers.get("Connection", "").lower() != "close"
    return HTTPRequest(path, method, headers, body, "127.0.0.1"), keep


def _bytes(answer: HTTPResult, method: str, *, keep: bool) -> bytes:
    body = answer.body.encode()
    headers = {"Content-Type": "text/plain", **answer.headers, "Content-Length": str(len(body))}
    if not keep:
        headers["Connection"] = "close"
    head = f"HTTP/1.1 {answer.status} {answer.reason}\r\n" + "".join(
        f"{name}: {text}\r\n" for name, text in headers.items()
    )
    return head.encode("latin-1") + b"\r\n" + (b"" if method == "HEAD" else body)
