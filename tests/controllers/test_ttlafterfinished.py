"""Finished Jobs go when their time is over."""

from __future__ import annotations

import pytest

from cluster import clock
from cluster.controllers.ttlafterfinished import TTLAfterFinishedController
from tests.support.fakecluster import FakeCluster, Running, settle
from tests.support.objects import named

JOBS = "batch/v1/jobs"


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("ttl", "ended", "after", "left"),
    [
        (60, True, 50, True),
        (60, True, 62, False),
        (0, True, 1, False),
        (None, True, 9999, True),
        (60, False, 9999, True),
    ],
)
async def test_a_job_lives_on_for_its_time(ttl: int | None, ended: bool, after: float, left: bool) -> None:
    cluster = FakeCluster()
    async with Running(cluster, TTLAfterFinishedController):
        spec = {} if ttl is None else {"ttlSecondsAfterFinished": ttl}
        done = {"type": "Complete", "status": "True", "lastTransitionTime": clock.timestamp()}
        body = named("Job", "j", "default", spec=spec)
        await cluster.client().create(JOBS, body | {"status": {"conditions": [done] if ended else []}})
        await settle(after)
        job = cluster.objects[JOBS].get("default/j")
        # Its pods go first: the Job waits for them.
        gone = job is None or "deletionTimestamp" in job["metadata"]
        assert gone is not left
        if job is not None and gone:
            assert job["metadata"]["finalizers"] == ["foregroundDeletion"]
