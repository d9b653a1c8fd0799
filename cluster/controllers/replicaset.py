"""The ReplicaSet controller: as many pods as wanted, no more, no fewer (pkg/controller/replicaset)."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from cluster import clock
from cluster.apimachinery.errors import StatusError, is_not_found, namespace_terminating
from cluster.apimachinery.labels import Selector, from_map, from_selector
from cluster.apimachinery.meta import controller_of, is_pod_active, key_of
from cluster.client.client import Obj
from cluster.client.informer import by_controller
from cluster.client.loop import ControlLoop, LoopContext
from cluster.controllers.lib.batching import Throttle
from cluster.controllers.lib.claims import claim, orphans_by_namespace
from cluster.controllers.lib.expectations import ControllerExpectations
from cluster.controllers.lib.podcontrol import PODS, PodControl, pod_from_template
from cluster.controllers.lib.slowstart import slow_start
from cluster.controllers.lib.tally import PodTally, Tally, tally_of
from cluster.controllers.policy.ranking import pods_to_delete
from cluster.controllers.policy.replicaset_status import availability, replicaset_status
from cluster.journeys.trace import step

REPLICASETS = "apps/v1/replicasets"
# No more than so many pods are created or deleted in one go.
BURST = 500
# Pod changes within so many seconds are counted together.
BATCH_PERIOD = 0.03


class ReplicaSetController(ControlLoop):
    """Creates, deletes, adopts and releases pods, and counts them."""

    name = "replicaset"
    title = "replica set"
    resource: ClassVar[str] = REPLICASETS
    kind: ClassVar[str] = "ReplicaSet"

    def __init__(self, context: LoopContext) -> None:
        super().__init__(context)
        self.expectations = ControllerExpectations()
        self.tally = PodTally(self.kind)
        self.throttle = Throttle(self.queue, BATCH_PERIOD)
        self.pod_control = PodControl(self.client, self.events)

    def setup(self) -> None:
        self.replicasets = self.watch(self.resource, self._replicaset_changed)
        self.replicasets.add_indexer("controller", by_controller)
        self.pods = self.informer(PODS)
        self.pods.add_indexer("controller", by_controller)
        self.pods.add_indexer("orphans", orphans_by_namespace)
        self.pods.add_handler(self._pod_changed)

    @staticmethod
    def selector_of(spec: Obj) -> Selector:
        """Which pods are its own."""
        return from_selector(spec["selector"])

    # -- what dirties a key --------------------------------------------------------------------------------------

    def _replicaset_changed(self, old: Obj | None, new: Obj | None) -> None:
        if old is not None and new is not None and old["metadata"]["uid"] == new["metadata"]["uid"]:
            if old["metadata"].get("generation") == new["metadata"].get("generation"):
                self.throttle.add(key_of(new))
                return
        elif old is not None:
            self.expectations.forget(key_of(old))
            self.throttle.forget(key_of(old))
        self.enqueue(old, new)

    def _pod_changed(self, old: Obj | None, new: Obj | None) -> None:
        self.tally.observe(old, new)
        if old is not None and new is not None:
            self._pod_updated(old, new)
            return
        pod = new if new is not None else old
        if pod is None:
            return
        key = self._owner_key(pod)
        if key is not None:
            if new is None or pod["metadata"].get("deletionTimestamp"):
                self.expectations.deletion_observed(key, pod["metadata"]["uid"])
            else:
                self.expectations.creation_observed(key)
            self.throttle.add(key)
        elif new is not None:
            self._offer(new)

    def _pod_updated(self, old: Obj, new: Obj) -> None:
        key, before = self._owner_key(new), self._owner_key(old)
        if before is not None and before != key:
            self.throttle.add(before)
        if key is not None:
            if new["metadata"].get("deletionTimestamp"):
                self.expectations.deletion_observed(key, new["metadata"]["uid"])
            self.throttle.add(key)
        elif old["metadata"].get("labels") != new["metadata"].get("labels") or controller_of(old) is not None:
            self._offer(new)

    def _owner_key(self, pod: Obj) -> str | None:
        """The key of the ReplicaSet that controls the pod, if we know it."""
        reference = controller_of(pod)
        if reference is None or reference["kind"] != self.kind:
            return None
        key = f"{pod['metadata']['namespace']}/{reference['name']}"
        owner = self.replicasets.get(key)
        return key if owner is not None and owner["metadata"]["uid"] == reference["uid"] else None

    def _offer(self, pod: Obj) -> None:
        """An orphan: whoever selects it may want to adopt it."""
        if controller_of(pod) is not None or not is_pod_active(pod):
            return
        for replicaset in self.replicasets.list(pod["metadata"]["namespace"]):
            if self.selector_of(replicaset["spec"]).matches(pod["metadata"].get("labels")):
                self.queue.add(key_of(replicaset))

    # -- reconcile -----------------------------------------------------------------------------------------------

    async def reconcile(self, key: str) -> float | None:
        replicaset = self.replicasets.get(key)
        if replicaset is None:
            self.expectations.forget(key)
            return None
        metadata, spec = replicaset["metadata"], replicaset["spec"]
        selector = self.selector_of(spec)
        with step("observe") as span:
            tally, claimed = self.tally.of(metadata["uid"]), None
            if self._claims_wanted(metadata, selector, tally):
                claimed = await self._claim(replicaset, selector)
                # The informer may not have shown the adoptions yet: count what is owned now.
                tally = tally_of(claimed)
            span.detail = {"pods": tally.active, "ready": tally.ready}
        desired = spec.get("replicas", 1)
        with step("compare", {"desired": desired, "actual": tally.active}):
            difference = desired - tally.active
        failure: StatusError | None = None
        settled = self.expectations.satisfied(key)
        if difference and settled and "deletionTimestamp" not in metadata:
            if difference > 0:
                failure = await self._create(key, replicaset, min(difference, BURST))
            else:
                failure = await self._delete(key, replicaset, claimed, min(-difference, BURST))
        elif difference and not settled:
            with step("decide", {"wait": "pods asked for have not been seen yet"}) as span:
                span.outcome = "wait"
        delay = await self._write_status(replicaset, failure, difference)
        if failure is not None:
            raise failure
        if difference and not settled:
            return self.expectations.remaining(key)
        return delay

    def _claims_wanted(self, metadata: Obj, selector: Selector, tally: Tally) -> bool:
        """Are there orphans to adopt, or pods whose labels have left the selector?"""
        if any(not selector.matches(dict(labels)) for labels in tally.labels):
            return True
        orphans = self.pods.by_index("orphans", metadata["namespace"])
        return any(selector.matches(pod["metadata"].get("labels")) for pod in orphans)

    async def _claim(self, replicaset: Obj, selector: Selector) -> list[Obj]:
        metadata = replicaset["metadata"]
        pods = [pod for pod in self.pods.by_index("controller", metadata["uid"]) if is_pod_active(pod)]
        pods += self.pods.by_index("orphans", metadata["namespace"])
        return await claim(self.client, PODS, self.resource, replicaset, selector, pods)

    async def _create(self, key: str, replicaset: Obj, count: int) -> StatusError | None:
        with step("decide", {"create": count}):
            pod = pod_from_template(replicaset["spec"]["template"], replicaset)
            self.expectations.expect_creations(key, count)

        async def create_one() -> None:
            await self.pod_control.create(pod, replicaset)

        with step("act") as span:
            created, error = await slow_start(count, create_one)
            span.detail = {"created": created}
            if created < count:
                self.expectations.creation_observed(key, count - created)
            if error is None:
                return None
            if not isinstance(error, StatusError):
                raise error
            if namespace_terminating(error):
                span.detail["refused"] = "the namespace is being deleted"
                return None
            span.outcome, span.detail["error"] = "error", error.message
            return error

    async def _delete(self, key: str, replicaset: Obj, claimed: list[Obj] | None, count: int) -> StatusError | None:
        with step("decide") as span:
            pods = claimed
            if pods is None:
                pods = [*filter(is_pod_active, self.pods.by_index("controller", replicaset["metadata"]["uid"]))]
            doomed = pods_to_delete(pods, self._related(replicaset), count, clock.now())
            self.expectations.expect_deletions(key, [pod["metadata"]["uid"] for pod in doomed])
            span.detail = {"delete": len(doomed), "first": [pod["metadata"]["name"] for pod in doomed[:3]]}

        async def delete_one(pod: Obj) -> None:
            try:
                await self.pod_control.delete(pod, replicaset)
            except BaseException:
                self.expectations.deletion_observed(key, pod["metadata"]["uid"])
                raise

        with step("act", {"delete": len(doomed)}) as span:
            for result in await asyncio.gather(*map(delete_one, doomed), return_exceptions=True):
                if isinstance(result, StatusError):
                    if not is_not_found(result):
                        span.outcome, span.detail["error"] = "error", result.message
                        return result
                elif isinstance(result, BaseException):
                    raise result
        return None

    def _related(self, replicaset: Obj) -> list[Obj]:
        """The active pods of all ReplicaSets with the same owner (all revisions of a Deployment)."""
        reference = controller_of(replicaset)
        family = [replicaset] if reference is None else self.replicasets.by_index("controller", reference["uid"])
        return [
            pod
            for relative in family
            for pod in self.pods.by_index("controller", relative["metadata"]["uid"])
            if is_pod_active(pod)
        ]

    async def _write_status(self, replicaset: Obj, failure: StatusError | None, difference: int) -> float | None:
        with step("verify") as span:
            metadata = replicaset["metadata"]
            # Creating took its time: write over the newest copy, unless it is about something else by now.
            newest = self.replicasets.get(key_of(replicaset))
            if newest is None or newest["metadata"]["uid"] != metadata["uid"]:
                return None
            if newest["metadata"].get("generation") == metadata.get("generation"):
                replicaset, metadata = newest, newest["metadata"]
            tally = self.tally.of(metadata["uid"])
            available, delay = tally.ready, None
            min_ready_seconds = replicaset["spec"].get("minReadySeconds", 0)
            if min_ready_seconds:
                pods = filter(is_pod_active, self.pods.by_index("controller", metadata["uid"]))
                available, delay = availability(pods, min_ready_seconds, clock.now())
            message = failure.message if failure is not None else ""
            failed_to = "Create" if difference > 0 else "Delete"
            status = replicaset_status(replicaset, tally, available, message, failed_to)
            span.detail = {"ready": tally.ready, "available": available}
            if status != replicaset.get("status"):
                await self.client.update(self.resource, {**replicaset, "status": status}, subresource="status")
            return delay


class ReplicationControllerController(ReplicaSetController):
    """The same for ReplicationControllers, whose selector is a plain map (pkg/controller/replication)."""

    name = "replication"
    title = "replication controller"
    resource = "v1/replicationcontrollers"
    kind = "ReplicationController"

    @staticmethod
    def selector_of(spec: Obj) -> Selector:
        return from_map(spec.get("selector"))
