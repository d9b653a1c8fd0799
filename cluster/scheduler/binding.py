"""Binding a pod to the node that was found for it, beside the next scheduling cycles (scheduler/schedule_one.go bindingCycle).

Claims that wait for their first consumer are bound first. What does not come about is taken back: the pod counts on no node again,
and waits for another try unless it is gone.
"""

from __future__ import annotations

import asyncio
import logging

from cluster.apimachinery.errors import StatusError, is_conflict, is_not_found
from cluster.apimachinery.meta import get_condition, set_condition
from cluster.client.client import Client
from cluster.client.events import EventRecorder
from cluster.client.informer import Informer
from cluster.journeys import trace
from cluster.scheduler.cache import Cache
from cluster.scheduler.queue import Queued, SchedulingQueue
from cluster.scheduler.volumebinding import NotBoundError, VolumeBinder
from cluster.scheduler.volumes import Claims, Promise

log = logging.getLogger(__name__)

# Bindings in flight at once; more only queue up behind the group commit.
MAX_BINDING = 256


class Binder:
    """Tells the API server where pods go, or why they go nowhere. `slots` is held by whoever has a binding in flight."""

    def __init__(
        self,
        client: Client,
        events: EventRecorder,
        cache: Cache,
        queue: SchedulingQueue,
        *,
        pods: Informer,
        claims: Claims,
        volumes: VolumeBinder,
        slots: asyncio.Semaphore,
    ) -> None:
        self.client = client
        self.events = events
        self.cache = cache
        self.queue = queue
        self.pods = pods
        self.claims = claims
        self.volumes = volumes
        self.slots = slots

    async def bind(self, queued: Queued, node: str, given: list[Promise], journey: trace.Journey) -> None:
        """Bind the pod, its volumes (`given`) first; gives its slot back."""
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
            self.slots.release()

    async def _have_volumes(self, queued: Queued, node: str, given: list[Promise], journey: trace.Journey) -> bool:
        """Claims that wait for their first consumer are bound before the pod; False when that does not come about."""
        with journey.span("volumes", {"claims": [one.claim["metadata"]["name"] for one in given]}) as span:
            # Volumes take as long as their provisioner: others go on binding meanwhile.
            self.slots.release()
            try:
                await self.volumes.bind(given, node)
            except (NotBoundError, StatusError) as error:
                message = str(error)
                span.outcome = "refused"
                self.claims.take_back(given)
                self.cache.release(queued.pod["metadata"]["uid"])
            else:
                return True
            finally:
                await self.slots.acquire()
        current = self.pods.get(queued.key)
        if current is not None and current["metadata"]["uid"] == queued.pod["metadata"]["uid"]:
            queued.pod = current
            self.queue.back_off(queued)
            await self.report(queued, f'running PreBind plugin "VolumeBinding": {message}', journey)
        return False

    def _not_bound(self, queued: Queued, error: StatusError) -> None:
        """Take back the assumption. A pod that is gone or bound is none of ours; anything else is tried again."""
        self.cache.release(queued.pod["metadata"]["uid"])
        if not (is_not_found(error) or is_conflict(error)):
            log.warning("binding %s: %s", queued.key, error.message)
        if not is_not_found(error):
            current = self.pods.get(queued.key)
            if current is not None and not current["spec"].get("nodeName"):
                queued.pod = current
                self.queue.back_off(queued)

    async def report(self, queued: Queued, message: str, journey: trace.Journey) -> None:
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
