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

from cluster.apiserver.sessions import MAX_WAITING, Receive, Runner, Send

STDIN, STDOUT, STDERR, ERROR, CLOSE = 0, 1, 2, 3, 255
# Channel → what the client wants to hear of it.
OUTPUTS = {"stdout": STDOUT, "stderr": STDERR}


class Flooded(Exception):
    """More waits than may wait."""


@dataclass(slots=True)
class Channels:
    """The session's ends: `stdin` fills as the client sends; `out` goes to it, (channel, data) each (None: the end).

    `wanted`: the channels of output that the client asked for. `written` and `sent` are bytes of output; `given` bytes of input.
    Flooded is raised past MAX_WAITING. `plain`: an error is told in words, not as a Status.
    """

    wanted: frozenset[int] = frozenset({STDOUT, STDERR})
    plain: bool = False
    stdin: asyncio.Queue[bytes | None] = field(default_factory=asyncio.Queue)
    out: asyncio.Queue[tuple[int, bytes] | None] = field(default_factory=asyncio.Queue)
    written: int = 0
    sent: int = 0
    given: int = 0

    def received(self, channel: int, data: bytes) -> None:
        """Data from the client. Unknown channels are passed over."""
        if channel == STDIN:
            # What was read already does not wait; an idle reader is told apart by its empty queue.
            self.given = len(data) + (self.given if self.stdin.qsize() else 0)
            if self.given > MAX_WAITING:
                raise Flooded
            self.stdin.put_nowait(data)

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
        self.out.put_nowait((channel, data))

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
            channels.sent += len(said[1])
        await send({"type": "websocket.close", "code": 1000})

    for result in await drive(speak(), listen(), beside=work(channels)):
        if isinstance(result, Flooded):
            await send({"type": "websocket.close", "code": 1009})
        elif isinstance(result, Exception):
            raise result


def _text(data: bytes) -> tuple[int, bytes]:
    """A message of the text protocols; what is none is passed over."""
    try:
        return (data[0] - ord("0") if data else -1), base64.b64decode(data[1:], validate=True)
    except (binascii.Error, ValueError):
        return -1, b""
