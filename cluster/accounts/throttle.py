"""Slowing down whoever guesses passwords: five failures a minute for a user name from an address, then wait.

Kept in Django's cache, so that several processes share it when the cache is shared.
"""

from __future__ import annotations

import hashlib
import math
import time

from django.core.cache import cache

FAILURES = 5
WINDOW = 60.0


def _key(username: str, address: str) -> str:
    return "login-failures-" + hashlib.sha256(f"{username.casefold()}\0{address}".encode()).hexdigest()


def _recent(key: str, now: float) -> list[float]:
    failures: list[float] = cache.get(key) or []
    return [at for at in failures if now - at < WINDOW]


def seconds_to_wait(username: str, address: str) -> int:
    """How long until the next attempt is looked at; 0: now."""
    now = time.time()
    failures = _recent(_key(username, address), now)
    return math.ceil(WINDOW - (now - failures[-FAILURES])) if len(failures) >= FAILURES else 0


def note_failure(username: str, address: str) -> None:
    key, now = _key(username, address), time.time()
    cache.set(key, [*_recent(key, now), now][-FAILURES:], WINDOW)


def forget(username: str, address: str) -> None:
    """After a success."""
    cache.delete(_key(username, address))
