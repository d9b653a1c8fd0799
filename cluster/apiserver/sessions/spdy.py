"""SPDY/3.1 frames, as far as exec and port-forwarding need them: streams with headers, data, pings (moby/spdystream).

Clients speak it over an upgraded connection, or inside of a WebSocket (`SPDY/3.1+portforward.k8s.io`). Pure: bytes in, frames out.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

SYN_STREAM, SYN_REPLY, RST_STREAM, SETTINGS, PING, GOAWAY, HEADERS, WINDOW_UPDATE = 1, 2, 3, 4, 6, 7, 8, 9
DATA = 0
FIN = 0x01
VERSION = 3
# No frame of an honest client is larger; headers are small.
MAX_FRAME, MAX_HEADERS = 1024 * 1024, 64 * 1024

_WORDS = [
    "options",
    "head",
    "post",
    "put",
    "delete",
    "trace",
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "accept-ranges",
    "age",
    "allow",
    "authorization",
    "cache-control",
    "connection",
    "content-base",
    "content-encoding",
    "content-language",
    "content-length",
    "content-location",
    "content-md5",
    "content-range",
    "content-type",
    "date",
    "etag",
    "expect",
    "expires",
    "from",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "last-modified",
    "location",
    "max-forwards",
    "pragma",
    "proxy-authenticate",
    "proxy-authorization",
    "range",
    "referer",
    "retry-after",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "vary",
    "via",
    "warning",
    "www-authenticate",
    "method",
    "get",
    "status",
]
_MORE = ("200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin")
_TAIL = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative "
    "Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal Server "
    "Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, "
    "Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,"
    "text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)
# What both sides have compressed before: the protocol's own dictionary (its checksum is 0xe3c6a7c2).
DICTIONARY = b"".join(struct.pack(">I", len(word)) + word.encode() for word in (*_WORDS, *_MORE)) + _TAIL.encode()


class Broken(Exception):
    """The other side does not speak SPDY."""


@dataclass(slots=True)
class Frame:
    """One frame. `kind` DATA or a control type; `headers` of SYN_STREAM and SYN_REPLY; `data` of all others."""

    kind: int
    stream: int
    flags: int = 0
    data: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def ends(self) -> bool:
        """Whether the sender sends no more on this stream."""
        return bool(self.flags & FIN)


class Framer:
    """One side of a connection: `feed` bytes and get frames; the other methods make bytes."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)
        self._deflate = zlib.compressobj(zdict=DICTIONARY)

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are complete now; Broken when this is no SPDY."""
        self._waiting += data
        while len(self._waiting) >= 8:
            first, rest = struct.unpack(">II", self._waiting[:8])
            length = rest & 0xFFFFFF
            if length > MAX_FRAME:
                raise Broken(f"a frame of {length} bytes")
            if len(self._waiting) < 8 + length:
                return
            body = bytes(self._waiting[8 : 8 + length])
            del self._waiting[: 8 + length]
            yield self._frame(first, rest >> 24, body)

    def _frame(self, first: int, flags: int, body: bytes) -> Frame:
        if not first >> 31:
            return Frame(DATA, first, flags, body)
        kind = first & 0xFFFF
        if (first >> 16) & 0x7FFF != VERSION:
            raise Broken("not SPDY/3")
        if kind in (SYN_STREAM, SYN_REPLY, HEADERS):
            skip = 10 if kind == SYN_STREAM else 4
            if len(body) < skip:
                raise Broken("a short frame")
            return Frame(kind, _id(body), flags, headers=self._headers(body[skip:]))
        return Frame(kind, _id(body) if len(body) >= 4 else 0, flags, body)

    def _headers(self, block: bytes) -> dict[str, str]:
        try:
            text = self._inflate.decompress(block, MAX_HEADERS)
            if self._inflate.unconsumed_tail:
                raise Broken("too many headers")
            (count,), at, found = struct.unpack_from(">I", text), 4, {}
            for _ in range(count):
                pair = []
                for _ in range(2):
                    (size,) = struct.unpack_from(">I", text, at)
                    pair.append(text[at + 4 : at + 4 + size].decode("utf-8", "replace"))
                    at += 4 + size
                found[pair[0].lower()] = pair[1]
        except (zlib.error, struct.error) as error:
            raise Broken(f"headers: {error}") from error
        return found

    # -- what is sent --------------------------------------------------------------------------------------------------

    def _packed(self, headers: Mapping[str, str]) -> bytes:
        text = struct.pack(">I", len(headers))
        for name, value in headers.items():
            for part in (name.encode(), value.encode()):
                text += struct.pack(">I", len(part)) + part
        return self._deflate.compress(text) + self._deflate.flush(zlib.Z_SYNC_FLUSH)

    def syn_stream(self, stream: int, headers: Mapping[str, str], *, ends: bool = False) -> bytes:
        """Open a stream (what a client sends)."""
        return _control(SYN_STREAM, FIN if ends else 0, struct.pack(">IIH", stream, 0, 0) + self._packed(headers))

    def syn_reply(self, stream: int) -> bytes:
        """Accept a stream."""
        return _control(SYN_REPLY, 0, struct.pack(">I", stream) + self._packed({}))

    @staticmethod
    def data(stream: int, content: bytes, *, ends: bool = False) -> bytes:
        """Data on a stream; `ends`: nothing more will come from this side."""
        return struct.pack(">II", stream, (FIN if ends else 0) << 24 | len(content)) + content

    @staticmethod
    def ping(number: bytes) -> bytes:
        """The answer to a ping: the same."""
        return _control(PING, 0, number[:4])


def _control(kind: int, flags: int, body: bytes) -> bytes:
    return struct.pack(">II", 1 << 31 | VERSION << 16 | kind, flags << 24 | len(body)) + body


def _id(body: bytes) -> int:
    return int(struct.unpack_from(">I", body)[0] & 0x7FFFFFFF)
