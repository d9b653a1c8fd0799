"""Signals: heard while somebody listens, bounded, and gone afterwards."""

from __future__ import annotations

from cluster.explorer.signals import SINGLE, message_of
from cluster.journeys import signals


def test_nobody_listens_nothing_is_kept():
    assert not signals.heard()
    signals.emit("liveness", "node-1", "default", "web", True)
    with signals.listen() as ear:
        assert signals.heard()
        assert ear.take() == ([], 0)
    assert not signals.heard()


def test_an_ear_holds_what_it_can_and_counts_the_rest(monkeypatch):
    monkeypatch.setattr(signals, "HELD", 3)
    with signals.listen() as ear:
        for number in range(5):
            signals.emit("request", "node-1", "default", f"web-{number}", True, service="web")
        taken, missed = ear.take()
    assert [one.pod for one in taken] == ["web-0", "web-1", "web-2"]
    assert missed == 2


def test_failures_are_told_one_by_one_and_the_many_as_flows():
    with signals.listen() as ear:
        for number in range(SINGLE + 20):
            signals.emit("request", "node-1", "default", f"web-{number}", True, service="web")
        signals.emit("readiness", "node-2", "default", "db-0", False, "HTTP probe failed with statuscode: 503")
        message = message_of(ear)
    assert message is not None
    assert len(message["signals"]) == SINGLE
    assert [one["pod"] for one in message["signals"] if not one["ok"]] == ["db-0"]
    assert message["flows"] == [
        {"kind": "request", "node": "node-1", "namespace": "default", "service": "web", "ok": True, "n": 21}
    ]


def test_silence_sends_nothing():
    with signals.listen() as ear:
        assert message_of(ear) is None
