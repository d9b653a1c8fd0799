"""The client of a FakeCluster: requests under Kubernetes' rules that loops depend on (see fakecluster.py)."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import jsonpatch

from cluster import clock
from cluster.apimachinery import errors, labels, meta
from cluster.client.client import Client, Obj, ObjectList, WatchEvent
from tests.support.fakecluster import CLUSTER_SCOPED, WITH_STATUS, FakeCluster, Request, kind_of, split


class FakeClient(Client):
    """Requests to a FakeCluster as `user`."""

    def __init__(self, cluster: FakeCluster, user: str) -> None:
        self.cluster = cluster
        self.user = user

    def _admit(
        self, verb: str, resource: str, namespace: str, name: str, subresource: str = "", body: Obj | None = None
    ) -> None:
        self.cluster.admit(Request(self.user, verb, resource, namespace, name, subresource), body)

    async def get(self, resource: str, name: str, namespace: str = "", *, subresource: str = "") -> Obj:
        await asyncio.sleep(0)
        self._admit("get", resource, namespace, name, subresource)
        return self.cluster.find(resource, namespace, name)

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
        await asyncio.sleep(0)
        self._admit("list", resource, namespace, "")
        fields = labels.parse_fields(field_selector)
        found = [
            obj for obj in self.cluster.list(resource, namespace, label_selector) if labels.match_fields(obj, fields)
        ]
        return ObjectList(found, str(self.cluster.revision))

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
        assert not dry_run, "nothing is validated here"
        await asyncio.sleep(0)
        obj = meta.copy(obj)
        metadata = obj.setdefault("metadata", {})
        group, version, plural = split(resource)
        if plural not in CLUSTER_SCOPED:
            metadata.setdefault("namespace", namespace or "default")
        while not metadata.get("name"):
            metadata["name"] = f"{metadata['generateName']}{meta.random_suffix()}"
            if self.cluster.has(resource, meta.key_of(obj)):
                del metadata["name"]
        self._admit("create", resource, metadata.get("namespace", ""), metadata["name"], subresource, obj)
        if self.cluster.has(resource, meta.key_of(obj)):
            raise errors.already_exists(plural, group, metadata["name"])
        metadata.update(uid=str(uuid.uuid4()), creationTimestamp=clock.timestamp())
        if plural in WITH_STATUS or plural == "configmaps":
            metadata["generation"] = 1
        obj.setdefault("apiVersion", version)
        obj.setdefault("kind", kind_of(plural))
        if plural == "namespaces":
            obj.setdefault("spec", {}).setdefault("finalizers", ["kubernetes"])
            obj.setdefault("status", {"phase": "Active"})
        if plural == "pods":
            obj.setdefault("status", {"phase": "Pending"})
        metadata.pop("resourceVersion", None)
        return self.cluster.store(resource, obj, None)

    async def update(self, resource: str, obj: Obj, *, subresource: str = "", dry_run: bool = False) -> Obj:
        assert not dry_run, "nothing is validated here"
        await asyncio.sleep(0)
        metadata = obj["metadata"]
        self._admit("update", resource, metadata.get("namespace", ""), metadata["name"], subresource, obj)
        return self._replace(resource, meta.copy(obj), subresource)

    def _replace(self, resource: str, obj: Obj, subresource: str) -> Obj:
        group, _, plural = split(resource)
        metadata = obj["metadata"]
        old = self.cluster.find(resource, metadata.get("namespace", ""), metadata["name"])
        if metadata.get("resourceVersion", old["metadata"]["resourceVersion"]) != old["metadata"]["resourceVersion"]:
            raise errors.conflict(plural, group, metadata["name"])
        if metadata.get("uid", old["metadata"]["uid"]) != old["metadata"]["uid"]:
            raise errors.conflict(plural, group, metadata["name"], "Precondition failed: UID in precondition differs")
        if subresource == "status":
            new = {**meta.copy(old), "status": obj.get("status") or {}}
        elif subresource == "finalize":
            new = meta.copy(old)
            new["spec"] = {**new.get("spec", {}), "finalizers": obj["spec"].get("finalizers") or []}
        else:
            new = obj
            if plural in WITH_STATUS and "status" in old:
                new["status"] = meta.copy(old)["status"]
            for name in ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"):
                if name in old["metadata"]:
                    new["metadata"][name] = old["metadata"][name]
            if plural in WITH_STATUS and new.get("spec") != old.get("spec"):
                new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
        unchanged = {**old, "metadata": {**old["metadata"], "resourceVersion": ""}}
        if {**new, "metadata": {**new["metadata"], "resourceVersion": ""}} == unchanged:
            return old
        return self._stored_or_removed(resource, new, old)

    def _stored_or_removed(self, resource: str, new: Obj, old: Obj) -> Obj:
        """Store a changed object; one that was only waiting for its finalizers goes for good."""
        metadata = new["metadata"]
        waiting = metadata.get("finalizers") or metadata.get("deletionGracePeriodSeconds")
        if resource == "v1/namespaces":
            waiting = waiting or new["spec"].get("finalizers")
        if metadata.get("deletionTimestamp") and not waiting:
            return self.cluster.remove(resource, new)
        return self.cluster.store(resource, new, old)

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
        await asyncio.sleep(0)
        self._admit("patch", resource, namespace, name, subresource, patch if isinstance(patch, dict) else None)
        old = self.cluster.find(resource, namespace, name)
        if kind == "json":
            new: Obj = jsonpatch.apply_patch(meta.copy(old), patch)
        elif kind == "merge":
            new = merged(meta.copy(old), meta.copy(patch))
        else:
            raise NotImplementedError(f"the fake cluster does not know {kind} patches")
        return self._replace(resource, new, subresource)

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
        await asyncio.sleep(0)
        self._admit("delete", resource, namespace, name)
        group, _, plural = split(resource)
        old = self.cluster.find(resource, namespace, name)
        if uid and uid != old["metadata"]["uid"]:
            text = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {old['metadata']['uid']}"
            raise errors.conflict(plural, group, name, text)
        if resource_version and resource_version != old["metadata"]["resourceVersion"]:
            raise errors.conflict(plural, group, name)
        new = meta.copy(old)
        metadata = new["metadata"]
        finalizers = set(metadata.get("finalizers") or ())
        if propagation_policy:
            finalizers -= {"orphan", "foregroundDeletion"}
        if propagation_policy == "Orphan":
            finalizers.add("orphan")
        if propagation_policy == "Foreground":
            finalizers.add("foregroundDeletion")
        metadata["finalizers"] = sorted(finalizers)
        grace = 0
        if plural == "pods" and new["spec"].get("nodeName"):
            default = new["spec"].get("terminationGracePeriodSeconds", 30)
            grace = default if grace_period_seconds is None else grace_period_seconds
            grace = min(grace, metadata.get("deletionGracePeriodSeconds", grace))
        if not metadata.get("deletionTimestamp"):
            metadata["deletionTimestamp"] = clock.timestamp(clock.now() + grace)
        metadata["deletionGracePeriodSeconds"] = grace
        if plural == "namespaces":
            new["status"] = {**new.get("status", {}), "phase": "Terminating"}
        if not finalizers:
            del metadata["finalizers"]
        if metadata == old["metadata"]:
            return old
        return self._stored_or_removed(resource, new, old)

    async def delete_collection(
        self,
        resource: str,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        propagation_policy: str = "",
    ) -> None:
        self._admit("deletecollection", resource, namespace, "")
        page = await self.list(resource, namespace, label_selector=label_selector, field_selector=field_selector)
        for obj in page.items:
            await self.delete(
                resource,
                obj["metadata"]["name"],
                obj["metadata"].get("namespace", ""),
                propagation_policy=propagation_policy,
            )

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
    ) -> AsyncIterator[list[WatchEvent]]:
        selector, fields = labels.parse(label_selector), labels.parse_fields(field_selector)

        def wanted(obj: Obj | None) -> bool:
            return (
                obj is not None
                and (not namespace or obj["metadata"].get("namespace") == namespace)
                and selector.matches(obj["metadata"].get("labels"))
                and labels.match_fields(obj, fields)
            )

        cursor = int(resource_version or self.cluster.revision)
        with self.cluster.listening() as bell:
            while True:
                bell.clear()
                batch = []
                for entry in self.cluster.since(cursor):
                    cursor = entry.revision
                    was, now = wanted(entry.old), entry.type != "DELETED" and wanted(entry.new)
                    if entry.resource != resource or not (was or now):
                        continue
                    kind = "MODIFIED" if was and now else "ADDED" if now else "DELETED"
                    batch.append(WatchEvent(kind, entry.new, entry.revision))
                if batch:
                    yield batch
                    continue
                if bookmarks:
                    yield [WatchEvent("BOOKMARK", {}, cursor)]
                await bell.wait()


def merged(target: Obj, patch: Obj) -> Obj:
    """RFC 7386."""
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict):
            inner = target.get(key)
            target[key] = merged(inner if isinstance(inner, dict) else {}, value)
        else:
            target[key] = value
    return target
