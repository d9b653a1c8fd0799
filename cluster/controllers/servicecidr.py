"""The service CIDRs controller: a range of Service addresses is ready, and stays while addresses in it are used.

Kubernetes' pkg/controller/servicecidrs.
"""

from __future__ import annotations

import ipaddress

from cluster import clock
from cluster.apimachinery.meta import set_condition
from cluster.client.client import Obj
from cluster.client.loop import ControlLoop
from cluster.journeys.trace import step

CIDRS, ADDRESSES = "networking.k8s.io/v1/servicecidrs", "networking.k8s.io/v1/ipaddresses"
FINALIZER = "networking.k8s.io/service-cidr-finalizer"


def networks(service_cidr: Obj) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(text) for text in service_cidr["spec"].get("cidrs") or ()]


def holds(service_cidr: Obj, address: str) -> bool:
    return any(ipaddress.ip_address(address) in network for network in networks(service_cidr))


class ServiceCIDRController(ControlLoop):
    """Says whether ranges of Service addresses are ready, and lets them go when nobody needs them."""

    name = "servicecidr"
    title = "service CIDR"
    account = "service-cidrs-controller"
    workers = 1

    def setup(self) -> None:
        self.cidrs = self.watch(CIDRS)
        self.addresses = self.informer(ADDRESSES)
        self.addresses.add_handler(self._address_changed)

    def _address_changed(self, old: Obj | None, new: Obj | None) -> None:
        """An address that is given back may be the last that a range was waiting for."""
        if new is None:
            for one in self.cidrs.list():
                if "deletionTimestamp" in one["metadata"]:
                    self.enqueue(None, one)

    async def reconcile(self, key: str) -> float | None:
        service_cidr = self.cidrs.get(key)
        if service_cidr is None:
            return None
        metadata = service_cidr["metadata"]
        finalizers = metadata.get("finalizers") or []
        if "deletionTimestamp" not in metadata:
            if FINALIZER not in finalizers:
                changed = {**metadata, "finalizers": [*finalizers, FINALIZER]}
                service_cidr = await self.client.update(CIDRS, {**service_cidr, "metadata": changed})
            await self._ready(service_cidr, True, "", "Kubernetes Service CIDR is ready")
            return None
        with step("observe") as span:
            others = [one for one in self.cidrs.list() if "deletionTimestamp" not in one["metadata"]]
            used = [
                address["metadata"]["name"]
                for address in self.addresses.list()
                if holds(service_cidr, address["metadata"]["name"])
                and not any(holds(one, address["metadata"]["name"]) for one in others)
            ]
            span.detail = {"used": len(used)}
        if used:
            text = "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR"
            await self._ready(service_cidr, False, "Terminating", text)
        elif FINALIZER in finalizers:
            changed = {**metadata, "finalizers": [name for name in finalizers if name != FINALIZER]}
            await self.client.update(CIDRS, {**service_cidr, "metadata": changed})
        return None

    async def _ready(self, service_cidr: Obj, ready: bool, reason: str, message: str) -> None:
        condition = {
            "type": "Ready",
            "status": "True" if ready else "False",
            "reason": reason,
            "message": message,
            "lastTransitionTime": clock.timestamp(),
        }
        known = (service_cidr.get("status") or {}).get("conditions") or []
        conditions = set_condition(known, condition)
        if [{**one, "lastTransitionTime": ""} for one in conditions] == [
            {**one, "lastTransitionTime": ""} for one in known
        ]:
            return
        await self.client.update(CIDRS, {**service_cidr, "status": {"conditions": conditions}}, subresource="status")
