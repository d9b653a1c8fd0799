"""EndpointSlices and Endpoints of Services."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.apimachinery.meta import owner_reference
from cluster.client.client import Obj
from cluster.controllers.endpoints import EndpointsController
from cluster.controllers.endpointslice import EndpointSliceController
from cluster.controllers.lib.services import target_port
from cluster.controllers.policy.slices import Ports, plan
from cluster.controllers.policy.subsets import truncated
from tests.support.fakecluster import FakeCluster, Running, settle
from tests.support.fakekubelet import make_ready, ready_status, set_status
from tests.support.objects import named, pod

SERVICES, SLICES, ENDPOINTS, PODS = "v1/services", "discovery.k8s.io/v1/endpointslices", "v1/endpoints", "v1/pods"
LOOPS = (EndpointSliceController, EndpointsController)


def service(name: str = "web", **spec: Any) -> Obj:
    ports = [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}]
    body = {"selector": {"app": "web"}, "ports": ports, "clusterIP": "10.96.0.10", "ipFamilies": ["IPv4"], **spec}
    return named("Service", name, "default", spec=body)


async def serving(cluster: FakeCluster, name: str, number: int = 1, node: str = "node-0", app: str = "web") -> Obj:
    client = cluster.client()
    ip = f"10.244.{number // 250}.{number % 250 + 1}"
    return await make_ready(client, await client.create(PODS, pod(name, app=app)), node, ip)


def conditions(cluster: FakeCluster) -> dict[str, tuple[bool, bool, bool]]:
    return {
        e["targetRef"]["name"]: tuple(e["conditions"][name] for name in ("ready", "serving", "terminating"))
        for known in cluster.list(SLICES)
        for e in known["endpoints"]
    }


@pytest.mark.looptime
async def test_ready_pods_become_endpoints_of_both_kinds() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    async with Running(cluster, *LOOPS):
        await client.create("v1/nodes", named("Node", "node-0") | {"spec": {}})
        labels = {"labels": {"topology.kubernetes.io/zone": "zone-a"}}
        await client.patch("v1/nodes", "node-0", {"metadata": labels})
        created = await client.create(SERVICES, service())
        first = await serving(cluster, "a", 1)
        await client.create(PODS, pod("pending", app="web"))
        await serving(cluster, "other", 2, app="db")
        await settle()
    (known,) = cluster.list(SLICES)
    assert known["metadata"]["generateName"] == "web-"
    assert known["metadata"]["labels"] == {
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    }
    assert known["metadata"]["ownerReferences"] == [owner_reference(created)]
    assert known["addressType"] == "IPv4"
    assert known["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]
    reference = {"kind": "Pod", "namespace": "default", "name": "a", "uid": first["metadata"]["uid"]}
    assert known["endpoints"] == [
        {
            "addresses": ["10.244.0.2"],
            "conditions": {"ready": True, "serving": True, "terminating": False},
            "targetRef": reference,
            "nodeName": "node-0",
            "zone": "zone-a",
        }
    ]
    endpoints = cluster.get(ENDPOINTS, "default/web")
    assert endpoints["subsets"] == [
        {
            "addresses": [{"ip": "10.244.0.2", "nodeName": "node-0", "targetRef": reference}],
            "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        }
    ]
    assert "endpoints.kubernetes.io/last-change-trigger-time" in endpoints["metadata"]["annotations"]


@pytest.mark.looptime
async def test_pods_lose_readiness_terminate_and_go() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    async with Running(cluster, *LOOPS):
        await client.create(SERVICES, service())
        one, two = await serving(cluster, "one", 1), await serving(cluster, "two", 2)
        await settle()
        assert conditions(cluster) == {"one": (True, True, False), "two": (True, True, False)}
        await set_status(client, one, ready_status("10.244.0.2", ready=False))
        await client.delete(PODS, "two", "default")
        await settle()
        assert conditions(cluster) == {"one": (False, False, False), "two": (False, True, True)}
        (subset,) = cluster.get(ENDPOINTS, "default/web")["subsets"]
        assert [address["ip"] for address in subset["notReadyAddresses"]] == ["10.244.0.2"]
        assert "addresses" not in subset
        await client.delete(PODS, "two", "default", grace_period_seconds=0)
        await client.update(
            PODS, {**cluster.get(PODS, "default/one"), "status": {"phase": "Failed"}}, subresource="status"
        )
        await settle()
        assert conditions(cluster) == {}
        (known,) = cluster.list(SLICES)
        assert (known["endpoints"], known["ports"]) == ([], [])
        assert "subsets" not in cluster.get(ENDPOINTS, "default/web")
    assert two["metadata"]["name"] == "two"


@pytest.mark.looptime
async def test_publish_not_ready_addresses_and_headless() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    async with Running(cluster, *LOOPS):
        await client.create(SERVICES, service(publishNotReadyAddresses=True, clusterIP="None"))
        one = await serving(cluster, "one", 1)
        await set_status(client, one, ready_status("10.244.0.2", ready=False))
        await settle()
        assert conditions(cluster) == {"one": (True, False, False)}
        assert cluster.list(SLICES)[0]["metadata"]["labels"]["service.kubernetes.io/headless"] == ""
        assert len(cluster.get(ENDPOINTS, "default/web")["subsets"][0]["addresses"]) == 1
        await client.delete(PODS, "one", "default")
        await settle()
        assert conditions(cluster) == {"one": (True, False, True)}


@pytest.mark.looptime
async def test_many_pods_fill_slices_of_a_hundred_with_few_writes() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    async with Running(cluster, *LOOPS):
        await client.create(SERVICES, service())
        for number in range(250):
            await serving(cluster, f"pod-{number}", number)
        await settle(10)
        sizes = sorted(len(known["endpoints"]) for known in cluster.list(SLICES))
        assert sum(sizes) == 250
        assert max(sizes) <= 100
        assert len(sizes) == 3
        writes = cluster.count("update", SLICES) + cluster.count("create", SLICES)
        assert writes < 25
        before = cluster.revision
        await settle(60)
        assert cluster.revision == before
        # One pod changes: one slice is written.
        known = cluster.count("update", SLICES)
        await set_status(client, cluster.get(PODS, "default/pod-7"), ready_status("10.244.0.8", ready=False))
        await settle()
        assert cluster.count("update", SLICES) == known + 1


@pytest.mark.looptime
async def test_a_stale_cache_does_not_create_slices_twice() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    async with Running(cluster, EndpointSliceController) as (loop,):
        await serving(cluster, "a", 1)
        await client.create(SERVICES, service())
        await settle(0.0001)
        with cluster.stale():
            for _ in range(3):
                loop.queue.add("default/web")
                await settle(1)
            assert len(cluster.list(SLICES)) == 1
        await settle()
    assert len(cluster.list(SLICES)) == 1


@pytest.mark.looptime
async def test_a_deleted_service_takes_its_endpoints_along_but_not_those_of_others() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    by_hand = named("Endpoints", "by-hand", "default", subsets=[{"addresses": [{"ip": "1.2.3.4"}]}])
    await client.create(ENDPOINTS, by_hand)
    await client.create(ENDPOINTS, {**by_hand, "metadata": {"name": "external", "namespace": "default"}})
    async with Running(cluster, *LOOPS):
        await client.create(SERVICES, service())
        await client.create(SERVICES, service("external", selector=None))
        await settle()
        assert cluster.has(ENDPOINTS, "default/web")
        assert cluster.get(ENDPOINTS, "default/external")["subsets"] == by_hand["subsets"]
        await client.delete(SERVICES, "web", "default")
        await client.delete(SERVICES, "external", "default")
        await settle()
    assert not cluster.has(ENDPOINTS, "default/web")
    assert not cluster.has(ENDPOINTS, "default/external")
    assert cluster.has(ENDPOINTS, "default/by-hand")


@pytest.mark.looptime
async def test_a_pod_that_changes_its_labels_changes_services() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    async with Running(cluster, *LOOPS):
        await client.create(SERVICES, service())
        await client.create(SERVICES, service("db", selector={"app": "db"}))
        await serving(cluster, "a", 1)
        await settle()
        await client.patch(PODS, "a", {"metadata": {"labels": {"app": "db"}}}, "default")
        await settle()
        owners = {
            known["metadata"]["labels"]["kubernetes.io/service-name"]: len(known["endpoints"])
            for known in cluster.list(SLICES)
        }
        assert owners == {"web": 0, "db": 1}
        assert "subsets" not in cluster.get(ENDPOINTS, "default/web")
        assert "subsets" in cluster.get(ENDPOINTS, "default/db")


@pytest.mark.looptime
async def test_meddling_is_undone() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    async with Running(cluster, *LOOPS):
        await client.create(SERVICES, service())
        await serving(cluster, "a", 1)
        await settle()
        name = cluster.list(SLICES)[0]["metadata"]["name"]
        await client.delete(SLICES, name, "default")
        await client.delete(ENDPOINTS, "web", "default")
        await settle()
        assert conditions(cluster) == {"a": (True, True, False)}
        await client.patch(ENDPOINTS, "web", {"subsets": None}, "default")
        await settle()
        assert len(cluster.get(ENDPOINTS, "default/web")["subsets"]) == 1


@pytest.mark.looptime
async def test_two_families_get_slices_of_their_own() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    async with Running(cluster, EndpointSliceController):
        await client.create(SERVICES, service(ipFamilies=["IPv4", "IPv6"]))
        one = await serving(cluster, "one", 1)
        status = ready_status("10.244.0.2")
        status["podIPs"].append({"ip": "fd00::2"})
        await set_status(client, one, status)
        await settle()
    found = {known["addressType"]: known["endpoints"][0]["addresses"] for known in cluster.list(SLICES)}
    assert found == {"IPv4": ["10.244.0.2"], "IPv6": ["fd00::2"]}


@pytest.mark.parametrize(
    ("target", "number"), [(8080, 8080), ("web", 9090), ("dns", None), ("missing", None), (0, 80), (None, 80)]
)
def test_target_ports_are_resolved(target: int | str | None, number: int | None) -> None:
    ports = [{"name": "web", "containerPort": 9090}, {"name": "dns", "containerPort": 53, "protocol": "UDP"}]
    found = {"spec": {"containers": [{"ports": ports}]}}
    port = {"port": 80} | ({"targetPort": target} if target is not None else {})
    assert target_port(port, found) == number


def test_pods_with_different_numbers_for_a_port_name_get_different_slices() -> None:
    one: Ports = (("http", 8080, "TCP", ""),)
    two: Ports = (("http", 9090, "TCP", ""),)
    planned = plan(stored_service(), [], {one: {"a": endpoint("a")}, two: {"b": endpoint("b")}}, "IPv4")
    assert sorted(known["ports"][0]["port"] for known in planned.create) == [8080, 9090]


def stored_service() -> Obj:
    obj = service()
    obj["metadata"]["uid"] = "service"
    return obj


def endpoint(uid: str, ready: bool = True) -> Obj:
    return {"addresses": [uid], "conditions": {"ready": ready}, "targetRef": {"uid": uid}}


PORTS: Ports = (("http", 8080, "TCP", ""),)


@given(st.lists(st.tuples(st.sets(st.integers(0, 60)), st.sets(st.integers(0, 60))), min_size=1, max_size=5))
@settings(max_examples=150, deadline=None)
def test_however_endpoints_change_slices_say_it_exactly(rounds: list[tuple[set[int], set[int]]]) -> None:
    limit, slices, names = 7, {}, iter(range(10_000))
    for members, unready in rounds:
        desired = {f"u{n}": endpoint(f"u{n}", n not in unready) for n in members}
        planned = plan(stored_service(), list(slices.values()), {PORTS: desired} if desired else {}, "IPv4", limit)
        for obj in planned.delete:
            del slices[obj["metadata"]["name"]]
        for obj in planned.update:
            slices[obj["metadata"]["name"]] = obj
        for obj in planned.create:
            name = f"s{next(names)}"
            slices[name] = {**obj, "metadata": {**obj["metadata"], "name": name}}
        told = [each for obj in slices.values() for each in obj["endpoints"]]
        assert {each["targetRef"]["uid"]: each for each in told} == desired
        assert len(told) == len(desired)
        assert slices
        assert all(len(obj["endpoints"]) <= limit for obj in slices.values())
        again = plan(stored_service(), list(slices.values()), {PORTS: desired} if desired else {}, "IPv4", limit)
        assert again.empty


def test_endpoints_are_cut_at_their_capacity_ready_ones_first() -> None:
    subsets = [
        {"addresses": [{"ip": str(n)} for n in range(6)], "notReadyAddresses": [{"ip": "x"}], "ports": []},
        {"addresses": [{"ip": str(n)} for n in range(6)], "ports": []},
    ]
    cut, over = truncated(subsets, 8)
    assert over
    assert [len(subset.get("addresses") or ()) for subset in cut] == [6, 2]
    assert "notReadyAddresses" not in cut[0]
    assert truncated(subsets, 13) == (subsets, False)
