"""The status of a worker's pod as of now (kubelet.generateAPIPodStatus)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cluster.client.client import Obj
from cluster.kubelet.podstatus import conditions_of, phase_of

if TYPE_CHECKING:
    from cluster.kubelet.worker import Worker


def status_of(worker: Worker) -> Obj:
    """A PodStatus."""
    pod, kubelet, sandboxed = worker.pod, worker.kubelet, worker.sandbox is not None
    if worker.rejected is not None:
        phase, (reason, message) = "Failed", worker.rejected
    else:
        phase, reason, message = phase_of(pod["spec"], worker.init, worker.main), "", ""
    status: Obj = {
        "phase": phase,
        "conditions": conditions_of(pod, phase, worker.init, worker.main, sandboxed, worker.told.values()),
    }
    if reason:
        status["reason"], status["message"] = reason, message
    if worker.started_at:
        status["startTime"] = worker.started_at
    if pod["metadata"].get("generation"):
        status["observedGeneration"] = pod["metadata"]["generation"]
    if worker.rejected is not None and not sandboxed:
        return status
    status["hostIP"], status["hostIPs"] = kubelet.ip, [{"ip": kubelet.ip}]
    if worker.ip and sandboxed:
        status["podIP"], status["podIPs"] = worker.ip, [{"ip": worker.ip}]
    if worker.init:
        status["initContainerStatuses"] = [record.as_status() for record in worker.init]
    status["containerStatuses"] = [record.as_status() for record in worker.main]
    if worker.debug:
        status["ephemeralContainerStatuses"] = [record.as_status() for record in worker.debug]
    return status
