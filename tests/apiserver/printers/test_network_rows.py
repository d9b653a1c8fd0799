"""Services and networking: each kind's row as Kubernetes prints it (wide)."""

from __future__ import annotations

import pytest

from tests.apiserver.printers.rows import (
    AGE,
    APP,
    NETWORK,
    NONE,
    UNSET,
    made,
    numbered,
    service,
    shows,
)

ROWS = [
    # -- network
    (
        "services",
        service(
            "ClusterIP", ports=[{"port": 80, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}], selector={"a": "b"}
        ),
        ["n", "ClusterIP", "10.96.0.1", NONE, "80/TCP,53/UDP", AGE, "a=b"],
    ),
    (
        "services",
        service(
            "NodePort", ports=[{"port": 80, "nodePort": 30080, "protocol": "TCP"}], externalIPs=["1.1.1.1", "2.2.2.2"]
        ),
        ["n", "NodePort", "10.96.0.1", "1.1.1.1,2.2.2.2", "80:30080/TCP", AGE, NONE],
    ),
    ("services", service("LoadBalancer"), ["n", "LoadBalancer", "10.96.0.1", "<pending>", NONE, AGE, NONE]),
    (
        "services",
        service(
            "LoadBalancer",
            {"loadBalancer": {"ingress": [{"hostname": "z.example"}, {"ip": "9.9.9.9"}]}},
            externalIPs=["1.1.1.1"],
        ),
        ["n", "LoadBalancer", "10.96.0.1", "9.9.9.9,z.example,1.1.1.1", NONE, AGE, NONE],
    ),
    (
        "services",
        made({"type": "ExternalName", "externalName": "db.example"}),
        ["n", "ExternalName", NONE, "db.example", NONE, AGE, NONE],
    ),
    ("endpoints", made(), ["n", NONE, AGE]),
    (
        "endpoints",
        made(
            subsets=[
                {"addresses": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}], "ports": [{"port": 80}, {"port": 81}]},
                {"addresses": [{"ip": "10.0.0.3"}]},
            ]
        ),
        ["n", "10.0.0.1:80,[fd00::1]:80,10.0.0.1:81 + 2 more...", AGE],
    ),
    (
        "discovery.k8s.io/endpointslices",
        made(
            addressType="IPv4",
            ports=[{"port": 80}, {"name": "any"}, {}],
            endpoints=[{"addresses": ["a"]}, {"addresses": ["b", "c"]}, {"addresses": ["d"]}],
        ),
        ["n", "IPv4", "80,any,*", "a,b,c + 1 more...", AGE],
    ),
    ("discovery.k8s.io/endpointslices", made(addressType="IPv4"), ["n", "IPv4", UNSET, UNSET, AGE]),
    (
        f"{NETWORK}/ingresses",
        made(
            {
                "ingressClassName": "nginx",
                "tls": [{}],
                "rules": [{"host": "a"}, {}, {"host": "b"}, {"host": "c"}, {"host": "d"}],
            },
            {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}},
        ),
        ["n", "nginx", "a,b,c + 2 more...", "1.2.3.4", "80, 443", AGE],
    ),
    (f"{NETWORK}/ingresses", made({"rules": [{}]}), ["n", NONE, "*", "", "80", AGE]),
    (
        f"{NETWORK}/ingressclasses",
        made({"controller": "x/y", "parameters": {"apiGroup": "g", "kind": "K", "name": "p"}}),
        ["n", "x/y", "K.g/p", AGE],
    ),
    (f"{NETWORK}/networkpolicies", made({"podSelector": {}}), ["n", NONE, AGE]),
    (f"{NETWORK}/networkpolicies", made({"podSelector": APP}), ["n", "app=w", AGE]),
    (f"{NETWORK}/servicecidrs", made({"cidrs": ["10.96.0.0/16", "fd00::/108"]}), ["n", "10.96.0.0/16,fd00::/108", AGE]),
    (
        f"{NETWORK}/ipaddresses",
        made({"parentRef": {"group": "", "resource": "services", "namespace": "d", "name": "s"}}, name="10.96.0.1"),
        ["10.96.0.1", "services/d/s", AGE],
    ),
]


@pytest.mark.parametrize(("key", "obj", "cells"), ROWS, ids=numbered(ROWS))
def test_a_row(key, obj, cells):
    shows(key, obj, cells)
