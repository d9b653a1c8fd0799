"""Upgraded connections of the wire API: the same pipeline decides, then the request's session takes the connection over.

A WebSocket, or SPDY/3.1 (which the HTTP server hands over as if it were one, its bytes as messages: `scope["extensions"]["spdy"]`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import orjson

from cluster.apimachinery.errors import StatusError
from cluster.apiserver.auditing import audit
from cluster.apiserver.authn.live import until_cut
from cluster.apiserver.context import Context, Response
from cluster.apiserver.sessions import Runner
from cluster.apiserver.sessions.reading import session_of

# What the page understands as "sign in again".
UNAUTHORIZED = 4401
_NO_COMMON_PROTOCOL = StatusError(403, "Forbidden", "unable to upgrade: unable to negotiate protocol")
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def serve(context: Context | None, receive: Receive, send: Send) -> None:
    """Answer one request to upgrade (None: its query cannot be read). Refusals come before the handshake."""
    await receive()
    if context is None:
        await send({"type": "websocket.close", "code": 1008})
        return
    try:
        if not _is_own(context.headers):
            raise StatusError(403, "Forbidden", "a page of another site may not connect")
        response = await context.server.handle(context)
    except StatusError as error:
        await _refuse(context, error, send)
        return
    chosen = _negotiate(context, response)
    if chosen is None:
        await _refuse(context, _NO_COMMON_PROTOCOL, send)
        return
    name, run = chosen
    await send({"type": "websocket.accept", "subprotocol": name or None})
    over = False

    async def tell(message: dict[str, Any]) -> None:
        nonlocal over
        over = over or message["type"] == "websocket.close"
        await send(message)

    try:
        with context.server.live.open(context.headers, context.scope, context.caller, context.acting) as cut:
            done = await until_cut(asyncio.ensure_future(run(receive, tell)), cut)
            # Whatever ends a session ends its connection: nobody would read it any more.
            if not over:
                await send({"type": "websocket.close", "code": 1000 if done else UNAUTHORIZED})
    finally:
        audit(context, response, ended=True)


def _negotiate(context: Context, response: Response) -> tuple[str, Runner] | None:
    """The first subprotocol of ours that the client offers, and what speaks it."""
    session, offered = response.session, list(context.scope.get("subprotocols") or ())
    if session is None and response.stream is not None:
        watch = context.info.verb == "watch"
        session = session_of(response.stream, watch=watch)
        if watch:
            # It has no protocols of its own: whatever is asked for is agreed to.
            return (offered[0] if offered else ""), session.websocket[""]
    if session is None:
        return None
    known = session.spdy if "spdy" in (context.scope.get("extensions") or {}) else session.websocket
    return next(((name, run) for name, run in known.items() if name in (offered or [""])), None)


async def _refuse(context: Context, error: StatusError, send: Send) -> None:
    """With its Status where the HTTP server can say it, else as a handshake that is refused."""
    if "websocket.http.response" not in (context.scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = [(b"content-type", b"application/json")]
    await send({"type": "websocket.http.response.start", "status": error.code, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": orjson.dumps(error.status)})


def _is_own(headers: Mapping[bytes, bytes]) -> bool:
    """A page of somebody else's may open WebSockets with our cookies or certificate: what a browser sends must come from our own page.

    No page can make it send a bearer token: whoever does is a program, whatever origin it names.
    """
    if headers.get(b"authorization", b"")[:7].lower() == b"bearer ":
        return True
    origin = headers.get(b"origin", b"").decode("latin-1")
    return not origin or urlsplit(origin).netloc == headers.get(b"host", b"").decode("latin-1")
