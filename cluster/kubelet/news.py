"""What a watch event asks of a worker: whether the pod as it is now wants more than was done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cluster.client.client import Obj

if TYPE_CHECKING:
    from cluster.kubelet.worker import Worker

# Conditions that others may not decide.
OWNED = ("Ready", "ContainersReady")


def forgiven(worker: Worker) -> bool:
    """A changed pod may have what its containers lacked: they need not wait any longer."""
    lacking = [record for record in worker.records if record.reason == "CreateContainerConfigError"]
    for record in lacking:
        record.next_try = 0.0
    return bool(lacking)


def overwritten(worker: Worker, written: Obj | None) -> bool:
    """Whether the API shows another readiness than this kubelet wrote last."""
    if written is None or worker.finished:
        return False
    mine, theirs = (
        {one["type"]: one["status"] for one in status.get("conditions") or () if one["type"] in OWNED}
        for status in (written, worker.pod.get("status") or {})
    )
    return mine != theirs


def asks_for_more(worker: Worker, written: Obj | None) -> bool:
    """Whether a changed pod asks for more than was done: a new image, or readiness gates to judge again."""
    if worker.sandbox is None and not worker.at_work and not worker.finished:
        return True
    changed = any(
        record.state == "running"
        and record.container is not None
        and record.container.config.image != record.spec["image"]
        for record in worker.main
    )
    seen = (written or {}).get("observedGeneration")
    return (
        changed
        or bool(worker.pod["spec"].get("readinessGates"))
        or (seen is not None and seen != worker.pod["metadata"].get("generation"))
    )
