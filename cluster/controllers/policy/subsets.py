"""From pods to the subsets of an Endpoints object (pkg/controller/endpoint, api/v1/endpoints.RepackSubsets)."""

from __future__ import annotations

from collections.abc import Iterable

from cluster.client.client import Obj
from cluster.controllers.lib.services import hostname_of, is_headless, ready, serves, target_reference
from cluster.controllers.policy.slices import Ports, ports_of

MAX_CAPACITY = 1000
OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"


def address_of(pod: Obj, service: Obj) -> Obj:
    address: Obj = {"ip": _ip(pod, service)}
    hostname = hostname_of(pod, service)
    if hostname:
        address["hostname"] = hostname
    if pod["spec"].get("nodeName"):
        address["nodeName"] = pod["spec"]["nodeName"]
    address["targetRef"] = target_reference(pod)
    return address


def _ip(pod: Obj, service: Obj) -> str:
    """The pod's address of the Service's first family."""
    families = service["spec"].get("ipFamilies") or ["IPv4"]
    status = pod.get("status") or {}
    wanted = (e["ip"] for e in status.get("podIPs") or () if (":" in e["ip"]) == (families[0] == "IPv6"))
    return str(next(wanted, status.get("podIP", "")))


def _order(address: Obj) -> tuple[str, str]:
    return address["ip"], address["targetRef"]["uid"]


def subsets_of(service: Obj, pods: Iterable[Obj]) -> list[Obj]:
    """Addresses with the same ports share a subset; those not ready stand apart."""
    anyway = bool(service["spec"].get("publishNotReadyAddresses"))
    groups: dict[Ports, tuple[list[Obj], list[Obj]]] = {}
    for pod in pods:
        if not serves(pod, terminating=anyway):
            continue
        ports = ports_of(service, pod)
        if not ports and not is_headless(service):
            continue
        good, bad = groups.setdefault(ports, ([], []))
        (good if anyway or ready(pod) else bad).append(address_of(pod, service))
    subsets = []
    for ports, (good, bad) in sorted(groups.items()):
        subset: Obj = {}
        if good:
            subset["addresses"] = sorted(good, key=_order)
        if bad:
            subset["notReadyAddresses"] = sorted(bad, key=_order)
        if ports:
            subset["ports"] = [
                {
                    **({"name": name} if name else {}),
                    "port": number,
                    "protocol": protocol,
                    **({"appProtocol": app} if app else {}),
                }
                for name, number, protocol, app in ports
            ]
        subsets.append(subset)
    return subsets


def truncated(subsets: list[Obj], capacity: int = MAX_CAPACITY) -> tuple[list[Obj], bool]:
    """No more than `capacity` addresses, the ready ones first; whether any had to go."""
    ready_count = sum(len(subset.get("addresses") or ()) for subset in subsets)
    all_count = ready_count + sum(len(subset.get("notReadyAddresses") or ()) for subset in subsets)
    if all_count <= capacity:
        return subsets, False
    left_ready = min(ready_count, capacity)
    left_bad = capacity - left_ready
    result = []
    for subset in subsets:
        good = (subset.get("addresses") or [])[:left_ready]
        bad = (subset.get("notReadyAddresses") or [])[:left_bad]
        left_ready, left_bad = left_ready - len(good), left_bad - len(bad)
        kept = {k: v for k, v in subset.items() if k not in ("addresses", "notReadyAddresses")}
        if good:
            kept["addresses"] = good
        if bad:
            kept["notReadyAddresses"] = bad
        if good or bad:
            result.append(kept)
    return result, True
