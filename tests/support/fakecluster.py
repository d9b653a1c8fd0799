"""A cluster in memory for tests: enough of an API server to run control loops with their real informers.

`FakeCluster` stores objects and their log; `cluster.client(user)` is a `Client` of it (fakeclient.py). It keeps Kubernetes' rules that loops
depend on: revisions and conflicts, uid, generation, generateName, the status subresource, finalizers, graceful deletion of
pods, propagation policies, namespaces' finalize. It does not validate, default or authorize.

For tests: `requests` is what was asked of it, `refuse(...)` makes it refuse, `stale()` holds back watch events, so that
informers lag behind. Helpers that play the kubelet are in tests/support/fakekubelet.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from cluster import clock
from cluster.apimachinery import errors, labels, meta
from cluster.apimachinery.errors import StatusError
from cluster.client.client import Obj
from cluster.client.informer import SharedInformers
from cluster.client.loop import ControlLoop, LoopContext

if TYPE_CHECKING:
    from tests.support.fakeclient import FakeClient

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
        from tests.support.fakeclient import FakeClient

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
