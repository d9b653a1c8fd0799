"""The Kubernetes wire API as a thin ASGI application: HTTP in, the pipeline, HTTP out.

Knows nothing of any kind: it reads a bounded body, names the request's journey, and turns answers, errors and streams into
bytes. Stands beside Django in `kubeweb/asgi.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import orjson

from cluster.apimachinery.errors import StatusError, bad_request, too_large
from cluster.apiserver import paths, sockets
from cluster.apiserver.auditing import audit
from cluster.apiserver.context import Context, Response
from cluster.apiserver.resources.body import MAX_BODY
from cluster.apiserver.resources.openapi import COMPRESS_FROM
from cluster.apiserver.server import APIServer
from cluster.apiserver.stages import rendering
from cluster.journeys.trace import Journey

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

ROOTS = (
    "/api",
    "/apis",
    "/openapi",
    "/version",
    "/healthz",
    "/livez",
    "/readyz",
    "/metrics",
    "/openid",
    "/.well-known",
)


# A pod behind `proxy`, or a log, may say that it is a page. It is not one of ours, with which our cookies would go along.
NO_PAGE = {b"x-content-type-options": b"nosniff", b"content-security-policy": b"sandbox; default-src 'none'"}
# A command that is executed is a parameter a word.
MAX_PARAMS = 1000
# Longer queries are not remembered: strangers write them, too.
REMEMBERED_QUERY = 512


def serves(path: str) -> bool:
    """Whether a path belongs to the Kubernetes API."""
    return path.startswith(ROOTS) and any(path == root or path.startswith(root + "/") for root in ROOTS)


def asks_for_root(scope: Scope) -> bool:
    """Whether `/` is asked for by a program (it brings a credential), and not by a browser, to whom the page belongs."""
    if scope["path"] != "/" or scope["type"] != "http":
        return False
    tls = (scope.get("extensions") or {}).get("tls") or {}
    return bool(tls.get("client_cert")) or any(name == b"authorization" for name, _ in scope["headers"])


class WireAPI:
    """The ASGI application."""

    def __init__(self, server: APIServer) -> None:
        self.server = server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        journey = Journey("request", "apiserver")
        journey.origin = "outside"
        headers = {name.lower(): value for name, value in scope["headers"]}
        journey.agent = headers.get(b"user-agent", b"").decode("latin-1")
        query = scope["query_string"]
        method = scope.get("method", "GET")  # a WebSocket begins as a GET
        params = (_params(query) if len(query) <= REMEMBERED_QUERY else _params.__wrapped__(query)) if query else {}
        context = Context(self.server, method, scope["path"], params or {}, journey)
        context.headers, context.scope = headers, scope
        if scope["type"] == "websocket":
            await sockets.serve(context if params is not None else None, receive, send)
            return
        is_path = False
        try:
            if params is None:
                raise bad_request(f"the query has more than {MAX_PARAMS} parameters")
            if method not in ("GET", "HEAD"):
                context.body = await _body(headers, receive)
            response = await self.server.handle(context)
            if not context.info.is_resource:
                is_path = True
                response = await paths.answer(context)
                audit(context, response)
        except StatusError as error:
            if is_path:
                audit(context, None, error)
            indented = rendering.is_for_people(context)
            response = Response(
                error.code, data=orjson.dumps(error.status, option=orjson.OPT_INDENT_2 if indented else None)
            )
            if error.details.get("retryAfterSeconds"):
                response.headers["Retry-After"] = str(error.details["retryAfterSeconds"])
        try:
            await _send(context, response, receive, send)
        finally:
            if response.stream is not None:
                audit(context, response, ended=True)


@lru_cache(maxsize=4096)
def _params(query: bytes) -> Mapping[str, str] | None:
    """The last value of each parameter; None for more of them than anybody needs."""
    try:
        return dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=MAX_PARAMS))
    except ValueError:
        return None


async def _body(headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
    """The body, or 413 as soon as it is known to be too large."""
    declared = headers.get(b"content-length", b"")
    refused = declared.isdigit() and int(declared) > MAX_BODY
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise StatusError(499, "ClientClosed", "the client went away")
        chunk = message.get("body", b"")
        size += len(chunk)
        if refused or size > MAX_BODY:
            raise too_large(f"Request entity too large: limit is {MAX_BODY}")
        chunks.append(chunk)
        if not message.get("more_body"):
            return b"".join(chunks)


async def _send(context: Context, response: Response, receive: Receive, send: Send) -> None:
    journey = context.journey.id.encode()
    told = {
        b"content-type": response.content_type.encode(),
        b"cache-control": b"no-cache, private",
        b"audit-id": journey,
        b"x-kubeweb-journey": journey,
    }
    if context.flow is not None:
        told[b"x-kubernetes-pf-flowschema-uid"] = context.flow.schema_uid.encode()
        told[b"x-kubernetes-pf-prioritylevel-uid"] = context.flow.level_uid.encode()
    for name, value in response.headers.items():
        told[name.lower().encode()] = value.encode("latin-1")
    told.update(NO_PAGE)
    headers = list(told.items())
    headers += [(b"warning", f'299 - "{_quoted(text)}"'.encode()) for text in dict.fromkeys(context.warnings)]
    data = response.data
    if response.stream is None:
        if data is None:
            data = response.entry.bytes if response.entry is not None else orjson.dumps(response.obj or {})
        if (
            len(data) > COMPRESS_FROM
            and context.info.is_resource
            and b"gzip" in context.headers.get(b"accept-encoding", b"")
        ):
            data = await asyncio.to_thread(gzip.compress, data, 1)
            headers += [(b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding")]
        headers.append((b"content-length", str(len(data)).encode()))
        await send({"type": "http.response.start", "status": response.code, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if context.method == "HEAD" else data})
        return
    await send({"type": "http.response.start", "status": response.code, "headers": headers})
    # The head goes out at once: a watcher wants to know that it watches before anything happens.
    await send({"type": "http.response.body", "body": b"", "more_body": True})
    with context.server.live.open(context.headers, context.scope, context.caller, context.acting) as cut:
        await _pump(response.stream, receive, send, cut)


def _quoted(text: str) -> str:
    clean = "".join(letter if letter.isprintable() else " " for letter in text)
    return clean.replace("\\", "\\\\").replace('"', '\\"')


async def _pump(stream: AsyncIterator[bytes], receive: Receive, send: Send, cut: asyncio.Event) -> None:
    """Send a stream until it ends, the client goes or its credential is not good any more."""

    async def pump() -> None:
        async for chunk in stream:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    tasks = {asyncio.ensure_future(pump()), asyncio.ensure_future(gone()), asyncio.ensure_future(cut.wait())}
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(RuntimeError):
            await stream.aclose()  # type: ignore[attr-defined]
    if cut.is_set():
        # A client that does not read is not waited for.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(send({"type": "http.response.body", "body": b"", "more_body": False}), 1)
