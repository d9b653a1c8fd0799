"""The loopback client: the same door, without HTTP (apiserver's LoopbackClientConfig).

Components in this process enter the pipeline as their own user, under RBAC like everyone else. Reads hand out the cache's own
objects, which nobody may change; what is written is copied at the door.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from cluster.apimachinery.errors import generic_not_found
from cluster.apiserver.context import Context, Obj, Response
from cluster.apiserver.request import RequestInfo, UserInfo
from cluster.apiserver.resources.registry import Resource
from cluster.apiserver.server import APIServer, new_journey
from cluster.apiserver.stages.info import NAMESPACES
from cluster.apiserver.storage.selection import Selection
from cluster.apiserver.storage.watching import Watch
from cluster.client.client import Batch, Client, ObjectList, WatchEvent
from cluster.journeys.trace import Journey

_METHODS = {
    "create": "POST",
    "update": "PUT",
    "patch": "PATCH",
    "delete": "DELETE",
    "deletecollection": "DELETE",
    "get": "GET",
    "list": "GET",
    "watch": "GET",
}
_PATCH_HEADERS: dict[str, dict[bytes, bytes]] = {
    "merge": {b"content-type": b"application/merge-patch+json"},
    "strategic": {b"content-type": b"application/strategic-merge-patch+json"},
    "json": {b"content-type": b"application/json-patch+json"},
    "apply": {b"content-type": b"application/apply-patch+yaml"},
}
_READS = frozenset({"get", "list", "watch"})
_NO_HEADERS: dict[bytes, bytes] = {}


def _dry(dry_run: bool) -> dict[str, str]:
    return {"dryRun": "All"} if dry_run else {}


class LoopbackClient(Client):
    """Requests as one user, straight into the pipeline."""

    def __init__(
        self, server: APIServer, user: UserInfo, agent: str, *, person: bool = False, real: UserInfo | None = None
    ) -> None:
        self.server = server
        self.info = user
        self.real = real
        self.user = user.name
        self.agent = agent
        # For a person at a form: unknown fields are refused, and the journey counts as one from outside.
        self.person = person
        # The journey of the latest request.
        self.journey = ""

    def _resource(self, path: str) -> Resource:
        resource = self.server.registry.by_path(path)
        if resource is None:
            raise generic_not_found()
        return resource

    async def _request(
        self,
        verb: str,
        resource: Resource,
        namespace: str,
        name: str,
        *,
        subresource: str = "",
        params: dict[str, str] | None = None,
        body: Any = None,
        headers: dict[bytes, bytes] = _NO_HEADERS,
        journey: Journey | None = None,
    ) -> Response:
        if not resource.namespaced:
            # What rights are asked for, as on the wire: a Namespace is in itself, everything else in none, whatever the caller says.
            namespace = name if resource.path == NAMESPACES else ""
        info = RequestInfo(
            resource.path, verb, True, resource.group, resource.version, namespace, resource.plural, subresource, name
        )
        journey = journey or new_journey()
        journey.agent = self.agent
        self.journey = journey.id
        params = params or {}
        if self.person:
            # A form asks and looks things up with every word; what is meant, and changes something, is a journey of its own.
            journey.origin = "" if "dryRun" in params or verb in _READS else "outside"
            params = {**params, "fieldValidation": "Strict"}
        context = Context(self.server, _METHODS[verb], resource.path, params, journey)
        context.loopback = True
        context.info = info
        context.resource = resource
        context.key = (namespace if resource.namespaced else "", name)
        context.user = self.info
        context.real = self.real
        context.body = body
        context.headers = headers
        return await self.server.handle(context)

    @staticmethod
    def _object(response: Response) -> Obj:
        if response.entry is not None:
            return response.entry.obj
        return response.obj or {}

    async def get(self, resource: str, name: str, namespace: str = "", *, subresource: str = "") -> Obj:
        response = await self._request("get", self._resource(resource), namespace, name, subresource=subresource)
        return self._object(response)

    async def list(
        self,
        resource: str,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        resource_version: str = "",
        resource_version_match: str = "",
        limit: int = 0,
        continue_token: str = "",
    ) -> ObjectList:
        params = {
            "labelSelector": label_selector,
            "fieldSelector": field_selector,
            "resourceVersion": resource_version,
            "resourceVersionMatch": resource_version_match,
            "limit": str(limit) if limit else "",
            "continue": continue_token,
        }
        response = await self._request("list", self._resource(resource), namespace, "", params=params)
        answer = response.obj or {}
        metadata = answer["metadata"]
        return ObjectList(answer["items"], metadata["resourceVersion"], metadata.get("continue", ""))

    async def create(
        self,
        resource: str,
        obj: Obj,
        namespace: str = "",
        *,
        name: str = "",
        subresource: str = "",
        dry_run: bool = False,
    ) -> Obj:
        kind = self._resource(resource)
        namespace = namespace or obj.get("metadata", {}).get("namespace", "")
        response = await self._request(
            "create", kind, namespace, name, subresource=subresource, params=_dry(dry_run), body=obj
        )
        return self._object(response)

    async def update(self, resource: str, obj: Obj, *, subresource: str = "", dry_run: bool = False) -> Obj:
        metadata = obj["metadata"]
        response = await self._request(
            "update",
            self._resource(resource),
            metadata.get("namespace", ""),
            metadata["name"],
            subresource=subresource,
            params=_dry(dry_run),
            body=obj,
        )
        return self._object(response)

    async def patch(
        self,
        resource: str,
        name: str,
        patch: Any,
        namespace: str = "",
        *,
        subresource: str = "",
        kind: str = "merge",
        field_manager: str = "",
        force: bool = False,
    ) -> Obj:
        params = {"fieldManager": field_manager, **({"force": "true"} if force else {})}
        response = await self._request(
            "patch",
            self._resource(resource),
            namespace,
            name,
            subresource=subresource,
            params=params,
            body=patch,
            headers=_PATCH_HEADERS[kind],
        )
        return self._object(response)

    async def delete(
        self,
        resource: str,
        name: str,
        namespace: str = "",
        *,
        grace_period_seconds: int | None = None,
        propagation_policy: str = "",
        uid: str = "",
        resource_version: str = "",
    ) -> Obj:
        options: Obj = {}
        if grace_period_seconds is not None:
            options["gracePeriodSeconds"] = grace_period_seconds
        if propagation_policy:
            options["propagationPolicy"] = propagation_policy
        preconditions = {"uid": uid, "resourceVersion": resource_version}
        if uid or resource_version:
            options["preconditions"] = {key: value for key, value in preconditions.items() if value}
        return self._object(await self._request("delete", self._resource(resource), namespace, name, body=options))

    async def delete_collection(
        self,
        resource: str,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        propagation_policy: str = "",
    ) -> None:
        params = {"labelSelector": label_selector, "fieldSelector": field_selector}
        if propagation_policy:
            params["propagationPolicy"] = propagation_policy
        await self._request("deletecollection", self._resource(resource), namespace, "", params=params)

    async def watch(
        self,
        resource: str,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        resource_version: str = "",
        send_initial_events: bool = False,
        bookmarks: bool = False,
    ) -> AsyncIterator[Batch]:
        """As the base class says. The request goes through the gates; then the cursor is read directly."""
        kind = self._resource(resource)
        params = {
            "labelSelector": label_selector,
            "fieldSelector": field_selector,
            "resourceVersion": resource_version or str(self.server.storage.revision),
            "watch": "1",
        }
        await self._request("watch", kind, namespace, "", params=params)
        selection = Selection(namespace if kind.namespaced else "", label_selector, field_selector)
        watch = Watch(self.server.storage, kind.storage_key, selection, self.user)
        if send_initial_events or resource_version == "0":
            entries = watch.initial()
            if entries:
                yield [WatchEvent("ADDED", entry.obj, entry.revision) for entry in entries]
        else:
            watch.start(int(resource_version or self.server.storage.revision))
        while True:
            events = await watch.next(0 if bookmarks else None)
            if not events:
                yield [WatchEvent("BOOKMARK", {}, watch.bookmark)]
                events = await watch.next()
            batch = []
            for event in events:
                change = event.change
                batch.append(WatchEvent(event.type, change.final(event.type).obj, change.revision, change.journey))
            yield batch
            # A long backlog is read in turns with everybody else's work.
            await asyncio.sleep(0)
