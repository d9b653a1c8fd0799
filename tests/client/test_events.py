"""The event recorder: counting up, combining what is alike, and not drowning anybody."""

from __future__ import annotations

import pytest

from cluster import clock
from cluster.client.events import BURST, COMBINED, SIMILAR, EventRecorder

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "default", "uid": "u1"}}


class Client:
    def __init__(self):
        self.created, self.patched = [], []

    async def create(self, resource, obj, namespace=""):
        self.created.append(obj)
        return obj

    async def patch(self, resource, name, patch, namespace="", **options):
        self.patched.append((name, patch))


async def written(recorder):
    recorder.start()
    await clock.sleep(1)
    await recorder.stop()
    return recorder.client


async def test_the_same_event_again_is_counted_up():
    recorder = EventRecorder(Client(), "kubelet", "node-1")
    for _ in range(3):
        recorder.event(POD, "Normal", "Pulled", "there")
    client = await written(recorder)
    assert len(client.created) == 1
    assert [patch["count"] for _, patch in client.patched] == [2, 3]


async def test_many_alike_are_told_as_one():
    recorder = EventRecorder(Client(), "kubelet")
    for number in range(SIMILAR + 4):
        recorder.event(POD, "Normal", "Created", f"pod {number}")
    client = await written(recorder)
    assert len(client.created) == SIMILAR + 1
    assert client.created[-1]["message"].startswith(COMBINED)
    assert client.patched[-1][1] == {
        "count": 4,
        "lastTimestamp": client.patched[-1][1]["lastTimestamp"],
        "message": f"{COMBINED}pod {SIMILAR + 3}",
    }


async def test_one_object_cannot_drown_the_rest():
    recorder = EventRecorder(Client(), "kubelet")
    for number in range(BURST + 10):
        recorder.event(POD, "Normal", f"Reason{number}", "x")
    other = {**POD, "metadata": {**POD["metadata"], "uid": "u2", "name": "b"}}
    recorder.event(other, "Normal", "Fine", "x")
    client = await written(recorder)
    assert len(client.created) == BURST + 1
    assert recorder.dropped == 10


async def test_tokens_come_back():
    recorder = EventRecorder(Client(), "kubelet")
    for number in range(BURST + 5):
        recorder.event(POD, "Normal", f"Reason{number}", "x")
    await clock.sleep(301)
    recorder.event(POD, "Normal", "Later", "x")
    client = await written(recorder)
    assert client.created[-1]["reason"] == "Later"
