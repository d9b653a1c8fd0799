"""Query parameters, read as Kubernetes reads them (apimachinery/pkg/runtime/converter: Convert_Slice_string_To_…)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from cluster.apimachinery.errors import bad_request

_WHOLE = re.compile(r"[+-]?[0-9]+\Z")
_INT64 = 2**63


def flag(params: Mapping[str, str], name: str) -> bool:
    """Whether a parameter is there and not `false` or `0`; empty is true."""
    value = params.get(name)
    return value is not None and value != "0" and value.lower() != "false"


def whole(params: Mapping[str, str], name: str) -> int | None:
    """A number (int64); None when it is not there, 400 in Go's words when it is none."""
    text = params.get(name, "")
    if not text:
        return None
    if not _WHOLE.match(text):
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    number = int(text) if len(text) < 25 else _INT64
    if not -_INT64 <= number < _INT64:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": value out of range')
    return number
