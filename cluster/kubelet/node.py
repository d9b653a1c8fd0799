"""The Node object that a kubelet registers and keeps, and its Lease (pkg/kubelet/nodestatus, component-helpers lease)."""

from __future__ import annotations

import hashlib
from typing import Any

from cluster import clock
from cluster.apimachinery.meta import set_condition
from cluster.kubelet.eviction import SIGNALS

Obj = dict[str, Any]
LEASES = "kube-node-lease"
LEASE_SECONDS = 40
ZONES = ("zone-a", "zone-b", "zone-c")
REGION = "kubeweb"
CAPACITY = {"cpu": "4", "memory": "8Gi", "ephemeral-storage": "100Gi", "pods": "110"}


def fresh_node(name: str, number: int) -> Obj:
    """What a kubelet registers. `number` spreads the nodes over the zones."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels(name, number)},
        "spec": {"podCIDR": f"{pod_range(number)}.0/24", "podCIDRs": [f"{pod_range(number)}.0/24"]},
    }


def pod_range(number: int) -> str:
    """The first three parts of the addresses of a machine's pods: a /24 of its own out of 10.128.0.0/9, the first out of 10.244.0.0/16."""
    block, rest = divmod(number, 256)
    return f"10.{128 + block % 116 if block else 244}.{rest}"


def labels(name: str, number: int) -> dict[str, str]:
    return {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "beta.kubernetes.io/arch": "amd64",
        "topology.kubernetes.io/zone": ZONES[number % len(ZONES)],
        "topology.kubernetes.io/region": REGION,
    }


def address(number: int) -> str:
    """The node's own IP."""
    return f"172.18.{number // 250}.{number % 250 + 2}"


def allocatable_of(capacity: Obj, before: Obj) -> Obj:
    """What of it pods may have: of extended resources (those with a domain) all that somebody says there is, as the kubelet does."""
    kept = {name: amount for name, amount in before.items() if "/" not in name}
    return {**capacity, **kept}


def status_of(
    node: Obj, number: int, images: list[Any], pressures: frozenset[str] = frozenset(), boots: int = 0
) -> Obj:
    """The node status to report: ready, with enough of everything but what is in `pressures`."""
    name, before = node["metadata"]["name"], node.get("status") or {}
    capacity = {**CAPACITY, **(before.get("capacity") or before.get("allocatable") or {})}
    identity = hashlib.sha256(name.encode()).hexdigest()
    conditions = list(before.get("conditions") or ())
    moment = clock.timestamp()
    for signal in SIGNALS:
        short = signal.condition in pressures
        reason, message = signal.short if short else signal.enough
        conditions = set_condition(
            conditions, _condition(signal.condition, "True" if short else "False", reason, message, moment)
        )
    conditions = set_condition(
        conditions, _condition("Ready", "True", "KubeletReady", "kubelet is posting ready status", moment)
    )
    status = {
        "capacity": capacity,
        "allocatable": allocatable_of(capacity, before.get("allocatable") or {}),
        "conditions": conditions,
        "addresses": [
            {"type": "InternalIP", "address": address(number)},
            {"type": "Hostname", "address": name},
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "nodeInfo": {
            "machineID": identity[:32],
            "systemUUID": f"{identity[:8]}-{identity[8:12]}-{identity[12:16]}-{identity[16:20]}-{identity[20:32]}",
            "bootID": boot_id(name, boots),
            "kernelVersion": "6.12.0-kubeweb",
            "osImage": "KubeWeb simulated machine",
            "containerRuntimeVersion": "containerd://2.2.0",
            "kubeletVersion": "v1.37.1",
            "kubeProxyVersion": "",
            "operatingSystem": "linux",
            "architecture": "amd64",
        },
    }
    if images:
        status["images"] = [
            {"names": [info.reference, info.name], "sizeBytes": info.size}
            for info in sorted(images, key=lambda info: -info.size)[:50]
        ]
    return status


def boot_id(name: str, boots: int) -> str:
    """Another one after each start of the machine."""
    text = hashlib.sha256(f"{name}/boot/{boots}".encode()).hexdigest()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:32]}"


def _condition(kind: str, status: str, reason: str, message: str, moment: str) -> Obj:
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastHeartbeatTime": moment,
    }


def fresh_lease(node: Obj) -> Obj:
    name = node["metadata"]["name"]
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": name,
            "namespace": LEASES,
            "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": name, "uid": node["metadata"]["uid"]}],
        },
        "spec": {
            "holderIdentity": name,
            "leaseDurationSeconds": LEASE_SECONDS,
            "renewTime": clock.micro_timestamp(),
        },
    }
