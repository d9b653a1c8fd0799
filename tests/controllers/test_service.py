"""Load balancers get an address, keep it, and give it back."""

from __future__ import annotations

from typing import Any

import pytest

from cluster.client.client import Obj
from cluster.controllers.service import SERVICES, ServiceController
from tests.support.fakecluster import FakeCluster, Running, settle
from tests.support.objects import named


def service(name: str = "web", kind: str = "LoadBalancer", **spec: Any) -> Obj:
    return named("Service", name, "default", spec={"type": kind, "ports": [{"port": 80}], **spec})


def address(cluster: FakeCluster, name: str = "web") -> str:
    status = cluster.get(SERVICES, f"default/{name}").get("status") or {}
    ingress = (status.get("loadBalancer") or {}).get("ingress") or [{}]
    return str(ingress[0].get("ip", ""))


@pytest.mark.looptime
async def test_addresses_are_given_once_each() -> None:
    cluster = FakeCluster()
    async with Running(cluster, ServiceController):
        for name in ("a", "b"):
            await cluster.client().create(SERVICES, service(name))
        await cluster.client().create(SERVICES, service("c", loadBalancerIP="192.0.2.77"))
        await cluster.client().create(SERVICES, service("plain", "ClusterIP"))
        await settle(1)
        assert {address(cluster, "a"), address(cluster, "b")} == {"192.0.2.1", "192.0.2.2"}
        assert address(cluster, "c") == "192.0.2.77" and address(cluster, "plain") == ""
        assert cluster.events("EnsuredLoadBalancer") == ["Ensured load balancer"] * 3
