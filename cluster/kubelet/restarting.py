"""Which containers of a pod may start now, which must wait, and how long (kuberuntime's computePodActions and doBackOff)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cluster import clock
from cluster.journeys import trace
from cluster.kubelet.podstatus import Record, backoff_after, duration

if TYPE_CHECKING:
    from cluster.kubelet.worker import Worker


async def advance_init(worker: Worker) -> bool:
    """Init containers, one after the other; True when the ordinary ones may start.

    Once these have started sidecars are restarted by themselves, and hold up nobody.
    """
    begun = any(record.container is not None for record in worker.main)
    for record in worker.init:
        if record.sidecar:
            await advance(worker, record)
            if not begun and not (record.state == "running" and record.passed):
                return False
        elif not begun and not (record.state == "terminated" and record.exit_code == 0):
            await advance(worker, record)
            return False
    return True


async def advance(worker: Worker, record: Record) -> None:
    """Bring one container on: start it, restart it when it may, replace it when its image changed."""
    if record.state == "running":
        if record.container is None or record.container.config.image == record.spec["image"]:
            return
        await worker.starter.stop(record, f"Container {record.spec['name']} definition changed, will be restarted")
        # In the same look, whatever the restart policy says: the new container has not failed yet.
        record.backoff = 0.0
        await worker.starter.start(record)
        return
    if record.state == "terminated" and not restarts(worker, record):
        return
    now = clock.now()
    if now < record.noticed:
        # The kubelet has not looked again since it ended.
        worker.wake_in(record.noticed - now)
    elif now < record.next_try:
        _show_backoff(worker, record)
        worker.wake_in(record.next_try - now)
    else:
        await worker.starter.start(record)


def restarts(worker: Worker, record: Record) -> bool:
    """Whether a container that has ended is to start again: by its own rules, its own policy, the pod's."""
    if record.sidecar:
        return True
    if record in worker.debug:
        return False
    for rule in record.spec.get("restartPolicyRules") or ():
        codes = rule.get("exitCodes") or {}
        if (record.exit_code in (codes.get("values") or ())) == (codes.get("operator") == "In"):
            return bool(rule.get("action") == "Restart")
    policy = record.spec.get("restartPolicy") or worker.pod["spec"].get("restartPolicy", "Always")
    if record in worker.init and policy == "Always":
        policy = "OnFailure"
    return policy == "Always" or (policy == "OnFailure" and record.exit_code != 0)


def exited(worker: Worker, record: Record) -> None:
    """Work out when it may start again: at once the first time, then with doubling back-off."""
    if not restarts(worker, record):
        return
    record.noticed = clock.now() + worker.kubelet.latency.pick(worker.kubelet.profile.resync)
    record.waits, record.backoff = backoff_after(record.backoff, record.started_at, record.finished_at)
    record.next_try = max(record.finished_at + record.waits, record.noticed)


def could_not_start(worker: Worker, record: Record, why: str) -> None:
    """Its process could not be started: it waits like one that has failed, under a name of its own."""
    exited(worker, record)
    if restarts(worker, record):
        record.last = record.terminated_state()
        record.waiting("RunContainerError", why)
        worker.wake_in(max(record.noticed - clock.now(), 0.0))


def _show_backoff(worker: Worker, record: Record) -> None:
    if record.pull_error or not (record.state == "terminated" or record.reason == "RunContainerError"):
        return
    if record.state == "terminated":
        record.last = record.terminated_state()
    name = record.spec["name"]
    text = f"back-off {duration(record.waits)} restarting failed container={name} pod={worker.key}"
    record.waiting("CrashLoopBackOff", text)
    detail = {"container": name, "seconds": record.waits, "restarts": record.restarts, "message": text}
    with trace.step("back-off", detail) as span:
        span.outcome = "wait"
    worker.tell(record, "Warning", "BackOff", f"Back-off restarting failed container {name} in pod {worker.key}")
