"""Logs and watches over a WebSocket: bytes as they come, or one event a message (apiserver/pkg/util/wsstream.Reader, WatchServer)."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

from cluster.apiserver.sessions import Receive, Send, Session
from cluster.apiserver.sessions.channels import drive

# Bytes of one message.
CHUNK = 2048
# Puts what is read into messages.
Teller = Callable[[AsyncIterator[bytes], Send], Awaitable[None]]


def session_of(stream: AsyncIterator[bytes], *, watch: bool) -> Session:
    """What is read, as a session. A watch has one protocol, whatever it is called."""
    if watch:
        return Session({"": partial(_run, stream, _events)})
    return Session(
        {
            "binary.k8s.io": partial(_run, stream, _bytes),
            "base64.binary.k8s.io": partial(_run, stream, _base64),
            "": partial(_run, stream, _bytes),
        }
    )


async def _run(stream: AsyncIterator[bytes], speak: Teller, receive: Receive, send: Send) -> None:
    async def listen() -> None:
        while (await receive())["type"] != "websocket.disconnect":
            pass

    async def tell() -> None:
        await speak(stream, send)
        await send({"type": "websocket.close", "code": 1000})

    try:
        for result in await drive(tell(), listen()):
            if isinstance(result, Exception):
                raise result
    finally:
        with contextlib.suppress(RuntimeError):
            await stream.aclose()  # type: ignore[attr-defined]


async def _bytes(stream: AsyncIterator[bytes], send: Send) -> None:
    async for chunk in stream:
        for at in range(0, len(chunk), CHUNK):
            await send({"type": "websocket.send", "bytes": chunk[at : at + CHUNK]})


async def _base64(stream: AsyncIterator[bytes], send: Send) -> None:
    async for chunk in stream:
        for at in range(0, len(chunk), CHUNK):
            await send({"type": "websocket.send", "text": base64.b64encode(chunk[at : at + CHUNK]).decode()})


async def _events(stream: AsyncIterator[bytes], send: Send) -> None:
    rest = b""
    async for chunk in stream:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            await send({"type": "websocket.send", "text": line.decode() + "\n"})
    if rest:
        await send({"type": "websocket.send", "text": rest.decode()})
