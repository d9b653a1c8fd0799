"""What goes on over a connection that a request has been upgraded to: a WebSocket, or SPDY/3.1 as clients before 1.30 speak it.

A `Session` says which subprotocols it knows on either, and what speaks each of them. `cluster.apiserver.sockets` lets it run.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
# Speaks until either side has ended the session.
Runner = Callable[[Receive, Send], Awaitable[None]]
# Bytes that may wait in either direction before a session is ended: nobody fills the server's memory by not reading.
MAX_WAITING = 8 * 1024 * 1024
# How a WebSocket is closed whose client breaks the protocol spoken on it, or lets more wait than may (1002 and 1009 are no
# application's to send).
NOT_SPOKEN, TOO_MUCH = 4002, 4009


@dataclass(frozen=True, slots=True)
class Session:
    """Subprotocol → who speaks it; "" is a client that names none."""

    websocket: Mapping[str, Runner]
    spdy: Mapping[str, Runner] = field(default_factory=dict)
