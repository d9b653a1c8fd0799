"""The scheduler: takes the next pod without a node, filters and scores the nodes, and binds it to the best.

The scheduling cycle (queue, filter, score, assume) is plain computation, one pod at a time; binding is a request to the API
server and runs beside the next cycles (scheduler/schedule_one.go). A pod is counted on its node from the moment it is assumed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, ClassVar

from channels.consumer import AsyncConsumer

from cluster import clock
from cluster.apimachinery.meta import key_of, split_key
from cluster.client.events import EventRecorder
from cluster.client.loop import LoopContext
from cluster.client.workqueue import delivering
from cluster.journeys import trace
from cluster.scheduler.binding import MAX_BINDING, Binder
from cluster.scheduler.cache import Cache, owner_of
from cluster.scheduler.evaluation import Evaluation, Evaluator, Verdicts, fit_error
from cluster.scheduler.nodeinfo import PodShape, shape_of
from cluster.scheduler.plugins.neighbours import neighbourhood
from cluster.scheduler.preemption import Candidate
from cluster.scheduler.queue import Queued, SchedulingQueue
from cluster.scheduler.room import LEAVING, RoomMaker, as_detail
from cluster.scheduler.volumebinding import VolumeBinder
from cluster.scheduler.volumes import Around, Claims

log = logging.getLogger(__name__)

Obj = dict[str, Any]

NAME = "default-scheduler"
# Pods that it places, and nodes that it looks at for them, before others have their turn (a few milliseconds).
PODS_A_TURN, NODES_A_TURN = 16, 2500
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
        self.cache = Cache(self.queue.event)
        self._start = 0
        self._looked_at = 0
        self.room: RoomMaker
        self.binder: Binder
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
            self.cache.nodes,
            self.cache.peers,
            self._around,
            pods=self.context.informers("v1/pods"),
            budgets=self.context.informers("policy/v1/poddisruptionbudgets"),
        )
        claims = self.context.informers("v1/persistentvolumeclaims")
        volumes = self.context.informers("v1/persistentvolumes")
        classes = self.context.informers("storage.k8s.io/v1/storageclasses")
        self.claims = Claims(claims, classes, volumes, self.context.informers("v1/pods"))
        self.binder = Binder(
            self.client,
            self.events,
            self.cache,
            self.queue,
            pods=self.context.informers("v1/pods"),
            claims=self.claims,
            volumes=VolumeBinder(self.client, claims),
            slots=self._slots,
        )
        for informer in (claims, volumes, classes):
            informer.add_handler(lambda old, new: self.queue.event("claim"))
        self.context.informers("v1/nodes").add_handler(self.cache.node_changed)
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

    def _pod_changed(self, old: Obj | None, new: Obj | None) -> None:
        pod = new or old
        assert pod is not None
        metadata, spec = pod["metadata"], pod["spec"]
        key, uid = key_of(pod), metadata["uid"]
        finished = new is None or (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
        if finished:
            self.queue.remove(key)
            self.cache.release(uid)
            self.room.withdraw(uid)
            return
        node = spec.get("nodeName")
        if node:
            self.queue.remove(key)
            if self.cache.placed(uid) is None:
                self.room.withdraw(uid)
            self.cache.bound(old, pod, node)
            return
        if spec.get("schedulerName", NAME) != NAME or metadata.get("deletionTimestamp") or spec.get("schedulingGates"):
            self.queue.remove(key)
            self.room.withdraw(uid)
            return
        if self.cache.placed(uid) is not None:
            return
        if (
            old is not None
            and old["metadata"].get("generation") == metadata.get("generation")
            and (old["spec"] == spec and self.queue.refresh(key, pod))
        ):
            return
        causes = (delivering[0],) if delivering[0] else ()
        self.queue.add(key, pod, causes)

    # -- one pod after the other ---------------------------------------------------------------------------------

    async def _run(self) -> None:
        pods = 0
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
                self._slots.release()
                self.queue.back_off(queued)
            pods += 1
            if pods >= PODS_A_TURN or self._looked_at >= NODES_A_TURN:
                # Others want the loop too: bindings, heartbeats, watches, the page.
                await asyncio.sleep(0)
                pods = self._looked_at = 0

    def _schedule_one(self, queued: Queued) -> None:
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
        shape, owner = shape_of(spec), owner_of(pod)
        events_before = self.queue.events
        kept_for = self.room.withdraw(pod["metadata"]["uid"])
        missing = self.claims.missing(pod)
        result = Evaluation(len(self.cache.order)) if missing else self._find(pod, shape, owner)
        best = result.best
        journey.add("filter", journey.start, "ok" if best else "refused", Verdicts("filter", result))
        if best is None:
            self._slots.release()
            message = self._no_node(spec, shape, result, missing)
            refused_by = frozenset({"VolumeBinding"}) if missing else frozenset(result.refused_by())
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
            self._spawn(self.binder.report(queued, message, journey))
        else:
            journey.add("score", trace.wall(), "ok", Verdicts("score", result))
            self.cache.count(pod, shape, owner, best.name)
            self._spawn(self.binder.bind(queued, best.name, self.claims.promise(pod, best), journey))
        self.reconciles += 1

    def _no_node(self, spec: Obj, shape: PodShape, result: Evaluation, missing: str) -> str:
        """Why no node would do, in Kubernetes' words."""
        if missing:
            none = f"0/{result.nodes} nodes are available"
            # Claims are looked at before anything else has a state; what comes after finds none and says so.
            return f"{none}: {missing}. not found"
        return fit_error(shape, result, self.cache.nodes, policy=spec.get("preemptionPolicy") or "")

    def consider(self, pod: Obj) -> tuple[Evaluation, str, Candidate | None]:
        """What would come of this pod now, by the same filters and scores; nothing changes.

        All nodes are looked at; the message says why none would do, the candidate whose pods would have to go.
        """
        spec, shape = pod["spec"], shape_of(pod["spec"])
        missing = self.claims.missing(pod)
        if missing:
            result = Evaluation(len(self.cache.order))
        else:
            start = self._start % len(self.cache.order) if self.cache.order else 0
            rotated = self.cache.order[start:] + self.cache.order[:start]
            result = self._evaluator.evaluate(shape, owner_of(pod), rotated, wanted=0, around=self._around(pod, shape))
        if result.best is not None:
            return result, "", None
        candidate = None if missing else self.room.find(pod, shape, result, "")
        return result, self._no_node(spec, shape, result, missing), candidate

    # -- making room -------------------------------------------------------------------------------------------------

    def _around(self, pod: Obj, shape: PodShape, without: set[str] | None = None) -> Around | None:
        near = neighbourhood(pod, shape, self.cache.nodes, self.cache.peers, self._labels_of_namespace, without or ())
        return self.claims.within(pod, near, without or set())

    def _labels_of_namespace(self, name: str) -> Mapping[str, str]:
        namespace = self.namespaces.get(name)
        return {} if namespace is None else namespace["metadata"].get("labels") or {}

    # -- finding a node ----------------------------------------------------------------------------------------------

    def _find(self, pod: Obj, shape: PodShape, owner: str) -> Evaluation:
        nodes = self.cache.order
        if not nodes:
            return Evaluation(0)
        # Start where the last one stopped, so that equals take turns.
        self._start %= len(nodes)
        rotated = nodes[self._start :] + nodes[: self._start] if self._start else nodes
        wanted = nodes_to_find(len(nodes))
        result = self._evaluator.evaluate(shape, owner, rotated, wanted=wanted, around=self._around(pod, shape))
        self._looked_at += result.looked_at
        self._start += 1 if wanted >= len(nodes) else result.looked_at
        return result

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._binding.add(task)
        task.add_done_callback(self._binding.discard)
