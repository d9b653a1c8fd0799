"""What simulated servers answer when they fail, and the names of files that they tell."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.kubelet.runtime import fileserver
from cluster.kubelet.runtime.cri import HTTPRequest, HTTPResult
from cluster.kubelet.runtime.servers import Handler, answer, path_of
from cluster.kubelet.runtime.shell.files import Files, root_of


def _broken(me: Any, request: HTTPRequest) -> HTTPResult:
    raise KeyError("secret")


async def _broken_later(me: Any, request: HTTPRequest) -> HTTPResult:
    raise KeyError("secret")


@pytest.mark.parametrize("handler", [_broken, _broken_later])
async def test_a_fault_of_a_server_is_its_500_and_is_logged(handler: Handler, caplog: pytest.LogCaptureFixture) -> None:
    told: list[str] = []
    me: Any = SimpleNamespace(port=80, log=told.append)
    found = await answer(handler, me, HTTPRequest("/x", client="10.0.0.1"))
    assert (found.status, found.body) == (500, "Internal Server Error\n")
    assert told == ["panic serving 10.0.0.1: KeyError"]
    assert "the simulated server on port 80: GET /x" in caplog.text and "KeyError" in caplog.text


@pytest.mark.parametrize(("status", "shown"), [(200, 200), (99, 0), (1000, 0), (2**62, 0)])
async def test_a_status_that_is_none_ends_the_connection(status: int, shown: int) -> None:
    found = await answer(lambda me, request: HTTPResult(status), SimpleNamespace(), HTTPRequest())  # type: ignore[arg-type]
    assert (found.status, found.error) == (shown, "" if shown else "EOF")


def test_the_file_server_tells_names_that_are_not_utf_8_as_links_that_lead_there() -> None:
    odd = os.fsdecode(b"caf\xe9 <1>")
    files = Files(root_of({f"/d/{odd}": b"here", f"/d/{odd}.d/f": b""}))
    listing = fileserver.serve(files, "/d/")
    assert listing.body == (
        '<pre>\n<a href="caf%E9%20%3C1%3E">caf\ufffd &lt;1&gt;</a>\n'
        '<a href="caf%E9%20%3C1%3E.d/">caf\ufffd &lt;1&gt;.d/</a>\n</pre>\n'
    )
    listing.body.encode()
    assert fileserver.serve(files, path_of(HTTPRequest("/d/caf%E9%20%3C1%3E"))).body == "here"
    redirected = fileserver.serve(files, path_of(HTTPRequest("/d/caf%E9%20%3C1%3E.d")))
    assert (redirected.status, redirected.headers["Location"]) == (301, "caf%E9%20%3C1%3E.d/")
