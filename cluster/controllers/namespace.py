"""The namespace controller: empties a namespace that is being deleted, then lets it go (pkg/controller/namespace).

Pods go first, everything else when they are gone. What remains is told in the namespace's conditions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import ClassVar

from cluster.apimachinery.errors import StatusError, is_not_found
from cluster.client.client import Obj
from cluster.client.loop import ControlLoop, LoopContext
from cluster.controllers.lib.batching import Throttle
from cluster.controllers.lib.podcontrol import PODS
from cluster.controllers.lib.resources import DEFINITIONS, ResourceInfo, built_in, custom_resources
from cluster.controllers.policy.namespace_status import deletion_conditions, finalizer_counts, grace_estimate
from cluster.journeys.trace import step

NAMESPACES = "v1/namespaces"
FINALIZER = "kubernetes"
# How long finalizers are given before the next look, in seconds.
FINALIZER_ESTIMATE = 15


class Content:
    """What one pass over a namespace found and could not remove."""

    def __init__(self) -> None:
        self.remaining: Counter[str] = Counter()
        self.finalizers: Counter[str] = Counter()
        self.failures: list[str] = []
        self.discovery_failure = ""
        self.estimate = 0

    @property
    def empty(self) -> bool:
        return not self.remaining and not self.failures and not self.discovery_failure


class NamespaceController(ControlLoop):
    """Empties a namespace that is being deleted, pods first, and lets it go."""

    name = "namespace"
    workers = 10
    discovery: ClassVar[Callable[[], Iterable[ResourceInfo]]] = staticmethod(built_in)

    def __init__(self, context: LoopContext) -> None:
        super().__init__(context)
        self.throttle = Throttle(self.queue, 0.1)

    def setup(self) -> None:
        self.namespaces = self.watch(NAMESPACES)
        self.pods = self.watch(PODS, self._pod_changed)
        self.definitions = self.informer(DEFINITIONS)

    def _pod_changed(self, old: Obj | None, new: Obj | None) -> None:
        """A pod of a terminating namespace is gone: perhaps it was the last."""
        if new is None and old is not None:
            name = old["metadata"]["namespace"]
            namespace = self.namespaces.get(name)
            if namespace is not None and "deletionTimestamp" in namespace["metadata"]:
                self.throttle.add(name)

    async def reconcile(self, key: str) -> float | None:
        namespace = self.namespaces.get(key)
        if namespace is None or "deletionTimestamp" not in namespace["metadata"]:
            return None
        if FINALIZER not in (namespace["spec"].get("finalizers") or ()):
            return None
        # The cache may be behind, and this is not to be undone: look at the namespace itself.
        namespace = await self._fresh(namespace)
        if namespace is None:
            return None
        if (namespace.get("status") or {}).get("phase") != "Terminating":
            status = {**(namespace.get("status") or {}), "phase": "Terminating"}
            fresh = {**namespace, "status": status}
            namespace = await self.client.update(NAMESPACES, fresh, subresource="status")
        with step("act") as span:
            content = await self._delete_content(key)
            span.detail = dict(content.remaining) or {"remaining": 0}
        with step("verify", {"empty": content.empty}):
            namespace = await self._write_conditions(namespace, content)
        if content.empty:
            with step("act", {"finalize": key}):
                await self._finalize(namespace)
            return None
        if content.failures or content.discovery_failure:
            raise StatusError(500, "InternalError", "; ".join([*content.failures, content.discovery_failure]))
        return content.estimate / 2 + 1

    async def _fresh(self, namespace: Obj) -> Obj | None:
        try:
            fresh = await self.client.get(NAMESPACES, namespace["metadata"]["name"])
        except StatusError as error:
            if is_not_found(error):
                return None
            raise
        same = fresh["metadata"]["uid"] == namespace["metadata"]["uid"]
        return fresh if same and "deletionTimestamp" in fresh["metadata"] else None

    async def _delete_content(self, name: str) -> Content:
        content = Content()
        try:
            served = (*type(self).discovery(), *custom_resources(self.definitions.list()))
            resources = [resource for resource in served if resource.namespaced]
        except StatusError as error:
            content.discovery_failure, resources = error.message, []
        pods_first = sorted(resources, key=lambda resource: resource.path != PODS)
        for resource in pods_first:
            await self._empty(resource, name, content)
            if resource.path == PODS and not content.empty:
                break
        if content.finalizers:
            content.estimate = max(content.estimate, FINALIZER_ESTIMATE)
        return content

    async def _empty(self, resource: ResourceInfo, namespace: str, content: Content) -> None:
        try:
            found = (await self.client.list(resource.path, namespace)).items
            if not found:
                return
            await self.client.delete_collection(resource.path, namespace, propagation_policy="Background")
            left = (await self.client.list(resource.path, namespace)).items
        except StatusError as error:
            if not is_not_found(error):
                content.failures.append(error.message)
            return
        if left:
            content.remaining[f"{resource.plural}.{resource.group}"] = len(left)
            content.finalizers.update(finalizer_counts(left))
            if resource.path == PODS:
                content.estimate = grace_estimate(left)

    async def _write_conditions(self, namespace: Obj, content: Content) -> Obj:
        status = namespace.get("status") or {}
        conditions = deletion_conditions(
            status.get("conditions") or (),
            content.remaining,
            content.finalizers,
            content.failures,
            content.discovery_failure,
        )
        if conditions == status.get("conditions"):
            return namespace
        fresh = {**namespace, "status": {**status, "conditions": conditions}}
        return await self.client.update(NAMESPACES, fresh, subresource="status")

    async def _finalize(self, namespace: Obj) -> None:
        kept = [name for name in namespace["spec"].get("finalizers") or () if name != FINALIZER]
        fresh = {**namespace, "spec": {**namespace["spec"], "finalizers": kept}}
        try:
            await self.client.update(NAMESPACES, fresh, subresource="finalize")
        except StatusError as error:
            if not is_not_found(error):
                raise
