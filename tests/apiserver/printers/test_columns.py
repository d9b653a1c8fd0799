"""Ages, label selectors and lists, in the words that kubectl prints."""

from __future__ import annotations

import pytest

from cluster.apiserver.printers.columns import first_three, human_duration, labels, selector, since, true_or_false

MINUTE, HOUR, DAY = 60, 3600, 86400
YEAR = 365 * DAY


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "<invalid>"),
        (-2, "<invalid>"),
        (-1.5, "0s"),
        (-0.5, "0s"),
        (0, "0s"),
        (0.9, "0s"),
        (119, "119s"),
        (120, "2m"),
        (121, "2m1s"),
        (9 * MINUTE + 59, "9m59s"),
        (10 * MINUTE + 59, "10m"),
        (179 * MINUTE, "179m"),
        (3 * HOUR, "3h"),
        (3 * HOUR + MINUTE, "3h1m"),
        (7 * HOUR + 59 * MINUTE, "7h59m"),
        (8 * HOUR + 59 * MINUTE, "8h"),
        (47 * HOUR, "47h"),
        (2 * DAY, "2d"),
        (2 * DAY + HOUR, "2d1h"),
        (8 * DAY + HOUR, "8d"),
        (729 * DAY, "729d"),
        (2 * YEAR, "2y"),
        (2 * YEAR + DAY, "2y1d"),
        (8 * YEAR + DAY, "8y"),
    ],
)
def test_durations_are_shown_as_kubernetes_shows_them(seconds, shown):
    assert human_duration(seconds) == shown


def test_a_time_that_is_not_set_is_unknown():
    assert since(None, 0.0) == "<unknown>"
    assert since("1970-01-01T00:00:10Z", 15.0) == "5s"
    assert since("1970-01-01T00:00:10.500000Z", 16.0) == "5s"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "<none>"),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}, "a in (b)"),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["b"]}]}, "a notin (b)"),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, "a"),
        ({}, "<none>"),
        ({"matchLabels": {"b": "2", "a": "1"}}, "a=1,b=2"),
        (
            {
                "matchLabels": {"app": "x"},
                "matchExpressions": [
                    {"key": "tier", "operator": "In", "values": ["b", "a"]},
                    {"key": "old", "operator": "DoesNotExist"},
                ],
            },
            "app=x,!old,tier in (a,b)",
        ),
    ],
)
def test_selectors(value, shown):
    assert selector(value) == shown


def test_labels_are_sorted_and_none_is_said():
    assert labels({"b": "2", "a": "1"}) == "a=1,b=2"
    assert labels({}) == labels(None) == "<none>"


def test_lists_end_after_three():
    assert first_three([], "<unset>") == "<unset>"
    assert first_three(["a", "b", "c"], "") == "a,b,c"
    assert first_three(["a", "b", "c", "d", "e"], "") == "a,b,c + 2 more..."


def test_pointers_to_bool():
    assert [true_or_false(value) for value in (None, True, False)] == ["<unset>", "True", "False"]
