"""What claims that wait for their consumer get on a node."""

from __future__ import annotations

from typing import Any

import pytest

from cluster.scheduler.nodeinfo import NodeInfo
from cluster.scheduler.volumes import Waiting, promises

Obj = dict[str, Any]


def node(name: str, **labels: str) -> NodeInfo:
    info = NodeInfo(name)
    metadata = {"name": name, "labels": {"host": name, **labels}}
    info.set_node({"metadata": metadata, "spec": {}, "status": {"allocatable": {}}})
    return info


def claim(name: str, size: str = "1Gi", selected: str = "") -> Obj:
    annotations = {"volume.kubernetes.io/selected-node": selected} if selected else {}
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}, "storageClassName": "c"}
    return {"metadata": {"name": name, "namespace": "default", "uid": name, "annotations": annotations}, "spec": spec}


def volume(name: str, size: str, host: str) -> Obj:
    term = {"matchExpressions": [{"key": "host", "operator": "In", "values": [host]}]}
    affinity = {"required": {"nodeSelectorTerms": [term]}}
    spec = {"capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"], "storageClassName": "c"}
    return {"metadata": {"name": name}, "spec": {**spec, "nodeAffinity": affinity}}


def storage_class(provisioner: str = "kubernetes.io/no-provisioner", **more: Any) -> Obj:
    return {"metadata": {"name": "c"}, "provisioner": provisioner, **more}


MADE = storage_class("sim.kubeweb.dev/disk")
ZONED = storage_class(
    "sim.kubeweb.dev/disk", allowedTopologies=[{"matchLabelExpressions": [{"key": "zone", "values": ["a"]}]}]
)
FREE = [volume("big", "5Gi", "n1"), volume("small", "1Gi", "n1"), volume("far", "1Gi", "n2")]


@pytest.mark.parametrize(
    ("claims", "given", "where", "expected"),
    [
        ([claim("a")], storage_class(), node("n1"), ["small"]),
        # Each volume goes to one claim.
        ([claim("a"), claim("b")], storage_class(), node("n1"), ["small", "big"]),
        ([claim("a"), claim("b")], storage_class(), node("n2"), None),
        ([claim("a", "9Gi")], storage_class(), node("n1"), None),
        ([claim("a", "9Gi")], MADE, node("n1"), [None]),
        ([claim("a")], MADE, node("n1"), ["small"]),
        # A volume is on its way to another node.
        ([claim("a", selected="n2")], MADE, node("n1"), None),
        ([claim("a", selected="n1")], MADE, node("n1"), [None]),
        ([claim("a", "9Gi")], ZONED, node("n1", zone="b"), None),
        ([claim("a", "9Gi")], ZONED, node("n1", zone="a"), [None]),
    ],
)
def test_what_each_claim_gets(
    claims: list[Obj], given: Obj, where: NodeInfo, expected: list[str | None] | None
) -> None:
    found = promises([Waiting(one, given) for one in claims], FREE, where)
    names = None if found is None else [one.volume and one.volume["metadata"]["name"] for one in found]
    assert names == expected
