"""A cluster in memory for tests: enough of an API server to run control loops with their real informers.

`FakeCluster` stores objects and their log; `cluster.client(user)` is a `Client` of it. It keeps Kubernetes' rules that loops
depend on: revisions and conflicts, uid, generation, generateName, the status subresource, finalizers, graceful deletion of
pods, propagation policies, namespaces' finalize. It does not validate, default or authorize.

For tests: `requests` is what was asked of it, `refuse(...)` makes it refuse, `stale()` holds back watch events, so that
informers lag behind. Helpers that play the kubelet are in tests/support/fakekubelet.py.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import jsonpatch
import orjson

from cluster import clock
from cluster.apimachinery import errors, labels, meta
from cluster.apimachinery.errors import StatusError
from cluster.client.client import Client, Obj, ObjectList, WatchEvent
from cluster.client.informer import SharedInformers
from cluster.client.loop import ControlLoop, LoopContext

CLUSTER_SCOPED = {
    "nodes",
    "faults",
    "namespaces",
    "clusterroles",
    "clusterrolebindings",
    "persistentvolumes",
    "priorityclasses",
    "servicecidrs",
    "ipaddresses",
    "clocks",
}
KINDS = {
    "endpoints": "Endpoints",
    "endpointslices": "EndpointSlice",
    "replicasets": "ReplicaSet",
    "configmaps": "ConfigMap",
    "serviceaccounts": "ServiceAccount",
    "daemonsets": "DaemonSet",
    "statefulsets": "StatefulSet",
    "cronjobs": "CronJob",
    "controllerrevisions": "ControllerRevision",
    "clusterroles": "ClusterRole",
    "clusterrolebindings": "ClusterRoleBinding",
    "rolebindings": "RoleBinding",
    "persistentvolumeclaims": "PersistentVolumeClaim",
    "resourcequotas": "ResourceQuota",
    "ingresses": "Ingress",
    "networkpolicies": "NetworkPolicy",
    "ipaddresses": "IPAddress",
    "servicecidrs": "ServiceCIDR",
}
# Resources whose status is written through the subresource only, and which count generations.
WITH_STATUS = {
    *("deployments", "replicasets", "daemonsets", "statefulsets", "jobs", "cronjobs"),
    *("pods", "nodes", "namespaces", "services", "servicecidrs", "resourcequotas", "clocks", "traffics"),
    "horizontalpodautoscalers",
}


def split(resource: str) -> tuple[str, str, str]:
    """(group, apiVersion, plural) of `apps/v1/deployments` or `v1/pods`."""
    version, _, plural = resource.rpartition("/")
    return (version.partition("/")[0] if "/" in version else ""), version, plural


def kind_of(plural: str) -> str:
    return KINDS.get(plural) or plural[:-1].capitalize()


@dataclass(frozen=True)
class Request:
    """One request as tests look at it."""

    user: str
    verb: str
    resource: str
    namespace: str
    name: str
    subresource: str = ""


@dataclass(frozen=True)
class Entry:
    """One line of the log."""

    revision: int
    resource: str
    type: str
    old: Obj | None
    new: Obj
    raw: bytes


class FakeCluster:
    """The store, its log, and the knobs for tests."""

    def __init__(self) -> None:
        self.revision = 0
        self.objects: dict[str, dict[str, Obj]] = {}
        self.log: list[Entry] = []
        self.requests: list[Request] = []
        self._bells: set[asyncio.Event] = set()
        self._stale = False
        self._refusals: list[Callable[[Request, Obj | None], StatusError | None]] = []
        clock.call_later(0, lambda: None)  # binds the cluster's clock to this test's event loop

    # -- for tests -----------------------------------------------------------------------------------------------

    def client(self, user: str = "test") -> FakeClient:
        return FakeClient(self, user)

    def context(self, **settings: Any) -> LoopContext:
        """What loops are constructed with; one set of shared informers."""
        return LoopContext(self.client, SharedInformers(self.client("informers")), settings=settings)

    @contextmanager
    def stale(self) -> Iterator[None]:
        """Hold back every watch event until the block ends: informers do not see what is written meanwhile."""
        self._stale = True
        try:
            yield
        finally:
            self._stale = False
            self._ring()

    def refuse(self, verb: str, resource: str, error: StatusError, times: int = -1) -> None:
        """Answer the next `times` (-1: all) such requests with `error`."""
        left = [times]

        def check(request: Request, _: Obj | None) -> StatusError | None:
            if (request.verb, request.resource) != (verb, resource) or left[0] == 0:
                return None
            left[0] -= 1
            return error

        self._refusals.append(check)

    def on_request(self, hook: Callable[[Request, Obj | None], StatusError | None]) -> None:
        """Call `hook(request, body)` before each request; what it returns, if anything, is raised."""
        self._refusals.append(hook)

    def list(self, resource: str, namespace: str = "", selector: str = "") -> list[Obj]:
        """The objects there are, in key order."""
        chosen = labels.parse(selector)
        return [
            obj
            for _, obj in sorted(self.objects.get(resource, {}).items())
            if (not namespace or obj["metadata"].get("namespace") == namespace)
            and chosen.matches(obj["metadata"].get("labels"))
        ]

    def get(self, resource: str, key: str) -> Obj:
        """The object `namespace/name`; KeyError when there is none."""
        return self.objects[resource][key]

    def has(self, resource: str, key: str) -> bool:
        return key in self.objects.get(resource, {})

    def events(self, reason: str = "") -> list[str]:
        """Messages of the Events written, in order."""
        return [
            event["message"]
            for event in sorted(self.list("v1/events"), key=lambda event: int(event["metadata"]["resourceVersion"]))
            if not reason or event["reason"] == reason
        ]

    def count(self, verb: str, resource: str, user: str = "") -> int:
        """How many such requests were made."""
        return sum(
            (request.verb, request.resource) == (verb, resource) and (not user or user in request.user)
            for request in self.requests
        )

    def mutated(self) -> list[str]:
        """The objects that someone changed in place after they were handed out: there must be none."""
        return [f"{e.resource} {meta.key_of(e.new)}" for e in self.log if orjson.dumps(e.new) != e.raw]

    # -- the store -----------------------------------------------------------------------------------------------

    def admit(self, request: Request, body: Obj | None = None) -> None:
        self.requests.append(request)
        for check in self._refusals:
            error = check(request, body)
            if error is not None:
                raise error

    def find(self, resource: str, namespace: str, name: str) -> Obj:
        group, _, plural = split(resource)
        obj = self.objects.get(resource, {}).get(f"{namespace}/{name}" if namespace else name)
        if obj is None:
            raise errors.not_found(plural, group, name)
        return obj

    def store(self, resource: str, obj: Obj, old: Obj | None) -> Obj:
        self.revision += 1
        obj["metadata"]["resourceVersion"] = str(self.revision)
        self.objects.setdefault(resource, {})[meta.key_of(obj)] = obj
        self.log.append(Entry(self.revision, resource, "MODIFIED" if old else "ADDED", old, obj, orjson.dumps(obj)))
        self._ring()
        return obj

    def remove(self, resource: str, obj: Obj) -> Obj:
        self.revision += 1
        last = meta.copy(obj)
        last["metadata"]["resourceVersion"] = str(self.revision)
        self.objects[resource].pop(meta.key_of(obj), None)
        self.log.append(Entry(self.revision, resource, "DELETED", obj, last, orjson.dumps(last)))
        self._ring()
        return last

    def since(self, revision: int) -> list[Entry]:
        return [] if self._stale else self.log[revision:]

    def _ring(self) -> None:
        for bell in self._bells:
            bell.set()

    @contextmanager
    def listening(self) -> Iterator[asyncio.Event]:
        bell = asyncio.Event()
        self._bells.add(bell)
        try:
            yield bell
        finally:
            self._bells.discard(bell)


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
        self, resource: str, namespace: str = "", *, label_selector: str = "", field_selector: str = ""
    ) -> None:
        self._admit("deletecollection", resource, namespace, "")
        page = await self.list(resource, namespace, label_selector=label_selector, field_selector=field_selector)
        for obj in page.items:
            await self.delete(resource, obj["metadata"]["name"], obj["metadata"].get("namespace", ""))

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


class Running:
    """`async with Running(cluster, SomeController, ...) as loops:` starts the loops, and stops them at the end."""

    def __init__(self, cluster: FakeCluster, *classes: type[ControlLoop], **settings: Any) -> None:
        self.context = cluster.context(**settings)
        self.loops = [loop(self.context) for loop in classes]

    async def __aenter__(self) -> list[ControlLoop]:
        for loop in self.loops:
            await loop.loop_start()
        return self.loops

    async def __aexit__(self, *_: object) -> None:
        for loop in reversed(self.loops):
            await loop.loop_stop()
        await self.context.informers.stop()


async def settle(seconds: float = 2.0) -> None:
    """Let the loops work for so many seconds of cluster time (virtual under `looptime`: no real time passes)."""
    await clock.sleep(seconds)
