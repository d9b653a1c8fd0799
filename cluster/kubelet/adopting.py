"""Pods that were here before this kubelet: what their status says goes on, or is found dead after a reboot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cluster import clock
from cluster.client.client import Obj
from cluster.kubelet.podstatus import Record
from cluster.kubelet.references import Missing
from cluster.kubelet.runtime.cri import ContainerConfig, RuntimeFailure
from cluster.kubelet.sandboxing import mount_volumes, sandbox_config

if TYPE_CHECKING:
    from cluster.kubelet.worker import Worker

STATUSES = ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")
# What containerd says of a container whose end nobody saw.
UNKNOWN_CODE = 255


def adopt(worker: Worker) -> None:
    """Take over what the pod's status tells. After a reboot of the machine the sandbox and all processes are gone."""
    status, metadata = worker.pod.get("status") or {}, worker.pod["metadata"]
    kubelet = worker.kubelet
    worker.started_at = status.get("startTime", "")
    worker.ip = status.get("podIP", "")
    if status.get("phase") in ("Succeeded", "Failed"):
        worker.finished = True
    known = {one["name"]: one for field in STATUSES for one in status.get(field) or ()}
    if not worker.ip:
        return
    if not worker.finished:
        kubelet.take(worker.pod)
    dead = kubelet.rebooted and not worker.finished
    kubelet.claim_ip(metadata["uid"], worker.ip)
    worker.sandbox = None if dead else kubelet.runtime.adopt_sandbox(sandbox_config(worker))
    if not dead and not worker.finished:
        worker.join()
        # For containers that run on, and for those that wait for their next start, too.
        worker.unmounted = True
    for record in worker.records:
        one = known.get(record.spec["name"])
        if one is not None:
            _adopt_container(worker, record, one, dead=dead)
    if dead:
        kubelet.release_ip(metadata["uid"])
        worker.ip = ""
        text = "Pod sandbox changed, it will be killed and re-created."
        kubelet.events.event(worker.pod, "Normal", "SandboxChanged", text)
    worker.remember_status()


def _adopt_container(worker: Worker, record: Record, one: Obj, *, dead: bool) -> None:
    state = one.get("state") or {}
    record.restarts = one.get("restartCount", 0)
    record.last = (one.get("lastState") or {}).get("terminated")
    record.id, record.image_id = one.get("containerID", ""), one.get("imageID", "")
    record.shown_image = one.get("image", record.shown_image)
    if "running" in state and dead:
        record.state, record.reason, record.exit_code = "terminated", "Unknown", UNKNOWN_CODE
        record.started_at, record.finished_at = clock.parse(state["running"]["startedAt"]), clock.now()
    elif "running" in state:
        record.state, record.started_at = "running", clock.parse(state["running"]["startedAt"])
        record.ready, record.passed = one.get("ready", False), one.get("started", True)
        worker.orphans.append(record)
    elif "terminated" in state:
        ended = state["terminated"]
        record.state, record.exit_code, record.reason = "terminated", ended["exitCode"], ended.get("reason", "")
        record.message = ended.get("message", "")
        record.started_at = clock.parse(ended["startedAt"]) if ended.get("startedAt") else 0.0
        record.finished_at = clock.parse(ended["finishedAt"]) if ended.get("finishedAt") else 0.0
        record.passed = record in worker.init and record.exit_code == 0
        if dead and record in worker.init and not record.sidecar:
            # A new sandbox is initialized anew.
            record.last = record.terminated_state()
            record.waiting("PodInitializing")


async def take_over(worker: Worker) -> None:
    """Find the processes that run on, with their volumes and variables; one whose configuration is not there any more has less of it."""
    if worker.unmounted:
        await mount_volumes(worker, patient=True)
        worker.unmounted = False
    # Each is an orphan until it has been found: whoever looks again after a failure finds the rest.
    while worker.orphans:
        record = worker.orphans[0]
        try:
            config = await worker.starter.config(record)
        except Missing:
            config = ContainerConfig(record.spec["name"], record.spec["image"], layer=worker.starter.layer)
        ready, passed = record.ready, record.passed
        try:
            container = worker.kubelet.runtime.adopt_container(
                worker.sandbox, config, record.id.rpartition("/")[2], record.started_at
            )
        except RuntimeFailure as failure:
            # What ran there is nothing that can run any more.
            record.state, record.reason, record.message = "terminated", "Unknown", failure.text
            record.exit_code, record.finished_at = UNKNOWN_CODE, clock.now()
            record.ready = record.passed = False
            worker.orphans.remove(record)
            continue
        record.container = container
        record.allocated = record.spec.get("resources") or {}
        worker.kubelet.owners[container.id] = worker
        worker.starter.watch(record)
        record.ready, record.passed = ready, passed
        worker.orphans.remove(record)
