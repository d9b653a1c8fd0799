"""What a cluster that tests share is brought back to when one of them fails before it has undone what it did to all.

Objects of cluster-wide resources that came since the beginning go; nodes get back their labels, taints and extended resources.
What is in a namespace goes with it: that is for the test's own namespace.
"""

from __future__ import annotations

from typing import Any

from tests.support.server import Cluster, wait_for

Obj = dict[str, Any]
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
# These follow other objects by themselves, or are a test's own.
FOLLOW = frozenset({"namespaces", "ipaddresses", "apiservices", "csinodes", "persistentvolumes"})
MERGE = {"Content-Type": "application/merge-patch+json"}


NODES = "/api/v1/nodes"


class Nodes:
    """Labels, taints, cordons and extended resources of the nodes there are when this is made."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.before = {name: _settings(node) for name, node in listed(cluster, NODES).items()}

    def changed(self) -> list[str]:
        """The names of those that are set otherwise now, or gone."""
        now = listed(self.cluster, NODES)
        return [name for name, before in self.before.items() if name not in now or _settings(now[name]) != before]

    def restore(self) -> None:
        """Set them as they were."""
        for name in self.changed():
            path, before = f"{NODES}/{name}", self.before[name]
            now = _settings(listed(self.cluster, NODES)[name])
            labels = {**dict.fromkeys(now["labels"]), **before["labels"]}
            spec = {"taints": before["taints"], "unschedulable": before["unschedulable"]}
            extended = {**dict.fromkeys(now["extended"]), **before["extended"]}
            for target, change in (
                (path, {"metadata": {"labels": labels}, "spec": spec}),
                (path + "/status", {"status": {"capacity": extended}}),
            ):
                status, answer = self.cluster.request("PATCH", target, change, MERGE)
                assert status == 200, answer


class Baseline:
    """The cluster as it is when this is made; `left()` is what is different now, `restore()` brings it back."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.nodes = Nodes(cluster)
        self.objects = {path: set(listed(cluster, path)) for path in self._paths()}

    def left(self) -> list[str]:
        """The paths of new objects, and of nodes that are set otherwise."""
        return [*self._fresh(), *(f"{NODES}/{name}" for name in self.nodes.changed())]

    def restore(self) -> None:
        """Undo all of it; fails when something will not go."""
        self.nodes.restore()
        for path in self._fresh():
            self.cluster.request("DELETE", path)
            self.cluster.request("PATCH", path, {"metadata": {"finalizers": None}}, MERGE)
        wait_for(lambda: not self.left(), "everything is as it was", 60)

    def _fresh(self) -> list[str]:
        return [
            f"{path}/{name}"
            for path in self._paths()
            for name in listed(self.cluster, path)
            if name not in self.objects.get(path, ())
        ]

    def _paths(self) -> list[str]:
        """Where the cluster-wide resources are that can be listed and deleted."""
        found = []
        for root in ("/api", "/apis"):
            status, answer = self.cluster.request("GET", root, headers={"Accept": AGGREGATED})
            assert status == 200, answer
            for group in answer["items"]:
                served = group["versions"][0]
                base = "/".join(part for part in (root, group["metadata"].get("name", ""), served["version"]) if part)
                found += [
                    f"{base}/{one['resource']}"
                    for one in served["resources"]
                    if one["scope"] == "Cluster"
                    and {"list", "delete"} <= set(one["verbs"])
                    and one["resource"] not in FOLLOW
                ]
        return found


def listed(cluster: Cluster, path: str) -> dict[str, Obj]:
    """The objects of a resource by their names; none when it is not served any more."""
    status, answer = cluster.request("GET", path)
    assert status in (200, 404), answer
    return {one["metadata"]["name"]: one for one in answer.get("items", ())}


def _settings(node: Obj) -> Obj:
    """What tests change of a node; taints that its condition puts on are not theirs."""
    spec, capacity = node.get("spec") or {}, (node.get("status") or {}).get("capacity") or {}
    return {
        "labels": node["metadata"].get("labels") or {},
        "taints": [one for one in spec.get("taints") or () if not one["key"].startswith("node.kubernetes.io/")] or None,
        "unschedulable": spec.get("unschedulable"),
        "extended": {name: amount for name, amount in capacity.items() if "/" in name},
    }
