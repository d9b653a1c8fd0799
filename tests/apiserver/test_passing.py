"""Headers that go on, and those that end here."""

from __future__ import annotations

from cluster.apiserver.passing import passed_on


def test_nothing_that_proves_who_asks_goes_on():
    ours = (
        b"authorization",
        b"cookie",
        b"x-csrftoken",
        b"sec-websocket-protocol",
        b"impersonate-user",
        b"x-remote-user",
        b"transfer-encoding",
        b"upgrade",
    )
    assert passed_on({**dict.fromkeys(ours, b"secret"), b"accept": b"text/html", b"x-own": b"1"}) == {
        "Accept": "text/html",
        "X-Own": "1",
    }
