"""Which revision was when."""

from __future__ import annotations

import time

import pytest
from django.db import DatabaseError

from cluster.explorer.models import Moment
from cluster.explorer.timeline import Timeline, _write, between

pytestmark = pytest.mark.django_db(transaction=True)


def test_notes_are_thinned_but_keep_their_ends() -> None:
    _write([(revision, 100.0 + revision, 200.0 + revision) for revision in range(1, 1001)], 0)
    thin = between(0, 10)
    assert 9 <= len(thin) <= 11
    assert (thin[0][0], thin[-1][0]) == (1, 1000)
    assert thin == sorted(thin)
    assert [note[0] for note in between(1198, 10)] == [998, 999, 1000]


def test_what_is_compacted_is_forgotten() -> None:
    _write([(1, 1.0, 1.0), (5, 2.0, 2.0)], 0)
    _write([(9, 3.0, 3.0)], 5)
    assert list(Moment.objects.order_by("revision").values_list("revision", flat=True)) == [5, 9]


async def test_what_could_not_be_written_is_written_the_next_time(monkeypatch) -> None:
    timeline = Timeline(lambda: 7, lambda: 0)
    timeline.note()

    def away(notes, oldest):
        raise DatabaseError("away")

    with monkeypatch.context() as broken, pytest.raises(DatabaseError):
        broken.setattr("cluster.explorer.timeline._write", away)
        await timeline.flush()
    await timeline.flush()
    assert [moment.revision async for moment in Moment.objects.all()] == [7]


async def test_only_what_is_new_is_noted() -> None:
    newest = 7
    timeline = Timeline(lambda: newest, lambda: 0)
    timeline.note()
    timeline.note()
    newest = 8
    timeline.note()
    await timeline.flush()
    assert [moment.revision async for moment in Moment.objects.order_by("revision")] == [7, 8]


def test_the_time_of_a_revision_lies_between_its_notes() -> None:
    _write([(10, 1.0, 100.0), (20, 2.0, 110.0)], 0)
    timeline = Timeline(lambda: 30, lambda: 0)
    timeline._fresh = [(26, 3.0, 130.0), (30, 4.0, 134.0)]
    # Before all notes: at the first of them.
    expected = {1: 100.0, 10: 100.0, 15: 105.0, 20: 110.0, 23: 120.0, 26: 130.0, 28: 132.0, 30: 134.0}
    assert {revision: timeline.real_of(revision) for revision in expected} == expected


def test_a_revision_that_nobody_noted_yet_is_as_old_as_the_last_note_at_least() -> None:
    timeline = Timeline(lambda: 30, lambda: 0)
    _write([(10, 1.0, 100.0)], 0)
    assert 100.0 < timeline.real_of(20) <= time.time()
