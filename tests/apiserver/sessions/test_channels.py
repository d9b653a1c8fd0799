"""A command's streams: how much waits, who waits for it, and what is too much."""

from __future__ import annotations

import asyncio

import pytest

from cluster.apiserver.sessions import MAX_WAITING
from cluster.apiserver.sessions.channels import PIECE, ROOM, STDIN, Channels, Flooded


async def test_much_output_goes_in_messages_of_a_bounded_size_and_its_writer_waits_for_the_client() -> None:
    channels = Channels()
    data = bytes(range(256)) * (ROOM // 256) + b"more"
    channels.write(data)
    waiting = asyncio.ensure_future(channels.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    heard = b""
    while channels.out.qsize():
        _, piece = channels.out.get_nowait() or (0, b"")
        assert len(piece) <= PIECE
        heard += piece
        channels.told(piece)
    await waiting
    assert heard == data


async def test_what_was_read_does_not_wait_any_more() -> None:
    channels = Channels()
    part = b"x" * (MAX_WAITING // 2)
    for _ in range(5):
        channels.received(STDIN, part)
        channels.received(STDIN, b"y")
        assert await channels.stdin.get() == part
        assert await channels.stdin.get() == b"y"
    channels.received(STDIN, part)
    channels.received(STDIN, part)
    with pytest.raises(Flooded):
        channels.received(STDIN, b"z")


async def test_whoever_reads_has_a_turn_before_more_is_received() -> None:
    channels, read = Channels(), 0

    async def reader() -> None:
        nonlocal read
        while (data := await channels.stdin.get()) is not None:
            read += len(data)

    reading = asyncio.ensure_future(reader())
    # Four times what may wait, from a client whose messages are all there at once.
    for _ in range(4 * MAX_WAITING // ROOM):
        channels.received(STDIN, b"x" * ROOM)
        await channels.heard()
    channels.hang_up(STDIN)
    await reading
    assert read == 4 * MAX_WAITING
