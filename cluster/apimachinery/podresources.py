"""What a pod asks of a node: resources and host ports (component-helpers/resource, scheduler/util). Shared by scheduler and kubelet.

CPU in thousandths, memory and storage in bytes, everything else in whole units.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cluster.apimachinery import quantity

Amounts = dict[str, int]
ANYWHERE = "0.0.0.0"  # noqa: S104 — the address that conflicts with every other


def amount(resource: str, text: str | int | float) -> int:
    return quantity.milli(text) if resource == "cpu" else quantity.value(text)


def amounts(resources: Mapping[str, Any] | None) -> Amounts:
    return {name: amount(name, text) for name, text in (resources or {}).items()}


def add(total: Amounts, more: Amounts) -> None:
    for name, value in more.items():
        total[name] = total.get(name, 0) + value


def _most(total: Amounts, other: Amounts) -> None:
    for name, value in other.items():
        if value > total.get(name, 0):
            total[name] = value


def pod_requests(spec: Mapping[str, Any], *, otherwise: Mapping[str, int] | None = None) -> Amounts:
    """What a pod asks for (PodRequests): containers and sidecars together, at least the largest init step; what the pod says as a whole.

    `otherwise`: what a container counts as that asks for none.
    """

    def of(container: Mapping[str, Any]) -> Amounts:
        return {**(otherwise or {}), **amounts((container.get("resources") or {}).get("requests"))}

    total: Amounts = {}
    for container in spec.get("containers") or ():
        add(total, of(container))
    sidecars: Amounts = {}
    largest: Amounts = {}
    for container in spec.get("initContainers") or ():
        wants = of(container)
        if container.get("restartPolicy") == "Always":
            add(total, wants)
            add(sidecars, wants)
            _most(largest, sidecars)
        else:
            add(wants, sidecars)
            _most(largest, wants)
    _most(total, largest)
    total.update(amounts((spec.get("resources") or {}).get("requests")))
    add(total, amounts(spec.get("overhead")))
    return total


def host_ports(spec: Mapping[str, Any]) -> tuple[tuple[str, str, int], ...]:
    """(hostIP, protocol, hostPort) of every container port that takes one of the node's."""
    found = []
    for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
        for port in container.get("ports") or ():
            if port.get("hostPort"):
                found.append((port.get("hostIP") or ANYWHERE, port.get("protocol", "TCP"), port["hostPort"]))
    return tuple(found)


def ports_conflict(one: tuple[str, str, int], other: tuple[str, str, int]) -> bool:
    return one[1:] == other[1:] and (one[0] == other[0] or ANYWHERE in (one[0], other[0]))
