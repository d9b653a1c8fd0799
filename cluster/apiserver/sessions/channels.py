"""A command's streams (stdin, stdout, stderr, its error) over one connection (apiserver/pkg/util/wsstream, kubelet's remotecommand).

On a WebSocket each message begins with the number of its channel (stdin, stdout, stderr, error, resize; 255 closes one, in v5), or
with its digit and base64 in the text protocols. The command's end comes as a Status on the error channel, before v4 as its words.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson

from cluster.apiserver.sessions import MAX_WAITING, TOO_MUCH, Receive, Runner, Send

STDIN, STDOUT, STDERR, ERROR, CLOSE = 0, 1, 2, 3, 255
# Channel → what the client wants to hear of it.
OUTPUTS = {"stdout": STDOUT, "stderr": STDERR}


# Bytes of one message (a WebSocket's has at most a megabyte), and those that may wait while their writer goes on.
PIECE, ROOM = 32 * 1024, 1024 * 1024
# Turns of a reader, through a pipe, for each message.
TURNS = 4


class Flooded(Exception):
    """More waits than may wait."""


class Incoming(asyncio.Queue[bytes | None]):
    """What the client has sent and nobody has read yet. `waiting`: its bytes."""

    def _init(self, maxsize: int) -> None:
        super()._init(maxsize)
        self.waiting = 0

    def _put(self, item: bytes | None) -> None:
        super()._put(item)
        self.waiting += len(item or b"")

    def _get(self) -> bytes | None:
        item: bytes | None = super()._get()
        self.waiting -= len(item or b"")
        return item


@dataclass(slots=True)
class Channels:
    """The session's ends: `stdin` fills as the client sends; `out` goes to it, (channel, data) each (None: the end).

    `wanted`: the channels of output that the client asked for. `written` and `sent` are bytes of output.
    Flooded is raised past MAX_WAITING. `plain`: an error is told in words, not as a Status.
    """

    wanted: frozenset[int] = frozenset({STDOUT, STDERR})
    plain: bool = False
    stdin: Incoming = field(default_factory=Incoming)
    out: asyncio.Queue[tuple[int, bytes] | None] = field(default_factory=asyncio.Queue)
    written: int = 0
    sent: int = 0
    _told: asyncio.Event = field(default_factory=asyncio.Event)

    def received(self, channel: int, data: bytes) -> None:
        """Data from the client. Unknown channels are passed over."""
        if channel == STDIN:
            self.stdin.put_nowait(data)
            if self.stdin.waiting > MAX_WAITING:
                raise Flooded

    async def heard(self) -> None:
        """Let whoever reads have their turns before more is received; who does not read is found out by what waits."""
        for _ in range(TURNS):
            if self.stdin.waiting <= ROOM // 4:
                return
            await asyncio.sleep(0)

    def hang_up(self, channel: int) -> None:
        """The client sends no more on this channel."""
        if channel == STDIN:
            self.stdin.put_nowait(None)

    def write(self, data: bytes) -> None:
        self._put(STDOUT, data)

    def write_error(self, data: bytes) -> None:
        self._put(STDERR, data)

    def _put(self, channel: int, data: bytes) -> None:
        if channel not in self.wanted:
            return
        self.written += len(data)
        if self.written - self.sent > MAX_WAITING:
            raise Flooded
        for at in range(0, len(data), PIECE):
            self.out.put_nowait((channel, data[at : at + PIECE]))

    def told(self, data: bytes) -> None:
        """This has gone to the client."""
        self.sent += len(data)
        self._told.set()

    async def room(self) -> None:
        """Wait while the client has much to read: a command that writes more waits for it, as at a pipe."""
        while self.written - self.sent > ROOM:
            self._told.clear()
            await self._told.wait()

    def end(self, status: dict[str, Any]) -> None:
        """How it ended; nothing comes after."""
        if not self.plain:
            self.out.put_nowait((ERROR, orjson.dumps(status)))
        elif status.get("status") != "Success":
            self.out.put_nowait((ERROR, str(status.get("message", "")).encode()))
        self.out.put_nowait(None)


Work = Callable[[Channels], Awaitable[None]]


async def drive(*ends: Awaitable[None], beside: Awaitable[None] | None = None) -> list[Any]:
    """Until one of a connection's ends is through, with the work `beside` them; what each came to (exceptions included)."""
    waited = [asyncio.ensure_future(end) for end in ends]
    tasks = waited if beside is None else [asyncio.ensure_future(beside), *waited]
    try:
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    return results


def websocket_protocols(work: Work, wanted: frozenset[int]) -> dict[str, Runner]:
    """The channel protocols, newest first."""
    binary, text = partial(_run, work, wanted, False), partial(_run, work, wanted, True)
    return {
        "v5.channel.k8s.io": partial(binary, False),
        "v4.channel.k8s.io": partial(binary, False),
        "v4.base64.channel.k8s.io": partial(text, False),
        "channel.k8s.io": partial(binary, True),
        "base64.channel.k8s.io": partial(text, True),
        "": partial(binary, True),
    }


async def _run(work: Work, wanted: frozenset[int], as_text: bool, plain: bool, receive: Receive, send: Send) -> None:
    channels = Channels(wanted, plain)

    async def listen() -> None:
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            data = message.get("bytes")
            if data is None:
                data = (message.get("text") or "").encode()
            channel, content = _text(data) if as_text else (data[0] if data else -1, data[1:])
            if channel == CLOSE:
                channels.hang_up(content[0] if content else -1)
            else:
                channels.received(channel, content)
                await channels.heard()

    async def tell(channel: int, data: bytes) -> None:
        if as_text:
            await send({"type": "websocket.send", "text": f"{channel}{base64.b64encode(data).decode()}"})
        else:
            await send({"type": "websocket.send", "bytes": bytes((channel,)) + data})

    async def speak() -> None:
        # An empty message says that the session is there.
        await tell(min(wanted, default=ERROR), b"")
        while (said := await channels.out.get()) is not None:
            await tell(*said)
            channels.told(said[1])
        await send({"type": "websocket.close", "code": 1000})

    for result in await drive(speak(), listen(), beside=work(channels)):
        if isinstance(result, Flooded):
            await send({"type": "websocket.close", "code": TOO_MUCH})
        elif isinstance(result, Exception):
            raise result


def _text(data: bytes) -> tuple[int, bytes]:
    """A message of the text protocols; what is none is passed over."""
    try:
        return (data[0] - ord("0") if data else -1), base64.b64decode(data[1:], validate=True)
    except (binascii.Error, ValueError):
        return -1, b""
