"""When a CronJob is due (pkg/controller/cronjob, robfig/cron): five fields, @macros, @every, time zones."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_EVERY = re.compile(r"@every\s+((?:\d+(?:\.\d+)?(?:h|m|s))+)$")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0}
# So many missed times are worth a warning.
TOO_MANY = 100


class Unreadable(ValueError):
    """The schedule, or the time zone, is none."""


class Schedule:
    """A cron line in a time zone. Times are seconds since the epoch."""

    def __init__(self, text: str, zone: str = "") -> None:
        self.period = 0.0
        self.line = MACROS.get(text, text)
        try:
            self.zone: tzinfo = ZoneInfo(zone) if zone else UTC
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise Unreadable(f"unknown time zone {zone}") from error
        every = _EVERY.fullmatch(text)
        if every:
            parts = re.findall(r"(\d+(?:\.\d+)?)(h|m|s)", every[1])
            self.period = max(sum(float(amount) * _UNITS[unit] for amount, unit in parts), 1.0)
            return
        if len(self.line.split()) != 5:
            raise Unreadable(f"expected exactly 5 fields, found {len(self.line.split())}: [{text}]")
        try:
            CronSim(self.line, datetime(2000, 1, 1, tzinfo=UTC))
        except CronSimError as error:
            raise Unreadable(str(error)) from error

    def next(self, after: float) -> float | None:
        """The first time after; None when there will never be one (30 February)."""
        if self.period:
            return after // 1 + self.period
        return next((one.timestamp() for one in CronSim(self.line, datetime.fromtimestamp(after, self.zone))), None)

    def latest(self, earliest: float, now: float) -> tuple[float | None, int]:
        """The last time in (earliest, now], and how many there were (at most TOO_MANY + 1)."""
        count, at, last = 0, earliest, None
        while count <= TOO_MANY:
            due = self.next(at)
            if due is None or due > now:
                return last, count
            count, at, last = count + 1, due, due
        if self.period:
            return at + (now - at) // self.period * self.period, count
        backwards = CronSim(self.line, datetime.fromtimestamp(now + 1, self.zone), reverse=True)
        return next(backwards).timestamp(), count
