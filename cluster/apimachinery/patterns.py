"""Regular expressions that clients bring along, matched in linear time with Go's grammar (RE2)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

_QUIET = re2.Options()
_QUIET.log_errors = False
# What a pattern may make the engine remember at most, in bytes.
_QUIET.max_mem = 8 << 20


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> Any:
    """The pattern; ValueError in Go's words for one that is none."""
    try:
        return re2.compile(pattern, _QUIET)
    except re2.error as error:
        told = error.args[0] if error.args else "invalid"
        text = told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told)
        words, _, part = text.partition(": ")
        part = part or pattern
        raise ValueError(f"error parsing regexp: {words}: `{part}`") from error


def matches(pattern: str, text: str) -> bool:
    """Whether the pattern is found in the text."""
    return compiled(pattern).search(text) is not None
