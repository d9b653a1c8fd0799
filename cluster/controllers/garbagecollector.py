"""The garbage collector: what belongs to nobody any more goes (pkg/controller/garbagecollector).

Keys are owners (`namespace/uid`, or `uid`): one reconcile deals with all dependents of one owner, twenty at a time. What is
done with a dependent depends on all of its owners: a *solid* one keeps it, a *dangling* one (absent) does not, a *waiting*
one is being deleted in the foreground and waits for it to go.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from typing import ClassVar

from cluster.apimachinery.errors import StatusError, is_not_found
from cluster.client.client import Obj
from cluster.client.loop import ControlLoop, LoopContext
from cluster.controllers.lib.batching import Throttle
from cluster.controllers.lib.graph import FOREGROUND, ORPHAN, Graph, Node
from cluster.controllers.lib.resources import DEFINITIONS, ResourceInfo, custom_resources, ownership
from cluster.journeys import trace
from cluster.journeys.trace import step

# How many writes run at once, how many absent owners are remembered.
CONCURRENCY, REMEMBERED = 20, 500
# Owners of kinds that are not watched are looked up again after so many seconds.
RECHECK = 30.0
BATCH_PERIOD = 0.05
# The key under which custom resources that have come or gone are looked for.
DISCOVERY = "discovery"
SOLID, DANGLING, WAITING = "solid", "dangling", "waiting"


def policy_for(node: Node) -> str:
    """How a dependent is deleted: as its finalizers ask, otherwise in the background."""
    finalizers = node.obj["metadata"].get("finalizers") or ()
    if ORPHAN in finalizers:
        return "Orphan"
    return "Foreground" if FOREGROUND in finalizers else "Background"


class GarbageCollector(ControlLoop):
    """Deletes what belongs to nobody any more, in the background, in the foreground, or leaving orphans."""

    name = "garbagecollector"
    title = "garbage collector"
    account = "generic-garbage-collector"
    workers = 10
    discovery: ClassVar[Callable[[], Iterable[ResourceInfo]]] = staticmethod(ownership)

    def __init__(self, context: LoopContext) -> None:
        super().__init__(context)
        self.graph = Graph()
        self.throttle = Throttle(self.queue, BATCH_PERIOD)
        self.slots = asyncio.Semaphore(CONCURRENCY)
        self._absent: OrderedDict[tuple[str, ...], None] = OrderedDict()
        self._kinds: dict[tuple[str, str], ResourceInfo] = {}

    def setup(self) -> None:
        self._discover()
        self.watch(DEFINITIONS, lambda old, new: self.queue.add(DISCOVERY))

    def _discover(self) -> int:
        """Watch kinds that are new, forget those that are gone; returns how many came."""
        served = {(resource.group, resource.kind): resource for resource in self._served()}
        for name in [name for name, one in self._kinds.items() if served.get(name) != one]:
            self.context.informers.drop(self._kinds.pop(name).path)
        fresh = [(name, resource) for name, resource in served.items() if name not in self._kinds]
        for name, resource in fresh:
            self._kinds[name] = resource
            self.watch(resource.path, self._observer(resource))
        return len(fresh)

    def _served(self) -> Iterable[ResourceInfo]:
        yield from type(self).discovery()
        yield from custom_resources(self.informer(DEFINITIONS).list())

    def _observer(self, resource: ResourceInfo) -> Callable[[Obj | None, Obj | None], None]:
        def observe(old: Obj | None, new: Obj | None) -> None:
            for uid in self.graph.observe(resource, old, new):
                namespace = (new or old or {"metadata": {}})["metadata"].get("namespace", "")
                self.throttle.add(f"{namespace}/{uid}" if namespace else uid)

        return observe

    # -- reconcile -----------------------------------------------------------------------------------------------

    async def reconcile(self, key: str) -> float | None:
        if key == DISCOVERY:
            with step("observe") as span:
                span.detail = {"newKinds": self._discover()}
            return None
        uid = key.rpartition("/")[2]
        with step("observe") as span:
            owner = self.graph.nodes.get(uid)
            dependents = self.graph.dependents(uid)
            journey = trace.current.get()
            if owner is not None and journey is not None:
                # People read names, not uids.
                journey.name, journey.resource = owner.name, owner.resource.plural
            span.detail = {"owner": owner.name if owner is not None else "gone", "dependents": len(dependents)}
        if owner is not None and owner.waits_with(ORPHAN):
            with step("act", {"orphan": len(dependents)}):
                await self._each(dependents, lambda node: self._drop_owners(node, {uid}))
                await self._remove_finalizer(owner, ORPHAN)
            return None
        if owner is not None and owner.waits_with(FOREGROUND):
            if not self.graph.blocking(uid):
                with step("act", {"finish": owner.name}):
                    await self._remove_finalizer(owner, FOREGROUND)
                return None
            await self._collect(dependents)
            return None
        if owner is not None:
            dependents = [node for node in dependents if not owner.may_own(node)]
        if not dependents:
            self.throttle.forget(key)
            return None
        return await self._collect(dependents)

    async def _collect(self, dependents: list[Node]) -> float | None:
        """Delete what is held by no owner, and drop the references that hold nothing. May ask to look again."""
        with step("act") as span:
            outcomes: list[str] = []
            await self._each(dependents, lambda node: self._attempt(node, outcomes))
            span.detail = {outcome: outcomes.count(outcome) for outcome in dict.fromkeys(outcomes)}
        return RECHECK if "unwatched owner" in outcomes else None

    async def _attempt(self, node: Node, outcomes: list[str]) -> None:
        """One dependent: deleted, or kept by a solid owner."""
        if node.deleting and not node.waits_with(FOREGROUND):
            outcomes.append("already going")
            return
        verdicts: dict[str, str] = {}
        for reference in node.obj["metadata"].get("ownerReferences") or ():
            verdicts[reference["uid"]] = await self._classify(node, reference, outcomes)
        if not verdicts:
            return
        loose = {uid for uid, verdict in verdicts.items() if verdict != SOLID}
        if len(loose) < len(verdicts):
            if loose:
                await self._drop_owners(node, loose)
                outcomes.append("reference dropped")
            else:
                outcomes.append("kept")
            return
        if WAITING in verdicts.values() and self.graph.has_dependents(node.uid):
            if node.waits_with(FOREGROUND):
                if self.graph.in_circle(node.uid):
                    await self._unblock(node)
                outcomes.append("already going")
                return
            await self._delete(node, "Foreground")
        elif not node.deleting:
            await self._delete(node, policy_for(node))
        outcomes.append("deleted")

    async def _classify(self, node: Node, reference: Obj, outcomes: list[str]) -> str:
        uid = reference["uid"]
        # By all coordinates: a reference with a wrong name is dangling, others to the same owner are not.
        coordinates = (uid, reference["apiVersion"], reference["kind"], node.namespace, reference["name"])
        if coordinates in self._absent:
            return DANGLING
        owner = self.graph.nodes.get(uid)
        if owner is not None and owner.may_own(node) and owner.name == reference["name"]:
            return WAITING if owner.waits_with(FOREGROUND) else SOLID
        group = reference["apiVersion"].rpartition("/")[0]
        resource = self._kinds.get((group, reference["kind"]))
        if resource is None:
            # As Kubernetes for kinds it cannot find: better keep too much than delete too much.
            outcomes.append("unwatched owner")
            return SOLID
        try:
            fresh = await self.client.get(
                resource.path, reference["name"], node.namespace if resource.namespaced else ""
            )
        except StatusError as error:
            if not is_not_found(error):
                raise
        else:
            if fresh["metadata"]["uid"] == uid:
                return WAITING if Node(resource, fresh).waits_with(FOREGROUND) else SOLID
        self._absent[coordinates] = None
        if len(self._absent) > REMEMBERED:
            self._absent.popitem(last=False)
        return DANGLING

    # -- writes --------------------------------------------------------------------------------------------------

    async def _each(self, nodes: list[Node], act: Callable[[Node], Awaitable[None]]) -> None:
        """Do so for all nodes, twenty at a time; the first failure is raised when all are through."""

        async def one(node: Node) -> None:
            async with self.slots:
                try:
                    await act(node)
                except StatusError as error:
                    if not is_not_found(error):
                        raise

        for result in await asyncio.gather(*map(one, nodes), return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    async def _delete(self, node: Node, policy: str) -> None:
        metadata = node.obj["metadata"]
        # Only this very object, in the state in which it was judged: an owner may have been added meanwhile.
        await self.client.delete(
            node.resource.path,
            node.name,
            node.namespace,
            propagation_policy=policy,
            uid=metadata["uid"],
            resource_version=metadata["resourceVersion"],
        )

    async def _drop_owners(self, node: Node, uids: set[str]) -> None:
        references = node.obj["metadata"].get("ownerReferences") or ()
        kept = [reference for reference in references if reference["uid"] not in uids]
        await self._patch(node, {"ownerReferences": kept or None})

    async def _unblock(self, node: Node) -> None:
        """A circle of objects that wait for one another: let this one's owners go first."""
        references = node.obj["metadata"].get("ownerReferences") or ()
        if any(reference.get("blockOwnerDeletion") for reference in references):
            await self._patch(
                node, {"ownerReferences": [{**reference, "blockOwnerDeletion": False} for reference in references]}
            )

    async def _remove_finalizer(self, node: Node, finalizer: str) -> None:
        finalizers = [name for name in node.obj["metadata"].get("finalizers") or () if name != finalizer]
        try:
            await self._patch(node, {"finalizers": finalizers or None})
        except StatusError as error:
            if not is_not_found(error):
                raise

    async def _patch(self, node: Node, metadata: Obj) -> None:
        known = node.obj["metadata"]
        patch = {"metadata": {**metadata, "uid": known["uid"], "resourceVersion": known["resourceVersion"]}}
        await self.client.patch(node.resource.path, node.name, patch, node.namespace, kind="merge")
