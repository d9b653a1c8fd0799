"""Schedules and time zones that cannot be, in the words that users know."""

from __future__ import annotations

import pytest

from cluster.apiserver.strategies.schedules import trouble_with, trouble_with_zone


@pytest.mark.parametrize(
    "schedule",
    [
        *("* * * * *", "*/5 0-6 1,15 JAN-mar mon-fri", "0 0 29 2 ?", "59 23 31 12 6", "5/15 * * * *"),
        *("@hourly", "@every 1h30m", "@every 1.5h"),
    ],
)
def test_schedules_that_can_be(schedule: str) -> None:
    assert trouble_with(schedule) == ""


@pytest.mark.parametrize(
    ("schedule", "trouble"),
    [
        ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("* * * * 7", "end of range (7) above maximum (6): 7"),
        ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
        ("1/2/3 * * * *", "too many slashes: 1/2/3"),
        ("x * * * *", 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'),
        ("@sometimes", "unrecognized descriptor: @sometimes"),
        ("@every day", 'failed to parse duration @every day: time: invalid duration "day"'),
        ("TZ=UTC * * * * *", "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"),
    ],
)
def test_schedules_that_cannot_be(schedule: str, trouble: str) -> None:
    assert trouble_with(schedule) == trouble


@pytest.mark.parametrize(
    ("zone", "trouble"),
    [
        ("Etc/UTC", ""),
        ("Europe/Berlin", ""),
        ("Mars/Phobos", "unknown time zone Mars/Phobos"),
        ("../../etc/passwd", "unknown time zone ../../etc/passwd"),
        ("", "timeZone must be nil or non-empty string"),
        ("LOCAL", "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"),
    ],
)
def test_time_zones(zone: str, trouble: str) -> None:
    assert trouble_with_zone(zone) == trouble
