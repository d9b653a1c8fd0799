"""How many replicas the metrics ask for, and how fast they may come and go."""

from __future__ import annotations

from typing import Any

import pytest

from cluster import clock
from cluster.client.client import Obj
from cluster.controllers.horizontalpodautoscaler import AUTOSCALERS, METRICS, HorizontalPodAutoscalerController
from cluster.controllers.policy.autoscaling import (
    Memory,
    NoMetric,
    Tolerance,
    behaved,
    by_average,
    by_utilization,
    normalized,
)
from tests.support.fakecluster import FakeCluster, Running, settle
from tests.support.objects import named

NOW = 1_800_000_000.0


def pod(name: str, *, ready: bool = True, age: float = 3600, phase: str = "Running", going: bool = False) -> Obj:
    moment = clock.timestamp(NOW - age)
    condition = {"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": moment}
    metadata = {"name": name, **({"deletionTimestamp": moment} if going else {})}
    return {"metadata": metadata, "status": {"phase": phase, "startTime": moment, "conditions": [condition]}}


def pods(count: int, **more: Any) -> list[Obj]:
    return [pod(f"p{number}", **more) for number in range(count)]


@pytest.mark.parametrize(
    ("used", "target", "wanted"),
    [
        ([100, 100, 100], 50, 6),
        ([50, 50, 50], 50, 3),
        # Within a tenth of the target nothing is done.
        ([54, 54, 54], 50, 3),
        ([56, 56, 56], 50, 4),
        ([10, 10, 10], 50, 1),
        ([300, 0, 0], 50, 6),
    ],
)
def test_replicas_follow_the_utilization(used: list[int], target: int, wanted: int) -> None:
    metrics = {f"p{number}": amount for number, amount in enumerate(used)}
    requests = dict.fromkeys(metrics, 100)
    asked = by_utilization(3, target, pods(3), metrics, requests, "cpu", NOW)
    assert (asked.replicas, asked.average) == (wanted, sum(used) // 3)


def test_pods_without_a_metric_make_it_careful() -> None:
    requests = dict.fromkeys(("p0", "p1", "p2"), 100)
    # Up: who says nothing counts as idle. Down: as using all it asked for.
    assert by_utilization(3, 50, pods(3), {"p0": 100, "p1": 100}, requests, "cpu", NOW).replicas == 4
    assert by_utilization(3, 50, pods(3), {"p0": 10, "p1": 10}, requests, "cpu", NOW).replicas == 3


def test_pods_that_begin_or_go_do_not_count() -> None:
    requests = dict.fromkeys(("p0", "p1", "p2"), 100)
    metrics = {"p0": 100, "p1": 100, "p2": 100}
    starting = [pod("p0"), pod("p1"), pod("p2", ready=False, age=20)]
    assert by_utilization(3, 50, starting, metrics, requests, "cpu", NOW).replicas == 4
    going = [pod("p0"), pod("p1"), pod("p2", going=True)]
    assert by_utilization(3, 50, going, metrics, requests, "cpu", NOW).replicas == 4
    with pytest.raises(NoMetric, match="did not receive metrics for targeted pods"):
        by_utilization(3, 50, pods(3), {}, requests, "cpu", NOW)


def test_replicas_follow_an_average() -> None:
    metrics = {"p0": 300, "p1": 300}
    assert by_average(2, 100, pods(2), metrics, "memory", NOW).replicas == 6


def test_without_a_behavior_fewer_come_after_five_minutes_only() -> None:
    memory = Memory()
    assert normalized(memory, 2, 9, 1, 20, NOW).replicas == 4  # at most twice as many, and four
    assert normalized(memory, 4, 9, 1, 20, NOW + 15).limited[1] == "ScaleUpLimit"
    held = normalized(memory, 8, 2, 1, 20, NOW + 60)
    assert (held.replicas, held.able[1]) == (9, "ScaleDownStabilized")
    assert normalized(memory, 9, 2, 1, 20, NOW + 400).replicas == 2
    few = normalized(Memory(), 3, 0, 2, 20, NOW)
    assert (few.replicas, few.limited[1]) == (2, "TooFewReplicas")
    many = normalized(Memory(), 30, 40, 2, 20, NOW)
    assert (many.replicas, many.limited[1]) == (20, "TooManyReplicas")


UP = {"policies": [{"type": "Pods", "value": 2, "periodSeconds": 60}], "stabilizationWindowSeconds": 0}
DOWN = {"policies": [{"type": "Percent", "value": 10, "periodSeconds": 60}], "stabilizationWindowSeconds": 0}


@pytest.mark.parametrize(
    ("behavior", "current", "wanted", "expected", "reason"),
    [
        ({"scaleUp": UP}, 4, 10, 6, "ScaleUpLimit"),
        ({"scaleUp": {**UP, "selectPolicy": "Disabled"}}, 4, 10, 4, "ScaleUpLimit"),
        ({"scaleDown": DOWN}, 50, 10, 45, "ScaleDownLimit"),
        ({"scaleDown": {**DOWN, "selectPolicy": "Disabled"}}, 50, 10, 50, "ScaleDownLimit"),
        ({"scaleDown": {"stabilizationWindowSeconds": 0}}, 50, 10, 10, "DesiredWithinRange"),
        # By default: four more or twice as many, whichever is more.
        ({}, 1, 10, 5, "ScaleUpLimit"),
        ({}, 6, 30, 12, "ScaleUpLimit"),
    ],
)
def test_policies_limit_each_direction(behavior: Obj, current: int, wanted: int, expected: int, reason: str) -> None:
    verdict = behaved(Memory(), behavior, current, wanted, 1, 100, NOW)
    assert (verdict.replicas, verdict.limited[1]) == (expected, reason)


def test_what_was_added_lately_counts_against_the_policy() -> None:
    memory = Memory()
    memory.note(NOW - 30, 4, 6)
    assert behaved(memory, {"scaleUp": UP}, 6, 10, 1, 100, NOW).replicas == 6
    assert behaved(memory, {"scaleUp": UP}, 6, 10, 1, 100, NOW + 45).replicas == 8


@pytest.mark.looptime
async def test_an_autoscaler_says_why_it_does_not_scale() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    async with Running(cluster, HorizontalPodAutoscalerController):
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "nobody"}
        spec = {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 3}
        await client.create(AUTOSCALERS, named("HorizontalPodAutoscaler", "a", "default", spec=spec))
        await settle(1)
        conditions = {one["type"]: one for one in cluster.get(AUTOSCALERS, "default/a")["status"]["conditions"]}
        assert (conditions["AbleToScale"]["status"], conditions["AbleToScale"]["reason"]) == ("False", "FailedGetScale")
        assert len(cluster.events("FailedGetScale")) == 1
        assert cluster.count("list", METRICS) == 0


def test_each_direction_may_have_a_tolerance_of_its_own() -> None:
    metrics, requests = dict.fromkeys(("p0", "p1", "p2"), 54), dict.fromkeys(("p0", "p1", "p2"), 100)

    def asked(behavior: Obj | None) -> int:
        return by_utilization(3, 50, pods(3), metrics, requests, "cpu", NOW, Tolerance.of(behavior)).replicas

    # Eight percent above the target.
    assert asked(None) == asked({"scaleDown": {"tolerance": "0"}}) == 3
    assert asked({"scaleUp": {"tolerance": "0.05"}}) == 4
    assert asked({"scaleUp": {"tolerance": "0.08"}}) == 3
