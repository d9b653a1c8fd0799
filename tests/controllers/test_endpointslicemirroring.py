"""Endpoints written by hand are told as slices, too."""

from __future__ import annotations

from typing import Any

import pytest

from cluster.client.client import Obj
from cluster.controllers.endpointslicemirroring import EndpointSliceMirroringController
from cluster.controllers.policy.mirror import mirrored
from tests.support.fakecluster import FakeCluster, Running, settle
from tests.support.objects import named

SERVICES, SLICES, ENDPOINTS = "v1/services", "discovery.k8s.io/v1/endpointslices", "v1/endpoints"
PORT = {"name": "http", "port": 8080, "protocol": "TCP"}


def endpoints(*addresses: str, labels: dict[str, str] | None = None, **more: Any) -> Obj:
    body = named("Endpoints", "byhand", "default")
    body["metadata"]["labels"] = labels or {}
    return body | {"subsets": [{"addresses": [{"ip": ip} for ip in addresses], "ports": [PORT], **more}]}


def service(**spec: Any) -> Obj:
    return named("Service", "byhand", "default", spec={"ports": [{"port": 80}], **spec})


@pytest.mark.looptime
async def test_slices_follow_and_go_with_the_endpoints() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    async with Running(cluster, EndpointSliceMirroringController):
        await client.create(SERVICES, service())
        made = await client.create(ENDPOINTS, endpoints("10.1.2.3", labels={"a": "b"}))
        await settle(1)
        (known,) = cluster.list(SLICES)
        assert known["metadata"]["labels"] == {
            "a": "b",
            "kubernetes.io/service-name": "byhand",
            "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
        }
        assert known["metadata"]["ownerReferences"][0]["kind"] == "Endpoints"
        assert known["endpoints"] == [{"addresses": ["10.1.2.3"], "conditions": {"ready": True}}]
        changed = {"subsets": [{"addresses": [{"ip": "10.2.3.4"}], "ports": [PORT]}]}
        await client.patch(ENDPOINTS, "byhand", changed, "default")
        await settle(1)
        (again,) = cluster.list(SLICES)
        assert again["metadata"]["name"] == known["metadata"]["name"]
        assert again["endpoints"][0]["addresses"] == ["10.2.3.4"]
        await client.delete(ENDPOINTS, "byhand", "default", uid=made["metadata"]["uid"])
        await settle(1)
        assert cluster.list(SLICES) == []


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("spec", "labels"),
    [({"selector": {"app": "web"}}, {}), ({}, {"endpointslice.kubernetes.io/skip-mirror": "true"})],
)
async def test_what_others_care_for_is_not_mirrored(spec: dict[str, Any], labels: dict[str, str]) -> None:
    cluster = FakeCluster()
    async with Running(cluster, EndpointSliceMirroringController):
        await cluster.client().create(SERVICES, service(**spec))
        await cluster.client().create(ENDPOINTS, endpoints("10.1.2.3", labels=labels))
        await settle(1)
        assert cluster.list(SLICES) == []


def test_families_and_readiness_are_kept_apart() -> None:
    found = mirrored(
        {
            **endpoints("10.0.0.1", "fd00::1", notReadyAddresses=[{"ip": "10.0.0.2", "hostname": "b"}]),
            "apiVersion": "v1",
            "metadata": {"name": "byhand", "namespace": "default", "uid": "u"},
        }
    )
    assert [(one["addressType"], [end["addresses"] for end in one["endpoints"]]) for one in found] == [
        ("IPv4", [["10.0.0.1"], ["10.0.0.2"]]),
        ("IPv6", [["fd00::1"]]),
    ]
    assert found[0]["endpoints"][1] == {"addresses": ["10.0.0.2"], "conditions": {"ready": False}, "hostname": "b"}
