"""Node-pressure eviction: who goes first, what is said, and when the node is well again."""

from __future__ import annotations

from typing import Any

import pytest

from cluster import clock
from cluster.kubelet.eviction import rank
from tests.support.stage import BUSYBOX, Stage, condition_of, play

Obj = dict[str, Any]
MIB = 1024 * 1024


def pod(name: str, priority: int = 0, **requests: str) -> Obj:
    container = {"name": "c", "resources": {"requests": requests}}
    return {"metadata": {"name": name}, "spec": {"priority": priority, "containers": [container]}}


@pytest.mark.parametrize(
    ("resource", "pods", "used", "order"),
    [
        # Whoever uses more than it asked for goes before all others, however important.
        ("memory", [pod("low", 0, memory="100Mi"), pod("greedy", 1000, memory="10Mi")], {"low": 90, "greedy": 20}, "greedy low"),
        ("memory", [pod("a", 5), pod("b", 1)], {"a": 50, "b": 10}, "b a"),
        ("memory", [pod("a"), pod("b"), pod("c", 0, memory="30Mi")], {"a": 10, "b": 20, "c": 45}, "b c a"),
        ("memory", [pod("fits", 0, memory="50Mi"), pod("best")], {"fits": 50, "best": 1}, "best fits"),
        # Process ids are never asked for.
        ("pids", [pod("a", 5), pod("b", 1), pod("c", 1)], {"a": 50, "b": 10, "c": 11}, "c b a"),
    ],
)  # fmt: skip
def test_the_ranking(resource: str, pods: list[Obj], used: dict[str, int], order: str) -> None:
    unit = 1 if resource == "pids" else MIB
    found = rank(pods, lambda pod: used[pod["metadata"]["name"]] * unit, resource)
    assert [one["metadata"]["name"] for one in found] == order.split()


def test_memory_pressure_as_it_is_seen() -> None:
    async def scenario(stage: Stage) -> None:
        hog = {"image": "polinux/stress", "command": ["stress", "--vm", "1", "--vm-bytes", "500M"]}
        await stage.pod("hog", hog)
        both = {"memory": "50Mi"}
        await stage.pod("modest", {"image": BUSYBOX, "command": ["sleep", "100000"], "resources": {"requests": both}})
        for name in ("hog", "modest"):
            await stage.ready(name)
        stage.world.machines.press("node-1", "MemoryPressure", "test")
        gone = await stage.when("hog", lambda pod: pod["status"]["phase"] == "Failed", 60)
        assert gone["status"]["reason"] == "Evicted"
        assert gone["status"]["message"].startswith(
            "The node was low on resource: memory. Threshold quantity: 100Mi, available: "
        )
        assert "Container c was using " in gone["status"]["message"]
        assert "request is 0, has larger consumption of memory. " in gone["status"]["message"]
        target = next(one for one in gone["status"]["conditions"] if one["type"] == "DisruptionTarget")
        assert (target["status"], target["reason"]) == ("True", "TerminationByKubelet")
        assert stage.events("hog", "Evicted")
        node = await stage.when("modest", lambda pod: condition_of(pod, "Ready") == "True")
        assert stage.events("node-1", "EvictionThresholdMet") == ["EvictionThresholdMet Attempting to reclaim memory"]

        def pressed(status: str) -> bool:
            found = stage.there("node-1", "nodes")
            return found is not None and condition_of(found, "MemoryPressure") == status

        await stage.until(lambda: pressed("True"), 30)
        stage.world.machines.release("node-1", "test")
        began = clock.now()
        await stage.until(lambda: pressed("False"), 400)
        # It stays for five minutes after it was last seen.
        assert clock.now() - began >= 280
        assert node["status"]["phase"] == "Running"

    play(scenario)


def test_what_is_critical_is_never_evicted_and_what_is_best_effort_is_not_let_in() -> None:
    async def scenario(stage: Stage) -> None:
        hog = {"image": "polinux/stress", "command": ["stress", "--vm", "1", "--vm-bytes", "500M"]}
        metadata = {"name": "vital", "namespace": "kube-system"}
        spec = {
            "containers": [{"name": "c", **hog}],
            "nodeName": "node-1",
            "priorityClassName": "system-node-critical",
            "tolerations": [{"operator": "Exists"}],
        }
        await stage.create(
            "v1/pods", {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}, "kube-system"
        )
        await stage.ready("vital")
        stage.world.machines.press("node-1", "MemoryPressure", "test")
        await clock.sleep(60)
        vital = stage.there("vital")
        assert vital is not None and vital["status"]["phase"] == "Running"
        body = {"containers": [{"name": "c", "image": "nginx"}], "nodeName": "node-1"}
        await stage.create("v1/pods", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "late"}, "spec": body})
        late = await stage.when("late", lambda pod: pod["status"]["phase"] == "Failed")
        assert late["status"]["reason"] == "Evicted"
        assert late["status"]["message"] == "Pod was rejected: The node had condition: [MemoryPressure]. "

    play(scenario)
