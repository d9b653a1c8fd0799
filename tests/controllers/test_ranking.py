"""Which pods go first: one table per rule, each rule beating all that follow it."""

from __future__ import annotations

from typing import Any

import pytest

from cluster import clock
from cluster.client.client import Obj
from cluster.controllers.policy.ranking import deletion_cost, magnitude, pods_to_delete

NOW = 1_800_000_000.0


def make(
    name: str,
    *,
    node: str = "n",
    phase: str = "Running",
    ready: float | None = 1000.0,
    cost: str = "",
    restarts: int = 0,
    age: float = 1000.0,
) -> Obj:
    conditions: list[Obj] = []
    if ready is not None:
        since = clock.timestamp(NOW - ready)
        conditions = [{"type": "Ready", "status": "True", "lastTransitionTime": since}]
    annotations = {"controller.kubernetes.io/pod-deletion-cost": cost} if cost else {}
    return {
        "metadata": {
            "name": name,
            "uid": name,
            "annotations": annotations,
            "creationTimestamp": clock.timestamp(NOW - age),
        },
        "spec": {"nodeName": node} if node else {},
        "status": {"phase": phase, "conditions": conditions, "containerStatuses": [{"restartCount": restarts}]},
    }


RULES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("not on a node", {"node": "", "cost": "9"}, {"phase": "Pending", "ready": None, "cost": "-9"}),
    ("pending before running", {"phase": "Pending", "ready": None, "cost": "9"}, {"ready": None, "cost": "-9"}),
    ("unknown before running", {"phase": "Unknown", "ready": None, "cost": "9"}, {"ready": None, "cost": "-9"}),
    ("not ready before ready", {"ready": None, "cost": "9"}, {"cost": "-9"}),
    ("lower cost", {"cost": "-5", "ready": 5000.0}, {"ready": 5.0, "restarts": 9}),
    ("ready for less time", {"ready": 5.0}, {"ready": 5000.0, "restarts": 9}),
    ("more restarts", {"restarts": 3, "age": 5000.0}, {"restarts": 1, "age": 5.0, "ready": 1000.0}),
    ("newer", {"age": 5.0}, {"age": 5000.0}),
]


@pytest.mark.parametrize(("rule", "first", "second"), RULES, ids=[rule[0] for rule in RULES])
def test_ranking_table(rule: str, first: dict[str, Any], second: dict[str, Any]) -> None:
    # The uid would decide the other way round.
    goes, stays = make("z", **first), make("a", **second)
    for pods in ([goes, stays], [stays, goes]):
        assert [pod["metadata"]["name"] for pod in pods_to_delete(pods, pods, 1, NOW)] == ["z"]


def test_doubled_up_pods_go_before_lone_ones() -> None:
    lone, one, two = make("a", node="x", ready=5.0), make("b", node="y"), make("c", node="y")
    chosen = pods_to_delete([lone, one, two], [lone, one, two], 1, NOW)
    assert chosen[0]["metadata"]["name"] in ("b", "c")


def test_pods_of_other_revisions_crowd_a_node_too() -> None:
    mine, other, crowd = make("a", node="x"), make("z", node="y"), make("old", node="y")
    assert pods_to_delete([mine, other], [mine, other, crowd], 1, NOW) == [other]


def test_the_deletion_cost_beats_crowding() -> None:
    cheap, one, two = make("z", node="x", cost="-1"), make("b", node="y"), make("c", node="y")
    assert pods_to_delete([one, two, cheap], [one, two, cheap], 1, NOW) == [cheap]


def test_ages_of_the_same_magnitude_are_equal() -> None:
    assert magnitude(clock.timestamp(NOW - 70), NOW) == magnitude(clock.timestamp(NOW - 120), NOW)
    assert magnitude(clock.timestamp(NOW - 70), NOW) < magnitude(clock.timestamp(NOW - 200), NOW)
    older, newer = make("z", age=120.0), make("a", age=70.0)
    assert pods_to_delete([older, newer], [], 1, NOW) == [newer]


@pytest.mark.parametrize(
    ("text", "cost"),
    [("10", 10), ("-7", -7), ("0", 0), ("+5", 0), ("007", 0), ("x", 0), ("", 0), ("2147483648", 0), ("1.5", 0)],
)
def test_deletion_cost(text: str, cost: int) -> None:
    pod = make("a")
    pod["metadata"]["annotations"] = {"controller.kubernetes.io/pod-deletion-cost": text}
    assert deletion_cost(pod) == cost


def test_asking_for_as_many_as_there_are_takes_all() -> None:
    pods = [make("a"), make("b")]
    assert pods_to_delete(pods, pods, 2, NOW) == pods
