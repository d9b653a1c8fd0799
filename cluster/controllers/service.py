"""The service controller: gives LoadBalancers an address (cloud-provider/controllers/service).

There is no cloud: the balancer is simulated, its address comes from 192.0.2.0/24 (TEST-NET-1, RFC 5737) and leads nowhere outside.
"""

from __future__ import annotations

import ipaddress

from cluster.apimachinery.meta import key_of
from cluster.client.client import Obj
from cluster.client.loop import ControlLoop
from cluster.journeys.trace import step

SERVICES = "v1/services"
ADDRESSES = ipaddress.ip_network("192.0.2.0/24")
FINALIZER = "service.kubernetes.io/load-balancer-cleanup"


class ServiceController(ControlLoop):
    """Assigns and takes back load balancers' addresses."""

    name = "service"
    title = "load balancer"
    workers = 1

    def setup(self) -> None:
        self.services = self.watch(SERVICES)

    async def reconcile(self, key: str) -> float | None:
        service = self.services.get(key)
        if service is None:
            return None
        spec, metadata = service["spec"], service["metadata"]
        wanted = spec.get("type") == "LoadBalancer" and not spec.get("loadBalancerClass")
        finalizers = metadata.get("finalizers") or []
        if not wanted or "deletionTimestamp" in metadata:
            if FINALIZER in finalizers:
                self.events.event(service, "Normal", "DeletingLoadBalancer", "Deleting load balancer")
                service = await self._status(service, {})
                await self._finalizers(service, [name for name in finalizers if name != FINALIZER])
                self.events.event(service, "Normal", "DeletedLoadBalancer", "Deleted load balancer")
            return None
        if FINALIZER not in finalizers:
            service = await self._finalizers(service, [*finalizers, FINALIZER])
        if (service.get("status") or {}).get("loadBalancer", {}).get("ingress"):
            return None
        self.events.event(service, "Normal", "EnsuringLoadBalancer", "Ensuring load balancer")
        with step("decide") as span:
            address = self._free(key)
            span.detail = {"address": address}
        if not address:
            text = "Error syncing load balancer: failed to ensure load balancer: no address is left"
            self.events.event(service, "Warning", "SyncLoadBalancerFailed", text)
            return 60.0
        with step("act", {"address": address}):
            await self._status(service, {"ingress": [{"ip": address, "ipMode": "VIP"}]})
        self.events.event(service, "Normal", "EnsuredLoadBalancer", "Ensured load balancer")
        return None

    def _free(self, key: str) -> str:
        """An address that no other Service has; the one that the Service asks for, if it may."""
        taken = {
            one["ip"]
            for service in self.services.list()
            if key_of(service) != key
            for one in ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
            if one.get("ip")
        }
        asked = self.services.get(key)
        preferred = (asked or {}).get("spec", {}).get("loadBalancerIP") or ""
        if preferred and preferred not in taken:
            return str(preferred)
        return next((str(host) for host in ADDRESSES.hosts() if str(host) not in taken), "")

    async def _status(self, service: Obj, balancer: Obj) -> Obj:
        status = {**(service.get("status") or {}), "loadBalancer": balancer}
        if status == service.get("status"):
            return service
        patch = {"metadata": {"resourceVersion": service["metadata"]["resourceVersion"]}, "status": status}
        name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
        if not balancer:
            patch["status"] = {"loadBalancer": {"ingress": None}}
        return await self.client.patch(SERVICES, name, patch, namespace, subresource="status")

    async def _finalizers(self, service: Obj, finalizers: list[str]) -> Obj:
        name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
        # The role allows services/status only, which carries metadata, too.
        patch = {
            "metadata": {
                "resourceVersion": service["metadata"]["resourceVersion"],
                "finalizers": finalizers or None,
            }
        }
        return await self.client.patch(SERVICES, name, patch, namespace, subresource="status")
