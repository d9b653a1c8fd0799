"""[sig-network] IngressClass API, [sig-node] RuntimeClass API, [sig-storage] VolumeAttributesClass: each operation, as it is seen by a watch."""

from __future__ import annotations

import http.client
import json
import ssl
from contextlib import closing

import pytest

from tests.conformance.api import CLUSTER_WIDE, Refused
from tests.support.server import wait_for

CLASSES = {
    "ingressclasses": {"spec": {"controller": "e2e.example.com/controller"}},
    "runtimeclasses": {"handler": "runc"},
    "volumeattributesclasses": {"driverName": "e2e-fake-csi", "parameters": {"foo": "bar"}},
}
CLUSTER_WIDE.setdefault("volumeattributesclasses", "apis/storage.k8s.io/v1")


@pytest.mark.parametrize("resource", sorted(CLASSES))
def test_api_operations(ns, cluster, resource):
    group, plural = CLUSTER_WIDE[resource].split("/")[1], resource
    assert any(one["name"] == group for one in ns.request("GET", "/apis")["groups"])
    assert any(one["name"] == plural for one in ns.request("GET", f"/{CLUSTER_WIDE[resource]}")["resources"])
    names, labels = [f"{ns.name}-{at}" for at in range(3)], {"special-label": ns.name}
    begin = ns.request("GET", ns.path(resource))["metadata"]["resourceVersion"]
    for name in names:
        ns.request("POST", ns.path(resource), {"metadata": {"name": name, "labels": labels}, **CLASSES[resource]})
    with pytest.raises(Refused) as again:
        ns.request("POST", ns.path(resource), {"metadata": {"name": names[0]}, **CLASSES[resource]})
    assert again.value.code == 409
    chosen = f"special-label={ns.name}"
    assert sorted(one["metadata"]["name"] for one in ns.list(resource, chosen)) == names
    change = {"metadata": {"annotations": {"patched": "true"}}}
    assert ns.patch(resource, names[0], change)["metadata"]["annotations"]["patched"] == "true"
    found = ns.get(resource, names[1])
    found["metadata"]["annotations"] = {"updated": "true"}
    assert ns.put(resource, names[1], found)["metadata"]["annotations"]["updated"] == "true"
    ns.delete(resource, names[0])
    assert ns.find(resource, names[0]) is None
    ns.delete(resource, query=f"?labelSelector=special-label%3D{ns.name}")
    wait_for(lambda: not ns.list(resource, chosen), "all are gone")
    path = f"{ns.path(resource)}?watch=true&resourceVersion={begin}&labelSelector=special-label%3D{ns.name}"
    assert _events(cluster, path, 8) == [
        *(("ADDED", name) for name in names),
        ("MODIFIED", names[0]),
        ("MODIFIED", names[1]),
        *(("DELETED", name) for name in names),
    ]


def _events(cluster, path: str, count: int) -> list[tuple[str, str]]:
    """So many events of a watch, in order."""
    context = ssl._create_unverified_context()
    with closing(http.client.HTTPSConnection("127.0.0.1", cluster.https, context=context, timeout=60)) as connection:
        connection.request("GET", path, headers={"Authorization": f"Bearer {cluster.token()}"})
        with connection.getresponse() as lines:
            events = [json.loads(lines.readline()) for _ in range(count)]
    return [(event["type"], event["object"]["metadata"]["name"]) for event in events]


@pytest.mark.parametrize(
    ("resource", "change"),
    [
        ("ingressclasses", {"spec": {"controller": "other.example.com/c"}}),
        ("runtimeclasses", {"handler": "other"}),
        ("volumeattributesclasses", {"parameters": {"foo": "baz"}}),
    ],
)
def test_what_makes_a_class_stays(ns, resource, change):
    ns.request("POST", ns.path(resource), {"metadata": {"name": ns.name}, **CLASSES[resource]})
    with pytest.raises(Refused) as refused:
        ns.patch(resource, ns.name, change)
    said = json.dumps(refused.value.status)
    assert refused.value.code == 422 and ("field is immutable" in said or "updates to parameters are forbidden" in said)
    ns.delete(resource, ns.name)
