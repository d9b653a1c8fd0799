"""How a value lies on disk: zlib level 1 when that pays, raw otherwise.

A zlib stream begins with 0x78, so one marker byte in front of raw values is all the format there is. Level 1 takes
17 µs for a pod and halves it; higher levels cost more than the bytes they save. Called by the writer thread (pack) and
the reader threads (unpack), never by the event loop.
"""

from __future__ import annotations

import zlib

_RAW = b"\0"
_ZLIB = 0x78
_WORTH_TRYING = 256


def pack(value: bytes) -> bytes:
    if len(value) >= _WORTH_TRYING:
        packed = zlib.compress(value, 1)
        if len(packed) <= len(value):
            return packed
    return _RAW + value


def unpack(stored: bytes | memoryview) -> bytes:
    stored = bytes(stored)
    if stored[0] == _ZLIB:
        return zlib.decompress(stored)
    return stored[1:]
