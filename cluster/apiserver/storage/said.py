"""Events by what they are about. They come in masses and are kept as bytes: only those that somebody asks for are parsed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from cluster.apiserver.storage.cache import Entry

Obj = dict[str, Any]

# An ObjectReference holds nothing but strings.
_ABOUT = re.compile(rb'"involvedObject":\{(?:"(?:[^"\\]|\\.)*"[:,])*?"uid":"([^"\\]*)"')


def by_object(entries: Iterable[Entry]) -> Callable[[str], list[Obj]]:
    """Uid of an object → the events about it."""
    index: dict[bytes, list[Entry]] = {}
    for entry in entries:
        about = _ABOUT.search(entry.text)
        if about is not None:
            index.setdefault(about[1], []).append(entry)
    return lambda uid: [entry.obj for entry in index.get(uid.encode(), ())]
