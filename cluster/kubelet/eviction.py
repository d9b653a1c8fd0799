"""Node-pressure eviction: what a kubelet does when its machine runs short of memory, disk or process ids (pkg/kubelet/eviction).

Every sync: measure; tell the node's condition; when a threshold is crossed, free what can be freed without harm, else end one pod, the
one that ranks first. The condition stays for five minutes after the shortage, so that the scheduler does not come back at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cluster import clock
from cluster.apimachinery.quantity import canonical, value
from cluster.client.client import Obj

if TYPE_CHECKING:
    from cluster.kubelet.kubelet import Kubelet
    from cluster.kubelet.worker import Worker

MIB = 1024 * 1024
TRANSITION = 300.0
SYSTEM_CRITICAL = 2_000_000_000
# What the machine's own daemons hold.
SYSTEM_MEMORY = 300 * MIB
PIDS = 32768


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that can run out: the condition, the resource, what must stay available, and (reason, message) of both states."""

    condition: str
    resource: str
    threshold: str
    short: tuple[str, str]
    enough: tuple[str, str]


SIGNALS = (
    Signal(
        "MemoryPressure",
        "memory",
        "100Mi",
        ("KubeletHasInsufficientMemory", "kubelet has insufficient memory available"),
        ("KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ),
    Signal(
        "DiskPressure",
        "ephemeral-storage",
        "10%",
        ("KubeletHasDiskPressure", "kubelet has disk pressure"),
        ("KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ),
    Signal(
        "PIDPressure",
        "pids",
        "5%",
        ("KubeletHasInsufficientPID", "kubelet has insufficient PID available"),
        ("KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ),
)
BY_CONDITION = {signal.condition: signal for signal in SIGNALS}
EVENTS = {
    "MemoryPressure": ("NodeHasInsufficientMemory", "NodeHasSufficientMemory"),
    "DiskPressure": ("NodeHasDiskPressure", "NodeHasNoDiskPressure"),
    "PIDPressure": ("NodeHasInsufficientPID", "NodeHasSufficientPID"),
}


def threshold_of(signal: Signal, capacity: int) -> int:
    """The least amount that must stay available."""
    text = signal.threshold
    return capacity * int(text[:-1]) // 100 if text.endswith("%") else value(text)


def qos_of(pod: Obj) -> str:
    """The pod's QoS class, as its status tells it."""
    return str((pod.get("status") or {}).get("qosClass") or "BestEffort")


def requested(pod: Obj, resource: str) -> int:
    """What the pod's containers ask for in sum."""
    return sum(
        value(((spec.get("resources") or {}).get("requests") or {}).get(resource, "0"))
        for spec in pod["spec"]["containers"]
    )


def rank(pods: list[Obj], used: Callable[[Obj], int], resource: str) -> list[Obj]:
    """Who goes first: what uses more than it asked for, then low priority, then the most over its request (rankMemoryPressure).

    Process ids have no requests: there priority decides, then the number of processes.
    """

    def place(pod: Obj) -> tuple[int, int, int]:
        amount, asked = used(pod), requested(pod, resource) if resource != "pids" else 0
        exceeds = 0 if resource == "pids" or amount > asked else 1
        return exceeds, pod["spec"].get("priority") or 0, -(amount - asked)

    return sorted(pods, key=place)


def is_critical(pod: Obj) -> bool:
    return (pod["spec"].get("priority") or 0) >= SYSTEM_CRITICAL


class EvictionManager:
    """One node's. `hogs` is what a Fault holds: condition → key → amount."""

    __slots__ = ("_kubelet", "_seen", "hogs")

    def __init__(self, kubelet: Kubelet) -> None:
        self._kubelet = kubelet
        self.hogs: dict[str, dict[str, int]] = {}
        # When each pressure was last observed.
        self._seen: dict[str, float] = {}

    # -- measuring -----------------------------------------------------------------------------------------------------

    def capacity(self, signal: Signal) -> int:
        if signal.resource == "pids":
            return PIDS
        return value(self._kubelet.capacity.get(signal.resource) or "0")

    def used(self, signal: Signal) -> int:
        """What is taken now, in bytes or processes."""
        kubelet, runtime = self._kubelet, self._kubelet.runtime
        held = sum(self.hogs.get(signal.condition, {}).values())
        if signal.resource == "memory":
            return held + SYSTEM_MEMORY + sum(runtime.usage(one).memory for one in runtime.list_containers())
        if signal.resource == "pids":
            return held + 200 + 2 * len(kubelet.owners)
        return held + sum(info.size for info in runtime.list_images())

    def available(self, signal: Signal) -> int:
        return max(self.capacity(signal) - self.used(signal), 0)

    def short(self, signal: Signal) -> bool:
        capacity = self.capacity(signal)
        return capacity > 0 and self.available(signal) < threshold_of(signal, capacity)

    def press(self, condition: str, key: str) -> None:
        """Hold so much that only half of what must stay available is left."""
        signal = BY_CONDITION[condition]
        left = threshold_of(signal, self.capacity(signal)) // 2
        self.hogs.setdefault(condition, {})[key] = max(self.available(signal) - left, 0)

    def release(self, key: str) -> None:
        for held in self.hogs.values():
            held.pop(key, None)

    # -- telling -------------------------------------------------------------------------------------------------------

    @property
    def pressures(self) -> frozenset[str]:
        """The conditions that are True now."""
        return frozenset(self._seen)

    def pod_usage(self, worker: Worker, signal: Signal) -> int:
        """What one pod uses of it."""
        runtime = worker.kubelet.runtime
        running = [one.container for one in worker.records if one.state == "running" and one.container is not None]
        if signal.resource == "memory":
            return sum(runtime.usage(container).memory for container in running)
        if signal.resource == "pids":
            return 2 * len(running)
        return sum(len(volume.files) for volume in worker.volumes.values()) + 4096 * len(running)

    def refuses(self, pod: Obj) -> str:
        """Why a pod cannot start under the pressure there is; empty when it can (the manager's Admit)."""
        if not self._seen or is_critical(pod):
            return ""
        if self.pressures == {"MemoryPressure"} and (
            qos_of(pod) != "BestEffort"
            or any(
                one.get("key") in (None, "node.kubernetes.io/memory-pressure")
                for one in pod["spec"].get("tolerations") or ()
            )
        ):
            return ""
        return f"The node had condition: [{' '.join(sorted(self.pressures))}]. "

    # -- acting --------------------------------------------------------------------------------------------------------

    async def synchronize(self) -> bool:
        """One look. True when the node's conditions have changed."""
        now, before = clock.now(), self.pressures
        shortages = [signal for signal in SIGNALS if self.short(signal)]
        for signal in shortages:
            self._seen[signal.condition] = now
        for condition in [one for one, at in self._seen.items() if now - at >= TRANSITION]:
            del self._seen[condition]
        for condition in self.pressures ^ before:
            self._kubelet.tell_node(condition, short=condition in self.pressures)
        if shortages:
            await self._reclaim(shortages[0])
        return self.pressures != before

    async def _reclaim(self, signal: Signal) -> None:
        kubelet = self._kubelet
        kubelet.node_event("Warning", "EvictionThresholdMet", f"Attempting to reclaim {signal.resource}")
        if signal.resource == "ephemeral-storage":
            kubelet.runtime.drop_unused_images()
            if not self.short(signal):
                return
        workers = {
            worker.pod["metadata"]["uid"]: worker
            for worker in kubelet.workers.values()
            if not worker.finished and worker.rejected is None and not is_critical(worker.pod)
        }
        ranked = rank(
            [worker.pod for worker in workers.values()],
            lambda pod: self.pod_usage(workers[pod["metadata"]["uid"]], signal),
            signal.resource,
        )
        if ranked:
            worker = workers[ranked[0]["metadata"]["uid"]]
            message = self._message(worker, signal)
            kubelet.events.event(worker.pod, "Warning", "Evicted", message)
            # A hard threshold leaves no time.
            await worker.evict("Evicted", message, 1.0)

    def _message(self, worker: Worker, signal: Signal) -> str:
        capacity = self.capacity(signal)
        shown = [
            canonical(str(amount)) if signal.resource == "pids" else _binary(amount)
            for amount in (threshold_of(signal, capacity), self.available(signal))
        ]
        text = (
            f"The node was low on resource: {signal.resource}. Threshold quantity: {shown[0]}, available: {shown[1]}. "
        )
        if signal.resource == "pids":
            return text
        for record in worker.main:
            if record.state != "running" or record.container is None:
                continue
            asked = ((record.spec.get("resources") or {}).get("requests") or {}).get(signal.resource, "0")
            amount = worker.kubelet.runtime.usage(record.container).memory if signal.resource == "memory" else 4096
            if amount > value(asked):
                text += (
                    f"Container {record.spec['name']} was using {_binary(amount)}, request is {asked}, has larger "
                    f"consumption of {signal.resource}. "
                )
        return text


def _binary(amount: int) -> str:
    """Bytes as Kubernetes prints them."""
    for unit, size in (("Gi", 1024**3), ("Mi", MIB), ("Ki", 1024)):
        if amount and amount % size == 0:
            return f"{amount // size}{unit}"
    return f"{amount // 1024}Ki" if amount >= 1024 else str(amount)
