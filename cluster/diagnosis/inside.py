"""What one would find by looking into containers: at which ports they listen, which usual paths answer there, how much memory they held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

Obj = dict[str, Any]
# Container → {"memory": bytes held now, or when it last ended; "listens": {port: paths that answer well}}.
Found = Mapping[str, Mapping[str, Any]]


class Inside(Protocol):
    """Looks into pods, as far as the asker may."""

    def of(self, pod: Obj) -> Found:
        """By container; empty where nothing is known."""
        ...


class Unseen:
    """Nobody looks."""

    def of(self, pod: Obj) -> Found:
        return {}


def listening(found: Found, container: str) -> Mapping[int, Sequence[str]]:
    ports: Mapping[int, Sequence[str]] = (found.get(container) or {}).get("listens") or {}
    return ports


def memory(found: Found, container: str) -> int:
    return int((found.get(container) or {}).get("memory") or 0)
