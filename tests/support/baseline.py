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


class Baseline:
    """The cluster as it is when this is made; `left()` is what is different now, `restore()` brings it back."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.objects = {path: set(self._list(path)) for path in self._paths()}
        self.nodes = {name: _settings(node) for name, node in self._list("/api/v1/nodes").items()}

    def left(self) -> list[str]:
        """The paths of new objects, and of nodes that are set otherwise."""
        fresh = [f"{path}/{name}" for path in self._paths() for name in self._list(path) if self._is_new(path, name)]
        nodes = self._list("/api/v1/nodes")
        return [*fresh, *(f"/api/v1/nodes/{one}" for one in self.nodes if _settings(nodes[one]) != self.nodes[one])]

    def restore(self) -> None:
        """Undo all of it; fails when something will not go."""
        nodes = self._list("/api/v1/nodes")
        for name, settings in self.nodes.items():
            if _settings(nodes[name]) != settings:
                self._set(nodes[name], settings)
        for path in self.left():
            if not path.startswith("/api/v1/nodes/") or path.rpartition("/")[2] not in self.nodes:
                self.cluster.request("DELETE", path)
                self.cluster.request("PATCH", path, {"metadata": {"finalizers": None}}, MERGE)
        wait_for(lambda: not self.left(), "everything is as it was", 60)

    def _is_new(self, path: str, name: str) -> bool:
        return name not in self.objects.get(path, ())

    def _set(self, node: Obj, settings: Obj) -> None:
        path, now = f"/api/v1/nodes/{node['metadata']['name']}", _settings(node)
        labels = {**dict.fromkeys(now["labels"]), **settings["labels"]}
        spec = {"taints": settings["taints"], "unschedulable": settings["unschedulable"]}
        extended = {**dict.fromkeys(now["extended"]), **settings["extended"]}
        changes = (
            (path, {"metadata": {"labels": labels}, "spec": spec}),
            (path + "/status", {"status": {"capacity": extended}}),
        )
        for target, change in changes:
            status, answer = self.cluster.request("PATCH", target, change, MERGE)
            assert status == 200, answer

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

    def _list(self, path: str) -> dict[str, Obj]:
        status, answer = self.cluster.request("GET", path)
        assert status == 200, answer
        return {one["metadata"]["name"]: one for one in answer["items"]}


def _settings(node: Obj) -> Obj:
    """What tests change of a node; taints that its condition puts on are not theirs."""
    spec, capacity = node.get("spec") or {}, (node.get("status") or {}).get("capacity") or {}
    return {
        "labels": node["metadata"].get("labels") or {},
        "taints": [one for one in spec.get("taints") or () if not one["key"].startswith("node.kubernetes.io/")] or None,
        "unschedulable": spec.get("unschedulable"),
        "extended": {name: amount for name, amount in capacity.items() if "/" in name},
    }
