"""Faults: what breaks, and that it heals when it should."""

from __future__ import annotations

from typing import Any

import pytest

from cluster.apiserver.server import Disturbance
from cluster.client.client import Obj
from cluster.controllers.fault import FAULTS, FaultController
from cluster.controllers.ttlafterfinished import TTLAfterFinishedController
from tests.support.fakecluster import FakeCluster, Running, settle
from tests.support.objects import named


class Machines:
    """Notes what was done to it."""

    def __init__(self) -> None:
        self.down: set[str] = set()
        self.ended: list[str] = []

    async def fail(self, node: Obj) -> None:
        self.down.add(node["metadata"]["name"])

    def recover(self, name: str) -> None:
        self.down.remove(name)

    def crash(self, namespace: str, pod: str, container: str, *, out_of_memory: bool) -> str:
        if pod == "nosuch":
            raise LookupError(f'no running pod "{namespace}/{pod}" found')
        self.ended.append(f"{namespace}/{pod}/{container}/{out_of_memory}")
        return container or "main"


def fault(name: str = "f", **spec: Any) -> Obj:
    obj = named("Fault", name, "", "sim.kubeweb.dev/v1alpha1", spec=spec)
    obj["metadata"]["namespace"] = ""
    return obj


class World:
    def __init__(self) -> None:
        self.cluster, self.machines, self.stopped = FakeCluster(), Machines(), set[str]()
        self.control_plane = Disturbance()

    def running(self) -> Running:
        classes = (FaultController, TTLAfterFinishedController)
        return Running(
            self.cluster, *classes, machines=self.machines, stopped=self.stopped, control_plane=self.control_plane
        )

    async def apply(self, name: str = "f", **spec: Any) -> None:
        await self.cluster.client().create(FAULTS, fault(name, **spec))
        await settle(1)

    def status(self, name: str = "f") -> tuple[str, str]:
        found = self.cluster.get(FAULTS, name)["status"]
        return found["phase"], found.get("message", "")


@pytest.mark.looptime
async def test_a_node_loses_power_for_a_while() -> None:
    world = World()
    await world.cluster.client().create("v1/nodes", named("Node", "n1", spec={}))
    async with world.running():
        await world.apply(type="NodeDown", node="n1", durationSeconds=60)
        assert world.machines.down == {"n1"} and world.status() == ("Active", "n1 has lost power")
        await settle(50)
        assert world.machines.down == {"n1"}
        await settle(10)
        assert not world.machines.down and world.status()[0] == "Ended"
        assert world.cluster.events("FaultStarted") == ["n1 has lost power"]
        await world.apply("other", type="NodeDown", node="nosuch")
        assert world.status("other") == ("Failed", 'node "nosuch" not found')


@pytest.mark.looptime
async def test_without_a_duration_it_lasts_until_it_is_deleted_also_across_a_restart() -> None:
    world = World()
    await world.cluster.client().create("v1/nodes", named("Node", "n1", spec={}))
    async with world.running():
        await world.apply(type="NodeDown", node="n1")
    world.machines.down.clear()
    async with world.running():
        await settle(1)
        assert world.machines.down == {"n1"}
        await world.cluster.client().delete(FAULTS, "f")
        await settle(1)
        assert not world.machines.down


@pytest.mark.looptime
async def test_two_faults_of_one_node_heal_with_the_last() -> None:
    world = World()
    await world.cluster.client().create("v1/nodes", named("Node", "n1", spec={}))
    async with world.running():
        await world.apply("short", type="NodeDown", node="n1", durationSeconds=10)
        await world.apply("long", type="NodeDown", node="n1", durationSeconds=30)
        await settle(15)
        assert world.machines.down == {"n1"}
        await settle(20)
        assert not world.machines.down


@pytest.mark.looptime
async def test_containers_end_once() -> None:
    world = World()
    async with world.running():
        await world.apply("a", type="ContainerCrash", namespace="default", pod="p")
        await world.apply("b", type="OutOfMemory", namespace="default", pod="p", container="c")
        await world.apply("c", type="ContainerCrash", namespace="default", pod="nosuch")
    assert world.machines.ended == ["default/p//False", "default/p/c/True"]
    assert world.status("a") == ("Ended", "container main of pod default/p crashed")
    assert world.status("b") == ("Ended", "container c of pod default/p ran out of memory")
    assert world.status("c") == ("Failed", 'no running pod "default/nosuch" found')


@pytest.mark.looptime
async def test_a_loop_stops_and_goes_on() -> None:
    world = World()
    async with world.running():
        await world.apply(type="ControllerStopped", controller="ttl-after-finished", durationSeconds=5)
        assert world.stopped == {"ttl-after-finished"}
        await settle(6)
        assert not world.stopped
        await world.apply("self", type="ControllerStopped", controller="fault")
        assert world.status("self")[0] == "Failed" and not world.stopped
