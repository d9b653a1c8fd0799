"""An answer that goes out as a whole is, line for line, what Daphne and Twisted would have written."""

from __future__ import annotations

import pytest
from daphne.http_protocol import WebRequest
from twisted.web.http import HTTPChannel

from kubeweb.httpd import Request

HEADERS = [(b"content-type", b"application/json"), (b"etag", b'"1"'), (b"www-authenticate", b"x"), (b"warning", b"a")]


class Server:
    server_name = "kubeweb"

    def __getattr__(self, name):
        return lambda *arguments: None


class Channel:
    """As much of an HTTPChannel as a request needs."""

    site = None
    writeHeaders = HTTPChannel.writeHeaders

    def __init__(self):
        self.written = b""
        self.transport = self
        self.factory = type("Factory", (), {"server": Server(), "log": lambda *arguments: None})()

    def write(self, data):
        self.written += data

    def writeSequence(self, parts):
        self.written += b"".join(parts)

    def requestDone(self, request):
        pass

    def __getattr__(self, name):
        return lambda *arguments: None


def answered(reply, messages, method=b"GET", version=b"HTTP/1.1", kept=()):
    channel = Channel()
    request = Request(channel)
    request.method, request.clientproto, request.uri, request.request_start = method, version, b"/", 0.0
    for name, value in kept:
        request.responseHeaders.addRawHeader(name, value)
    for message in messages:
        reply(request, message)
    assert request.finished
    head, _, rest = channel.written.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    # Twisted writes headers of one name side by side.
    return first, sorted(lines), rest


def start(*headers, status=200):
    return {"type": "http.response.start", "status": status, "headers": [*HEADERS, *headers]}


def body(data, more=False):
    return {"type": "http.response.body", "body": data, "more_body": more}


SIZED = (b"content-length", b"2")


@pytest.mark.parametrize(
    ("messages", "more"),
    [
        ([start(SIZED), body(b"{}")], {}),
        ([start(SIZED, status=404), body(b"{}")], {"version": b"HTTP/1.0", "kept": [(b"connection", b"close")]}),
        ([start(SIZED, (b"warning", b"b")), body(b"{}")], {}),
        ([start(SIZED, (b"x", b"one\r\nSet-Cookie: evil=1")), body(b"{}")], {}),
        ([start(SIZED, (b"x", b"one\nSet-Cookie: evil=1")), body(b"{}")], {}),
        ([start(SIZED), body(b"{}")], {"method": b"HEAD"}),
        ([start(status=204), body(b"")], {}),
        ([start(SIZED, status=599), body(b"{}")], {}),
        ([start(), body(b"{}")], {}),
        ([start(), body(b"", True), body(b"{}", True), body(b"")], {}),
    ],
)
def test_an_answer_is_what_daphne_would_have_written(messages, more):
    found = answered(Request.handle_reply, messages, **more)
    assert found == answered(WebRequest.handle_reply, messages, **more)
    assert not any(line.startswith(b"Set-Cookie") for line in found[1])
