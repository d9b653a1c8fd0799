"""Ranges of Service addresses are ready; they stay while an address in them is used."""

from __future__ import annotations

import pytest

from cluster.apimachinery.meta import get_condition
from cluster.controllers.servicecidr import ADDRESSES, CIDRS, FINALIZER, ServiceCIDRController
from tests.support.fakecluster import FakeCluster, Running, settle
from tests.support.objects import named


@pytest.mark.looptime
async def test_a_range_is_ready_and_waits_for_its_last_address() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    async with Running(cluster, ServiceCIDRController):
        await client.create(CIDRS, named("ServiceCIDR", "more", spec={"cidrs": ["10.200.0.0/24"]}))
        await settle(1)
        known = cluster.get(CIDRS, "more")
        assert known["metadata"]["finalizers"] == [FINALIZER]
        ready = get_condition(known, "Ready") or {}
        assert (ready["status"], ready["message"]) == ("True", "Kubernetes Service CIDR is ready")
        await client.create(ADDRESSES, named("IPAddress", "10.200.0.7"))
        await client.delete(CIDRS, "more")
        await settle(1)
        ready = get_condition(cluster.get(CIDRS, "more"), "Ready") or {}
        assert (ready["status"], ready["reason"]) == ("False", "Terminating")
        await client.delete(ADDRESSES, "10.200.0.7")
        await settle(1)
        assert not cluster.has(CIDRS, "more")


@pytest.mark.looptime
async def test_a_range_inside_another_may_go() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    async with Running(cluster, ServiceCIDRController):
        for name, network in (("wide", "10.200.0.0/16"), ("narrow", "10.200.0.0/24")):
            await client.create(CIDRS, named("ServiceCIDR", name, spec={"cidrs": [network]}))
        await client.create(ADDRESSES, named("IPAddress", "10.200.0.7"))
        await settle(1)
        await client.delete(CIDRS, "narrow")
        await settle(1)
        assert [one["metadata"]["name"] for one in cluster.list(CIDRS)] == ["wide"]
