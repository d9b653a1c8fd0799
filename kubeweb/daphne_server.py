"""Daphne's server, imported without what Autobahn takes along where it finds it: WAMP's encoding and a command line, 2 MB."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Server"]


@contextmanager
def _without(*names: str) -> Iterator[None]:
    """Imports of these fail inside, as if they were not installed, unless they are there already."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: not to be imported
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


with _without("click", "cbor2"):
    from daphne.server import Server
