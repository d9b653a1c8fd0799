"""The functions: CEL's own, its extensions that Kubernetes enables, and Kubernetes' own. One file a subject."""

from __future__ import annotations

from functools import cache
from importlib import import_module

_PARTS = ("operators", "standard", "strings", "lists", "optionals", "quantities", "network", "formats", "semver")


@cache
def load() -> None:
    """Fill the table of functions (once)."""
    for part in _PARTS:
        import_module(f"{__name__}.{part}")
