"""WebSockets of the wire API: the same pipeline decides, then the request's session takes the connection over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from cluster.apimachinery.errors import StatusError
from cluster.apiserver.auditing import audit
from cluster.apiserver.authn.live import until_cut
from cluster.apiserver.context import Context

# What the page understands as "sign in again".
UNAUTHORIZED = 4401
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def serve(context: Context | None, receive: Receive, send: Send) -> None:
    """Answer one WebSocket (None: its query cannot be read). Refusals come before the handshake, as 403."""
    await receive()
    if context is None:
        await send({"type": "websocket.close", "code": 1008})
        return
    try:
        response = await context.server.handle(context) if _is_own(context.headers) else None
    except StatusError:
        response = None
    session = response.session if response is not None else None
    known = session.protocols if session is not None else ()
    offered = [name for name in known if name in (context.scope.get("subprotocols") or ())]
    if session is None or not offered:
        await send({"type": "websocket.close", "code": 1008})
        return
    await send({"type": "websocket.accept", "subprotocol": offered[0]})
    try:
        with context.server.live.open(context.headers, context.scope, context.caller, context.acting) as cut:
            if not await until_cut(asyncio.ensure_future(session.run(offered[0], receive, send)), cut):
                await send({"type": "websocket.close", "code": UNAUTHORIZED})
    finally:
        audit(context, response, ended=True)


def _is_own(headers: Mapping[bytes, bytes]) -> bool:
    """A page of somebody else's may open WebSockets with our cookies: what a browser sends must come from our own page."""
    origin = headers.get(b"origin", b"").decode("latin-1")
    return not origin or urlsplit(origin).netloc == headers.get(b"host", b"").decode("latin-1")
