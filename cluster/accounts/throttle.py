"""Slowing down whoever guesses passwords: five failures a minute for a user name from an address, fifty from an address, then wait.

Kept in Django's cache, so that several processes share it when the cache is shared.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.cache import cache

# For one name, and for all names together: whoever tries one password on everybody.
FAILURES, FAILURES_IN_ALL = 5, 50
EVERYBODY = ""
WINDOW = 60.0


def address_of(meta: Mapping[str, Any]) -> str:
    """Where a request comes from: what the proxy in front of us saw, where there is one, else who spoke to us."""
    if settings.KUBEWEB_BEHIND_PROXY:
        # The last entry is the proxy's own; those before it are whatever the client wrote.
        forwarded = str(meta.get("HTTP_X_FORWARDED_FOR", "")).rpartition(",")[2].strip()
        if forwarded:
            return forwarded
    return str(meta.get("REMOTE_ADDR", ""))


def _key(username: str, address: str) -> str:
    return "login-failures-" + hashlib.sha256(f"{username.casefold()}\0{address}".encode()).hexdigest()


def _recent(key: str, now: float) -> list[float]:
    failures: list[float] = cache.get(key) or []
    return [at for at in failures if now - at < WINDOW]


def seconds_to_wait(username: str, address: str) -> int:
    """How long until the next attempt is looked at; 0: now."""
    now = time.time()
    wait = 0
    for name, most in ((username, FAILURES), (EVERYBODY, FAILURES_IN_ALL)):
        failures = _recent(_key(name, address), now)
        if len(failures) >= most:
            wait = max(wait, math.ceil(WINDOW - (now - failures[-most])))
    return wait


def note_failure(username: str, address: str) -> None:
    now = time.time()
    for name, most in ((username, FAILURES), (EVERYBODY, FAILURES_IN_ALL)):
        key = _key(name, address)
        cache.set(key, [*_recent(key, now), now][-most:], WINDOW)


def forget(username: str, address: str) -> None:
    """After a success."""
    cache.delete(_key(username, address))
