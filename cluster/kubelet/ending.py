"""The end of a pod: preStop, SIGTERM, the grace period that both share, SIGKILL, the final delete (pkg/kubelet/kuberuntime, pod workers)."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import TYPE_CHECKING, Any

from cluster import clock
from cluster.apimachinery.errors import StatusError
from cluster.client.client import Obj
from cluster.journeys import trace
from cluster.kubelet.adopting import take_over
from cluster.kubelet.hooks import run_hook
from cluster.kubelet.podstatus import Record

if TYPE_CHECKING:
    from cluster.kubelet.worker import Worker

log = logging.getLogger(__name__)
# The least time that a process gets between SIGTERM and SIGKILL.
LEAST_GRACE = 2.0


class LastRequests:
    """What came to a pod while it ended, and whether it was answered: a span of its last journey, by quarters of a second."""

    __slots__ = ("_series", "_why", "began")

    STEP = 0.25

    def __init__(self) -> None:
        self.began = trace.wall()
        self._series: dict[int, list[int]] = {}
        self._why: Counter[str] = Counter()

    def note(self, ok: bool, said: str) -> None:
        """One request has come to an end."""
        slot = self._series.setdefault(int((trace.wall() - self.began) / self.STEP), [0, 0])
        slot[not ok] += 1
        if not ok:
            self._why[said.rpartition(": ")[2]] += 1

    def __bool__(self) -> bool:
        return bool(self._series)

    @property
    def failed(self) -> int:
        return sum(failed for _, failed in self._series.values())

    def as_detail(self) -> Obj:
        """`series`: [seconds since the deletion was seen, answered, failed]."""
        return {
            "answered": sum(answered for answered, _ in self._series.values()),
            "failed": self.failed,
            "step": self.STEP,
            "series": [[round(at * self.STEP, 2), *counts] for at, counts in sorted(self._series.items())],
            **({"why": dict(self._why.most_common(5))} if self._why else {}),
        }


async def end_pod(worker: Worker) -> None:
    """Everything from Terminating to gone, as one journey. Tries again while the API server does not answer."""
    kubelet, metadata = worker.kubelet, worker.pod["metadata"]
    journey = trace.Journey("sync", f"kubelet/{kubelet.name}", worker.causes)
    journey.actor, journey.resource, journey.verb = kubelet.client.user, "pods", "terminate"
    journey.namespace, journey.name = metadata["namespace"], metadata["name"]
    trace.recorder.publish(journey)
    try:
        with trace.working_on(journey):
            await _find(worker)
            await end_containers(worker, journey)
            if requests := worker.last_requests:
                outcome = "error" if requests.failed else "ok"
                journey.spans.append(trace.Span("requests", requests.began, trace.wall(), outcome, requests))
            await _let_go(worker)
    except asyncio.CancelledError:
        journey.finish("error", reason="the pod was taken away, or its kubelet ended, before its containers had ended")
        raise
    journey.finish("ok")


async def _find(worker: Worker) -> None:
    """The containers that ran before this kubelet are ended like all others."""
    while worker.orphans:
        try:
            await take_over(worker)
        except StatusError as error:
            log.warning("kubelet %s: finding the containers of %s: %s", worker.kubelet.name, worker.key, error.message)
            await clock.sleep(1.0)


async def _let_go(worker: Worker) -> None:
    """Say how the containers ended, then have the object deleted for good."""
    kubelet, metadata = worker.kubelet, worker.pod["metadata"]
    while True:
        try:
            # An admitted pod says how its containers ended before it goes.
            if worker.sandbox is not None:
                await worker.write_status()
            worker.removing = True
            with trace.step("remove", {"pod": metadata["name"]}):
                await kubelet.client.delete(
                    "v1/pods", metadata["name"], metadata["namespace"], grace_period_seconds=0, uid=metadata["uid"]
                )
            return
        except StatusError as error:
            if error.code in (404, 409):
                # Gone already, or another pod of this name: nothing left to do.
                return
            worker.removing = False
            log.warning("kubelet %s: ending pod %s: %s", kubelet.name, worker.key, error.message)
            await clock.sleep(1.0)


async def end_containers(worker: Worker, journey: trace.Journey, grace: float | None = None) -> None:
    """The ordinary containers side by side, then the sidecars in the opposite order of their start."""
    if grace is None:
        grace = float(worker.pod["metadata"].get("deletionGracePeriodSeconds") or 0)
    worker.ends_at = clock.now() + grace
    running = [record for record in (*worker.main, *worker.debug) if record.state == "running"]
    await asyncio.gather(*(end_container(worker, record, grace, journey) for record in running))
    await end_sidecars(worker, journey, grace)


async def end_sidecars(worker: Worker, journey: trace.Journey, grace: float) -> None:
    """One after the other, the last one first: each may still be needed by those before it."""
    for record in reversed(worker.init):
        if record.state == "running":
            left = max(worker.ends_at - clock.now(), LEAST_GRACE) if grace > 0 else 0.0
            await end_container(worker, record, left, journey)


async def end_container(
    worker: Worker, record: Record, grace: float, journey: trace.Journey | None, message: str = ""
) -> None:
    """One container: preStop, SIGTERM, SIGKILL."""
    kubelet, name = worker.kubelet, record.spec["name"]
    journey = journey or trace.Journey("sync", f"kubelet/{kubelet.name}", worker.causes)
    worker.tell(record, "Normal", "Killing", message or f"Stopping container {name}")
    began = clock.now()
    hook = (record.spec.get("lifecycle") or {}).get("preStop")
    if hook is not None and grace > 0:
        with journey.span("prestop", {"container": name, "handler": next(iter(hook), "")}) as span:
            task = asyncio.ensure_future(run_hook(worker, record, hook, "PreStopHook"))
            worker.hooks.add(task)
            task.add_done_callback(worker.hooks.discard)
            timer = clock.call_later(grace, lambda: _cancel(task))
            try:
                await task
            except asyncio.CancelledError:
                if not task.cancelled():
                    task.cancel()
                    raise
                span.outcome, span.detail = "error", {"container": name, "message": "the grace period ran out"}
            finally:
                timer.cancel()
    ends = min(began + grace, worker.ends_at or began + grace)
    rest = max(ends - clock.now(), LEAST_GRACE) if grace > 0 else 0.0
    with journey.span("sigterm", {"container": name, "grace": rest}) as span:
        how = await kubelet.runtime.stop_container(record.container, rest)
        span.detail = {"container": name, "exit_code": record.container.exit_code, "grace": round(rest, 3)}
    if how == "SIGKILL":
        journey.add("sigkill", trace.wall(), "ok", {"container": name, "exit_code": record.container.exit_code})


def _cancel(task: asyncio.Future[bool]) -> None:
    task.cancel()


def hurry(worker: Worker) -> None:
    """The grace period was shortened while the pod ends: SIGKILL comes sooner."""
    grace = worker.pod["metadata"].get("deletionGracePeriodSeconds")
    if grace is None or not worker.ends_at or clock.now() + grace >= worker.ends_at - 0.5:
        return
    worker.ends_at = clock.now() + grace
    if worker.hooks:
        clock.call_later(float(grace), lambda: _cut_hooks(worker))
    for record in worker.records:
        if record.state == "running" and record.container is not None and record.container.deadline is not None:
            worker.kubelet.beside(_stop_within(worker, record.container, float(grace)))


def _cut_hooks(worker: Worker) -> None:
    for hook in tuple(worker.hooks):
        hook.cancel()


async def _stop_within(worker: Worker, container: Any, grace: float) -> None:
    await worker.kubelet.runtime.stop_container(container, grace)
