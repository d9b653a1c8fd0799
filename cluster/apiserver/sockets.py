"""WebSockets of the wire API: the same pipeline decides, then the request's session takes the connection over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from cluster.apimachinery.errors import StatusError
from cluster.apiserver.context import Context
from cluster.apiserver.subresources.exec import PROTOCOLS, Channels, Flooded, Session

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def serve(context: Context | None, receive: Receive, send: Send) -> None:
    """Answer one WebSocket (None: its query cannot be read). Refusals come before the handshake, as 403."""
    await receive()
    if context is None:
        await send({"type": "websocket.close", "code": 1008})
        return
    offered = [name for name in PROTOCOLS if name in (context.scope.get("subprotocols") or ())]
    try:
        response = await context.server.handle(context) if _is_own(context.headers) else None
    except StatusError:
        response = None
    if response is None or response.session is None or not offered:
        await send({"type": "websocket.close", "code": 1008})
        return
    await send({"type": "websocket.accept", "subprotocol": offered[0]})
    await _run(response.session, receive, send)


def _is_own(headers: Mapping[bytes, bytes]) -> bool:
    """A page of somebody else's may open WebSockets with our cookies: what a browser sends must come from our own page."""
    origin = headers.get(b"origin", b"").decode("latin-1")
    return not origin or urlsplit(origin).netloc == headers.get(b"host", b"").decode("latin-1")


async def _run(session: Session, receive: Receive, send: Send) -> None:
    channels = Channels()

    async def listen() -> None:
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            data = message.get("bytes")
            channels.received(data if data is not None else (message.get("text") or "").encode())

    async def speak() -> None:
        while (data := await channels.out.get()) is not None:
            await send({"type": "websocket.send", "bytes": data})
            channels.sent += len(data) - 1
        await send({"type": "websocket.close", "code": 1000})

    working = asyncio.ensure_future(session(channels))
    speaking, listening = asyncio.ensure_future(speak()), asyncio.ensure_future(listen())
    tasks = (working, speaking, listening)
    try:
        await asyncio.wait((speaking, listening), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Flooded):
            await send({"type": "websocket.close", "code": 1009})
        elif isinstance(result, Exception):
            raise result
