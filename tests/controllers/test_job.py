"""Jobs: completions, indexes, failures and their policies, deadlines, suspension; each finished pod counted once."""

from __future__ import annotations

from typing import Any

import pytest

from cluster import clock
from cluster.client.client import Obj
from cluster.controllers.job import JOBS, JobController
from cluster.controllers.policy.job import FINALIZER, INDEX, format_indexes, parse_indexes
from tests.support.fakecluster import FakeCluster, Running, settle
from tests.support.fakekubelet import FakeNodes, set_status
from tests.support.objects import named, template

PODS = "v1/pods"


def job(**spec: Any) -> Obj:
    body = {
        "selector": {"matchLabels": {"job": "work"}},
        "template": {**template(), "metadata": {"labels": {"job": "work"}}},
        "parallelism": 1,
        "completions": 1,
        "backoffLimit": 6,
        "completionMode": "NonIndexed",
        "podReplacementPolicy": "TerminatingOrFailed",
        **spec,
    }
    body["template"]["spec"]["restartPolicy"] = "Never"
    return named("Job", "work", "default", "batch/v1", spec=body)


async def created(cluster: FakeCluster, **spec: Any) -> None:
    await cluster.client().create(JOBS, job(**spec))
    await settle(1)


async def end(cluster: FakeCluster, pod: Obj, code: int = 0) -> None:
    ended = {"exitCode": code, "finishedAt": clock.timestamp(), "reason": "Error" if code else "Completed"}
    status = {
        "phase": "Failed" if code else "Succeeded",
        "containerStatuses": [{"name": "main", "state": {"terminated": ended}}],
    }
    await set_status(cluster.client(), pod, status)


def pods(cluster: FakeCluster) -> list[Obj]:
    """Those that still run."""
    return [
        pod
        for pod in cluster.list(PODS)
        if pod["status"]["phase"] in ("Pending", "Running") and "deletionTimestamp" not in pod["metadata"]
    ]


def status(cluster: FakeCluster) -> Obj:
    found: Obj = cluster.get(JOBS, "default/work").get("status") or {}
    return found


def conditions(cluster: FakeCluster) -> list[tuple[str, str, str]]:
    return [(one["type"], one["status"], one["reason"]) for one in status(cluster).get("conditions") or ()]


@pytest.mark.parametrize(
    ("text", "indexes"),
    [("", set()), ("1", {1}), ("1,2", {1, 2}), ("0,2-4,7", {0, 2, 3, 4, 7}), ("x,1", {1}), ("²,1-²", set())],
)
def test_indexes_are_read_and_written(text: str, indexes: set[int]) -> None:
    assert parse_indexes(text, 10) == indexes
    if text.isascii() and "x" not in text:
        assert format_indexes(indexes) == text


@pytest.mark.parametrize(
    ("text", "indexes"),
    [
        ("0-2147483647", {0, 1, 2}),
        ("0-99999999999999", set()),
        ("0-" + "9" * 5000 + ",1", {1}),
        (",".join(["0-2"] * 20_000), {0, 1, 2}),
        ("2,0-1", {2}),
        ("7-9", set()),
    ],
)
def test_indexes_beyond_all_reason_take_no_time(text: str, indexes: set[int]) -> None:
    assert parse_indexes(text, 3) == indexes


@pytest.mark.looptime
async def test_it_runs_to_completion() -> None:
    cluster = FakeCluster()
    async with Running(cluster, JobController):
        await created(cluster, completions=3, parallelism=2)
        assert len(pods(cluster)) == 2
        assert status(cluster)["active"] == 2 and "startTime" in status(cluster)
        assert all(pod["metadata"]["finalizers"] == [FINALIZER] for pod in pods(cluster))
        for _ in range(3):
            await end(cluster, pods(cluster)[0])
            await settle(1)
        found = status(cluster)
        assert (found["succeeded"], found["ready"], found["terminating"]) == (3, 0, 0)
        assert "active" not in found and "failed" not in found and found["uncountedTerminatedPods"] == {}
        assert conditions(cluster) == [
            ("SuccessCriteriaMet", "True", "CompletionsReached"),
            ("Complete", "True", "CompletionsReached"),
        ]
        assert "completionTime" in found
        assert len(cluster.list(PODS)) == 3
        assert not any(pod["metadata"].get("finalizers") for pod in cluster.list(PODS))
        assert cluster.events("Completed") == ["Job completed"]


@pytest.mark.looptime
async def test_failures_are_replaced_with_growing_delays_until_the_limit() -> None:
    cluster = FakeCluster()
    async with Running(cluster, JobController):
        await created(cluster, backoffLimit=2)
        waits = []
        for _ in range(2):
            (pod,) = pods(cluster)
            await end(cluster, pod, 1)
            began = clock.now()
            while not pods(cluster):
                await settle(0.5)
            waits.append(round(clock.now() - began))
        assert waits == [10, 20]
        await end(cluster, pods(cluster)[0], 1)
        await settle(5)
        assert status(cluster)["failed"] == 3
        assert conditions(cluster) == [
            ("FailureTarget", "True", "BackoffLimitExceeded"),
            ("Failed", "True", "BackoffLimitExceeded"),
        ]
        assert cluster.events("BackoffLimitExceeded") == ["Job has reached the specified backoff limit"]


@pytest.mark.looptime
async def test_a_work_queue_ends_with_its_last_pod() -> None:
    cluster = FakeCluster()
    async with Running(cluster, JobController):
        await created(cluster, completions=None, parallelism=3)
        await end(cluster, pods(cluster)[0])
        await settle(1)
        assert len(pods(cluster)) == 2 and not conditions(cluster)
        for pod in pods(cluster):
            await end(cluster, pod)
        await settle(1)
        assert status(cluster)["succeeded"] == 3
        assert conditions(cluster)[-1] == ("Complete", "True", "CompletionsReached")


@pytest.mark.looptime
async def test_indexes_each_succeed_once() -> None:
    cluster = FakeCluster()
    async with Running(cluster, JobController):
        await created(cluster, completions=4, parallelism=2, completionMode="Indexed")
        first = {pod["metadata"]["annotations"][INDEX]: pod for pod in pods(cluster)}
        assert set(first) == {"0", "1"}
        assert first["0"]["metadata"]["name"].startswith("work-0-")
        assert first["0"]["spec"]["hostname"] == "work-0"
        assert first["0"]["spec"]["containers"][0]["env"][0]["name"] == "JOB_COMPLETION_INDEX"
        await end(cluster, first["0"], 1)
        await end(cluster, first["1"])
        await settle(30)
        assert {pod["metadata"]["annotations"][INDEX] for pod in pods(cluster)} == {"0", "2"}
        assert status(cluster)["completedIndexes"] == "1"
        for _ in range(3):
            for pod in pods(cluster):
                await end(cluster, pod)
            await settle(15)
        assert status(cluster)["completedIndexes"] == "0-3"
        assert (status(cluster)["succeeded"], status(cluster)["failed"]) == (4, 1)
        assert conditions(cluster)[-1][0] == "Complete"


@pytest.mark.looptime
async def test_a_backoff_limit_per_index() -> None:
    cluster = FakeCluster()
    async with Running(cluster, JobController):
        await created(
            cluster,
            completions=2,
            parallelism=2,
            completionMode="Indexed",
            backoffLimitPerIndex=1,
            backoffLimit=100,
        )
        for _ in range(2):
            for pod in pods(cluster):
                await end(cluster, pod, 1 if pod["metadata"]["annotations"][INDEX] == "0" else 0)
            await settle(60)
        assert status(cluster)["failedIndexes"] == "0" and status(cluster)["completedIndexes"] == "1"
        assert conditions(cluster)[-1] == ("Failed", "True", "FailedIndexes")


@pytest.mark.looptime
async def test_the_pod_failure_policy() -> None:
    rules = [
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
        {"action": "FailJob", "onExitCodes": {"containerName": "main", "operator": "In", "values": [42]}},
    ]
    cluster = FakeCluster()
    async with Running(cluster, JobController):
        await created(cluster, podFailurePolicy={"rules": rules}, podReplacementPolicy="Failed", backoffLimit=0)
        (pod,) = pods(cluster)
        disrupted = {"phase": "Failed", "conditions": [{"type": "DisruptionTarget", "status": "True"}]}
        await set_status(cluster.client(), pod, disrupted)
        await settle(15)
        assert "failed" not in status(cluster) and not conditions(cluster)
        (pod,) = pods(cluster)
        await end(cluster, pod, 42)
        await settle(1)
        assert conditions(cluster)[-1] == ("Failed", "True", "PodFailurePolicy")
        assert status(cluster)["conditions"][-1]["message"] == (
            f"Container main for pod default/{pod['metadata']['name']} failed with exit code 42 "
            "matching FailJob rule at index 1"
        )


@pytest.mark.looptime
async def test_the_deadline_ends_it() -> None:
    cluster = FakeCluster()
    async with Running(cluster, JobController), FakeNodes(cluster):
        await created(cluster, activeDeadlineSeconds=30, parallelism=2, completions=2)
        await settle(25)
        assert len(pods(cluster)) == 2
        await settle(10)
        assert not pods(cluster) and status(cluster)["failed"] == 2
        assert conditions(cluster)[-1] == ("Failed", "True", "DeadlineExceeded")


@pytest.mark.looptime
async def test_suspended_and_resumed() -> None:
    cluster = FakeCluster()
    async with Running(cluster, JobController), FakeNodes(cluster):
        await created(cluster, suspend=True)
        assert not pods(cluster) and conditions(cluster) == [("Suspended", "True", "JobSuspended")]
        assert "startTime" not in status(cluster)
        await cluster.client().patch(JOBS, "work", {"spec": {"suspend": False}}, "default")
        await settle(1)
        assert len(pods(cluster)) == 1 and conditions(cluster) == [("Suspended", "False", "JobResumed")]
        await cluster.client().patch(JOBS, "work", {"spec": {"suspend": True}}, "default")
        await settle(2)
        assert not pods(cluster) and "active" not in status(cluster)


@pytest.mark.looptime
async def test_success_policy() -> None:
    cluster = FakeCluster()
    async with Running(cluster, JobController), FakeNodes(cluster):
        policy = {"rules": [{"succeededIndexes": "1-2", "succeededCount": 1}]}
        await created(cluster, completions=3, parallelism=3, completionMode="Indexed", successPolicy=policy)
        await end(cluster, next(pod for pod in pods(cluster) if pod["metadata"]["annotations"][INDEX] == "2"))
        await settle(3)
        assert not pods(cluster)
        assert conditions(cluster) == [
            ("SuccessCriteriaMet", "True", "SuccessPolicy"),
            ("Complete", "True", "SuccessPolicy"),
        ]


@pytest.mark.looptime
async def test_no_pod_is_counted_twice_after_a_crash() -> None:
    cluster = FakeCluster()
    await cluster.client().create(JOBS, job(completions=2, parallelism=2))
    async with Running(cluster, JobController):
        await settle(1)
        one, _ = pods(cluster)
    # The controller died after it had noted the pod, and before it let it go.
    await end(cluster, one)
    found = cluster.get(JOBS, "default/work")
    noted = {**found["status"], "uncountedTerminatedPods": {"succeeded": [one["metadata"]["uid"]]}}
    await cluster.client().update(JOBS, {**found, "status": noted}, subresource="status")
    async with Running(cluster, JobController):
        await settle(2)
        assert status(cluster)["succeeded"] == 1 and status(cluster)["uncountedTerminatedPods"] == {}


@pytest.mark.looptime
async def test_scaled_down_pods_go() -> None:
    cluster = FakeCluster()
    async with Running(cluster, JobController), FakeNodes(cluster):
        await created(cluster, completions=10, parallelism=4)
        await cluster.client().patch(JOBS, "work", {"spec": {"parallelism": 1}}, "default")
        await settle(3)
        assert len(pods(cluster)) == 1


@pytest.mark.looptime
async def test_pods_of_a_deleted_job_are_let_go() -> None:
    cluster = FakeCluster()
    async with Running(cluster, JobController):
        await created(cluster, completions=2, parallelism=2)
        await cluster.client().delete(JOBS, "work", "default")
        await settle(1)
        assert not any(pod["metadata"].get("finalizers") for pod in cluster.list(PODS))


@pytest.mark.looptime
async def test_a_pod_that_lost_its_owner_is_taken_back_and_one_without_labels_let_go() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    async with Running(cluster, JobController):
        await created(cluster)
        await settle(5)
        (pod,) = cluster.list(PODS)
        name = pod["metadata"]["name"]
        await client.patch(PODS, name, {"metadata": {"ownerReferences": None}}, "default")
        await settle(2)
        assert cluster.get(PODS, f"default/{name}")["metadata"]["ownerReferences"][0]["name"] == "work"
        await client.patch(PODS, name, {"metadata": {"labels": None}}, "default")
        await settle(2)
        assert not cluster.get(PODS, f"default/{name}")["metadata"].get("ownerReferences")
        # It is replaced, as it is nobody's now.
        assert len([one for one in cluster.list(PODS) if one["metadata"].get("ownerReferences")]) == 1
