"""What the scheduler knows of a node: capacity, what is asked of it, and by whom (scheduler/framework.NodeInfo).

CPU in thousandths, memory and storage in bytes, everything else in whole units.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import orjson

from cluster.apimachinery.podresources import Amounts, add, amounts, host_ports, pod_requests

Obj = dict[str, Any]

# What a container without requests is counted as for scoring (schedutil.DefaultMilliCPURequest, DefaultMemoryRequest).
DEFAULT = {"cpu": 100, "memory": 200 * 1024 * 1024}

# Templates whose shapes are remembered.
MAX_SHAPES = 4096


def pinned_names(affinity: Mapping[str, Any]) -> frozenset[str] | None:
    """The only nodes that a required node affinity can match, where it names them (daemons' pods); None: any might.

    Kubernetes' NodeAffinity finds this out before it filters (PreFilterResult), so that other nodes are not even looked at.
    """
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    found: set[str] = set()
    for term in required.get("nodeSelectorTerms") or ():
        lists = [
            set(one.get("values") or ())
            for one in term.get("matchFields") or ()
            if one.get("key") == "metadata.name" and one.get("operator") == "In"
        ]
        if not lists:
            return None
        found |= set.intersection(*lists)
    return frozenset(found) if required else None


class PodShape:
    """What matters of a pod's spec to the plugins, worked out once for all pods of one template."""

    __slots__ = (
        "affinity",
        "images",
        "node_name",
        "pinned",
        "ports",
        "requests",
        "scored",
        "selector",
        "signature",
        "tolerations",
    )

    def __init__(self, spec: Mapping[str, Any], signature: bytes) -> None:
        self.signature = signature
        self.requests = pod_requests(spec)
        self.scored = pod_requests(spec, otherwise=DEFAULT)
        self.ports = host_ports(spec)
        self.selector: Mapping[str, str] = spec.get("nodeSelector") or {}
        self.affinity: Mapping[str, Any] = (spec.get("affinity") or {}).get("nodeAffinity") or {}
        self.pinned = pinned_names(self.affinity)
        self.tolerations: tuple[Obj, ...] = tuple(spec.get("tolerations") or ())
        self.node_name: str = spec.get("nodeName") or ""
        self.images = tuple(container.get("image", "") for container in spec.get("containers") or ())


_SHAPING = ("nodeSelector", "affinity", "tolerations", "overhead", "resources", "nodeName")


def signature_of(spec: Mapping[str, Any]) -> bytes:
    """Two pods with the same signature fit the same nodes equally well (Kubernetes' opportunistic batching)."""
    containers = [
        (container.get("image"), container.get("resources"), container.get("ports"), container.get("restartPolicy"))
        for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ()))
    ]
    return orjson.dumps([containers, *(spec.get(field) for field in _SHAPING)])


_shapes: dict[bytes, PodShape] = {}


def shape_of(spec: Mapping[str, Any]) -> PodShape:
    """The shape of a pod; pods of one template share it."""
    signature = signature_of(spec)
    shape = _shapes.get(signature)
    if shape is None:
        if len(_shapes) >= MAX_SHAPES:
            _shapes.clear()
        shape = _shapes[signature] = PodShape(spec, signature)
    return shape


class NodeInfo:
    """A node and the pods on it. `generation` moves with every change, so that verdicts can be kept until then."""

    __slots__ = (
        "allocatable",
        "generation",
        "images",
        "labels",
        "name",
        "node",
        "owners",
        "pods",
        "ports",
        "requested",
        "scored",
        "static_generation",
        "taints",
        "unschedulable",
        "zone",
    )
    # Changes of any node at all.
    changes: ClassVar[int] = 0

    def __init__(self, name: str) -> None:
        self.name = name
        self.node: Obj | None = None
        self.generation = 0
        self.static_generation = 0
        self.allocatable: Amounts = {}
        self.requested: Amounts = {}
        self.scored: Amounts = {}
        self.pods: dict[str, tuple[PodShape, str]] = {}
        self.owners: dict[str, int] = {}
        self.ports: dict[tuple[str, str, int], int] = {}
        self.labels: Mapping[str, str] = {}
        self.taints: tuple[Obj, ...] = ()
        self.unschedulable = False
        self.images: frozenset[str] = frozenset()
        self.zone = ""

    def _moved(self) -> None:
        self.generation += 1
        NodeInfo.changes += 1

    def set_node(self, node: Obj | None) -> None:
        """Take over the Node object (None: it is gone)."""
        self.node = node
        self._moved()
        self.static_generation += 1
        if node is None:
            return
        spec, status = node.get("spec") or {}, node.get("status") or {}
        self.labels = node["metadata"].get("labels") or {}
        self.taints = tuple(spec.get("taints") or ())
        self.unschedulable = bool(spec.get("unschedulable"))
        self.allocatable = amounts(status.get("allocatable") or status.get("capacity"))
        self.images = frozenset(name for image in status.get("images") or () for name in image.get("names") or ())
        self.zone = self.labels.get("topology.kubernetes.io/zone", "")

    def add_pod(self, uid: str, shape: PodShape, owner: str) -> None:
        if uid in self.pods:
            return
        self._moved()
        self.pods[uid] = (shape, owner)
        add(self.requested, shape.requests)
        add(self.scored, shape.scored)
        if owner:
            self.owners[owner] = self.owners.get(owner, 0) + 1
        for port in shape.ports:
            self.ports[port] = self.ports.get(port, 0) + 1

    def remove_pod(self, uid: str) -> None:
        found = self.pods.pop(uid, None)
        if found is None:
            return
        self._moved()
        shape, owner = found
        for total, less in ((self.requested, shape.requests), (self.scored, shape.scored)):
            for name, value in less.items():
                total[name] -= value
        if owner:
            self.owners[owner] -= 1
            if not self.owners[owner]:
                del self.owners[owner]
        for port in shape.ports:
            self.ports[port] -= 1
            if not self.ports[port]:
                del self.ports[port]
