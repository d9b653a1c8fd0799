"""Cluster time goes on across starts, and never backwards."""

from __future__ import annotations

import pytest

from cluster import clock
from kubeweb.lasttime import LastTime


@pytest.fixture
def note(tmp_path, monkeypatch):
    monkeypatch.setattr(clock, "clock", clock.Clock())
    return LastTime(tmp_path / "clock")


def test_a_first_start_begins_with_the_worlds_time(note):
    before = clock.clock.now()
    note.go_on()
    assert before <= clock.clock.now() < before + 60


def test_a_cluster_that_ran_ahead_goes_on_from_there(note, monkeypatch):
    clock.clock.advance_to(clock.clock.now() + 86_400)
    ahead = clock.clock.now()
    note.note()
    monkeypatch.setattr(clock, "clock", clock.Clock())
    assert clock.clock.now() < ahead - 3600
    note.go_on()
    assert clock.clock.now() >= int(ahead)
    assert [one.name for one in note.path.parent.iterdir()] == ["clock"]


def test_a_note_that_holds_no_time_is_told(note, caplog):
    note.path.write_text("")
    note.go_on()
    assert "holds no time" in caplog.text
