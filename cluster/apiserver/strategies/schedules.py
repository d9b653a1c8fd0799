"""What is wrong with a CronJob's schedule and time zone, in the words of the parser that Kubernetes uses (robfig/cron)."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MACROS = frozenset({"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"})
_EVERY = "@every "
_DURATION = re.compile(r"(\d+(\.\d+)?(h|m|s))+")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# (lowest, highest, names) of minute, hour, day of month, month, day of week.
_FIELDS: tuple[tuple[int, int, dict[str, int]], ...] = (
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    (0, 6, {name: number for number, name in enumerate(_DAYS)}),
)


class Unreadable(ValueError):
    """What is wrong."""


def trouble_with(schedule: str) -> str:
    """Why a schedule cannot be read; "" when it can."""
    if "TZ" in schedule:
        return "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
    if schedule.startswith("@"):
        if schedule in MACROS:
            return ""
        if not schedule.startswith(_EVERY):
            return f"unrecognized descriptor: {schedule}"
        duration = schedule.removeprefix(_EVERY)
        if _DURATION.fullmatch(duration):
            return ""
        return f'failed to parse duration {schedule}: time: invalid duration "{duration}"'
    fields = schedule.split()
    if len(fields) != len(_FIELDS):
        return f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]"
    try:
        for text, (low, high, names) in zip(fields, _FIELDS, strict=True):
            for part in text.split(","):
                _read(part, low, high, names)
    except Unreadable as error:
        return str(error)
    return ""


def trouble_with_zone(zone: str) -> str:
    """Why a time zone cannot be used; "" when it can."""
    if not zone:
        return "timeZone must be nil or non-empty string"
    if zone.lower() == "local":
        return "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return f"unknown time zone {zone}"
    return ""


def _read(part: str, low: int, high: int, names: dict[str, int]) -> None:
    """One of the comma-separated ranges of a field: `*`, `3`, `1-5`, `*/2`, `mon-fri`."""
    span, *steps = part.split("/")
    first, *rest = span.split("-")
    if first in ("*", "?"):
        start, end = low, high
    else:
        start = end = _number(first, names)
        if len(rest) == 1:
            end = _number(rest[0], names)
        elif rest:
            raise Unreadable(f"too many hyphens: {part}")
    if len(steps) > 1:
        raise Unreadable(f"too many slashes: {part}")
    step = _number(steps[0], {}) if steps else 1
    if steps and first not in ("*", "?") and not rest:
        end = high
    if start < low:
        raise Unreadable(f"beginning of range ({start}) below minimum ({low}): {part}")
    if end > high:
        raise Unreadable(f"end of range ({end}) above maximum ({high}): {part}")
    if start > end:
        raise Unreadable(f"beginning of range ({start}) beyond end of range ({end}): {part}")
    if step == 0:
        raise Unreadable(f"step of range should be a positive number: {part}")


def _number(text: str, names: dict[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise Unreadable(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax')
    number = int(text)
    if number < 0:
        raise Unreadable(f"negative number ({number}) not allowed: {text}")
    return number
