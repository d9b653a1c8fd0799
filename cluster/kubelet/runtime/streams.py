"""Servers that speak bytes and no HTTP: one table from program to conversation.

A conversation reads what the client sends (None is its end) and writes what comes back; it is over when it returns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from cluster import clock
from cluster.kubelet.runtime.servers import Self
from cluster.kubelet.runtime.shell.options import whole

Incoming = asyncio.Queue[bytes | None]
Write = Callable[[bytes], None]
Conversation = Callable[[Self, Incoming, Write], Awaitable[None]]


def _number(me: Self, name: str) -> int:
    return whole(me.env.get(name, "")) or 0


async def _port_forward_tester(me: Self, incoming: Incoming, write: Write) -> None:
    """agnhost port-forward-tester: one connection, what it expects to hear, what it says, and then it ends."""
    me.log("Accepted client connection\n")
    expected = me.env.get("EXPECTED_CLIENT_DATA", "").encode()
    heard = b""
    while len(heard) < len(expected) and (data := await incoming.get()) is not None:
        heard += data
    if len(heard) < len(expected):
        me.log(f"Expected to read {len(expected)} bytes from client, but got {len(heard)} instead. err=EOF\n")
        me.end(2)
        return
    if expected:
        if not heard.startswith(expected):
            shown = heard[: len(expected)].decode("utf-8", "replace")
            me.log(f'Expect to read "{expected.decode()}", but got "{shown}". err=<nil>\n')
            me.end(3)
            return
        me.log("Received expected client data\n")
    chunks = _number(me, "CHUNKS")
    for number in range(chunks):
        write(b"x" * min(_number(me, "CHUNK_SIZE"), 1 << 20))
        if number + 1 < chunks:
            await clock.sleep(_number(me, "CHUNK_INTERVAL") / 1000)
    me.log("Shutting down connection\n")
    me.log("Done\n")
    me.end(0)


PROGRAMS: dict[str, Conversation] = {"port-forward-tester": _port_forward_tester}
