"""The scheduler: takes the next pod without a node, filters and scores the nodes, and binds it to the best.

The scheduling cycle (queue, filter, score, assume) is plain computation, one pod at a time; binding is a request to the API
server and runs beside the next cycles (scheduler/schedule_one.go). A pod is counted on its node from the moment it is assumed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from channels.consumer import AsyncConsumer

from cluster import clock
from cluster.apimachinery.errors import StatusError, is_conflict, is_not_found
from cluster.apimachinery.meta import get_condition, key_of, set_condition, split_key
from cluster.client.events import EventRecorder
from cluster.client.loop import LoopContext
from cluster.client.workqueue import delivering
from cluster.journeys import trace
from cluster.scheduler.evaluation import Evaluation, Evaluator, Verdicts, fit_error
from cluster.scheduler.nodeinfo import NodeInfo, PodShape, shape_of
from cluster.scheduler.peers import Peers, peer_of
from cluster.scheduler.plugins.neighbours import neighbourhood
from cluster.scheduler.preemption import Candidate
from cluster.scheduler.queue import Queued, SchedulingQueue
from cluster.scheduler.room import LEAVING, RoomMaker, as_detail
from cluster.scheduler.volumebinding import NotBoundError, VolumeBinder
from cluster.scheduler.volumes import Around, Claims, Promise

log = logging.getLogger(__name__)

Obj = dict[str, Any]

NAME = "default-scheduler"
# Bindings in flight at once; more only queue up behind the group commit.
MAX_BINDING = 256
# Up to this many nodes all are looked at; beyond, a share that shrinks to 5 % (schedule_one.numFeasibleNodesToFind).
ALL_NODES_UP_TO, LEAST_SHARE = 100, 5


def nodes_to_find(count: int) -> int:
    """How many feasible nodes are enough, of so many."""
    if count <= ALL_NODES_UP_TO:
        return count
    share = max(50 - count // 125, LEAST_SHARE)
    return max(count * share // 100, ALL_NODES_UP_TO)


class Scheduler(AsyncConsumer):  # type: ignore[misc]
    """Puts pods on nodes: queue, filter, score, bind."""

    name: ClassVar[str] = "scheduler"

    def __init__(self, context: LoopContext) -> None:
        self.context = context
        self.client = context.client_for("system:kube-scheduler")
        self.events = EventRecorder(self.client, NAME)
        self.queue = SchedulingQueue()
        self.reconciles = 0
        self.errors = 0
        self.busy_seconds = 0.0
        self.nodes: dict[str, NodeInfo] = {}
        self._order: list[NodeInfo] = []
        self._start = 0
        self._placed: dict[str, str] = {}  # pod uid → node it counts on (assumed or bound)
        self.room: RoomMaker
        self._peers = Peers()
        self._evaluator = Evaluator()
        self._binding: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(MAX_BINDING)
        self._tasks: list[asyncio.Task[None]] = []

    # -- lifecycle -----------------------------------------------------------------------------------------------

    async def loop_start(self, message: dict[str, Any] | None = None) -> None:
        """Channels message `loop.start`."""
        if self._tasks:
            return
        self.namespaces = self.context.informers("v1/namespaces")
        self.room = RoomMaker(
            self.client,
            self.events,
            self.nodes,
            self._peers,
            self._around,
            pods=self.context.informers("v1/pods"),
            budgets=self.context.informers("policy/v1/poddisruptionbudgets"),
        )
        claims = self.context.informers("v1/persistentvolumeclaims")
        volumes = self.context.informers("v1/persistentvolumes")
        classes = self.context.informers("storage.k8s.io/v1/storageclasses")
        self.claims = Claims(claims, classes, volumes, self.context.informers("v1/pods"))
        self.volumes = VolumeBinder(self.client, claims)
        for informer in (claims, volumes, classes):
            informer.add_handler(lambda old, new: self.queue.event("claim"))
        self.context.informers("v1/nodes").add_handler(self._node_changed)
        self.context.informers("v1/pods").add_handler(self._pod_changed)
        self.context.running[self.name] = self
        self.context.began.set()
        await self.context.informers.start()
        self.events.start()
        self._tasks = [asyncio.create_task(self._run(), name="scheduler")]

    async def loop_stop(self, message: dict[str, Any] | None = None) -> None:
        """Channels message `loop.stop`."""
        self.queue.close()
        tasks = [*self._tasks, *self._binding]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks = []
        await self.events.stop()
        self.context.running.pop(self.name, None)

    # -- what changes --------------------------------------------------------------------------------------------

    def _info(self, name: str) -> NodeInfo:
        info = self.nodes.get(name)
        if info is None:
            info = self.nodes[name] = NodeInfo(name)
        return info

    def _node_changed(self, old: Obj | None, new: Obj | None) -> None:
        node = new or old
        assert node is not None
        info = self._info(node["metadata"]["name"])
        if new is not None and old is not None and _same_for_scheduling(old, new):
            info.node = new
            return
        info.set_node(new)
        if new is None and not info.pods:
            del self.nodes[info.name]
        if (old is None) is not (new is None):
            self._order = [known for known in self.nodes.values() if known.node is not None]
        self.queue.event("node")

    def _pod_changed(self, old: Obj | None, new: Obj | None) -> None:
        pod = new or old
        assert pod is not None
        metadata, spec = pod["metadata"], pod["spec"]
        key, uid = key_of(pod), metadata["uid"]
        finished = new is None or (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
        if finished:
            self.queue.remove(key)
            self._release(uid)
            self.room.withdraw(uid)
            return
        node = spec.get("nodeName")
        if node:
            self.queue.remove(key)
            if uid not in self._placed:
                self.room.withdraw(uid)
                self._count(pod, shape_of(spec), _owner(pod), node)
            elif self._placed[uid] != node:
                self._release(uid)
                self._count(pod, shape_of(spec), _owner(pod), node)
            elif old is None or _stands_otherwise(old, pod):
                self._peers.put(peer_of(pod, node, shape_of(spec)))
            return
        if spec.get("schedulerName", NAME) != NAME or metadata.get("deletionTimestamp") or spec.get("schedulingGates"):
            self.queue.remove(key)
            self.room.withdraw(uid)
            return
        if uid in self._placed:
            return
        if (
            old is not None
            and old["metadata"].get("generation") == metadata.get("generation")
            and (old["spec"] == spec and self.queue.refresh(key, pod))
        ):
            return
        causes = (delivering[0],) if delivering[0] else ()
        self.queue.add(key, pod, causes)

    def _count(self, pod: Obj, shape: PodShape, owner: str, node: str) -> None:
        uid = pod["metadata"]["uid"]
        self._placed[uid] = node
        self._info(node).add_pod(uid, shape, owner)
        self._peers.put(peer_of(pod, node, shape))
        self.queue.event("pod placed")

    def _release(self, uid: str) -> None:
        node = self._placed.pop(uid, None)
        if node is not None:
            info = self._info(node)
            info.remove_pod(uid)
            self._peers.remove(uid)
            if info.node is None and not info.pods:
                self.nodes.pop(node, None)
            self.queue.event("pod gone")

    # -- one pod after the other ---------------------------------------------------------------------------------

    async def _run(self) -> None:
        burst = 0
        while True:
            queued = await self.queue.pop()
            while not self.context.may_act(self.name):
                await clock.sleep(0.5)
            # Room for the binding first: a pod is only taken when it can be seen through.
            await self._slots.acquire()
            try:
                self._schedule_one(queued)
            except Exception:
                log.exception("scheduling %s", queued.key)
                self.errors += 1
                self._slots.release()
                self.queue.back_off(queued)
            burst += 1
            if burst % 16 == 0:
                # Others want the loop too: bindings, watches, the page.
                await asyncio.sleep(0)

    def _schedule_one(self, queued: Queued) -> None:
        started = time.perf_counter()
        pod, spec = queued.pod, queued.pod["spec"]
        journey = trace.Journey("schedule", self.name, queued.causes)
        journey.actor = self.client.user
        journey.namespace, journey.name = split_key(queued.key)
        journey.resource, journey.verb = "pods", "schedule"
        journey.spans.append(
            trace.Span(
                "queue",
                journey.start - max(clock.now() - queued.entered, 0.0),
                journey.start,
                "ok",
                {"attempt": queued.attempts, "waiting": len(self.queue)},
            )
        )
        shape, owner = shape_of(spec), _owner(pod)
        events_before = self.queue.events
        kept_for = self.room.withdraw(pod["metadata"]["uid"])
        missing = self.claims.missing(pod)
        result = Evaluation(len(self._order)) if missing else self._find(pod, shape, owner)
        best = result.best
        journey.add("filter", journey.start, "ok" if best else "refused", Verdicts("filter", result))
        if best is None:
            self._slots.release()
            message = self._no_node(spec, shape, result, missing)
            refused_by = (
                frozenset({"VolumeBinding"}) if missing else frozenset(plugin for plugin, _ in result.refused.values())
            )
            candidate = None if missing else self.room.find(pod, shape, result, kept_for)
            if candidate is not None:
                self.room.nominate(pod, shape, owner, candidate.node)
                message = message.partition(". no new claims")[0] + "."
                journey.add("preempt", trace.wall(), "ok", as_detail(candidate))
                self._spawn(self.room.preempt(pod, candidate, journey))
            elif kept_for and self.room.still_leaving(kept_for):
                self.room.nominate(pod, shape, owner, kept_for)
                message = f"{message.partition('preemption: ')[0]}preemption: {LEAVING}"
            self.queue.unschedulable(queued, refused_by, events_before)
            self._spawn(self._report(queued, message, journey))
        else:
            journey.add("score", trace.wall(), "ok", Verdicts("score", result))
            self._count(pod, shape, owner, best.name)
            self._spawn(self._bind(queued, best.name, self.claims.promise(pod, best), journey))
        self.reconciles += 1
        self.busy_seconds += time.perf_counter() - started

    def _no_node(self, spec: Obj, shape: PodShape, result: Evaluation, missing: str) -> str:
        """Why no node would do, in Kubernetes' words."""
        if missing:
            none = f"0/{result.nodes} nodes are available"
            # Claims are looked at before anything else has a state; what comes after finds none and says so.
            return f"{none}: {missing}. not found"
        return fit_error(shape, result, self.nodes, policy=spec.get("preemptionPolicy") or "")

    def consider(self, pod: Obj) -> tuple[Evaluation, str, Candidate | None]:
        """What would come of this pod now, by the same filters and scores; nothing changes.

        All nodes are looked at; the message says why none would do, the candidate whose pods would have to go.
        """
        spec, shape = pod["spec"], shape_of(pod["spec"])
        missing = self.claims.missing(pod)
        if missing:
            result = Evaluation(len(self._order))
        else:
            start = self._start % len(self._order) if self._order else 0
            rotated = self._order[start:] + self._order[:start]
            result = self._evaluator.evaluate(shape, _owner(pod), rotated, wanted=0, around=self._around(pod, shape))
        if result.best is not None:
            return result, "", None
        candidate = None if missing else self.room.find(pod, shape, result, "")
        return result, self._no_node(spec, shape, result, missing), candidate

    # -- making room -------------------------------------------------------------------------------------------------

    def _around(self, pod: Obj, shape: PodShape, without: set[str] | None = None) -> Around | None:
        near = neighbourhood(pod, shape, self.nodes, self._peers, self._labels_of_namespace, without or ())
        return self.claims.within(pod, near, without or set())

    def _labels_of_namespace(self, name: str) -> Mapping[str, str]:
        namespace = self.namespaces.get(name)
        return {} if namespace is None else namespace["metadata"].get("labels") or {}

    # -- finding a node ----------------------------------------------------------------------------------------------

    def _find(self, pod: Obj, shape: PodShape, owner: str) -> Evaluation:
        nodes = self._order
        if not nodes:
            return Evaluation(0)
        # Start where the last one stopped, so that equals take turns.
        self._start %= len(nodes)
        rotated = nodes[self._start :] + nodes[: self._start] if self._start else nodes
        wanted = nodes_to_find(len(nodes))
        result = self._evaluator.evaluate(shape, owner, rotated, wanted=wanted, around=self._around(pod, shape))
        self._start += 1 if wanted >= len(nodes) else len(result.feasible) + len(result.refused)
        return result

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._binding.add(task)
        task.add_done_callback(self._binding.discard)

    async def _have_volumes(self, queued: Queued, node: str, given: list[Promise], journey: trace.Journey) -> bool:
        """Claims that wait for their first consumer are bound before the pod; False when that does not come about."""
        with journey.span("volumes", {"claims": [one.claim["metadata"]["name"] for one in given]}) as span:
            # Volumes take as long as their provisioner: others go on binding meanwhile.
            self._slots.release()
            try:
                await self.volumes.bind(given, node)
            except (NotBoundError, StatusError) as error:
                message = str(error)
                span.outcome = "refused"
                self.claims.take_back(given)
                self._release(queued.pod["metadata"]["uid"])
            else:
                return True
            finally:
                await self._slots.acquire()
        current = self.context.informers("v1/pods").get(queued.key)
        if current is not None and current["metadata"]["uid"] == queued.pod["metadata"]["uid"]:
            queued.pod = current
            self.queue.back_off(queued)
            await self._report(queued, f'running PreBind plugin "VolumeBinding": {message}', journey)
        return False

    async def _bind(self, queued: Queued, node: str, given: list[Promise], journey: trace.Journey) -> None:
        pod = queued.pod
        metadata = pod["metadata"]
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": metadata["name"], "namespace": metadata["namespace"], "uid": metadata["uid"]},
            "target": {"kind": "Node", "name": node},
        }
        try:
            if given:
                with trace.working_on(journey):
                    if not await self._have_volumes(queued, node, given, journey):
                        return
            with trace.working_on(journey), journey.span("bind", {"node": node}) as span:
                try:
                    await self.client.create(
                        "v1/pods", binding, metadata["namespace"], name=metadata["name"], subresource="binding"
                    )
                except StatusError as error:
                    span.outcome, span.detail = "refused", {"node": node, "message": error.message}
                    self._not_bound(queued, error)
                    journey.finish("refused", code=error.code, reason=error.message)
                    return
                self.events.event(
                    pod,
                    "Normal",
                    "Scheduled",
                    f"Successfully assigned {metadata['namespace']}/{metadata['name']} to {node}",
                )
            journey.finish("ok")
        finally:
            self._slots.release()

    def _not_bound(self, queued: Queued, error: StatusError) -> None:
        """Take back the assumption. A pod that is gone or bound is none of ours; anything else is tried again."""
        self._release(queued.pod["metadata"]["uid"])
        if not (is_not_found(error) or is_conflict(error)):
            self.errors += 1
            log.warning("binding %s: %s", queued.key, error.message)
        if not is_not_found(error):
            current = self.context.informers("v1/pods").get(queued.key)
            if current is not None and not current["spec"].get("nodeName"):
                queued.pod = current
                self.queue.back_off(queued)

    async def _report(self, queued: Queued, message: str, journey: trace.Journey) -> None:
        """Tell why: an event, and the condition PodScheduled=False."""
        pod = queued.pod
        with trace.working_on(journey):
            self.events.event(pod, "Warning", "FailedScheduling", message)
            condition = {
                "type": "PodScheduled",
                "status": "False",
                "reason": "Unschedulable",
                "message": message,
                "lastProbeTime": None,
            }
            if pod["metadata"].get("generation"):
                condition["observedGeneration"] = pod["metadata"]["generation"]
            known = get_condition(pod, "PodScheduled")
            if known is None or any(known.get(field) != value for field, value in condition.items()):
                conditions = set_condition((pod.get("status") or {}).get("conditions") or [], condition)
                metadata = pod["metadata"]
                try:
                    queued.pod = await self.client.patch(
                        "v1/pods",
                        metadata["name"],
                        {"status": {"conditions": conditions}},
                        metadata["namespace"],
                        subresource="status",
                    )
                except StatusError as error:
                    if not is_not_found(error):
                        log.warning("condition of %s: %s", queued.key, error.message)
        journey.finish("refused", reason=message)


def _owner(pod: Obj) -> str:
    """What pods are spread by: the controller that made them."""
    for reference in pod["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            return str(reference["uid"])
    return ""


def _stands_otherwise(old: Obj, new: Obj) -> bool:
    """What others see of a placed pod has changed."""
    before, after = old["metadata"], new["metadata"]
    return before.get("labels") != after.get("labels") or ("deletionTimestamp" in before) is not (
        "deletionTimestamp" in after
    )


def _same_for_scheduling(old: Obj, new: Obj) -> bool:
    """A heartbeat changes nothing that a filter or a score looks at."""
    if old["spec"] != new["spec"] or old["metadata"].get("labels") != new["metadata"].get("labels"):
        return False
    before, after = old.get("status") or {}, new.get("status") or {}
    return all(before.get(field) == after.get(field) for field in ("allocatable", "capacity", "images"))
