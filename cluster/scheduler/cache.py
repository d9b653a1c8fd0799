"""What the scheduler counts on: the nodes, and which pods stand or are about to stand on them (scheduler/backend/cache).

A pod counts on its node from the moment it is assumed there, before the API server knows; a binding that fails takes that back. Every
change that may let a waiting pod in is told to the queue.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cluster.scheduler.nodeinfo import NodeInfo, PodShape, shape_of
from cluster.scheduler.peers import Peers, peer_of

Obj = dict[str, Any]


class Cache:
    """Nodes by name, those that exist in their order, and the pods placed on them."""

    def __init__(self, changed: Callable[[str], object]) -> None:
        self.changed = changed
        # Also nodes that are not there, as long as pods stand on them.
        self.nodes: dict[str, NodeInfo] = {}
        self.order: list[NodeInfo] = []
        self.peers = Peers()
        self._placed: dict[str, str] = {}  # pod uid → node it counts on (assumed or bound)

    def node_changed(self, old: Obj | None, new: Obj | None) -> None:
        """An informer's handler."""
        node = new or old
        assert node is not None
        info = self._info(node["metadata"]["name"])
        if new is not None and old is not None and _same_for_scheduling(old, new):
            info.node = new
            return
        info.set_node(new)
        if new is None and not info.pods:
            del self.nodes[info.name]
        if (old is None) is not (new is None):
            self.order = [known for known in self.nodes.values() if known.node is not None]
        self.changed("node")

    def placed(self, uid: str) -> str | None:
        """The node that a pod counts on."""
        return self._placed.get(uid)

    def bound(self, old: Obj | None, pod: Obj, node: str) -> None:
        """A pod is on a node, as the API server says: a new one, an assumed one, or one that looks otherwise now."""
        uid = pod["metadata"]["uid"]
        counted = self._placed.get(uid)
        if counted != node:
            self.release(uid)
            self.count(pod, shape_of(pod["spec"]), owner_of(pod), node)
        elif old is None or _stands_otherwise(old, pod):
            self.peers.put(peer_of(pod, node, shape_of(pod["spec"])))

    def count(self, pod: Obj, shape: PodShape, owner: str, node: str) -> None:
        """Count a pod on a node."""
        uid = pod["metadata"]["uid"]
        self._placed[uid] = node
        self._info(node).add_pod(uid, shape, owner)
        self.peers.put(peer_of(pod, node, shape))
        self.changed("pod placed")

    def release(self, uid: str) -> None:
        """Count it nowhere any more."""
        node = self._placed.pop(uid, None)
        if node is not None:
            info = self._info(node)
            info.remove_pod(uid)
            self.peers.remove(uid)
            if info.node is None and not info.pods:
                self.nodes.pop(node, None)
            self.changed("pod gone")

    def _info(self, name: str) -> NodeInfo:
        info = self.nodes.get(name)
        if info is None:
            info = self.nodes[name] = NodeInfo(name)
        return info


def owner_of(pod: Obj) -> str:
    """What pods are spread by: the controller that made them."""
    for reference in pod["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            return str(reference["uid"])
    return ""


def _stands_otherwise(old: Obj, new: Obj) -> bool:
    """What others see of a placed pod has changed."""
    before, after = old["metadata"], new["metadata"]
    return before.get("labels") != after.get("labels") or ("deletionTimestamp" in before) is not (
        "deletionTimestamp" in after
    )


def _same_for_scheduling(old: Obj, new: Obj) -> bool:
    """A heartbeat changes nothing that a filter or a score looks at."""
    if old["spec"] != new["spec"] or old["metadata"].get("labels") != new["metadata"].get("labels"):
        return False
    before, after = old.get("status") or {}, new.get("status") or {}
    return all(before.get(field) == after.get(field) for field in ("allocatable", "capacity", "images"))
