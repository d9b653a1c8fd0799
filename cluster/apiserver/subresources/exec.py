"""pods/exec and pods/attach: a stream into a container, through the kubelet (registry/core/pod/rest/subresources.go).

Spoken over a WebSocket with Kubernetes' channel protocol: each binary message begins with the number of its channel (stdin, stdout,
stderr, error, resize; 255 closes one, in v5). The exit code comes as a Status on the error channel.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import orjson

from cluster.apimachinery import errors
from cluster.apimachinery.errors import StatusError
from cluster.apiserver.context import Context, Obj, Response
from cluster.apiserver.parameters import flag
from cluster.apiserver.request import RequestInfo
from cluster.apiserver.stages.identity import require
from cluster.apiserver.subresources.log import _container

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
STDIN, STDOUT, STDERR, ERROR, CLOSE = 0, 1, 2, 3, 255
# Bytes that may wait in either direction before the session is ended: nobody fills the server's memory by not reading.
MAX_WAITING = 8 * 1024 * 1024
log = logging.getLogger(__name__)


class Flooded(Exception):
    """More waits than may wait."""


@dataclass(slots=True)
class Channels:
    """The session's ends: `stdin` fills as the client sends, `out` goes to it (None: the end).

    `written` and `sent` are bytes of output; `given` bytes of input. Flooded is raised past MAX_WAITING.
    """

    stdin: asyncio.Queue[bytes | None] = field(default_factory=asyncio.Queue)
    out: asyncio.Queue[bytes | None] = field(default_factory=asyncio.Queue)
    written: int = 0
    sent: int = 0
    given: int = 0

    def received(self, message: bytes) -> None:
        """A message from the client. Unknown channels are passed over."""
        if not message:
            return
        if message[0] == STDIN:
            # What was read already does not wait; an idle reader is told apart by its empty queue.
            self.given = len(message) + (self.given if self.stdin.qsize() else 0)
            if self.given > MAX_WAITING:
                raise Flooded
            self.stdin.put_nowait(message[1:])
        elif message[0] == CLOSE and message[1:2] == b"\x00":
            self.stdin.put_nowait(None)

    def write(self, data: bytes) -> None:
        self._put(STDOUT, data)

    def write_error(self, data: bytes) -> None:
        self._put(STDERR, data)

    def _put(self, channel: int, data: bytes) -> None:
        self.written += len(data)
        if self.written - self.sent > MAX_WAITING:
            raise Flooded
        self.out.put_nowait(bytes((channel,)) + data)

    def end(self, status: Obj) -> None:
        self.out.put_nowait(bytes((ERROR,)) + orjson.dumps(status))
        self.out.put_nowait(None)


Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Channelled:
    """A session of the channel protocol: takes the WebSocket over and works on its channels."""

    protocols = PROTOCOLS

    def __init__(self, work: Callable[[Channels], Awaitable[None]]) -> None:
        self._work = work

    async def run(self, protocol: str, receive: Receive, send: Send) -> None:
        """Until either side has ended it."""
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

        working = asyncio.ensure_future(self._work(channels))
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


def decode(context: Context) -> None:
    """POST is how SPDY clients ask; this server upgrades to WebSockets only."""
    _refuse_plain(context)


def _refuse_plain(context: Context) -> None:
    raise errors.bad_request("Upgrade request required")


def require_create(context: Context) -> None:
    """A GET that lets the caller act needs the verb of acting, too."""
    info = context.info
    require(
        context,
        RequestInfo(
            info.path,
            "create",
            True,
            info.group,
            info.version,
            info.namespace,
            info.resource,
            info.subresource,
            info.name,
        ),
    )


async def read(context: Context) -> dict[str, object]:
    require_create(context)
    info = context.info
    entry = context.server.storage.entry("pods", context.key)
    if entry is None:
        raise errors.not_found("pods", "", info.name)
    if context.scope.get("type") != "websocket":
        _refuse_plain(context)
    pod = entry.obj
    container, node = _container(context, pod), pod["spec"].get("nodeName")
    if not node:
        raise errors.bad_request(f"pod {info.name} does not have a host assigned")
    query = parse_qsl(context.scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    command = [value for name, value in query if name == "command"]
    if info.subresource == "exec" and not command:
        raise errors.bad_request("you must specify at least one command for the container")
    wants_stdin, tty = flag(context.params, "stdin"), flag(context.params, "tty")

    async def session(channels: Channels) -> None:
        stdin = channels.stdin if wants_stdin else None
        try:
            code = await context.server.nodes.execute(
                node,
                context.key[0],
                context.key[1],
                container,
                command,
                stdin,
                channels.write,
                channels.write_error,
                tty=tty,
            )
        except StatusError as error:
            channels.end(error.status)
            return
        except Flooded:
            channels.end(errors.internal("Internal error occurred: the client does not read").status)
            return
        except Exception as error:
            log.exception("%s %s/%s", info.subresource, *context.key)
            channels.end(errors.internal(type(error).__name__).status)
            return
        channels.end(_ended(command, code))

    context.response = Response(101, data=b"", content_type="text/plain", session=Channelled(session))
    return {"node": node, "container": container, "command": command[:1]}


def _ended(command: list[str], code: int) -> Obj:
    if not code:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }
