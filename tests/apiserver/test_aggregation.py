"""What another API server says of itself becomes part of everybody's discovery: only what has its form is taken."""

from __future__ import annotations

import pytest

from cluster.apiserver.aggregation import _is_resource_list
from cluster.apiserver.webhooks import CallFailed, endpoint

FINE = {"name": "flunders", "kind": "Flunder", "namespaced": True, "verbs": ["get"], "shortNames": None}


def document(*resources):
    return {"kind": "APIResourceList", "resources": list(resources)}


@pytest.mark.parametrize("said", [document(), document(FINE), document(FINE, {**FINE, "name": "flunders/status"})])
def test_a_resource_list(said):
    assert _is_resource_list(said)


@pytest.mark.parametrize(
    "said",
    [
        None,
        [],
        {"kind": "APIResourceList"},
        {"kind": "APIResourceList", "resources": 5},
        {"kind": "Status", "resources": [FINE]},
        document("x"),
        document({**FINE, "name": 1}),
        document({**FINE, "name": ""}),
        document({**FINE, "kind": {}}),
        document({**FINE, "verbs": "get"}),
        document({**FINE, "shortNames": [1]}),
        document({**FINE, "namespaced": "yes"}),
    ],
)
def test_what_is_none(said):
    assert not _is_resource_list(said)


class Objects:
    def get(self, resource, namespace, name):
        return {"spec": {"ports": [{"port": 443}]}}

    def list(self, resource, namespace=""):
        labels = {"kubernetes.io/service-name": "s"}
        address = {"addresses": ["10.0.0.1"]}
        return [
            {"metadata": {"labels": labels}, "ports": [{}], "endpoints": [address]},
            {"metadata": {"labels": labels}, "ports": [{"port": None}], "endpoints": [address]},
            {"metadata": {"labels": labels}, "ports": [{"port": 8443}], "endpoints": [{"addresses": []}]},
        ]


def test_pieces_without_a_port_or_an_address_lead_nowhere():
    with pytest.raises(CallFailed, match="no endpoints available"):
        endpoint({"name": "s", "namespace": "a"}, Objects(), "https://s.a.svc")
