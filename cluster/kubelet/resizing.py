"""Containers that are given more, or less, while they run (pkg/kubelet/allocation): pods/resize.

A resize that the node can never give is infeasible, one that it cannot give now is deferred; both are told in the PodResizePending
condition. What is given is allocated, and put into effect at once or with a restart, as the container's resizePolicy says: while
that goes on, the PodResizeInProgress condition stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from cluster.apimachinery.podresources import amount, pod_requests
from cluster.apimachinery.quantity import milli, value
from cluster.client.client import Obj
from cluster.kubelet.podstatus import Record

if TYPE_CHECKING:
    from cluster.kubelet.worker import Worker

RESIZABLE = ("cpu", "memory")


def _asked(record: Record) -> Obj:
    return record.spec.get("resources") or {}


def refusal(pod: Obj, used: dict[str, int], allocatable: Obj) -> Obj | None:
    """The PodResizePending condition when the node cannot give what the pod asks for now. `used`: by all other pods."""
    wanted = pod_requests(pod["spec"])
    for name in RESIZABLE:
        capacity, asked, taken = amount(name, allocatable.get(name, "0")), wanted.get(name, 0), used.get(name, 0)
        if asked > capacity:
            why = f"Node didn't have enough capacity: {name}, requested: {asked}, capacity: {capacity}"
            return {"type": "PodResizePending", "status": "True", "reason": "Infeasible", "message": why}
        if asked > capacity - taken:
            why = f"Node didn't have enough resource: {name}, requested: {asked}, used: {taken}, capacity: {capacity}"
            return {"type": "PodResizePending", "status": "True", "reason": "Deferred", "message": why}
    return None


def must_restart(record: Record) -> bool:
    """Whether a resource changed that this container takes only at its start."""
    policies = {one["resourceName"]: one["restartPolicy"] for one in record.spec.get("resizePolicy") or ()}
    for name in RESIZABLE:
        before, now = (
            [((side or {}).get(name)) for side in _sides(one)] for one in (record.allocated or {}, _asked(record))
        )
        if before != now and policies.get(name) == "RestartContainer":
            return True
    return False


def _sides(resources: Obj) -> tuple[Any, Any]:
    return resources.get("requests"), resources.get("limits")


def _limit(container: Any, resources: Obj) -> None:
    limits = resources.get("limits") or {}
    container.config.memory_limit = value(limits["memory"]) if limits.get("memory") else 0
    container.config.cpu_limit = milli(limits["cpu"]) / 1000 if limits.get("cpu") else 0.0


async def resize(worker: Worker) -> None:
    """Give the pod's running containers what they ask for now, as far as the node has it."""
    kubelet, records = worker.kubelet, [one for one in (*worker.init, *worker.main) if one.allocated is not None]
    changed = [record for record in records if record.allocated != _asked(record)]
    if not changed:
        worker.told.pop("PodResizePending", None)
        return
    pending = refusal(worker.pod, kubelet.used_by_others(worker.pod), kubelet.allocatable)
    if pending is not None:
        if worker.told.get("PodResizePending") != pending:
            reason = f"Resize{pending['reason']}"
            kubelet.events.event(worker.pod, "Warning", reason, f"Pod resize {pending['reason']}: {pending['message']}")
        worker.told["PodResizePending"] = pending
        worker.wake_in(30.0)
        return
    worker.told.pop("PodResizePending", None)
    kubelet.take(worker.pod)
    await _actuate(worker, records, changed)


async def _actuate(worker: Worker, records: list[Record], changed: list[Record]) -> None:
    """Give what has been allocated, and tell when it begins and when it is done."""
    kubelet = worker.kubelet
    resources = [{"name": record.spec["name"], "resources": _asked(record)} for record in records]
    generation = worker.pod["metadata"].get("generation", 1)
    text = orjson.dumps({"containers": resources, "generation": generation}).decode()
    kubelet.events.event(worker.pod, "Normal", "ResizeStarted", f"Pod resize started: {text}")
    worker.told["PodResizeInProgress"] = {"type": "PodResizeInProgress", "status": "True"}
    await worker.write_status()
    for record in changed:
        restart = must_restart(record)
        record.allocated = _asked(record)
        if record.state != "running" or record.container is None:
            continue
        if restart:
            name = record.spec["name"]
            await worker.starter.stop(record, f"Container {name} resize requires restart")
            record.next_try = record.noticed = 0.0
        else:
            _limit(record.container, record.allocated)
            kubelet.runtime.check_memory(record.container)
    worker.told.pop("PodResizeInProgress", None)
    kubelet.events.event(worker.pod, "Normal", "ResizeCompleted", f"Pod resize completed: {text}")
