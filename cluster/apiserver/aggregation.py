"""APIServices: who serves which group version (kube-aggregator).

Those that this server serves itself are registered by it, built in and custom alike. One that names a Service claims its group version
for somebody else; no container of the simulated network can answer for it, so its requests fail as they do when nobody listens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cluster import clock
from cluster.apimachinery.errors import service_unavailable
from cluster.apiserver.keeping import Keeper
from cluster.apiserver.request import UserInfo

if TYPE_CHECKING:
    from cluster.apiserver.server import APIServer

Obj = dict[str, Any]
USER = UserInfo("system:apiserver", ("system:masters", "system:authenticated"))
KEY, PATH = "apiregistration.k8s.io/apiservices", "apiregistration.k8s.io/v1/apiservices"
MANAGED = "kube-aggregator.kubernetes.io/automanaged"
# group → groupPriorityMinimum; version priority is 15 but for these.
PRIORITIES = {
    "": 18000, "apps": 17800, "events.k8s.io": 17750, "authentication.k8s.io": 17700, "authorization.k8s.io": 17600,
    "autoscaling": 17500, "batch": 17400, "certificates.k8s.io": 17300, "networking.k8s.io": 17200, "policy": 17100,
    "rbac.authorization.k8s.io": 17000, "storage.k8s.io": 16800, "apiextensions.k8s.io": 16700,
    "admissionregistration.k8s.io": 16700, "scheduling.k8s.io": 16600, "coordination.k8s.io": 16500, "node.k8s.io": 16300,
    "discovery.k8s.io": 16200, "flowcontrol.apiserver.k8s.io": 16100, "resource.k8s.io": 15900,
}  # fmt: skip
_VERSIONS = {("", "v1"): 1, ("autoscaling", "v2"): 30, ("flowcontrol.apiserver.k8s.io", "v1"): 21}
# Served beside the aggregator: nobody registers itself.
_OWN = frozenset({"apiregistration.k8s.io"})


class APIServices(Keeper):
    """Keeps the APIService objects; `check(group, version)` refuses what somebody else ought to serve."""

    name = "API services"

    def __init__(self, server: APIServer) -> None:
        super().__init__()
        self.server = server
        self.client = server.loopback(USER, "kube-aggregator")
        # (group, version) → why it is not available.
        self.away: dict[tuple[str, str], str] = {}

    def start(self) -> None:
        self.server.storage.on_change(KEY, self._changed)
        for key in ("services", "discovery.k8s.io/endpointslices"):
            self.server.storage.on_change(key, self._moved)
        self.server.registry.on_change = self.ring
        self.begin()

    def check(self, group: str, version: str) -> None:
        """503 for a group version that a Service should serve."""
        if (group, version) in self.away:
            raise service_unavailable("service unavailable")

    # -- keeping the objects -----------------------------------------------------------------------------------------

    def _changed(self, old: Obj | None, new: Obj | None) -> None:
        for one in (old, new):
            if one is not None:
                spec = one.get("spec") or {}
                self.away.pop((spec.get("group", ""), spec.get("version", "")), None)
        if new is not None and (new.get("spec") or {}).get("service"):
            self.away[new["spec"].get("group", ""), new["spec"].get("version", "")] = new["metadata"]["name"]
        self.ring()

    def _moved(self, old: Obj | None, new: Obj | None) -> None:
        if self.away:
            self.ring()

    async def reconcile(self) -> None:
        """What is served is registered, what no longer is goes, and everybody's condition is told."""
        storage, wanted = self.server.storage, self._wanted()
        for obj in list(storage.list(KEY)):
            name, labels = obj["metadata"]["name"], obj["metadata"].get("labels") or {}
            if labels.get(MANAGED) and name not in wanted:
                await self.client.delete(PATH, name)
                continue
            condition = self._condition(obj)
            known: Obj = next(
                (one for one in (obj.get("status") or {}).get("conditions") or () if one["type"] == "Available"), {}
            )
            if any(known.get(field) != condition[field] for field in ("status", "reason", "message")):
                if known.get("status") == condition["status"]:
                    condition["lastTransitionTime"] = known["lastTransitionTime"]
                status = {**(obj.get("status") or {}), "conditions": [condition]}
                await self.client.update(PATH, {**obj, "status": status}, subresource="status")
        for name, obj in wanted.items():
            if storage.get(KEY, "", name) is None:
                await self.client.create(PATH, obj)

    def _wanted(self) -> dict[str, Obj]:
        found = {}
        for group, versions in self.server.registry.groups().items():
            if group in _OWN:
                continue
            for version, resources in versions.items():
                custom = all(one.custom is not None for one in resources)
                spec: Obj = {
                    "version": version,
                    "groupPriorityMinimum": 1000 if custom else PRIORITIES.get(group, 2000),
                    "versionPriority": 100 if custom else _VERSIONS.get((group, version), 15),
                }
                if group:
                    spec["group"] = group
                name = f"{version}.{group}"
                found[name] = {
                    "apiVersion": "apiregistration.k8s.io/v1",
                    "kind": "APIService",
                    "metadata": {"name": name, "labels": {MANAGED: "true" if custom else "onstart"}},
                    "spec": spec,
                }
        return found

    def _condition(self, obj: Obj) -> Obj:
        status, reason, message = self._availability((obj.get("spec") or {}).get("service"), obj["spec"])
        return {
            "type": "Available",
            "status": status,
            "lastTransitionTime": clock.timestamp(),
            "reason": reason,
            "message": message,
        }

    def _availability(self, service: Obj | None, spec: Obj) -> tuple[str, str, str]:
        if not service:
            return "True", "Local", "Local APIServices are always available"
        name, namespace, port = service.get("name", ""), service.get("namespace", ""), service.get("port", 443)
        where = f'service/{name} in "{namespace}"'
        found = self.server.storage.get("services", namespace, name)
        if found is None:
            return "False", "ServiceNotFound", f"{where} is not present"
        ports = (found.get("spec") or {}).get("ports") or ()
        match = next((one for one in ports if one.get("port") == port), None)
        if match is None:
            return "False", "ServicePortError", f"{where} is not listening on port {port}"
        pieces = [
            piece
            for piece in self.server.storage.list("discovery.k8s.io/endpointslices", namespace)
            if (piece["metadata"].get("labels") or {}).get("kubernetes.io/service-name") == name
        ]
        if not pieces:
            return "False", "EndpointsNotFound", f"cannot find endpointslices for {where}"
        ready = [
            endpoint
            for piece in pieces
            for endpoint in piece.get("endpoints") or ()
            if (endpoint.get("conditions") or {}).get("ready") is not False
        ]
        if not ready:
            shown = match.get("name") or ""
            return "False", "MissingEndpoints", f'endpoints for {where} have no addresses with port name "{shown}"'
        url = f"https://{found['spec'].get('clusterIP')}:{port}/apis/{spec.get('group', '')}/{spec.get('version', '')}"
        address = f"{found['spec'].get('clusterIP')}:{port}"
        return (
            "False",
            "FailedDiscoveryCheck",
            f'failing or missing response from {url}: Get "{url}": dial tcp {address}: connect: connection refused',
        )
