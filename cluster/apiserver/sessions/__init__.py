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


@dataclass(frozen=True, slots=True)
class Session:
    """Subprotocol → who speaks it; "" is a client that names none."""

    websocket: Mapping[str, Runner]
    spdy: Mapping[str, Runner] = field(default_factory=dict)
