"""SPDY/3.1 beside WebSockets: a request that asks for the upgrade becomes a connection of bytes both ways.

Kubernetes' clients before 1.30 exec, attach and forward ports over it. To the application it looks like a WebSocket whose messages are
the bytes as they come, with `scope["extensions"]["spdy"]`; its subprotocols are those of X-Stream-Protocol-Version. A refusal is an
ordinary HTTP answer (ASGI's `websocket.http.response`).
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from twisted.internet.protocol import Protocol
from twisted.protocols.policies import ProtocolWrapper

from kubeweb.valve import Valve

log = logging.getLogger(__name__)
SPDY = b"spdy/3.1"
# The subresources that are spoken to over it.
SESSIONS = frozenset({b"exec", b"attach", b"portforward"})
VERSIONS = b"X-Stream-Protocol-Version"


def asks_for_spdy(request: Any) -> bool:
    """Whether a request wants to go on in SPDY, and may: everywhere else the header is passed over, as in Kubernetes."""
    wanted: list[bytes] = request.requestHeaders.getRawHeaders(b"upgrade", [])
    if not wanted or wanted[0].lower() != SPDY or request.method not in (b"GET", b"POST"):
        return False
    path: bytes = request.uri.partition(b"?")[0]
    return path.startswith(b"/api/") and path.rpartition(b"/")[2] in SESSIONS


def upgrade(request: Any) -> None:
    """Take the connection away from HTTP, and ask the application."""
    peer, host = request.client, request.getHost()
    versions = request.requestHeaders.getRawHeaders(VERSIONS, [])
    scope = {
        "type": "websocket",
        "method": request.method.decode("ascii"),
        "path": unquote(request.path.decode("ascii", "replace")),
        "raw_path": request.path,
        "root_path": "",
        "headers": [
            (name.lower(), value)
            for name, values in request.requestHeaders.getAllRawHeaders()
            for value in values
            if b"_" not in name
        ],
        "query_string": request.uri.partition(b"?")[2],
        "client": [str(peer.host), peer.port],
        "server": [str(host.host), host.port],
        "subprotocols": [
            one.strip() for value in versions for one in value.decode("latin-1").split(",") if one.strip()
        ],
        "extensions": {"spdy": {}, "websocket.http.response": {}},
    }
    server, channel, transport = request.server, request.channel, request.transport
    protocol = Upgraded(server)
    request.transport = None
    if isinstance(transport, ProtocolWrapper):
        # TLS wraps the protocol.
        transport.wrappedProtocol = protocol
    else:
        transport.protocol = protocol
    transport.unregisterProducer()
    protocol.makeConnection(transport)
    server.protocol_disconnected(request)
    protocol.begin(scope)
    channel._networkProducer.resumeProducing()


class Upgraded(Protocol):  # type: ignore[misc]
    """The connection. Speaks Daphne's protocol for protocols, as its WebSockets do."""

    application_type = "websocket"

    def __init__(self, server: Any) -> None:
        self.server = server
        self.valve = Valve()
        self.accepted = False
        self.over = False
        self.queue: Any = None
        self.status = 403
        self.headers: list[tuple[bytes, bytes]] = []

    def begin(self, scope: dict[str, Any]) -> None:
        self.transport.registerProducer(self.valve, True)
        self.server.protocol_connected(self)
        self.queue = self.server.create_application(self, scope)
        self.queue.put_nowait({"type": "websocket.connect"})

    # -- from the client -----------------------------------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        # Whoever goes on talking after the end is read by nobody.
        if self.over:
            return
        self.queue.put_nowait({"type": "websocket.receive", "bytes": data})

    def connectionLost(self, reason: Any = None) -> None:
        self.valve.open.set()
        self.server.protocol_disconnected(self)
        self.queue.put_nowait({"type": "websocket.disconnect", "code": 1006})

    # -- from the application ------------------------------------------------------------------------------------------

    def handle_reply(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "websocket.accept":
            self.accepted = True
            version = (message.get("subprotocol") or "").encode("latin-1")
            said = [(b"Connection", b"Upgrade"), (b"Upgrade", b"SPDY/3.1")]
            self._head(101, [*said, (VERSIONS, version)] if version else said)
        elif kind == "websocket.send":
            self.transport.write(message["bytes"])
        elif kind == "websocket.http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        elif kind == "websocket.http.response.body":
            self._refuse(message["body"])
        elif kind == "websocket.close":
            self.over = True
            if self.accepted:
                self._hang_up()
            else:
                self._refuse(b"")

    def _head(self, code: int, headers: list[tuple[bytes, bytes]]) -> None:
        lines = [f"HTTP/1.1 {code} {HTTPStatus(code).phrase}".encode(), *(b": ".join(pair) for pair in headers)]
        self.transport.write(b"\r\n".join(lines) + b"\r\n\r\n")

    def _refuse(self, body: bytes) -> None:
        length = (b"Content-Length", str(len(body)).encode())
        self._head(self.status, [*self.headers, length, (b"Connection", b"close")])
        self.transport.write(body)
        self._hang_up()

    def _hang_up(self) -> None:
        # TLS keeps a connection for as long as somebody may still want to write.
        self.transport.unregisterProducer()
        self.valve.open.set()
        self.transport.loseConnection()

    def handle_exception(self, exception: Exception) -> None:
        """The application failed (its exception is in the log already)."""
        if self.accepted:
            self._hang_up()
        else:
            self.status = 500
            self._refuse(b"")

    def check_timeouts(self) -> None:
        """Its session decides how long it goes on."""
