"""Servers that speak bytes: what the tester of port forwarding hears, says, logs and ends with."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.kubelet.runtime.streams import PROGRAMS

SPEAKS = {"CHUNKS": "3", "CHUNK_SIZE": "4", "CHUNK_INTERVAL": "0"}


@pytest.mark.parametrize(
    ("env", "sent", "back", "code", "told"),
    [
        (SPEAKS, [], b"xxxxxxxxxxxx", 0, "Done"),
        ({**SPEAKS, "EXPECTED_CLIENT_DATA": "abc"}, [b"a", b"bc"], b"xxxxxxxxxxxx", 0, "Received expected client data"),
        (
            {**SPEAKS, "EXPECTED_CLIENT_DATA": "abc"},
            [None],
            b"",
            2,
            "Expected to read 3 bytes from client, but got 0 instead",
        ),
        ({**SPEAKS, "EXPECTED_CLIENT_DATA": "abc"}, [b"xyz"], b"", 3, 'Expect to read "abc", but got "xyz"'),
    ],
)
async def test_the_port_forward_tester(
    env: dict[str, str], sent: list[bytes | None], back: bytes, code: int, told: str
) -> None:
    written, logged, ended = bytearray(), [], []
    me: Any = SimpleNamespace(env=env, log=logged.append, end=ended.append)
    incoming: asyncio.Queue[bytes | None] = asyncio.Queue()
    for one in sent:
        incoming.put_nowait(one)
    await PROGRAMS["port-forward-tester"](me, incoming, written.extend)
    assert (bytes(written), ended) == (back, [code])
    assert "Accepted client connection" in logged[0] and told in "".join(logged)
