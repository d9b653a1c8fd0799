"""Daphne's server, imported without what Autobahn takes along where it finds it: WAMP's encoding and a command line, 2 MB."""

from __future__ import annotations

from kubeweb.without import without

__all__ = ["Server"]

with without("click", "cbor2"):
    from daphne.server import Server
