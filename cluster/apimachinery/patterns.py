"""Regular expressions that clients bring along, matched in linear time with Go's grammar (RE2)."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

# What a pattern may make the engine remember at most, in bytes.
MAX_MEMORY = 8 << 20


@cache
def _engine() -> tuple[Any, Any]:
    """RE2 and how to use it; loaded with the first pattern, since most clusters never see one (2.4 MB)."""
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = MAX_MEMORY
    return re2, options


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> Any:
    """The pattern; ValueError in Go's words for one that is none."""
    re2, options = _engine()
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        told = error.args[0] if error.args else "invalid"
        text = told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told)
        words, _, part = text.partition(": ")
        part = part or pattern
        raise ValueError(f"error parsing regexp: {words}: `{part}`") from error


def matches(pattern: str, text: str) -> bool:
    """Whether the pattern is found in the text."""
    return compiled(pattern).search(text) is not None
