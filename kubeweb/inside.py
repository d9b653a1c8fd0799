"""The API server as a pod reaches it, at kubernetes.default.svc: the very application that answers on the wire, asked without a wire."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import unquote

from cluster import clock
from cluster.apiserver.wire import WireAPI
from cluster.kubelet.runtime.cri import HTTPRequest, HTTPResult

# Bytes of an answer that a simulated process takes.
MAX_ANSWER = 8 << 20


class _Enough(Exception):
    """The answer is longer than anybody here reads."""


class _Exchange:
    """One request and what came back, as ASGI has it."""

    def __init__(self, body: bytes) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = bytearray()
        self._request: bytes | None = body

    async def receive(self) -> dict[str, Any]:
        if self._request is None:
            # The client stays until it is gone, and then nobody asks any more.
            await asyncio.get_running_loop().create_future()
        body, self._request = self._request, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            told = message.get("headers") or ()
            self.headers = {name.decode("latin-1").title(): value.decode("latin-1") for name, value in told}
            return
        self.body += message.get("body") or b""
        if len(self.body) > MAX_ANSWER:
            raise _Enough


async def ask(wire: WireAPI, request: HTTPRequest, timeout: float) -> HTTPResult:
    """The API server's answer; what has come of one that does not end (a watch) after `timeout` seconds of cluster time."""
    path, _, query = request.path.partition("?")
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1", "replace"))
        for name, value in request.headers.items()
        if name.lower() not in ("accept-encoding", "connection", "content-length")
    ]
    scope = {
        "type": "http",
        "method": request.method,
        "path": unquote(path),
        "raw_path": path.encode("latin-1", "replace"),
        "query_string": query.encode("latin-1", "replace"),
        "headers": [*headers, (b"content-length", str(len(request.body)).encode())],
        "client": (request.client, 0),
        "server": ("10.96.0.1", 443),
        "scheme": "https",
    }
    exchange = _Exchange(request.body)
    answering = asyncio.ensure_future(wire(scope, exchange.receive, exchange.send))
    patience = asyncio.ensure_future(clock.sleep(timeout))
    try:
        await asyncio.wait({answering, patience}, return_when=asyncio.FIRST_COMPLETED)
        if answering.done() and not isinstance(answering.exception(), _Enough):
            answering.result()
    finally:
        for task in (answering, patience):
            task.cancel()
        await asyncio.gather(answering, patience, return_exceptions=True)
    if not exchange.status:
        return HTTPResult(0, error="net/http: request canceled (Client.Timeout exceeded while awaiting headers)")
    return HTTPResult(exchange.status, bytes(exchange.body).decode("utf-8", "replace"), headers=exchange.headers)
