"""Cluster IPs and node ports for Services (registry/core/service: the allocators).

An address is in use when an IPAddress names it, which the write makes before the Service (addresses.py): who loses that race
comes here again. The ports in use are the ones that the cached Services name; what has been promised to requests still on their
way is remembered until the cache shows it, and not for long: a request that is refused after all gives nothing back.
"""

from __future__ import annotations

import ipaddress
import random
import time
from collections.abc import Iterable
from typing import Any

from cluster.apimachinery import errors
from cluster.apimachinery.meta import is_condition_true
from cluster.apiserver.addresses import KEY as ADDRESSES
from cluster.apiserver.admission.plugin import Plugin
from cluster.apiserver.request import Attributes, Reader

Obj = dict[str, Any]
CIDR = ipaddress.ip_network("10.96.0.0/16")
NODE_PORTS = range(30000, 32768)
# How many promises are remembered: more than requests can ever be on their way.
PROMISES = 4096
# Seconds (real) within which a request has been stored or has failed.
PROMISED_FOR = 2.0


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _added(attributes: Attributes) -> list[Network]:
    """The ranges that somebody added (ServiceCIDR) and that are ready; a Service has one family, IPv4."""
    return [
        network
        for one in attributes.reader.list("networking.k8s.io/servicecidrs")
        if is_condition_true(one, "Ready") and "deletionTimestamp" not in one["metadata"]
        for network in map(ipaddress.ip_network, one["spec"].get("cidrs") or ())
        if isinstance(network, ipaddress.IPv4Network) and network != CIDR
    ]


def _ends(network: Network) -> tuple[int, int]:
    """The first and the last address that a range gives out: not the network's own, not the broadcast."""
    return int(network.network_address) + 1, int(network.broadcast_address) - 1


def _gives_out(network: Network, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    first, last = _ends(network)
    return address in network and first <= int(address) <= last


class ServiceAllocator(Plugin):
    """Gives a Service its addresses and ports; refuses those that are taken or out of range."""

    name = "ServiceAllocator"
    resources = frozenset({"services"})
    operations = frozenset({"CREATE", "UPDATE"})

    def __init__(self) -> None:
        # Node port → to whom (the Service's uid), and until when.
        self._promised: dict[int, tuple[str, float]] = {}
        self._follows: Reader | None = None

    def admit(self, attributes: Attributes) -> str | None:
        if self._follows is not attributes.reader:
            self._follows = attributes.reader
            attributes.reader.on_change("services", self._stored)
        service = attributes.obj
        assert service is not None
        spec: Obj = service.setdefault("spec", {})
        kind, old = spec.get("type", "ClusterIP"), (attributes.old or {}).get("spec") or {}
        done = []
        if kind == "ExternalName":
            for gone in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
                spec.pop(gone, None)
        else:
            address = self._address(attributes, spec, old)
            if address:
                done.append(f"clusterIP {address}")
        if kind in ("NodePort", "LoadBalancer"):
            done.extend(self._ports(attributes, spec, old))
        else:
            self._release_ports(spec, old)
        return ", ".join(done) or None

    # -- addresses -----------------------------------------------------------------------------------------------

    def _address(self, attributes: Attributes, spec: Obj, old: Obj) -> str:
        wanted = spec.get("clusterIP") or (spec.get("clusterIPs") or [""])[0]
        if not wanted and old.get("clusterIP"):
            wanted = old["clusterIP"]
        if wanted and wanted == old.get("clusterIP"):
            self._families(spec, wanted)
            return ""
        if wanted == "None":
            self._families(spec, wanted)
            return ""
        if wanted:
            self._check_address(attributes, wanted)
        else:
            wanted = self._free_address(attributes, (CIDR, *_added(attributes)))
        self._families(spec, wanted)
        return str(wanted)

    @staticmethod
    def _families(spec: Obj, address: str) -> None:
        spec["clusterIP"], spec["clusterIPs"] = address, [address]
        spec.setdefault("ipFamilies", ["IPv4"])
        spec.setdefault("ipFamilyPolicy", "SingleStack")

    @staticmethod
    def _is_taken(attributes: Attributes, address: str) -> bool:
        return attributes.reader.get(ADDRESSES, "", address) is not None

    @staticmethod
    def _refuse(attributes: Attributes, field: str, value: Any, text: str) -> errors.StatusError:
        return errors.invalid("Service", "", attributes.name, [errors.invalid_value(field, value, text)])

    def _check_address(self, attributes: Attributes, wanted: str) -> None:
        field, value = "spec.clusterIPs", [wanted]
        try:
            address = ipaddress.ip_address(wanted)
        except ValueError:
            raise self._refuse(
                attributes,
                "spec.clusterIPs[0]",
                wanted,
                "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
            ) from None
        if not any(_gives_out(network, address) for network in (CIDR, *_added(attributes))):
            raise self._refuse(
                attributes,
                field,
                value,
                f"failed to allocate IP {wanted}: the provided IP ({wanted}) is not in the valid range. "
                f"The range of valid IPs is {CIDR}",
            )
        if self._is_taken(attributes, wanted):
            raise self._refuse(
                attributes, field, value, f"failed to allocate IP {wanted}: provided IP is already allocated"
            )

    def _free_address(self, attributes: Attributes, networks: Iterable[Network]) -> str:
        """From the first range that has one left."""
        for network in networks:
            first, last = _ends(network)
            # The upper part of the range, as Kubernetes does, so that people's own choices low in it stay free.
            low = first + min(max(16, network.num_addresses // 16), 256)
            tries = [random.randint(low, last) for _ in range(64)] if low <= last else []
            for number in (*tries, *range(first, last + 1)):
                found = str(ipaddress.ip_address(number))
                if not self._is_taken(attributes, found):
                    return found
        raise errors.internal("failed to allocate a serviceIP: range is full")

    def _promise(self, port: int, uid: str) -> None:
        self._promised[port] = (uid, time.monotonic() + PROMISED_FOR)
        if len(self._promised) > PROMISES:
            del self._promised[next(iter(self._promised))]

    def _promised_to_another(self, port: int, uid: str) -> bool:
        promise = self._promised.get(port)
        return promise is not None and promise[0] != uid and time.monotonic() < promise[1]

    def _stored(self, old: Obj | None, new: Obj | None) -> None:
        """The cache shows it from now on: the promise is kept."""
        if new is None or not self._promised:
            return
        for port in (new.get("spec") or {}).get("ports") or ():
            promise = self._promised.get(port.get("nodePort"))
            if promise is not None and promise[0] == new["metadata"]["uid"]:
                del self._promised[port["nodePort"]]

    # -- node ports ----------------------------------------------------------------------------------------------

    def _ports(self, attributes: Attributes, spec: Obj, old: Obj) -> list[str]:
        if spec.get("type") == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is False:
            return []
        uid = attributes.obj["metadata"]["uid"] if attributes.obj else ""
        taken = {
            (port["nodePort"], port.get("protocol", "TCP"))
            for service in attributes.reader.list("services")
            if service is not attributes.old
            for port in (service.get("spec") or {}).get("ports") or ()
            if port.get("nodePort")
        }
        before = {(port.get("port"), port.get("protocol")): port.get("nodePort") for port in old.get("ports") or ()}
        done = []
        for index, port in enumerate(spec.get("ports") or ()):
            protocol = port.get("protocol", "TCP")
            wanted = port.get("nodePort") or before.get((port.get("port"), port.get("protocol")))
            if wanted:
                field = f"spec.ports[{index}].nodePort"
                if wanted not in NODE_PORTS:
                    raise self._refuse(
                        attributes,
                        field,
                        wanted,
                        "provided port is not in the valid range. The range of valid ports is "
                        f"{NODE_PORTS.start}-{NODE_PORTS.stop - 1}",
                    )
                if (wanted, protocol) in taken:
                    raise self._refuse(attributes, field, wanted, "provided port is already allocated")
            else:
                wanted = self._free_port(taken, protocol, uid)
                done.append(f"nodePort {wanted}")
            port["nodePort"] = wanted
            taken.add((wanted, protocol))
            if not attributes.dry_run:
                self._promise(wanted, uid)
        return done

    def _free_port(self, taken: set[tuple[int, str]], protocol: str, uid: str) -> int:
        candidates = list(NODE_PORTS)
        random.shuffle(candidates)
        for port in candidates:
            if (port, protocol) not in taken and not self._promised_to_another(port, uid):
                return port
        raise errors.internal("failed to allocate a nodePort: range is full")

    @staticmethod
    def _release_ports(spec: Obj, old: Obj) -> None:
        """A Service that is no NodePort any more gives back the ports that it had been given."""
        had = {port.get("nodePort") for port in old.get("ports") or ()}
        if old.get("type") in ("NodePort", "LoadBalancer"):
            for port in spec.get("ports") or ():
                if port.get("nodePort") in had:
                    port.pop("nodePort", None)
