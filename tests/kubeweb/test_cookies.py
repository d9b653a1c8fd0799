"""The session's cookie on HTTPS is Secure, and one from plain HTTP is not believed there."""

from __future__ import annotations

import pytest

from kubeweb.cookies import inside, outside


def cookies(text):
    return dict(inside({"headers": [(b"host", b"x"), (b"cookie", text)]})["headers"])[b"cookie"]


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        (b"__Secure-sessionid=abc; csrftoken=t", b"sessionid=abc; csrftoken=t"),
        (b"sessionid=from-http; csrftoken=t", b"csrftoken=t"),
        (b"sessionid=from-http; __Secure-sessionid=abc", b"sessionid=abc"),
        (b"a=b=c", b"a=b=c"),
        (b"", b""),
    ],
)
def test_what_comes_in(sent, seen):
    assert cookies(sent) == seen


def test_what_goes_out():
    message = {
        "type": "http.response.start",
        "status": 200,
        "headers": [
            (b"Set-Cookie", b"sessionid=abc; HttpOnly; Path=/"),
            (b"Set-Cookie", b"csrftoken=t; Path=/"),
            (b"Content-Type", b"text/html"),
        ],
    }
    assert outside(message)["headers"] == [
        (b"Set-Cookie", b"__Secure-sessionid=abc; HttpOnly; Path=/; Secure"),
        (b"Set-Cookie", b"csrftoken=t; Path=/"),
        (b"Content-Type", b"text/html"),
    ]
    body = {"type": "http.response.body", "body": b"x"}
    assert outside(body) is body
