"""CronJobs, and Jobs that go when their time is over."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cluster import clock
from cluster.client.client import Obj
from cluster.controllers.cronjob import CRONJOBS, CronJobController
from cluster.controllers.job import JOBS
from cluster.controllers.policy.cron import Schedule, Unreadable
from cluster.controllers.ttlafterfinished import TTLAfterFinishedController
from tests.support.fakecluster import FakeCluster, Running, settle
from tests.support.objects import named, template


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("line", "zone", "after", "due"),
    [
        ("*/5 * * * *", "", "2026-01-01T00:01:00", "2026-01-01T00:05:00"),
        ("0 0 29 2 *", "", "2026-01-01T00:00:00", "2028-02-29T00:00:00"),
        ("@hourly", "", "2026-01-01T00:00:00", "2026-01-01T01:00:00"),
        ("@every 1h30m", "", "2026-01-01T00:00:00", "2026-01-01T01:30:00"),
        ("0 9 * * 1-5", "Europe/Berlin", "2026-07-03T12:00:00", "2026-07-06T07:00:00"),
        ("30 8 * * *", "America/New_York", "2026-01-01T00:00:00", "2026-01-01T13:30:00"),
    ],
)
def test_the_next_time(line: str, zone: str, after: str, due: str) -> None:
    assert Schedule(line, zone).next(at(after)) == at(due)


def test_the_latest_time_and_how_many_were_missed() -> None:
    schedule = Schedule("* * * * *")
    assert schedule.latest(at("2026-01-01T00:00:00"), at("2026-01-01T00:03:30")) == (at("2026-01-01T00:03:00"), 3)
    due, missed = schedule.latest(at("2026-01-01T00:00:00"), at("2026-02-01T00:00:30"))
    assert due == at("2026-02-01T00:00:00") and missed > 100


@pytest.mark.parametrize(("line", "zone"), [("* * *", ""), ("61 * * * *", ""), ("* * * * *", "Mars/Olympus")])
def test_what_is_no_schedule(line: str, zone: str) -> None:
    with pytest.raises(Unreadable):
        Schedule(line, zone)


def cronjob(**spec: Any) -> Obj:
    job = {"template": template(), "completions": 1, "parallelism": 1}
    return named(
        "CronJob",
        "tick",
        "default",
        "batch/v1",
        spec={"schedule": "* * * * *", "jobTemplate": {"spec": job}, "concurrencyPolicy": "Allow", **spec},
    )


async def half_past() -> None:
    """The middle of a minute, so that the tests know how many minutes begin in a while."""
    await settle(90 - clock.now() % 60)


def jobs(cluster: FakeCluster) -> list[Obj]:
    return cluster.list(JOBS)


async def end(cluster: FakeCluster, job: Obj, kind: str = "Complete") -> None:
    fresh = cluster.get(JOBS, f"default/{job['metadata']['name']}")
    moment = clock.timestamp()
    condition = {"type": kind, "status": "True", "lastTransitionTime": moment}
    status = {"conditions": [condition], "startTime": moment, "completionTime": moment}
    await cluster.client().update(JOBS, {**fresh, "status": status}, subresource="status")


@pytest.mark.looptime
async def test_a_job_a_minute_and_the_old_ones_go() -> None:
    cluster = FakeCluster()
    await half_past()
    async with Running(cluster, CronJobController):
        await cluster.client().create(CRONJOBS, cronjob(successfulJobsHistoryLimit=2))
        for _ in range(4):
            before = {job["metadata"]["name"] for job in jobs(cluster)}
            await settle(59)
            (fresh,) = (job for job in jobs(cluster) if job["metadata"]["name"] not in before)
            status = cluster.get(CRONJOBS, "default/tick")["status"]
            assert [one["name"] for one in status["active"]] == [fresh["metadata"]["name"]]
            due = fresh["metadata"]["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"]
            assert due.endswith(":00Z") and status["lastScheduleTime"] == due
            assert fresh["metadata"]["name"] == f"tick-{int(clock.parse(due)) // 60}"
            await end(cluster, fresh)
            await settle(1)
        assert len(jobs(cluster)) == 2
        assert "active" not in cluster.get(CRONJOBS, "default/tick")["status"]
        assert len(cluster.events("SawCompletedJob")) == 4 and len(cluster.events("SuccessfulDelete")) == 2


@pytest.mark.looptime
@pytest.mark.parametrize(("policy", "running"), [("Allow", 3), ("Forbid", 1), ("Replace", 1)])
async def test_concurrency(policy: str, running: int) -> None:
    cluster = FakeCluster()
    await half_past()
    async with Running(cluster, CronJobController):
        await cluster.client().create(CRONJOBS, cronjob(concurrencyPolicy=policy))
        await settle(60)
        first = jobs(cluster)[0]["metadata"]["name"]
        await settle(121)
        assert len(jobs(cluster)) == running
        assert (jobs(cluster)[0]["metadata"]["name"] == first) is (policy != "Replace")
        assert bool(cluster.events("JobAlreadyActive")) is (policy == "Forbid")


@pytest.mark.looptime
async def test_suspended_ones_rest_and_bad_schedules_are_told() -> None:
    cluster = FakeCluster()
    async with Running(cluster, CronJobController):
        await cluster.client().create(CRONJOBS, cronjob(suspend=True))
        await settle(200)
        assert not jobs(cluster)
        await cluster.client().patch(CRONJOBS, "tick", {"spec": {"suspend": False, "schedule": "nonsense"}}, "default")
        await settle(1)
        assert "unparseable schedule" in cluster.events("UnparseableSchedule")[0]


@pytest.mark.looptime
async def test_what_was_missed_is_made_up_once_within_the_deadline() -> None:
    cluster = FakeCluster()
    await half_past()
    await cluster.client().create(CRONJOBS, cronjob(schedule="*/10 * * * *"))
    await settle(1920)
    async with Running(cluster, CronJobController):
        await settle(1)
        assert len(jobs(cluster)) == 1
    other = FakeCluster()
    now = clock.now()
    await other.client().create(CRONJOBS, cronjob(schedule="*/10 * * * *", startingDeadlineSeconds=5))
    await settle(600 - now % 600 + 30)
    async with Running(other, CronJobController):
        await settle(1)
        assert not jobs(other)


@pytest.mark.looptime
async def test_a_finished_job_goes_when_its_time_is_over() -> None:
    cluster = FakeCluster()
    async with Running(cluster, TTLAfterFinishedController):
        job = named("Job", "once", "default", "batch/v1", spec={"ttlSecondsAfterFinished": 30})
        await cluster.client().create(JOBS, job)
        await settle(60)
        assert cluster.has(JOBS, "default/once")
        await end(cluster, job)
        await settle(25)
        assert cluster.has(JOBS, "default/once")
        await settle(10)
        gone = cluster.objects[JOBS].get("default/once")
        assert gone is None or "deletionTimestamp" in gone["metadata"]
