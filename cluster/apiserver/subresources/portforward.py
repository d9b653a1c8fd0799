"""pods/portforward: connections to a pod's ports, over one connection (registry/core/pod/rest.PortForwardREST).

Two protocols: SPDY, a pair of streams (error, data) a connection, as kubectl speaks it (inside of a WebSocket, before 1.30 without one);
and the channel protocol, a pair of channels a port, as client libraries do it. What flows is bytes; the kubelet answers them.
"""

from __future__ import annotations

import asyncio
import logging
import struct
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from cluster.apimachinery import errors
from cluster.apimachinery.errors import StatusError
from cluster.apiserver.context import Context, Response
from cluster.apiserver.sessions import MAX_WAITING, NOT_SPOKEN, Receive, Runner, Send, Session
from cluster.apiserver.sessions.spdy import DATA, GOAWAY, PING, RST_STREAM, SYN_STREAM, Broken, Framer
from cluster.apiserver.subresources.exec import needs_upgrade, require_create

TUNNEL = "SPDY/3.1+portforward.k8s.io"
SPDY = "portforward.k8s.io"
CHANNELS = ("v4.channel.k8s.io", "portforward.k8s.io")
# Connections through one session at a time.
MAX_STREAMS = 200
log = logging.getLogger(__name__)
# (port, what the client sends, write) → the trouble, if any
Connect = Callable[[int, "asyncio.Queue[bytes | None]", Callable[[bytes], None]], Awaitable[str]]


def _is_port(text: str) -> bool:
    return text.isdecimal() and len(text) <= 5 and 0 < int(text) < 2**16


def decode(context: Context) -> None:
    """What a POST wants stands in its query."""
    needs_upgrade(context)


async def commit(context: Context) -> dict[str, object]:
    return _open(context)


async def read(context: Context) -> dict[str, object]:
    require_create(context)
    return _open(context)


def _open(context: Context) -> dict[str, object]:
    entry = context.server.storage.entry("pods", context.key)
    if entry is None:
        raise errors.not_found("pods", "", context.info.name)
    needs_upgrade(context)
    node = entry.obj["spec"].get("nodeName")
    if not node:
        raise errors.bad_request(f"pod {context.info.name} does not have a host assigned")
    namespace, name = context.key
    query = parse_qsl(context.scope.get("query_string", b"").decode("latin-1"))
    parts = [part for key, text in query if key == "ports" for part in text.split(",") if part]
    for part in parts:
        if not _is_port(part):
            raise errors.bad_request(f'unable to parse "{part}" as a port')
    ports = [int(part) for part in parts]

    async def connect(port: int, incoming: asyncio.Queue[bytes | None], write: Callable[[bytes], None]) -> str:
        try:
            return await context.server.nodes.forward(node, namespace, name, port, incoming, write)
        except StatusError as error:
            return error.message

    def speaks(tunnelled: bool) -> Runner:
        return lambda receive, send: Forwarding(connect, ports).run(receive, send, tunnelled=tunnelled)

    spoken = Session({TUNNEL: speaks(True), **dict.fromkeys(CHANNELS, speaks(False))}, {SPDY: speaks(True)})
    context.response = Response(101, data=b"", content_type="text/plain", session=spoken)
    return {"node": node, "ports": ports}


class Forwarding:
    """One session."""

    def __init__(self, connect: Connect, ports: list[int]) -> None:
        self._connect = connect
        self._ports = ports
        self._tasks: set[asyncio.Task[None]] = set()
        self._out: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._waiting = 0

    async def run(self, receive: Receive, send: Send, *, tunnelled: bool) -> None:
        """Until either side is gone. `tunnelled`: it is SPDY."""
        speaking = asyncio.ensure_future(self._speak(send))
        listening = asyncio.ensure_future(self._tunnel(receive) if tunnelled else self._channels(receive))
        try:
            await asyncio.wait((speaking, listening), return_when=asyncio.FIRST_COMPLETED)
        finally:
            tasks = (speaking, listening, *self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if not listening.cancelled() and isinstance(listening.exception(), Broken):
            await send({"type": "websocket.close", "code": NOT_SPOKEN})

    async def _speak(self, send: Send) -> None:
        while (data := await self._out.get()) is not None:
            self._waiting -= len(data)
            await send({"type": "websocket.send", "bytes": data})

    def _say(self, data: bytes) -> None:
        self._waiting += len(data)
        if self._waiting > MAX_WAITING:
            raise Broken("the client does not read")
        self._out.put_nowait(data)

    def _serve(self, port: int, incoming: asyncio.Queue[bytes | None], write: Any, end: Callable[[str], None]) -> None:
        async def work() -> None:
            try:
                trouble = await self._connect(port, incoming, write)
            except Exception as error:
                log.exception("port-forward to port %s", port)
                trouble = type(error).__name__
            end(trouble)

        task = asyncio.ensure_future(work())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- SPDY ----------------------------------------------------------------------------------------------------------

    async def _tunnel(self, receive: Receive) -> None:
        framer = Framer()
        errors_of: dict[str, int] = {}
        incoming: dict[int, asyncio.Queue[bytes | None]] = {}
        given: dict[int, int] = {}

        def tell(stream: int, data: bytes) -> None:
            self._say(framer.data(stream, data))

        def finish(request: str, stream: int, trouble: str) -> None:
            incoming.pop(stream, None)
            self._say(framer.data(stream, b"", ends=True))
            error_stream = errors_of.pop(request, 0)
            if error_stream:
                self._say(framer.data(error_stream, trouble.encode(), ends=True))

        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            for frame in framer.feed(message.get("bytes") or b""):
                if frame.kind == SYN_STREAM:
                    if len(self._tasks) >= MAX_STREAMS:
                        raise Broken("too many streams")
                    self._say(framer.syn_reply(frame.stream))
                    request, port = frame.headers.get("requestid", ""), frame.headers.get("port", "")
                    if frame.headers.get("streamtype") == "error":
                        errors_of[request] = frame.stream
                    elif _is_port(port):
                        queue = incoming[frame.stream] = asyncio.Queue()
                        stream = frame.stream
                        self._serve(
                            int(port),
                            queue,
                            partial(tell, stream),
                            partial(finish, request, stream),
                        )
                elif frame.kind == DATA and frame.stream in incoming:
                    queue = incoming[frame.stream]
                    given[frame.stream] = len(frame.data) + (given.get(frame.stream, 0) if queue.qsize() else 0)
                    if given[frame.stream] > MAX_WAITING:
                        raise Broken("more than anybody reads")
                    if frame.data:
                        queue.put_nowait(frame.data)
                    if frame.ends:
                        queue.put_nowait(None)
                elif frame.kind == RST_STREAM and frame.stream in incoming:
                    incoming[frame.stream].put_nowait(None)
                elif frame.kind == PING:
                    self._say(framer.ping(frame.data))
                elif frame.kind == GOAWAY:
                    return

    # -- channels ------------------------------------------------------------------------------------------------------

    def _tell(self, channel: int, data: bytes) -> None:
        self._say(bytes((channel,)) + data)

    def _complain(self, channel: int, trouble: str) -> None:
        if trouble:
            self._tell(channel, trouble.encode())

    async def _channels(self, receive: Receive) -> None:
        queues: list[asyncio.Queue[bytes | None]] = []
        for index, port in enumerate(self._ports[: MAX_STREAMS // 2]):
            queue: asyncio.Queue[bytes | None] = asyncio.Queue()
            queues.append(queue)
            # Each channel begins with its port.
            for channel in (2 * index, 2 * index + 1):
                self._say(bytes((channel,)) + struct.pack("<H", port))
            self._serve(
                port,
                queue,
                partial(self._tell, 2 * index),
                partial(self._complain, 2 * index + 1),
            )
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            data = message.get("bytes") or b""
            if len(data) > 1 and data[0] % 2 == 0 and data[0] // 2 < len(queues):
                queues[data[0] // 2].put_nowait(data[1:])
