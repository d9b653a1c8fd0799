"""From pods to EndpointSlices: endpoints, their ports, and which slices to write (k8s.io/endpointslice).

`plan` keeps writes few: endpoints stay in the slice they are in, changed slices are filled up before new ones are made,
and an unchanged slice is not written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cluster import clock
from cluster.apimachinery.meta import owner_reference
from cluster.client.client import Obj
from cluster.controllers.lib.services import (
    HEADLESS,
    SERVICE_NAME,
    TRIGGER_TIME,
    hostname_of,
    is_headless,
    ready,
    serves,
    target_port,
    target_reference,
)

MANAGED_BY, MANAGER = "endpointslice.kubernetes.io/managed-by", "endpointslice-controller.k8s.io"
MAX_ENDPOINTS = 100
ZONE = "topology.kubernetes.io/zone"

# A set of ports as a key: (name, port, protocol, appProtocol) each.
Ports = tuple[tuple[str, int, str, str], ...]


def address_types(service: Obj) -> list[str]:
    """The families the Service has addresses of."""
    families = service["spec"].get("ipFamilies") or ["IPv4"]
    return [family for family in ("IPv4", "IPv6") if family in families]


def addresses(pod: Obj, family: str) -> list[str]:
    status = pod.get("status") or {}
    found = [entry["ip"] for entry in status.get("podIPs") or ()] or [status["podIP"]]
    return [ip for ip in found if (":" in ip) == (family == "IPv6")]


def endpoint_of(pod: Obj, service: Obj, family: str, zones: dict[str, str]) -> Obj:
    """The pod as an endpoint. `zones` are the zones of nodes."""
    serving, terminating = ready(pod), "deletionTimestamp" in pod["metadata"]
    anyway = bool(service["spec"].get("publishNotReadyAddresses"))
    endpoint: Obj = {
        "addresses": addresses(pod, family),
        "conditions": {
            "ready": anyway or (serving and not terminating),
            "serving": serving,
            "terminating": terminating,
        },
        "targetRef": target_reference(pod),
    }
    node = pod["spec"].get("nodeName")
    if node:
        endpoint["nodeName"] = node
        if zones.get(node):
            endpoint["zone"] = zones[node]
    hostname = hostname_of(pod, service)
    if hostname:
        endpoint["hostname"] = hostname
    return endpoint


def ports_of(service: Obj, pod: Obj) -> Ports:
    """The Service's ports on this pod; named ones may differ from pod to pod."""
    found = []
    for port in service["spec"].get("ports") or ():
        number = target_port(port, pod)
        if number is not None:
            found.append((port.get("name", ""), number, port.get("protocol", "TCP"), port.get("appProtocol", "")))
    return tuple(sorted(found))


def slice_ports(ports: Iterable[Obj] | None) -> Ports:
    """The ports of an existing slice as a key."""
    return tuple(
        sorted(
            (port.get("name", ""), port.get("port", 0), port.get("protocol", "TCP"), port.get("appProtocol", ""))
            for port in ports or ()
        )
    )


def port_objects(ports: Ports) -> list[Obj]:
    return [
        {"name": name, "port": number, "protocol": protocol, **({"appProtocol": app} if app else {})}
        for name, number, protocol, app in ports
    ]


def desired_endpoints(
    service: Obj, pods: Iterable[Obj], family: str, zones: dict[str, str]
) -> dict[Ports, dict[str, Obj]]:
    """Endpoints by pod uid, by set of ports."""
    desired: dict[Ports, dict[str, Obj]] = {}
    numeric = all(isinstance(port.get("targetPort", 0), int) for port in service["spec"].get("ports") or ())
    shared: Ports | None = None
    for pod in pods:
        if not serves(pod, terminating=True) or not addresses(pod, family):
            continue
        if shared is None or not numeric:
            shared = ports_of(service, pod)
        desired.setdefault(shared, {})[pod["metadata"]["uid"]] = endpoint_of(pod, service, family, zones)
    return desired


def slice_labels(service: Obj) -> dict[str, str]:
    """The Service's labels and our own."""
    labels: dict[str, str] = dict(service["metadata"].get("labels") or {})
    labels.pop(HEADLESS, None)
    labels[SERVICE_NAME] = service["metadata"]["name"]
    labels[MANAGED_BY] = MANAGER
    if is_headless(service):
        labels[HEADLESS] = ""
    return labels


def new_slice(service: Obj, family: str, ports: Ports, endpoints: list[Obj]) -> Obj:
    metadata = service["metadata"]
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "generateName": f"{metadata['name']}-",
            "namespace": metadata["namespace"],
            "labels": slice_labels(service),
            "ownerReferences": [owner_reference(service)],
        },
        "addressType": family,
        "ports": port_objects(ports),
        "endpoints": endpoints,
    }


@dataclass(slots=True)
class SlicePlan:
    """Slices to write."""

    create: list[Obj] = field(default_factory=list)
    update: list[Obj] = field(default_factory=list)
    delete: list[Obj] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        return not (self.create or self.update or self.delete)


def _uid(endpoint: Obj) -> str:
    return str((endpoint.get("targetRef") or {}).get("uid", ""))


def plan(
    service: Obj,
    existing: Sequence[Obj],
    desired: dict[Ports, dict[str, Obj]],
    family: str,
    limit: int = MAX_ENDPOINTS,
) -> SlicePlan:
    """What to write so that the slices of one family say what is desired."""
    result = SlicePlan()
    by_ports: dict[Ports, list[Obj]] = {}
    for known in existing:
        by_ports.setdefault(slice_ports(known.get("ports")), []).append(known)
    # A Service without endpoints has one empty slice, so that clients can tell "none" from "not seen yet".
    wanted = desired or {(): {}}
    for ports, stale in by_ports.items():
        if ports not in wanted:
            result.delete += stale
    for ports, endpoints in wanted.items():
        _plan_ports(result, service, by_ports.get(ports, []), endpoints, family, ports, limit)
    _reuse(result)
    return result


def _plan_ports(
    result: SlicePlan,
    service: Obj,
    existing: Sequence[Obj],
    endpoints: dict[str, Obj],
    family: str,
    ports: Ports,
    limit: int,
) -> None:
    labels, missing = slice_labels(service), dict(endpoints)
    kept: list[tuple[Obj, list[Obj], bool]] = []
    for known in existing:
        stay = []
        for endpoint in known.get("endpoints") or ():
            fresh = missing.pop(_uid(endpoint), None)
            if fresh is not None:
                stay.append(fresh)
        changed = stay != (known.get("endpoints") or []) or known["metadata"].get("labels") != labels
        kept.append((known, stay, changed))
    new = list(missing.values())
    # First into slices that are written anyway, then into the fullest one that takes all the rest.
    for _, stay, changed in kept:
        if changed and stay and new:
            room = limit - len(stay)
            stay += new[:room]
            new = new[room:]
    if new and len(new) < limit:
        fitting = [i for i, (_, stay, _) in enumerate(kept) if len(stay) + len(new) <= limit]
        if fitting:
            best = max(fitting, key=lambda i: len(kept[i][1]))
            known, stay, _ = kept[best]
            kept[best] = (known, stay + new, True)
            new = []
    alive = any(stay for _, stay, _ in kept) or bool(new)
    spared = False
    for known, stay, changed in kept:
        if not stay and (alive or spared):
            result.delete.append(known)
            continue
        spared = True
        if changed:
            metadata = {**known["metadata"], "labels": labels}
            result.update.append({**known, "metadata": metadata, "endpoints": stay})
    for start in range(0, len(new), limit):
        result.create.append(new_slice(service, family, ports, new[start : start + limit]))
    if not alive and not spared:
        result.create.append(new_slice(service, family, ports, []))


def _reuse(result: SlicePlan) -> None:
    """Rather than to delete one slice and create another, write the new content into the old one."""
    while result.create and result.delete:
        wanted, known = result.create.pop(), result.delete.pop()
        metadata = {**known["metadata"], "labels": wanted["metadata"]["labels"]}
        fresh: dict[str, Any] = {**known, "metadata": metadata}
        fresh["ports"], fresh["endpoints"] = wanted["ports"], wanted["endpoints"]
        result.update.append(fresh)


def with_trigger(obj: Obj, trigger: float | None) -> Obj:
    """Note when the change happened that this write tells of (or drop what an older write noted)."""
    noted = {k: v for k, v in (obj["metadata"].get("annotations") or {}).items() if k != TRIGGER_TIME}
    if trigger is not None:
        noted[TRIGGER_TIME] = clock.timestamp(trigger)
    metadata = {**obj["metadata"], "annotations": noted}
    if not noted:
        del metadata["annotations"]
    return {**obj, "metadata": metadata}
