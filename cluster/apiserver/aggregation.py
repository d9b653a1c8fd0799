"""APIServices: who serves which group version (kube-aggregator).

Those that this server serves itself are registered by it, built in and custom alike. One that names a Service gives its group version
to somebody else: as long as its discovery document can be had there, requests are passed on (`aggregator`) and discovery tells of it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import orjson

from cluster import clock
from cluster.apimachinery.errors import service_unavailable
from cluster.apimachinery.meta import set_condition
from cluster.apiserver import aggregator
from cluster.apiserver.keeping import Keeper
from cluster.apiserver.request import SYSTEM
from cluster.apiserver.webhooks import CallFailed

if TYPE_CHECKING:
    from cluster.apiserver.server import APIServer

Obj = dict[str, Any]
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
# Seconds between two looks at a backend, when it answered and when it did not.
_AGAIN, _SOON = 30.0, 1.0
Key = tuple[str, str]


class APIServices(Keeper):
    """Keeps the APIService objects; `backend(group, version)` is the one by which somebody else serves it."""

    name = "API services"

    def __init__(self, server: APIServer) -> None:
        super().__init__()
        self.server = server
        self.client = server.loopback(SYSTEM, "kube-aggregator")
        # By (group, version): who serves it instead of us, and the discovery document of those that answer.
        self.backends: dict[Key, Obj] = {}
        self.documents: dict[Key, Obj] = {}
        self._look: clock.Timer | None = None

    def start(self) -> None:
        self.server.storage.on_change(KEY, self._changed)
        for key in ("services", "discovery.k8s.io/endpointslices"):
            self.server.storage.on_change(key, self._moved)
        self.server.registry.on_change = self.ring
        self.begin()

    def backend(self, group: str, version: str) -> Obj | None:
        """The APIService of a group version that a Service serves; 503 while that does not answer."""
        found = self.backends.get((group, version))
        if found is not None and (group, version) not in self.documents:
            raise service_unavailable("service unavailable")
        return found

    async def stop(self) -> None:
        if self._look is not None:
            self._look.cancel()
        await super().stop()

    # -- keeping the objects -----------------------------------------------------------------------------------------

    def _changed(self, old: Obj | None, new: Obj | None) -> None:
        spec: Obj = ((new or old or {}).get("spec")) or {}
        key = (spec.get("group", ""), spec.get("version", ""))
        if new is None or not spec.get("service"):
            self.backends.pop(key, None)
        else:
            self.backends[key] = new
        if key in self.documents and (new is None or old is None or old.get("spec") != spec):
            del self.documents[key]
        self._tell()
        self.ring()

    def _tell(self) -> None:
        """Discovery speaks of what others serve, too; of those who do not answer it knows no resources."""
        beyond: dict[str, dict[str, Obj | None]] = {}
        for group, version in sorted(self.backends):
            beyond.setdefault(group, {})[version] = self.documents.get((group, version))
        self.server.registry.declare(beyond)

    def _moved(self, old: Obj | None, new: Obj | None) -> None:
        """A Service or a piece of one has changed: of interest if somebody serves through it."""
        metadata = (new or old or {}).get("metadata") or {}
        name = (metadata.get("labels") or {}).get("kubernetes.io/service-name") or metadata.get("name")
        where = (metadata.get("namespace"), name)
        services = (one["spec"]["service"] for one in self.backends.values())
        if any((service.get("namespace"), service.get("name")) == where for service in services):
            self.ring()

    async def reconcile(self) -> None:
        """What is served is registered, what no longer is goes, and everybody's condition is told."""
        storage, wanted = self.server.storage, self._wanted()
        for name, obj in wanted.items():
            if storage.get(KEY, "", name) is None:
                await self.client.create(PATH, obj)
        kept = []
        for obj in list(storage.list(KEY)):
            name, labels = obj["metadata"]["name"], obj["metadata"].get("labels") or {}
            if labels.get(MANAGED) and name not in wanted:
                await self.client.delete(PATH, name)
            else:
                kept.append(obj)
        # All at once: one that does not answer holds up nobody.
        for obj, condition in zip(kept, await asyncio.gather(*map(self._condition, kept)), strict=True):
            known: Obj = next(
                (one for one in (obj.get("status") or {}).get("conditions") or () if one["type"] == "Available"), {}
            )
            if any(known.get(field) != condition[field] for field in ("status", "reason", "message")):
                conditions = set_condition((obj.get("status") or {}).get("conditions") or (), condition)
                status = {**(obj.get("status") or {}), "conditions": conditions}
                await self.client.update(PATH, {**obj, "status": status}, subresource="status")
        if self._look is not None:
            self._look.cancel()
            self._look = None
        if self.backends:
            self._look = clock.call_later(_AGAIN if len(self.documents) == len(self.backends) else _SOON, self.ring)

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

    async def _condition(self, obj: Obj) -> Obj:
        spec = obj["spec"]
        status, reason, message = self._availability(spec.get("service"))
        if status == "True" and spec.get("service"):
            status, reason, message = await self._discover(spec)
        if status != "True" and self.documents.pop((spec.get("group", ""), spec["version"]), None) is not None:
            self._tell()
        return {
            "type": "Available",
            "status": status,
            "reason": reason,
            "message": message,
        }

    async def _discover(self, spec: Obj) -> tuple[str, str, str]:
        """Whether the backend shows what it serves; its document is kept."""
        key, reference = (spec.get("group", ""), spec["version"]), spec["service"]
        service = self.server.storage.get("services", reference["namespace"], reference["name"]) or {}
        url = aggregator.url_of(spec, service)
        told = {**aggregator.told_of(SYSTEM), "Accept": "application/json"}
        try:
            path = f"/apis/{key[0]}/{key[1]}"
            status, body, _ = await aggregator.ask(self.server, spec, path, "GET", told, b"")
        except CallFailed as error:
            return "False", "FailedDiscoveryCheck", f'failing or missing response from {url}: Get "{url}": {error}'
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError:
            document = None
        if not 200 <= status < 300 or not _is_resource_list(document):
            return (
                "False",
                "FailedDiscoveryCheck",
                f"failing or missing response from {url}: bad status from {url}: {status}",
            )
        known = self.backends.get(key)
        if known is not None and known["spec"] == spec and self.documents.get(key) != document:
            self.documents[key] = document
            self._tell()
        return "True", "Passed", "all checks passed"

    def _availability(self, service: Obj | None) -> tuple[str, str, str]:
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
        return "True", "Passed", "all checks passed"


_TYPES = {"name": str, "kind": str, "singularName": str, "group": str, "version": str, "namespaced": bool}
_LISTS = ("verbs", "shortNames", "categories")


def _is_resource_list(document: Any) -> bool:
    """Whether it is an APIResourceList. It is somebody else's answer, and becomes part of everybody's discovery."""
    resources = document.get("resources") if isinstance(document, dict) else None
    if not isinstance(resources, list) or document.get("kind") != "APIResourceList":
        return False
    return all(
        isinstance(one, dict)
        and bool(one.get("name"))
        and all(isinstance(one.get(field), kind | None) for field, kind in _TYPES.items())
        and all(
            isinstance(one.get(field), list | None) and all(isinstance(text, str) for text in one.get(field) or ())
            for field in _LISTS
        )
        for one in resources
    )
