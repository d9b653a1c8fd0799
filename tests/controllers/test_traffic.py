"""Simulated clients: how often they ask, whom, and what they felt."""

from __future__ import annotations

from typing import Any

import pytest

from cluster import clock
from cluster.client.client import Obj
from cluster.controllers.traffic import SERVICES, TRAFFICS, Counts, TrafficController, address_of
from tests.support.fakecluster import FakeCluster, Running, settle
from tests.support.objects import named


class Network:
    """Answers as it is told, and remembers who asked what."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, int, str]] = []
        self.answer: tuple[int, str, str] = (200, "", "web-1")

    def nodes(self) -> list[str]:
        return ["n1", "n2"]

    async def ask(self, node: str, ip: str, port: int, path: str, timeout: float) -> tuple[int, str, str]:
        self.asked.append((node, ip, port, path))
        await clock.sleep(0.1)
        return self.answer


def traffic(**spec: Any) -> Obj:
    return named("Traffic", "t", "default", spec={"service": "web", "requestsPerSecond": 2, **spec})


def status(cluster: FakeCluster) -> Obj:
    found: Obj = cluster.get(TRAFFICS, "default/t").get("status") or {}
    return found


WEB = {"clusterIP": "10.96.0.9", "ports": [{"name": "http", "port": 80}, {"name": "admin", "port": 9000}]}


@pytest.mark.looptime
async def test_requests_go_out_evenly_and_are_counted() -> None:
    cluster, network = FakeCluster(), Network()
    async with Running(cluster, TrafficController, network=network):
        await cluster.client().create(SERVICES, named("Service", "web", "default", spec=WEB))
        await cluster.client().create(TRAFFICS, traffic(path="/x"))
        await settle(21)
        assert 38 <= len(network.asked) <= 43
        assert {node for node, *_ in network.asked} == {"n1", "n2"}
        assert {tuple(rest) for _, *rest in network.asked} == {("10.96.0.9", 80, "/x")}
        felt = status(cluster)
        assert felt["successPercent"] == "100" and felt["failed"] == 0 and set(felt["pods"]) == {"web-1"}
        assert 99 <= felt["latencyMilliseconds"] <= 101
        network.answer = (0, "dial tcp 10.244.0.7:80: connect: connection refused", "")
        await settle(15)
        felt = status(cluster)
        assert felt["recentSuccessPercent"] == "0.00" and felt["failures"] == {"connection refused": felt["failed"]}
        assert 0 < float(felt["successPercent"]) < 100


@pytest.mark.looptime
async def test_a_pause_and_the_end_stop_the_clients() -> None:
    cluster, network = FakeCluster(), Network()
    client = cluster.client()
    async with Running(cluster, TrafficController, network=network):
        await client.create(SERVICES, named("Service", "web", "default", spec=WEB))
        await client.create(TRAFFICS, traffic())
        await settle(5)
        await client.patch(TRAFFICS, "t", {"spec": {"paused": True}}, "default")
        await settle(1)
        sent = len(network.asked)
        await settle(10)
        assert len(network.asked) == sent > 0
        await client.patch(TRAFFICS, "t", {"spec": {"paused": False}}, "default")
        await settle(5)
        assert len(network.asked) > sent
        await client.delete(TRAFFICS, "t", "default")
        await settle(1)
        sent = len(network.asked)
        await settle(10)
        assert len(network.asked) == sent


@pytest.mark.looptime
async def test_a_service_that_is_not_there_is_felt() -> None:
    cluster, network = FakeCluster(), Network()
    async with Running(cluster, TrafficController, network=network):
        await cluster.client().create(TRAFFICS, traffic())
        await settle(6)
        assert status(cluster)["failures"] == {"no such host": status(cluster)["failed"]}
        assert network.asked == []


@pytest.mark.parametrize(
    ("port", "expected"),
    [(None, 80), (80, 80), ("admin", 9000), (9000, 9000), (81, None)],
)
def test_a_port_is_found_by_number_or_name(port: int | str | None, expected: int | None) -> None:
    found = address_of({"spec": WEB}, port)
    assert (found and found[1]) == expected
    assert address_of({"spec": {**WEB, "clusterIP": "None"}}, port) is None


def test_one_failure_is_never_rounded_away() -> None:
    counts = Counts(sent=100_000, succeeded=99_999, failed=1)
    assert counts.status()["successPercent"] == "99.99"
    assert Counts.from_status(counts.status()).sent == 100_000
