"""Daphne, as an API server needs it: prompt, bounded, with TLS and client certificates.

What differs from `daphne.server.Server`, and why:
- a finished request is forgotten at once instead of by a sweep once a second (the sweep was most of the 99th percentile);
- a body is refused while it arrives when it grows past what the API accepts, instead of being collected first;
- a stream waits for its client (push producer), so that a stalled watcher holds a few kilobytes and not megabytes;
- an answer that is there as a whole is written as a whole, without a detour through header objects;
- SPDY/3.1 upgrades are served beside WebSockets (`upgrades`);
- HTTPS listens beside HTTP; a verified client certificate is handed to the application in `scope["extensions"]["tls"]`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

# Importing this installs Twisted's asyncio reactor, which must happen before anything else asks for a reactor.
from kubeweb.daphne_server import Server  # isort: skip

from daphne.http_protocol import HTTPFactory, WebRequest
from OpenSSL import crypto
from twisted.internet import reactor
from twisted.internet.error import CannotListenError
from twisted.internet.ssl import CertificateOptions, TLSVersion
from twisted.python.failure import Failure
from twisted.web.http import NO_BODY_CODES, RESPONSES
from twisted.web.http_headers import Headers

from kubeweb.upgrades import Upgraded, asks_for_spdy, upgrade
from kubeweb.valve import Valve

__all__ = ["ClusterServer", "finish_loop", "reactor"]

log = logging.getLogger(__name__)

# Bytes of a body beyond which a connection is not even read any further; the API's own limit (3 MiB) answers below that.
MAX_UPLOAD = 8 * 1024 * 1024


@lru_cache(maxsize=1000)
def _line(name: bytes) -> bytes:
    """How a header's line begins, spelled as Twisted spells it."""
    ((spelled, _),) = Headers({name: [b""]}).getAllRawHeaders()
    return b"\r\n%s: " % spelled


class Request(WebRequest):  # type: ignore[misc]
    """A request whose body is bounded and whose stream is metered; an answer that is there as a whole goes out as a whole."""

    valve: Valve | None = None
    received = 0
    # The start of an answer whose body has not come yet.
    head: Mapping[str, Any] | None = None

    def __init__(self, *args: Any, **options: Any) -> None:
        # Applications read bodies themselves; reading forms for nobody was a sixth of a POST.
        super().__init__(*args, parsePOSTFormSubmission=False, **options)

    def process(self) -> Any:
        if asks_for_spdy(self):
            return upgrade(self)
        return super().process()

    def handle_reply(self, message: Mapping[str, Any]) -> None:
        """The start waits for what comes next: head and body in one piece, or, where it is not that simple, Daphne's own way."""
        if self.finished or self.channel is None:
            return
        if message["type"] == "http.response.start" and self.head is None and not self._response_started:
            self.head = message
            return
        head, self.head = self.head, None
        if head is not None:
            if message["type"] == "http.response.body" and not message.get("more_body") and self._whole(head, message):
                return
            super().handle_reply(head)
        super().handle_reply(message)

    def _whole(self, head: Mapping[str, Any], message: Mapping[str, Any]) -> bool:
        """Send it; False when Twisted has to see to its framing or to its headers."""
        code: int = head["status"]
        if self.method == b"HEAD" or code < 200 or code in NO_BODY_CODES:
            return False
        parts, sized, lines = [b"%s %d %s" % (self.clientproto, code, RESPONSES.get(code, b"Unknown Status"))], False, 0
        kept = ((name, value) for name, values in self.responseHeaders.getAllRawHeaders() for value in values)
        for name, value in chain(kept, head["headers"], ((b"server", self.server.server_name.encode()),)):
            sized = sized or name == b"content-length"
            parts += (_line(name), value)
            lines += 1
        text = b"".join(parts)
        # A value with a line's end of its own is for Twisted to put right.
        if not sized or not text.count(b"\r") == text.count(b"\n") == lines:
            return False
        body = message.get("body", b"")
        self._response_started = True
        self.startedWriting = 1
        self.code = code
        self.sentLength += len(body)
        self.channel.writeSequence([text, b"\r\n\r\n", body])
        self.finish()
        return True

    def gotLength(self, length: int | None) -> None:
        if length is not None and length > MAX_UPLOAD:
            self._refuse()
            return
        super().gotLength(length)

    def handleContentChunk(self, data: bytes) -> None:
        self.received += len(data)
        if self.received > MAX_UPLOAD:
            self._refuse()
            return
        super().handleContentChunk(data)

    def _refuse(self) -> None:
        if self.channel is not None:
            self.channel.transport.write(b"HTTP/1.1 413 Request Entity Too Large\r\nConnection: close\r\n\r\n")
            self.channel.transport.loseConnection()


class Factory(HTTPFactory):  # type: ignore[misc]
    """Builds protocols that make our requests."""

    def buildProtocol(self, addr: Any) -> Any:
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = Request
        return protocol

    def log(self, request: Any) -> None:
        """No access log: requests are in the journeys and the metrics, and formatting lines costs a tenth of a GET."""


class ClusterServer(Server):  # type: ignore[misc]
    """See the module's docstring. `https` is (host, port, certificate file, key file, client CA file)."""

    def __init__(self, *args: Any, https: tuple[str, int, Path, Path, Path] | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.https = https
        # Why nobody can reach one of the addresses, if so.
        self.unheard = ""

    def run(self) -> None:
        if self.https is not None:
            reactor.callWhenRunning(self._listen_tls)
        super().run()

    def _listen_tls(self) -> None:
        assert self.https is not None
        host, port, certificate_file, key_file, ca_file = self.https
        chain = _certificates(certificate_file)
        options = CertificateOptions(
            privateKey=crypto.load_privatekey(crypto.FILETYPE_PEM, key_file.read_bytes()),
            certificate=chain[0],
            extraCertChain=chain[1:],
            verify=True,
            requireCertificate=False,
            caCerts=_certificates(ca_file),
            raiseMinimumTo=TLSVersion.TLSv1_2,
            acceptableProtocols=[b"http/1.1"],
        )
        # Sessions are resumed by context; without a name for it, OpenSSL refuses clients that try.
        options.getContext().set_session_id(b"kubeweb")
        factory = Factory(self)
        try:
            reactor.listenSSL(port, factory, options, interface=host, backlog=1024)
        except CannotListenError:
            self.listen_error(Failure())

    def listen_error(self, failure: Failure) -> None:
        """A cluster that can be reached by half is none: stop, and let whoever started it say why."""
        self.unheard = failure.getErrorMessage()
        self.stop()

    # -- requests ------------------------------------------------------------------------------------------------

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        transport = _transport(protocol)
        secure = hasattr(transport, "getPeerCertificate")
        if scope["type"] == "websocket":
            # Daphne does not say; origins and cookies depend on it.
            scope["scheme"] = "wss" if secure else "ws"
        if secure:
            certificate = _client_certificate(transport)
            if certificate is not None:
                scope.setdefault("extensions", {})["tls"] = {"client_cert": certificate}
        queue = super().create_application(protocol, scope)
        details = self.connections.get(protocol)
        if details is not None and "application_instance" in details:
            details["application_instance"].add_done_callback(lambda future: self._reap(protocol, future))
        return queue

    def _reap(self, protocol: Any, future: asyncio.Future[Any]) -> None:
        """Forget a finished application; tell of its exception."""
        details = self.connections.get(protocol)
        if details is None:
            return
        if not future.cancelled() and (exception := future.exception()) is not None:
            log.error("exception in the application", exc_info=exception)
            if "disconnected" not in details:
                protocol.handle_exception(exception)
        details.pop("application_instance", None)
        if "disconnected" in details:
            del self.connections[protocol]

    def protocol_disconnected(self, protocol: Any) -> None:
        details = self.connections.get(protocol)
        if details is None:
            return
        if "application_instance" not in details:
            del self.connections[protocol]
            return
        super().protocol_disconnected(protocol)

    async def handle_reply(self, protocol: Any, message: Mapping[str, Any]) -> None:
        await super().handle_reply(protocol, message)
        if isinstance(protocol, Upgraded):
            await protocol.valve.open.wait()
            return
        if message["type"] != "http.response.body" or not isinstance(protocol, Request):
            return
        if message.get("more_body"):
            if protocol.valve is None and protocol.channel is not None and not protocol.finished:
                protocol.valve = Valve()
                protocol.registerProducer(protocol.valve, True)
            if protocol.valve is not None and not protocol.valve.open.is_set():
                await protocol.valve.open.wait()

    def kill_all_applications(self) -> Any:
        for details in self.connections.values():
            details.setdefault("application_instance", _FINISHED)
        return super().kill_all_applications()


class _Finished:
    def done(self) -> bool:
        return True


_FINISHED = _Finished()


def _certificates(path: Path) -> list[crypto.X509]:
    marker = b"-----END CERTIFICATE-----"
    parts = [part + marker for part in path.read_bytes().split(marker) if b"BEGIN CERTIFICATE" in part]
    return [crypto.load_certificate(crypto.FILETYPE_PEM, part) for part in parts]


def _transport(protocol: Any) -> Any:
    """The connection below a request, or below a WebSocket."""
    channel = getattr(protocol, "channel", None)
    return getattr(channel if channel is not None else protocol, "transport", None)


def _client_certificate(transport: Any) -> bytes | None:
    """The peer's certificate (DER), which the TLS layer has verified against our CA; None without one.

    Asked once a connection: it was settled by the handshake, and asking is a twentieth of a GET.
    """
    try:
        known: bytes | None = transport.kubeweb_certificate
    except AttributeError:
        peer = transport.getPeerCertificate()
        known = None if peer is None else crypto.dump_certificate(crypto.FILETYPE_ASN1, peer)
        transport.kubeweb_certificate = known
    return known


def finish_loop(loop: asyncio.AbstractEventLoop) -> None:
    """After the reactor: cancel and gather what is left, then the async generators, then close (else 3.11 crashes)."""
    tasks = [task for task in asyncio.all_tasks(loop) if not task.done()]
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
