"""[sig-network] Endpoints, EndpointSlices and Ingress as objects, and who writes the slices."""

from __future__ import annotations

import json

import pytest

from tests.conformance.api import dumps
from tests.support.server import wait_for


def test_endpoint_slices_of_pods_that_match_a_service(ns):
    """EndpointSlice should create Endpoints and EndpointSlices for Pods matching a Service (named target ports)."""
    container = {"ports": [{"containerPort": 3000, "name": "example-name"}]}
    ns.create(
        "services",
        "named",
        {
            "selector": {"app": "n"},
            "publishNotReadyAddresses": True,
            "ports": [
                {"port": 80, "name": "example", "targetPort": "example-name"},
                {"port": 81, "name": "other", "targetPort": 3000},
            ],
        },
    )
    ns.pod("n1", "pause", container=container, metadata={"labels": {"app": "n"}})
    ns.pod(
        "n2",
        "pause",
        container={"ports": [{"containerPort": 3001, "name": "example-name"}]},
        metadata={"labels": {"app": "n"}},
    )
    ns.ready("n1", "n2")

    def found():
        slices = ns.list("endpointslices", "kubernetes.io/service-name=named")
        return (
            {(port["name"], port["port"]) for one in slices for port in one["ports"] or ()}
            if len(slices) == 2
            else None
        )

    assert wait_for(found, "a slice for each port that differs") == {
        ("example", 3000),
        ("example", 3001),
        ("other", 3000),
    }
    assert (
        len(
            wait_for(
                lambda: (
                    len(ns.get("endpoints", "named").get("subsets") or ()) >= 2
                    and ns.get("endpoints", "named")["subsets"]
                ),
                "two subsets",
            )
        )
        >= 2
    )
    ns.delete("services", "named")
    wait_for(
        lambda: (
            ns.find("endpoints", "named") is None and not ns.list("endpointslices", "kubernetes.io/service-name=named")
        ),
        "all goes with the service",
    )


def test_endpoint_slice_points_to_the_api_server(ns):
    slices = ns.request(
        "GET",
        "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io/service-name=kubernetes",
    )["items"]
    endpoints = ns.request("GET", "/api/v1/namespaces/default/endpoints/kubernetes")
    assert slices and slices[0]["endpoints"][0]["addresses"] == [endpoints["subsets"][0]["addresses"][0]["ip"]]


def test_endpoint_slices_mirror_hand_written_endpoints(ns):
    ns.create("services", "m", {"ports": [{"name": "example", "port": 80}]})
    ns.create(
        "endpoints", "m", subsets=[{"ports": [{"port": 80, "name": "example"}], "addresses": [{"ip": "10.1.2.3"}]}]
    )

    def mirrored():
        return [
            (end["addresses"], one["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"])
            for one in ns.list("endpointslices", "kubernetes.io/service-name=m")
            for end in one.get("endpoints") or ()
        ]

    by = "endpointslicemirroring-controller.k8s.io"
    assert wait_for(mirrored, "mirrored") == [(["10.1.2.3"], by)]
    ns.patch(
        "endpoints", "m", {"subsets": [{"ports": [{"port": 80, "name": "example"}], "addresses": [{"ip": "10.2.3.4"}]}]}
    )
    wait_for(lambda: mirrored() == [(["10.2.3.4"], by)], "updated")
    ns.delete("endpoints", "m")
    wait_for(lambda: not mirrored(), "gone")


@pytest.mark.parametrize("resource", ["endpointslices", "ingresses", "endpoints"])
def test_api_operations(ns, resource):
    """CRUD, patch, list over all namespaces, watch, delete collection."""
    bodies = {
        "endpointslices": {"addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"]}], "ports": []},
        "endpoints": {
            "subsets": [
                {"addresses": [{"ip": "10.0.0.24"}], "ports": [{"name": "http", "port": 80, "protocol": "TCP"}]}
            ]
        },
        "ingresses": {"spec": {"defaultBackend": {"service": {"name": "d", "port": {"number": 80}}}}},
    }
    for name in ("a", "b", "c"):
        ns.create(resource, name, metadata={"labels": {"special": "yes"}}, **json.loads(dumps(bodies[resource])))
    assert len(ns.list(resource, "special=yes")) == 3
    assert (
        ns.patch(resource, "a", {"metadata": {"annotations": {"patched": "true"}}})["metadata"]["annotations"][
            "patched"
        ]
        == "true"
    )
    body = ns.get(resource, "b")
    body["metadata"]["annotations"] = {"updated": "true"}
    assert ns.put(resource, "b", body)["metadata"]["annotations"]["updated"] == "true"
    if resource == "ingresses":
        status = {"status": {"loadBalancer": {"ingress": [{"ip": "169.1.1.1"}]}}}
        assert ns.patch(resource, "a/status", status)["status"] == status["status"]
    ns.delete(resource, "a")
    ns.delete(resource, query="?labelSelector=special%3Dyes")
    assert not ns.list(resource, "special=yes")
