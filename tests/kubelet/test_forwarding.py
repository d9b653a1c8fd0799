"""Bytes through a forwarded port: whole requests, requests in pieces, several on one connection."""

from __future__ import annotations

import zlib

from cluster.apiserver.sessions.spdy import DATA, DICTIONARY, PING, SYN_STREAM, Broken, Frame, Framer
from cluster.kubelet.forwarding import _take


def test_requests_are_taken_one_by_one() -> None:
    waiting = bytearray(b"GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\nPOST /d HTTP/1.1\r\nContent-Length: 4\r\n\r\nbo")
    taken = _take(waiting)
    assert taken is not None
    request, keep = taken
    assert (request.method, request.path, request.headers, keep) == ("GET", "/a?b=c", {"Host": "x"}, True)
    assert _take(waiting) is None
    waiting += b"dy"
    taken = _take(waiting)
    assert taken is not None and (taken[0].path, taken[0].body) == ("/d", b"body")
    assert not waiting


def test_what_is_no_http_is_dropped() -> None:
    waiting = bytearray(b"\x16\x03\x01\r\n\r\n")
    assert _take(waiting) is None and not waiting


def test_spdy_frames_go_there_and_back() -> None:
    assert zlib.adler32(DICTIONARY) == 0xE3C6A7C2
    client, server = Framer(), Framer()
    sent = client.syn_stream(1, {"streamType": "data", "port": "80", "requestID": "0"})
    sent += client.data(1, b"hello", ends=True) + client.ping(b"\0\0\0\7")
    frames: list[Frame] = []
    for byte in sent:
        frames += server.feed(bytes((byte,)))
    assert [frame.kind for frame in frames] == [SYN_STREAM, DATA, PING]
    assert frames[0].headers == {"streamtype": "data", "port": "80", "requestid": "0"}
    assert (frames[1].stream, frames[1].data, frames[1].ends) == (1, b"hello", True)
    second = client.syn_stream(3, {"streamType": "error"})
    assert next(iter(server.feed(second))).headers == {"streamtype": "error"}


def test_nonsense_is_no_spdy() -> None:
    for data in (b"\x80\x02\0\1\0\0\0\4\0\0\0\0", b"\x80\x03\0\1\0\0\0\x0c" + b"\xff" * 12, b"\0\0\0\1\0\xff\xff\xff"):
        try:
            list(Framer().feed(data))
        except Broken:
            continue
        raise AssertionError(data)
