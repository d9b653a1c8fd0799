"""What had been by a moment of the past: journeys as they were then."""

from __future__ import annotations

from cluster.explorer.then import NOW, Then


def span(stage, start, end):
    return {"stage": stage, "start": start, "end": end, "outcome": "ok" if end else "open"}


def journey(id, start, end, *spans, revision=0):
    outcome = "ok" if end else "open"
    return {
        "id": id,
        "start": start,
        "end": end,
        "outcome": outcome,
        "code": 0,
        "reason": "",
        "revision": revision,
        "spans": list(spans),
    }


def test_a_journey_that_is_open_to_this_day_shows_no_span_that_began_later():
    still = journey("a.1", 10.0, 0.0, span("pull", 10.0, 12.0), span("start", 12.0, 16.0), span("probe", 18.0, 0.0))
    [cut] = Then(7, 14.0).of([still])
    assert [(one["stage"], one["end"], one["outcome"]) for one in cut["spans"]] == [
        ("pull", 12.0, "ok"),
        ("start", 0.0, "open"),
    ]
    assert (cut["end"], cut["outcome"]) == (0.0, "open")
    [later] = Then(9, 20.0).of([still])
    assert [(one["stage"], one["outcome"]) for one in later["spans"]] == [
        ("pull", "ok"),
        ("start", "ok"),
        ("probe", "open"),
    ]


def test_what_ended_later_was_open_then_and_what_began_later_was_not_there():
    over = journey("a.1", 10.0, 20.0, span("pull", 10.0, 20.0))
    begun = journey("a.2", 15.0, 16.0)
    [cut] = Then(7, 14.0).of([over, begun])
    assert (cut["id"], cut["end"], cut["outcome"], cut["spans"][0]["outcome"]) == ("a.1", 0.0, "open", "open")


def test_what_wrote_a_revision_had_been_by_then_if_the_revision_had():
    wrote, later = journey("a", 13.0, 14.2, revision=7), journey("b", 13.0, 13.5, revision=8)
    assert Then(7, 14.0).of([wrote, later]) == [wrote]


def test_now_leaves_everything_as_it_is():
    still = journey("a.1", 10.0, 0.0, span("probe", 18.0, 0.0))
    assert NOW.of([still]) == [still]
