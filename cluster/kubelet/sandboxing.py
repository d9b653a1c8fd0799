"""What a pod needs before its containers: its volumes, its sandbox, and files that stay current (syncPod's first half)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from cluster import clock
from cluster.apimachinery.errors import StatusError
from cluster.journeys import trace
from cluster.kubelet import naming
from cluster.kubelet.admitting import HANDLERS
from cluster.kubelet.references import Missing
from cluster.kubelet.runtime.cri import RuntimeFailure, SandboxConfig
from cluster.kubelet.volumes import REFRESH, volumes_of

if TYPE_CHECKING:
    from cluster.kubelet.worker import Worker

log = logging.getLogger(__name__)
# Seconds until a mount is tried again: doubling between these (goroutinemap's exponential back-off).
FIRST_MOUNT, LAST_MOUNT = 0.5, 122.0
SANDBOX_RETRY = 12.0


def sandbox_config(worker: Worker) -> SandboxConfig:
    """What the runtime is told of the pod."""
    metadata, spec = worker.pod["metadata"], worker.pod["spec"]
    sysctls = (spec.get("securityContext") or {}).get("sysctls") or ()
    return SandboxConfig(
        metadata["namespace"],
        metadata["name"],
        metadata["uid"],
        worker.hostname,
        worker.ip,
        worker.kubelet.name,
        bool(spec.get("shareProcessNamespace")),
        naming.hosts_file(worker.pod, worker.ip, worker.kubelet.name),
        naming.resolver_file(worker.pod),
        tuple((one["name"], one["value"]) for one in sysctls),
    )


async def make_sandbox(worker: Worker) -> bool:
    """Mount the volumes, then make the sandbox; False when that has to be tried again later."""
    pod, kubelet = worker.pod, worker.kubelet
    try:
        await mount_volumes(worker)
    except Missing as missing:
        with trace.step("mount", {"message": str(missing)}) as span:
            span.outcome = "error"
        kubelet.events.event(pod, "Warning", "FailedMount", str(missing))
        await worker.write_status()
        worker.mount_delay = min(worker.mount_delay * 2 or FIRST_MOUNT, LAST_MOUNT)
        worker.wake_in(worker.mount_delay)
        return False
    try:
        await _handler(worker)
    except RuntimeFailure as failure:
        text = f"Failed to create pod sandbox: {failure.text}"
        kubelet.events.event(pod, "Warning", "FailedCreatePodSandBox", text)
        await worker.write_status()
        worker.wake_in(SANDBOX_RETRY)
        return False
    worker.ip = kubelet.ip if pod["spec"].get("hostNetwork") else kubelet.assign_ip(pod["metadata"]["uid"])
    with trace.step("sandbox") as span:
        span.detail = {"ip": worker.ip}
        worker.sandbox = await kubelet.runtime.run_pod_sandbox(sandbox_config(worker))
    worker.join()
    return True


async def _handler(worker: Worker) -> str:
    """The handler of the pod's RuntimeClass; RuntimeFailure when there is none of that name."""
    name = worker.pod["spec"].get("runtimeClassName")
    if not name:
        return ""
    try:
        handler = str((await worker.kubelet.client.get("node.k8s.io/v1/runtimeclasses", name))["handler"])
    except StatusError as error:
        raise RuntimeFailure(f'RuntimeClass "{name}" not found') from error
    if handler not in HANDLERS:
        why = f'failed to get sandbox runtime: no runtime for "{handler}" is configured'
        raise RuntimeFailure(f"rpc error: code = Unknown desc = {why}")
    return handler


async def mount_volumes(worker: Worker, *, patient: bool = False) -> None:
    """Bring all volumes; Missing when one cannot be brought (`patient`: it stays empty)."""
    worker.volumes = volumes_of(worker)
    for volume in worker.volumes.values():
        try:
            await volume.mount(worker)
        except Missing:
            if not patient:
                raise
    if any(volume.projected or volume.claim(worker.pod) for volume in worker.volumes.values()):
        refresh_in(worker, worker.kubelet.latency.jitter(REFRESH, 0.5))


def refresh_in(worker: Worker, delay: float) -> None:
    """Look again, after so long, at what the volumes are made of."""
    if worker.refresher is not None:
        worker.refresher.cancel()

    def refresh() -> None:
        if not worker.over:
            worker.kubelet.beside(_refresh(worker))
            refresh_in(worker, worker.kubelet.latency.jitter(REFRESH, 0.5))

    worker.refresher = clock.call_later(delay, refresh)


async def _refresh(worker: Worker) -> None:
    try:
        for volume in worker.volumes.values():
            await volume.refresh(worker)
    except StatusError as error:
        log.debug("kubelet %s: volumes of %s: %s", worker.kubelet.name, worker.key, error.message)
