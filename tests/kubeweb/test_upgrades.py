"""Who may go on in SPDY: sessions of pods alone."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from twisted.web.http_headers import Headers

from kubeweb.upgrades import Upgraded, asks_for_spdy

POD = b"/api/v1/namespaces/a/pods/b"


def request(uri, method=b"POST", upgrade=b"SPDY/3.1"):
    headers = Headers({b"upgrade": [upgrade]} if upgrade else {})
    return SimpleNamespace(uri=uri, method=method, requestHeaders=headers)


@pytest.mark.parametrize("session", [b"/exec?command=ls", b"/attach", b"/portforward"])
@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_sessions(session, method):
    assert asks_for_spdy(request(POD + session, method))


@pytest.mark.parametrize(
    ("uri", "method", "upgrade"),
    [
        (POD, b"DELETE", b"SPDY/3.1"),
        (POD + b"/exec", b"DELETE", b"SPDY/3.1"),
        (POD + b"/log?follow=true", b"GET", b"SPDY/3.1"),
        (b"/api/v1/pods?watch=1&x=/exec", b"GET", b"SPDY/3.1"),
        (b"/ws/explorer/exec", b"GET", b"SPDY/3.1"),
        (POD + b"/exec", b"POST", b"websocket"),
        (POD + b"/exec", b"POST", b""),
    ],
)
def test_everything_else_stays_what_it_is(uri, method, upgrade):
    assert not asks_for_spdy(request(uri, method, upgrade))


def test_what_comes_after_the_end_is_read_by_nobody():
    kept = []
    connection = Upgraded(None)
    connection.transport = SimpleNamespace(
        write=lambda data: None, unregisterProducer=lambda: None, loseConnection=lambda: None
    )
    connection.queue = SimpleNamespace(put_nowait=kept.append)
    connection.dataReceived(b"before")
    connection.handle_reply({"type": "websocket.accept"})
    connection.handle_reply({"type": "websocket.close", "code": 1000})
    connection.dataReceived(b"after")
    assert [one["bytes"] for one in kept] == [b"before"]
