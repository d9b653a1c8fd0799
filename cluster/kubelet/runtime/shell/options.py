"""Reading command lines and writing log lines the way Go programs do."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

from cluster import clock

_DURATION = re.compile(r"([0-9.]+)(ns|us|µs|ms|s|m|h)")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


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
