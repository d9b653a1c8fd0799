"""What the scheduler knows of a node: capacity, what is asked of it, and by whom (scheduler/framework.NodeInfo).

CPU in thousandths, memory and storage in bytes, everything else in whole units.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from cluster.apimachinery import quantity

Obj = dict[str, Any]
Amounts = dict[str, int]

# What a container without requests is counted as for scoring (schedutil.DefaultMilliCPURequest, DefaultMemoryRequest).
DEFAULT_CPU, DEFAULT_MEMORY = 100, 200 * 1024 * 1024

# Templates whose shapes are remembered.
MAX_SHAPES = 4096


def amount(resource: str, text: str | int | float) -> int:
    return quantity.milli(text) if resource == "cpu" else quantity.value(text)


def amounts(resources: Mapping[str, Any] | None) -> Amounts:
    return {name: amount(name, text) for name, text in (resources or {}).items()}


def _add(total: Amounts, more: Amounts) -> None:
    for name, value in more.items():
        total[name] = total.get(name, 0) + value


def _most(total: Amounts, other: Amounts) -> None:
    for name, value in other.items():
        if value > total.get(name, 0):
            total[name] = value


def pod_requests(spec: Mapping[str, Any], *, defaults: bool = False) -> Amounts:
    """What a pod asks for (resourcehelper.PodRequests): containers and sidecars together, at least the largest init step."""

    def of(container: Mapping[str, Any]) -> Amounts:
        found = amounts((container.get("resources") or {}).get("requests"))
        if defaults:
            found.setdefault("cpu", DEFAULT_CPU)
            found.setdefault("memory", DEFAULT_MEMORY)
        return found

    total: Amounts = {}
    for container in spec.get("containers") or ():
        _add(total, of(container))
    sidecars: Amounts = {}
    largest: Amounts = {}
    for container in spec.get("initContainers") or ():
        wants = of(container)
        if container.get("restartPolicy") == "Always":
            _add(total, wants)
            _add(sidecars, wants)
            _most(largest, sidecars)
        else:
            _add(wants, sidecars)
            _most(largest, wants)
    _most(total, largest)
    _add(total, amounts(spec.get("overhead")))
    return total


def host_ports(spec: Mapping[str, Any]) -> tuple[tuple[str, str, int], ...]:
    """(hostIP, protocol, hostPort) of every container port that takes one of the node's."""
    found = []
    for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
        for port in container.get("ports") or ():
            if port.get("hostPort"):
                found.append((port.get("hostIP") or "0.0.0.0", port.get("protocol", "TCP"), port["hostPort"]))  # noqa: S104
    return tuple(found)


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
        self.scored = pod_requests(spec, defaults=True)
        self.ports = host_ports(spec)
        self.selector: Mapping[str, str] = spec.get("nodeSelector") or {}
        self.affinity: Mapping[str, Any] = (spec.get("affinity") or {}).get("nodeAffinity") or {}
        self.pinned = pinned_names(self.affinity)
        self.tolerations: tuple[Obj, ...] = tuple(spec.get("tolerations") or ())
        self.node_name: str = spec.get("nodeName") or ""
        self.images = tuple(container.get("image", "") for container in spec.get("containers") or ())


_SHAPING = ("nodeSelector", "affinity", "tolerations", "overhead", "nodeName")


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

    def set_node(self, node: Obj | None) -> None:
        """Take over the Node object (None: it is gone)."""
        self.node = node
        self.generation += 1
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
        self.generation += 1
        self.pods[uid] = (shape, owner)
        _add(self.requested, shape.requests)
        _add(self.scored, shape.scored)
        if owner:
            self.owners[owner] = self.owners.get(owner, 0) + 1
        for port in shape.ports:
            self.ports[port] = self.ports.get(port, 0) + 1

    def remove_pod(self, uid: str) -> None:
        found = self.pods.pop(uid, None)
        if found is None:
            return
        self.generation += 1
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
