"""Reading command lines and writing log lines the way Go programs do."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

from cluster import clock

_DURATION = re.compile(r"([0-9.]+)(ns|us|µs|ms|s|m|h)")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


# The largest number that programs count with.
MAX_NUMBER = 2**63 - 1


def whole(text: str) -> int | None:
    """The number that a text of digits stands for; None for any other text, and for more than 63 bits hold."""
    if not (text.isascii() and text.isdigit()):
        return None
    digits = text.lstrip("0") or "0"
    number = int(digits) if len(digits) <= 19 else MAX_NUMBER + 1
    return number if number <= MAX_NUMBER else None


def signed(text: str) -> int | None:
    """The same with a sign before it, or without."""
    number = whole(text[1:] if text[:1] in ("-", "+") else text)
    return -number if number is not None and text[0] == "-" else number


def flag(args: Sequence[str], name: str, otherwise: str = "") -> str:
    """`--name=x`, `-name=x` or `--name x` among the arguments."""
    for at, arg in enumerate(args):
        given, equals, text = arg.lstrip("-").partition("=")
        if arg.startswith("-") and given == name:
            return text if equals else (args[at + 1] if at + 1 < len(args) else "")
    return otherwise


def duration(text: str) -> float:
    """Seconds of a Go duration such as `1m30s`; 0 for what is none."""
    found = _DURATION.findall(text)
    if "".join(number + unit for number, unit in found) != text:
        return 0.0
    return sum(float(number) * _UNITS[unit] for number, unit in found)


def klog(text: str, level: str = "I", where: str = "log.go:245") -> str:
    """A line of klog: level, date, time, process, place, text."""
    now = clock.now()
    moment = time.strftime("%m%d %H:%M:%S", time.gmtime(now))
    return f"{level}{moment}.{int(now % 1 * 1e6):06d}       1 {where}] {text}"
