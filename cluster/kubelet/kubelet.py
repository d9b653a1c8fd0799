"""One node's kubelet: watches the pods that are bound to it, runs a worker for each, keeps its Node and its Lease alive."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
from collections.abc import Coroutine
from typing import Any

from cluster import clock
from cluster.apimachinery.errors import StatusError, is_already_exists, is_not_found
from cluster.apimachinery.meta import is_condition_true
from cluster.apimachinery.podresources import pod_requests
from cluster.client.client import Client, Obj
from cluster.client.events import EventRecorder
from cluster.journeys import trace
from cluster.kubelet import admitting
from cluster.kubelet.disks import Disks
from cluster.kubelet.eviction import BY_CONDITION, EVENTS, EvictionManager
from cluster.kubelet.network import Link, Network
from cluster.kubelet.node import LEASES, address, allocatable_of, boot_id, fresh_lease, labels, pod_range, status_of
from cluster.kubelet.runtime.container import Sandbox
from cluster.kubelet.runtime.cri import HTTPRequest, HTTPResult
from cluster.kubelet.runtime.images import Catalogue
from cluster.kubelet.runtime.profile import Latency, Profile
from cluster.kubelet.runtime.simulated import SimulatedRuntime
from cluster.kubelet.runtime.troubles import Troubles
from cluster.kubelet.uplink import Uplink
from cluster.kubelet.worker import Worker

log = logging.getLogger(__name__)

LEASE_PERIOD, STATUS_PERIOD = 10.0, 300.0
# Cores that the machine's own daemons use.
SYSTEM_CPU = 0.04


class Kubelet:
    """The agent of one node. `number` gives it its addresses."""

    def __init__(
        self,
        client: Client,
        name: str,
        number: int,
        profile: Profile,
        *,
        network: Network | None = None,
        troubles: Troubles | None = None,
        catalogue: Catalogue | None = None,
        disks: Disks | None = None,
        boots: int = 0,
    ) -> None:
        self.client = Uplink(client)
        self.network = network
        # What is on disks that outlive pods, by volume or by place; shared by all machines.
        self.disks = Disks() if disks is None else disks
        # How often the machine has lost power: its containers did not survive that.
        self.boots = boots
        self.name = name
        self.number = number
        self.profile = profile
        self.latency = Latency(profile, name)
        self.runtime = SimulatedRuntime(self.latency, self._link, troubles, catalogue)
        self.runtime.on_exit = self._container_exited
        self.events = EventRecorder(self.client, "kubelet", name)
        self.eviction = EvictionManager(self)
        self.skew = clock.Skew()
        # What its tasks run in: the machine's own clock.
        self.context = contextvars.copy_context()
        self.context.run(clock.skew.set, self.skew)
        self.workers: dict[str, Worker] = {}
        # Which pod a container belongs to, by the container's id.
        self.owners: dict[str, Worker] = {}
        self.background: set[asyncio.Task[Any]] = set()
        self.ip = address(number)
        self._addresses: dict[str, str] = {}
        self._free: list[str] = []
        self._next_address = 2
        self.allocatable: Obj = {}
        self.capacity: Obj = {}
        self._node: Obj = {}
        self._report_now = False
        # What the pods here have asked for: in sum, and each.
        self._used: dict[str, int] = {}
        self._taken: dict[str, dict[str, int]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self.synced = asyncio.Event()

    # -- life --------------------------------------------------------------------------------------------------------

    @property
    def rebooted(self) -> bool:
        """Whether what ran before this kubelet is dead."""
        return self.boots > 0

    def start(self, node: Obj) -> None:
        self._node = node
        self.context.run(self.events.start)
        self._tasks = [
            self.run(self._heartbeat(node), f"kubelet {self.name} heartbeat"),
            self.run(self._watch_pods(), f"kubelet {self.name} pods"),
        ]

    def run(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """A task that lives by the machine's clock."""
        return asyncio.get_running_loop().create_task(work, name=name, context=self.context.copy())

    def beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Something that goes on by itself."""
        task = self.run(work, "kubelet background")
        self.background.add(task)
        task.add_done_callback(self.background.discard)

    async def stop(self) -> None:
        """Stop working; containers die with the machine, their pods' statuses stay as they were last written."""
        for task in (*self._tasks, *self.background):
            task.cancel()
        await asyncio.gather(*self._tasks, *self.background, return_exceptions=True)
        self._tasks = []
        for worker in list(self.workers.values()):
            worker.forget()
        self.workers.clear()
        await self.events.stop()

    # -- the line to the API server --------------------------------------------------------------------------------------

    def cut(self) -> None:
        """The API server cannot be reached any more. What runs here runs on."""
        self.client.cut = True
        self._tasks[1].cancel()
        self._tasks[1] = self.run(self._watch_pods(), f"kubelet {self.name} pods")
        if self.network is not None:
            self.network.frozen[self.name] = clock.now()

    def mend(self) -> None:
        """The line is back."""
        self.client.cut = False
        if self.network is not None:
            self.network.frozen.pop(self.name, None)

    def _link(self, sandbox: Sandbox) -> Link | None:
        worker = self.workers.get(sandbox.config.uid)
        return Link(self.network, worker) if self.network is not None and worker is not None else None

    async def request(self, host: str, port: int, request: HTTPRequest, timeout: float) -> HTTPResult:
        """A request of the kubelet's own, as hooks and probes of other hosts make them."""
        if self.network is None:
            return HTTPResult(0, error=f"dial tcp {host}:{port}: connect: network is unreachable")
        found = self.network.resolve(host, "default")
        if not found:
            return HTTPResult(0, error=f"dial tcp: lookup {host}: no such host")
        return await self.network.http(self.name, found[0], port, request, timeout)

    async def connect(self, host: str, port: int, timeout: float) -> str:
        """Empty when a connection to a host is accepted, else why not."""
        if self.network is None:
            return f"dial tcp {host}:{port}: connect: network is unreachable"
        found = self.network.resolve(host, "default")
        if not found:
            return f"dial tcp: lookup {host}: no such host"
        return await self.network.connect(self.name, found[0], port, timeout)

    # -- the node ------------------------------------------------------------------------------------------------------

    async def _heartbeat(self, node: Obj) -> None:
        """Report the status, then renew the lease; the status again every few minutes."""
        reported = -STATUS_PERIOD
        lease: Obj | None = None
        # Machines that start together do not go on at the same moments.
        wait = self.latency.pick((0.0, LEASE_PERIOD))
        while True:
            journey = trace.Journey("heartbeat", f"kubelet/{self.name}")
            journey.name, journey.actor = self.name, self.client.user
            with trace.working_on(journey):
                try:
                    if self.capacity and await self.eviction.synchronize():
                        self._report_now = True
                    if self._report_now or clock.now() - reported >= STATUS_PERIOD:
                        self._report_now = False
                        node = await self._report(node, first=reported < 0)
                        reported = clock.now()
                    lease = await self._renew(lease, node)
                except StatusError as error:
                    if is_not_found(error):
                        # The Node is gone; whoever deleted it will stop us.
                        log.debug("kubelet %s: %s", self.name, error.message)
                    else:
                        log.log(
                            logging.DEBUG if self.client.cut else logging.WARNING,
                            "kubelet %s: heartbeat: %s",
                            self.name,
                            error.message,
                        )
                        self._report_now = True
                    lease = None
            await clock.sleep(wait)
            wait = self.latency.jitter(LEASE_PERIOD, 0.04)

    async def _report(self, node: Obj, *, first: bool) -> Obj:
        if first:
            node = await self._label(node)
        current = await self.client.get("v1/nodes", self.name)
        status = status_of(current, self.number, self.runtime.list_images(), self.eviction.pressures, self.boots)
        self.allocatable, self.capacity = status["allocatable"], status["capacity"]
        # A merge keeps what it does not name: extended resources that are no more have to be named.
        gone = dict.fromkeys((current.get("status") or {}).get("allocatable") or {})
        told = {**status, "allocatable": {**gone, **status["allocatable"]}}
        written = await self.client.patch("v1/nodes", self.name, {"status": told}, subresource="status")
        if first:
            self.events.event(written, "Normal", "Starting", "Starting kubelet.")
            if self.rebooted:
                text = f"Node {self.name} has been rebooted, boot id: {boot_id(self.name, self.boots)}"
                self.events.event(written, "Warning", "Rebooted", text)
            for reason, text in (
                ("NodeHasSufficientMemory", f"Node {self.name} status is now: NodeHasSufficientMemory"),
                ("NodeHasNoDiskPressure", f"Node {self.name} status is now: NodeHasNoDiskPressure"),
                ("NodeHasSufficientPID", f"Node {self.name} status is now: NodeHasSufficientPID"),
                ("NodeReady", f"Node {self.name} status is now: NodeReady"),
            ):
                self.events.event(written, "Normal", reason, text)
        self._node = written
        return written

    def node_changed(self, node: Obj) -> None:
        """Its Node object, as anybody may have changed it: labels, taints, resources that others count, and its health."""
        self._node = node
        status = node.get("status") or {}
        if self.capacity and not is_condition_true(node, "Ready"):
            # Held for silent while it was only slow: it says otherwise with its next heartbeat.
            self._report_now = True
        if self.capacity and status.get("allocatable"):
            capacity = status.get("capacity") or {}
            if allocatable_of(capacity, status["allocatable"]) != status["allocatable"]:
                self._report_now = True
            self.allocatable, self.capacity = status["allocatable"], status.get("capacity") or self.capacity

    def tell_node(self, condition: str, *, short: bool) -> None:
        """An event when a pressure comes or goes."""
        reason = EVENTS[condition][0 if short else 1]
        self.node_event("Normal", reason, f"Node {self.name} status is now: {reason}")

    def node_event(self, kind: str, reason: str, message: str) -> None:
        self.events.event(self._node, kind, reason, message)

    async def _label(self, node: Obj) -> Obj:
        """The labels that every machine carries, where the Node object came without them."""
        have = node["metadata"].get("labels") or {}
        missing = {key: text for key, text in labels(self.name, self.number).items() if key not in have}
        if not missing:
            return node
        return await self.client.patch("v1/nodes", self.name, {"metadata": {"labels": missing}})

    async def _renew(self, lease: Obj | None, node: Obj) -> Obj:
        if lease is None:
            try:
                return await self.client.create("coordination.k8s.io/v1/leases", fresh_lease(node), LEASES)
            except StatusError as error:
                if not is_already_exists(error):
                    raise
        change = {"spec": {"holderIdentity": self.name, "renewTime": clock.micro_timestamp()}}
        return await self.client.patch("coordination.k8s.io/v1/leases", self.name, change, LEASES)

    def usage(self) -> tuple[float, int]:
        """Cores and bytes in use: the machine's own daemons and all containers."""
        used = [self.runtime.usage(one) for one in self.runtime.list_containers()]
        memory = self.eviction.used(BY_CONDITION["MemoryPressure"])
        return SYSTEM_CPU + sum(one.cpu for one in used), memory

    # -- the pods --------------------------------------------------------------------------------------------------------

    async def _watch_pods(self) -> None:
        delay = 0.1
        while True:
            try:
                await self._list_and_watch()
                delay = 0.1
            except StatusError as error:
                if error.code != 410:
                    log.log(
                        logging.DEBUG if self.client.cut else logging.WARNING,
                        "kubelet %s: %s",
                        self.name,
                        error.message,
                    )
                    await clock.sleep(delay)
                    delay = min(delay * 2, 10.0)

    async def _list_and_watch(self) -> None:
        selector = f"spec.nodeName={self.name}"
        page = await self.client.list("v1/pods", field_selector=selector, resource_version="0")
        there = {pod["metadata"]["uid"]: pod for pod in page.items}
        for uid in [uid for uid in self.workers if uid not in there]:
            self._gone(uid)
        for uid, pod in there.items():
            if uid in self.workers:
                self.workers[uid].update(pod, "")
            else:
                self._found(pod)
        self.synced.set()
        async for batch in self.client.watch(
            "v1/pods", field_selector=selector, resource_version=page.resource_version
        ):
            for event in batch:
                if event.type == "BOOKMARK":
                    continue
                self._event(event.type, event.object, event.journey)

    def _found(self, pod: Obj) -> None:
        """A pod that was here before this kubelet: go on where it stood."""
        worker = self.workers[pod["metadata"]["uid"]] = Worker(self, pod)
        worker.adopt()
        if pod["metadata"].get("deletionTimestamp"):
            worker.terminate("")
        else:
            worker.wake()

    def _event(self, kind: str, pod: Obj, journey: str) -> None:
        uid = pod["metadata"]["uid"]
        worker = self.workers.get(uid)
        if kind == "DELETED":
            self._gone(uid)
        elif worker is None:
            worker = self.workers[uid] = Worker(self, pod)
            if pod["metadata"].get("deletionTimestamp"):
                worker.terminate(journey)
            else:
                worker.wake(journey)
        elif int(pod["metadata"]["resourceVersion"]) > int(worker.pod["metadata"]["resourceVersion"]):
            worker.update(pod, journey)

    def _gone(self, uid: str) -> None:
        worker = self.workers.pop(uid, None)
        if worker is not None:
            worker.forget(gone=True)
            self.disks.forget_pod(uid)
        self.release_ip(uid)
        self.give_back(uid)

    def _container_exited(self, container: Any) -> None:
        worker = self.owners.get(container.id)
        if worker is not None:
            worker.container_exited(container)

    # -- what the node has -------------------------------------------------------------------------------------------

    async def refusal(self, pod: Obj) -> tuple[str, str] | None:
        """Why this pod cannot run here after all (lifecycle.PodAdmitHandler); None when it can."""
        pressed = self.eviction.refuses(pod)
        if pressed:
            return "Evicted", pressed
        refused = (
            admitting.operating_system(pod)
            or admitting.sysctls(pod)
            or admitting.node_resources(pod, self._used, self.allocatable)
        )
        if refused is not None:
            return refused
        others = [one.pod for one in self.workers.values() if one.pod is not pod and one.counts]
        refused = admitting.node_predicates(pod, self._node, others)
        if refused is not None:
            # The Node as it was last reported may be old news.
            self._node = await self.client.get("v1/nodes", self.name)
            refused = admitting.node_predicates(pod, self._node, others)
        return refused

    def take(self, pod: Obj) -> None:
        """Count what a pod that runs here has asked for."""
        uid, wanted = pod["metadata"]["uid"], {"pods": 1, **pod_requests(pod["spec"])}
        if self._taken.get(uid) != wanted:
            self.give_back(uid)
            self._taken[uid] = wanted
            for name, amount in wanted.items():
                self._used[name] = self._used.get(name, 0) + amount

    def used_by_others(self, pod: Obj) -> dict[str, int]:
        """What all other pods here have asked for."""
        own = self._taken.get(pod["metadata"]["uid"], {})
        return {name: amount - own.get(name, 0) for name, amount in self._used.items()}

    def give_back(self, uid: str) -> None:
        """Its pod has ended or gone."""
        for name, amount in self._taken.pop(uid, {}).items():
            self._used[name] -= amount

    def assign_ip(self, uid: str) -> str:
        """An address out of the node's pod range."""
        known = self._addresses.get(uid)
        if known is not None:
            return known
        if self._free and self._next_address > 250:
            found = self._free.pop(0)
        else:
            found = f"{pod_range(self.number)}.{self._next_address}"
            if self._next_address > 254:
                # More pods than a /24 holds: simulated machines may be large.
                high, low = divmod(self._next_address, 254)
                found = f"10.{100 + high}.{self.number % 256}.{low + 1}"
            self._next_address += 1
        self._addresses[uid] = found
        return found

    def claim_ip(self, uid: str, ip: str) -> None:
        """An address that a pod had already."""
        self._addresses[uid] = ip
        with contextlib.suppress(ValueError):
            self._next_address = max(self._next_address, int(ip.rpartition(".")[2]) + 1)

    def release_ip(self, uid: str) -> None:
        ip = self._addresses.pop(uid, None)
        if ip is not None and ip != self.ip:
            self._free.append(ip)
