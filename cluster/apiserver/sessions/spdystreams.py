"""A command's streams over SPDY/3.1: one stream each, which the client opens and names (kubelet's remotecommand, httpstream/spdy)."""

from __future__ import annotations

import asyncio
from functools import partial

from cluster.apiserver.sessions import MAX_WAITING, NOT_SPOKEN, Receive, Runner, Send
from cluster.apiserver.sessions.channels import ERROR, STDERR, STDIN, STDOUT, Channels, Flooded, Work, drive
from cluster.apiserver.sessions.spdy import DATA, GOAWAY, PING, RST_STREAM, SYN_STREAM, Broken, Framer

RESIZE = 4
NAMES = {"error": ERROR, "stdin": STDIN, "stdout": STDOUT, "stderr": STDERR, "resize": RESIZE}
# Seconds that a client has to open its streams.
PATIENCE = 30.0


def spdy_protocols(work: Work, needed: frozenset[int]) -> dict[str, Runner]:
    """Versions of the protocol, newest first. `needed`: the channels that the client will open (no `resize` before v3)."""
    older = needed - {RESIZE}
    return {
        "v4.channel.k8s.io": partial(_run, work, needed, False),
        "v3.channel.k8s.io": partial(_run, work, needed, True),
        "v2.channel.k8s.io": partial(_run, work, older, True),
        "channel.k8s.io": partial(_run, work, older, True),
    }


async def _run(work: Work, needed: frozenset[int], plain: bool, receive: Receive, send: Send) -> None:
    channels = Channels(needed & {STDOUT, STDERR}, plain)
    framer, streams, ready = Framer(), dict[int, int](), asyncio.Event()
    replies: asyncio.Queue[bytes] = asyncio.Queue()

    def heard(data: bytes) -> bool:
        """Frames of the client; False after its farewell."""
        for frame in framer.feed(data):
            if frame.kind == SYN_STREAM:
                channel = NAMES.get(frame.headers.get("streamtype", ""))
                if channel is None or channel in streams.values():
                    raise Broken("a stream that nobody asked for")
                streams[frame.stream] = channel
                replies.put_nowait(framer.syn_reply(frame.stream))
                if needed <= set(streams.values()):
                    ready.set()
                if frame.ends:
                    channels.hang_up(channel)
            elif frame.kind == DATA and frame.stream in streams:
                if frame.data:
                    channels.received(streams[frame.stream], frame.data)
                if frame.ends:
                    channels.hang_up(streams[frame.stream])
            elif frame.kind == RST_STREAM and frame.stream in streams:
                channels.hang_up(streams[frame.stream])
            elif frame.kind == PING:
                replies.put_nowait(framer.ping(frame.data))
            elif frame.kind == GOAWAY:
                return False
            if replies.qsize() * 16 > MAX_WAITING:
                raise Flooded
        return True

    async def listen() -> None:
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect" or not heard(message.get("bytes") or b""):
                return
            await channels.heard()

    async def answer() -> None:
        while True:
            await send({"type": "websocket.send", "bytes": await replies.get()})

    async def speak() -> None:
        await asyncio.wait_for(ready.wait(), PATIENCE)
        by_channel = {channel: stream for stream, channel in streams.items()}

        async def tell(channel: int, data: bytes, *, ends: bool = False) -> None:
            if channel in by_channel:
                content = framer.data(by_channel[channel], data, ends=ends)
                await send({"type": "websocket.send", "bytes": content})

        while (said := await channels.out.get()) is not None:
            channel, data = said
            if channel == ERROR:
                # A client reads its output to the end, then asks how it went.
                for output in (STDOUT, STDERR):
                    await tell(output, b"", ends=True)
            await tell(channel, data)
            channels.told(data)
        for channel in (STDOUT, STDERR, ERROR):
            await tell(channel, b"", ends=True)
        await send({"type": "websocket.close", "code": 1000})

    async def begin() -> None:
        await ready.wait()
        await work(channels)

    for result in await drive(speak(), listen(), answer(), beside=begin()):
        if isinstance(result, Flooded | Broken | TimeoutError):
            await send({"type": "websocket.close", "code": NOT_SPOKEN})
        elif isinstance(result, Exception):
            raise result
