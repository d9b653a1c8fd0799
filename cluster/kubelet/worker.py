"""The pod worker: brings one pod from its spec to running containers, keeps them running, and ends them (pkg/kubelet/pod_workers.go).

Level-triggered like every loop here: `sync` looks at what is and does what is missing; container exits, probes, timers and watch
events only wake it. A worker has a task only while there is something to do. How containers start is in `starting`, how they end in
`ending`, what was here before the kubelet in `adopting`, what a changed pod asks for in `news`.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from cluster import clock
from cluster.apimachinery.errors import StatusError, is_not_found
from cluster.client.client import Obj
from cluster.journeys import trace
from cluster.kubelet.adopting import adopt, take_over
from cluster.kubelet.ending import LastRequests, end_containers, end_pod, end_sidecars, hurry
from cluster.kubelet.news import asks_for_more, forgiven, overwritten
from cluster.kubelet.podstate import PodState
from cluster.kubelet.podstatus import Record
from cluster.kubelet.reporting import status_of
from cluster.kubelet.resizing import resize
from cluster.kubelet.restarting import advance, advance_init, exited, restarts
from cluster.kubelet.sandboxing import make_sandbox, refresh_in
from cluster.kubelet.starting import Starter

if TYPE_CHECKING:
    from cluster.kubelet.kubelet import Kubelet

log = logging.getLogger(__name__)


class Worker(PodState):
    """One pod on one node."""

    __slots__ = ("starter",)

    def __init__(self, kubelet: Kubelet, pod: Obj) -> None:
        super().__init__(kubelet, pod)
        self.starter = Starter(self)

    # -- waking up -------------------------------------------------------------------------------------------------

    def remember_status(self) -> None:
        """What the API server knows already need not be written."""
        self._written = status_of(self)

    def update(self, pod: Obj, journey: str) -> None:
        """A watch event: remember the newest pod and look."""
        shortened = pod["spec"].get("activeDeadlineSeconds") != self.pod["spec"].get("activeDeadlineSeconds")
        self.pod = pod
        if pod["metadata"].get("deletionTimestamp"):
            self.terminate(journey)
            hurry(self)
            return
        if any("downwardAPI" in volume.spec or "projected" in volume.spec for volume in self.volumes.values()):
            refresh_in(self, 0.0)
        if shortened:
            self._arm_deadline()
        for record, spec in zip(self.main, pod["spec"]["containers"], strict=False):
            record.spec = spec
        added = (pod["spec"].get("ephemeralContainers") or [])[len(self.debug) :]
        self.debug += [Record(spec) for spec in added]
        if overwritten(self, self._written):
            # Somebody else wrote what is the kubelet's to say (the node controller, while the node was silent).
            self._written = None
            self.wake(journey)
        elif added or asks_for_more(self, self._written) or forgiven(self):
            self.wake(journey)

    def wake(self, journey: str = "") -> None:
        """Look again, now or when the present look is over."""
        if self._terminating or self._evicting or self._cancelled or self.finished:
            return
        if journey:
            self.causes = (journey,)
        if self._task is not None:
            self._again = True
            return
        self._task = self.kubelet.run(self._run(), "pod worker")

    def changed(self) -> None:
        """What a probe found is news, also of a pod that ends."""
        if self._terminating and not self._cancelled:
            self.kubelet.beside(self._tell())
        else:
            self.wake()

    async def _tell(self) -> None:
        try:
            if not self.removing:
                await self.write_status()
        except StatusError as error:
            log.debug("kubelet %s: status of %s: %s", self.kubelet.name, self.key, error.message)

    def wake_in(self, delay: float) -> None:
        """Look again after so long at the latest: each look asks for the next one."""
        due = clock.now() + delay
        if self._timer is not None:
            if self._timer.due <= due:
                return
            self._timer.cancel()

        def look() -> None:
            self._timer = None
            self.wake()

        self._timer = clock.call_later(delay, look)

    async def _run(self) -> None:
        try:
            while True:
                self._again = False
                journey = self.journey()
                journey.spans, self.exits = self.exits, []
                with trace.working_on(journey):
                    try:
                        await self.sync()
                        journey.outcome = "ok"
                    except StatusError as error:
                        if not is_not_found(error):
                            log.warning("kubelet %s: pod %s: %s", self.kubelet.name, self.key, error.message)
                            self.wake_in(1.0)
                        journey.outcome = "error"
                        journey.reason = error.message
                    except Exception as error:
                        log.exception("kubelet %s: pod %s", self.kubelet.name, self.key)
                        journey.outcome, journey.reason = "error", str(error)
                        self.wake_in(5.0)
                if journey.spans:
                    journey.finish(journey.outcome)
                    # What follows from this (restarts, probes) goes on from here.
                    self.causes = (journey.id,)
                if not self._again:
                    return
        finally:
            self._task = None

    # -- one look --------------------------------------------------------------------------------------------------

    async def sync(self) -> None:
        """Do what is missing, and write down how things stand."""
        if self.unmounted or self.orphans:
            await take_over(self)
        if self.rejected is None and self.sandbox is None and not self.started_at:
            self.rejected = await self.kubelet.refusal(self.pod)
            if self.rejected is not None:
                reason, message = self.rejected
                with trace.step("admit", {"reason": reason, "message": message}) as span:
                    span.outcome = "refused"
                self.kubelet.events.event(self.pod, "Warning", reason, message)
                self.rejected = reason, f"Pod was rejected: {message}"
        if self.rejected is not None:
            await self.write_status()
            self.finished = True
            return
        if not self.started_at:
            self.kubelet.take(self.pod)
            self.started_at = clock.timestamp()
            self._arm_deadline()
        if self.sandbox is None:
            if self.kubelet.profile.sandbox[1]:
                await self.write_status()
            if not await make_sandbox(self):
                return
        await resize(self)
        if await advance_init(self):
            for record in (*self.main, *self.debug):
                await advance(self, record)
        if any(record.sidecar and record.state == "running" for record in self.init) and self._done():
            await self._end_sidecars()
        await self.write_status()
        for prober in self.probers.values():
            prober.trigger()

    def _done(self) -> bool:
        """Whether no ordinary container runs or will run again."""
        return all(record.state == "terminated" and not restarts(self, record) for record in self.main)

    async def _end_sidecars(self) -> None:
        """The work is done: sidecars are asked to end, the last one first."""
        for record in self.init:
            self.stop_probes(record)
        grace = float(self.pod["spec"].get("terminationGracePeriodSeconds", 30))
        self.ends_at = clock.now() + grace
        journey = trace.Journey("sync", f"kubelet/{self.kubelet.name}", self.causes)
        await end_sidecars(self, trace.current.get() or journey, grace)

    def _arm_deadline(self) -> None:
        """activeDeadlineSeconds counts from the pod's start; it may be shortened while the pod runs."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        seconds = self.pod["spec"].get("activeDeadlineSeconds")
        if seconds and self.started_at and self.rejected is None:
            left = clock.parse(self.started_at) + float(seconds) - clock.now()
            self._deadline = clock.call_later(max(left, 0.0), self._exceed)

    def _exceed(self) -> None:
        """activeDeadlineSeconds has passed: the pod has failed."""
        if self.rejected is None and not self.finished:
            text = "Pod was active on the node longer than the specified deadline"
            self.kubelet.events.event(self.pod, "Normal", "DeadlineExceeded", text)
            grace = float(self.pod["spec"].get("terminationGracePeriodSeconds", 30))
            self.kubelet.beside(self.evict("DeadlineExceeded", text, grace))

    # -- containers that end ---------------------------------------------------------------------------------------

    def container_exited(self, container: Any) -> None:
        """The runtime says that a process ended."""
        record = next((one for one in self.records if one.container is container), None)
        if record is None or record.state != "running":
            return
        self.stop_probes(record)
        record.state, record.exit_code, record.reason = "terminated", container.exit_code, container.reason
        record.message, record.finished_at = container.message, container.finished_at
        record.ready, record.passed = False, record in self.init and container.exit_code == 0
        if self._terminating:
            return
        self.exits.append(_exit(record))
        exited(self, record)
        self.wake()

    def stop_probes(self, record: Record) -> None:
        prober = self.probers.pop(record.spec["name"], None)
        if prober is not None:
            prober.stop()

    # -- the end ---------------------------------------------------------------------------------------------------

    def terminate(self, journey: str) -> None:
        """The pod is being deleted: stop everything gracefully, then let it go."""
        if self._terminating:
            return
        self._terminating = True
        self.last_requests = LastRequests()
        if journey:
            self.causes = (journey,)
        self._cancel_timers()
        for record in self.records:
            # Liveness and startup do not matter any more; readiness is watched to the end.
            prober = self.probers.get(record.spec["name"])
            if prober is not None:
                prober.only_readiness()
        if self._task is not None:
            self._task.cancel()
        self._task = self.kubelet.run(end_pod(self), "pod worker end")

    async def evict(self, reason: str, message: str, grace: float) -> None:
        """The node cannot keep the pod: end its containers and leave it behind as Failed (killPodFunc of the eviction manager)."""
        if self._terminating or self._evicting or self.finished:
            return
        self._evicting = True
        if reason == "Evicted":
            self.told["DisruptionTarget"] = {
                "type": "DisruptionTarget",
                "status": "True",
                "reason": "TerminationByKubelet",
                "message": message,
            }
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for prober in self.probers.values():
            prober.stop()
        journey = self.journey()
        journey.verb = "evict"
        with trace.working_on(journey):
            await end_containers(self, journey, grace)
        journey.finish("ok", reason=message)
        self.rejected, self._evicting = (reason, message), False
        self.wake()

    def _cancel_timers(self) -> None:
        for timer in (self._timer, self._deadline, self.refresher):
            if timer is not None:
                timer.cancel()

    def drop(self, container: Any) -> None:
        """Nobody asks for this container any more."""
        self.kubelet.owners.pop(container.id, None)
        self.kubelet.runtime.drop(container)

    def forget(self, *, gone: bool = False) -> None:
        """Nothing may stay behind: the pod object is gone, or the kubelet ends."""
        self._cancelled = True
        self._cancel_timers()
        self.leave()
        for prober in self.probers.values():
            prober.stop()
        self.probers.clear()
        if self._task is not None and self._task is not asyncio.current_task() and not (gone and self.removing):
            self._task.cancel()
        for record in self.records:
            if record.container is not None:
                self.kubelet.runtime.kill(record.container)
                self.drop(record.container)
        for container in self.previous.values():
            self.drop(container)

    # -- status ----------------------------------------------------------------------------------------------------

    async def write_status(self) -> None:
        """Tell the API server, when there is news."""
        status = status_of(self)
        if status == self._written:
            return
        metadata = self.pod["metadata"]
        written = await self.kubelet.client.patch(
            "v1/pods", metadata["name"], {"status": status}, metadata["namespace"], subresource="status"
        )
        self._written = status
        if written["metadata"]["uid"] == metadata["uid"]:
            self.pod = written
        if status["phase"] in ("Succeeded", "Failed"):
            self.leave()
            self.kubelet.release_ip(metadata["uid"])
            self.kubelet.give_back(metadata["uid"])
            self.finished = not any(record.state == "running" for record in self.records)

    def adopt(self) -> None:
        """The pod was here before this kubelet."""
        adopt(self)


def _exit(record: Record) -> trace.Span:
    """That a container has ended, and how."""
    now, code = trace.wall(), record.exit_code
    detail: Obj = {"container": record.spec["name"], "exit_code": code}
    if record.reason:
        detail["reason"] = record.reason
    if record.message:
        detail["message"] = record.message
    return trace.Span("exit", now, now, "error" if code else "ok", detail)
