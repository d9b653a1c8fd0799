"""All machines of the cluster: one kubelet per Node object, however the object was made. Called by kubeweb's wiring."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from cluster import clock
from cluster.apimachinery import errors
from cluster.apimachinery.errors import StatusError, is_already_exists
from cluster.client.client import Client, Obj
from cluster.client.informer import SharedInformers
from cluster.kubelet import logs as log_endpoint
from cluster.kubelet.disks import POD, Disks
from cluster.kubelet.forwarding import Incoming, converse
from cluster.kubelet.kubelet import Kubelet
from cluster.kubelet.looking import look_into
from cluster.kubelet.network import Network
from cluster.kubelet.node import fresh_node
from cluster.kubelet.podstatus import Record
from cluster.kubelet.runtime.cri import HTTPRequest, HTTPResult, RuntimeFailure
from cluster.kubelet.runtime.fileserver import serve
from cluster.kubelet.runtime.images import Catalogue
from cluster.kubelet.runtime.profile import PROFILES
from cluster.kubelet.runtime.shell.files import Files
from cluster.kubelet.runtime.terminal import Room, Stdin, Write, at_once
from cluster.kubelet.runtime.troubles import Registry, SickProbe, Troubles
from cluster.kubelet.volumes import machine_disk
from cluster.kubelet.worker import Worker

log = logging.getLogger(__name__)
IMAGES = "sim.kubeweb.dev/v1alpha1/containerimages"
USER, PROXY = "system:kubeweb:machines", "system:kube-proxy"


class Machines:
    """Starts a kubelet for every Node and stops it when the Node goes. Also the API server's way to a node's kubelet."""

    def __init__(
        self, client_for: Callable[[str], Client], profile: str = "realistic", *, disks: Path | None = None
    ) -> None:
        """`disks`: the directory that keeps what is on disks; None keeps nothing."""
        self._client_for = client_for
        self._profile = PROFILES[profile]
        self.kubelets: dict[str, Kubelet] = {}
        self.troubles = Troubles()
        self.network = Network(self.kubelets, self._profile)
        self.catalogue = Catalogue()
        self._disks = Disks(disks)
        # How often each machine has lost power.
        self._boots: Counter[str] = Counter()
        self._numbers: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None
        self._failed: dict[str, Obj] = {}

    async def start(self, names: list[str]) -> None:
        """Register the machines that are wanted from the start, then follow the Node objects."""
        for number, name in enumerate(names, 1):
            self._numbers[name] = number
        await self.network.start(self._client_for(PROXY))
        self._informers = SharedInformers(self._client_for(USER))
        self._informers(IMAGES).add_handler(self._image_changed)
        await self._informers.start()
        await asyncio.gather(*(self._register(name) for name in names))
        await self._begin_to_keep_disks()
        self._task = asyncio.create_task(self._follow(), name="machines")

    async def _begin_to_keep_disks(self) -> None:
        """What belonged to pods and volumes that are gone goes, too."""
        client = self._client_for(USER)
        pods = {pod["metadata"]["uid"] for pod in (await client.list("v1/pods")).items}
        volumes = {one["metadata"]["name"] for one in (await client.list("v1/persistentvolumes")).items}

        def gone(key: str) -> bool:
            if key.startswith(POD):
                return key.split("/")[1] not in pods
            return not key.endswith(":") and "/" not in key and key not in volumes

        self._disks.start(gone)

    async def _register(self, name: str) -> None:
        client = self._client_for(f"system:node:{name}")
        try:
            await client.create("v1/nodes", fresh_node(name, self._numbers[name]))
        except StatusError as error:
            if not is_already_exists(error):
                raise

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        await asyncio.gather(*(kubelet.stop() for kubelet in self.kubelets.values()))
        self.kubelets.clear()
        await self._disks.stop()
        await self.network.stop()
        await self._informers.stop()

    def _image_changed(self, old: Obj | None, new: Obj | None) -> None:
        """Somebody's own entry of the image catalogue."""
        if old is not None:
            self.catalogue.forget(old)
        if new is not None:
            self.catalogue.learn(new)

    # -- following the Node objects ----------------------------------------------------------------------------------

    async def _follow(self) -> None:
        client, delay = self._client_for(USER), 0.1
        while True:
            try:
                page = await client.list("v1/nodes", resource_version="0")
                names = {node["metadata"]["name"] for node in page.items}
                for name in [name for name in self.kubelets if name not in names]:
                    await self._unplug(name)
                for node in page.items:
                    self._plug_in(node)
                delay = 0.1
                async for batch in client.watch("v1/nodes", resource_version=page.resource_version):
                    for event in batch:
                        if event.type == "ADDED":
                            self._plug_in(event.object)
                        elif event.type == "MODIFIED":
                            self._changed(event.object)
                        elif event.type == "DELETED":
                            await self._unplug(event.object["metadata"]["name"])
            except StatusError as error:
                if error.code != 410:
                    log.warning("machines: %s", error.message)
                    await clock.sleep(delay)
                    delay = min(delay * 2, 10.0)

    def _changed(self, node: Obj) -> None:
        kubelet = self.kubelets.get(node["metadata"]["name"])
        if kubelet is not None:
            kubelet.node_changed(node)

    def _plug_in(self, node: Obj) -> None:
        name = node["metadata"]["name"]
        if name in self.kubelets or name in self._failed:
            return
        number = self._numbers.setdefault(name, max(self._numbers.values(), default=0) + 1)
        kubelet = self.kubelets[name] = Kubelet(
            self._client_for(f"system:node:{name}"),
            name,
            number,
            self._profile,
            network=self.network,
            troubles=self.troubles,
            catalogue=self.catalogue,
            disks=self._disks,
            boots=self._boots[name],
        )
        kubelet.start(node)

    async def _unplug(self, name: str) -> None:
        self._failed.pop(name, None)
        kubelet = self.kubelets.pop(name, None)
        if kubelet is not None:
            await kubelet.stop()

    # -- breaking things -----------------------------------------------------------------------------------------------

    async def fail(self, node: Obj) -> None:
        """The machine loses power: no heartbeats, no kubelet, its containers die."""
        name = node["metadata"]["name"]
        self._failed[name] = node
        self._boots[name] += 1
        kubelet = self.kubelets.pop(name, None)
        if kubelet is not None:
            await kubelet.stop()

    def recover(self, name: str) -> None:
        """The machine comes back."""
        node = self._failed.pop(name, None)
        if node is not None:
            self._plug_in(node)

    def kubelet(self, name: str) -> Kubelet:
        """A machine that is there; LookupError when it is not."""
        found = self.kubelets.get(name)
        if found is None:
            raise LookupError(f'node "{name}" not found, or it has no power')
        return found

    def partition(self, name: str) -> None:
        """The machine runs on, but its kubelet and the API server do not reach one another."""
        self.kubelet(name).cut()

    def reconnect(self, name: str) -> None:
        if name in self.kubelets:
            self.kubelets[name].mend()

    def press(self, name: str, condition: str, key: str) -> None:
        """Something on the machine takes nearly all memory, disk or process ids."""
        self.kubelet(name).eviction.press(condition, key)

    def release(self, name: str, key: str) -> None:
        if name in self.kubelets:
            self.kubelets[name].eviction.release(key)

    def skew(self, name: str, seconds: float) -> None:
        """The machine's clock is off by so much."""
        self.kubelet(name).skew.seconds = seconds

    def _running(self, namespace: str, pod: str, container: str) -> tuple[Kubelet, Record]:
        """A running container, by default the pod's first; LookupError when there is none."""
        for kubelet in self.kubelets.values():
            for worker in kubelet.workers.values():
                metadata = worker.pod["metadata"]
                if (metadata["namespace"], metadata["name"]) != (namespace, pod):
                    continue
                for record in worker.main:
                    if container in ("", record.spec["name"]) and record.state == "running" and record.container:
                        return kubelet, record
        wanted = f' with a container "{container}"' if container else ""
        raise LookupError(f'no running pod "{namespace}/{pod}"{wanted} found')

    def crash(self, namespace: str, pod: str, container: str, *, out_of_memory: bool) -> str:
        """End a container from within: exit code 1, or 137 for want of memory. Its name; LookupError when there is none."""
        kubelet, record = self._running(namespace, pod, container)
        kubelet.runtime.crash(record.container, out_of_memory=out_of_memory)
        return str(record.spec["name"])

    def hang(self, namespace: str, pod: str, container: str) -> str:
        """A container's process stops answering; its name. The process that takes its place after a restart is well."""
        _, record = self._running(namespace, pod, container)
        record.container.hung = True
        return str(record.spec["name"])

    def sicken(self, key: str, namespace: str, pod: str, container: str, probe: str) -> None:
        """A probe fails whatever the container says; LookupError without such a pod."""
        if not any(
            (one.pod["metadata"]["namespace"], one.pod["metadata"]["name"]) == (namespace, pod)
            for kubelet in self.kubelets.values()
            for one in kubelet.workers.values()
        ):
            raise LookupError(f'no pod "{namespace}/{pod}" found on any node')
        self.troubles.probes[key] = SickProbe(namespace, pod, container, probe)

    def disturb_registry(self, key: str, domain: str, delay: float | None) -> None:
        """A registry (empty: all) is slower, or does not answer at all (None)."""
        self.troubles.registries[key] = Registry(domain, delay is None, delay or 0.0)

    def cure(self, key: str) -> None:
        """This registry, or probe, is well again."""
        self.troubles.registries.pop(key, None)
        self.troubles.probes.pop(key, None)

    def awake(self, namespace: str, pod: str) -> None:
        """What hung in a pod goes on."""
        for kubelet in self.kubelets.values():
            for worker in kubelet.workers.values():
                metadata = worker.pod["metadata"]
                if (metadata["namespace"], metadata["name"]) == (namespace, pod):
                    for record in worker.records:
                        if record.container is not None:
                            record.container.hung = False

    # -- the kubelet's endpoint, as the API server calls it -----------------------------------------------------------

    def _worker(self, node: str, namespace: str, pod: str, path: str) -> Worker | None:
        """Who runs the pod there; 500 when the node's kubelet does not answer."""
        kubelet = self.kubelets.get(node)
        if kubelet is None:
            raise errors.internal(f'Get "https://{node}:10250/{path}": dial tcp: lookup {node}: no such host')
        if kubelet.client.cut:
            raise errors.internal(f'Get "https://{kubelet.ip}:10250/{path}": dial tcp {kubelet.ip}:10250: i/o timeout')
        for one in kubelet.workers.values():
            if one.pod["metadata"]["name"] == pod and one.pod["metadata"]["namespace"] == namespace:
                return one
        return None

    def node_usage(self, name: str) -> dict[str, tuple[float, int]]:
        """Cores and bytes in use by node."""
        found = {}
        for node, kubelet in self.kubelets.items():
            if name in ("", node) and not kubelet.client.cut:
                found[node] = kubelet.usage()
        return found

    def node_log(self, name: str, path: str) -> HTTPResult:
        """What a node's kubelet answers for a path below its /logs/: the files of /var/log."""
        disk = self._disks.tree(f"{name}:", lambda: machine_disk(name))
        files = Files()
        files.mount("/logs", disk, "var/log", read_only=True)
        return serve(files, f"/logs/{path}")

    def pod_usage(self, namespace: str, name: str) -> dict[tuple[str, str], dict[str, tuple[float, int]]]:
        """Cores and bytes in use by pod and container, of what runs."""
        found: dict[tuple[str, str], dict[str, tuple[float, int]]] = {}
        for kubelet in self.kubelets.values():
            if kubelet.client.cut:
                continue
            for worker in kubelet.workers.values():
                metadata = worker.pod["metadata"]
                if namespace in ("", metadata["namespace"]) and name in ("", metadata["name"]):
                    used = worker.usage()
                    if used:
                        found[metadata["namespace"], metadata["name"]] = used
        return found

    async def inside(self, node: str, namespace: str, pod: str) -> dict[str, dict[str, Any]]:
        """What one would find by looking into a pod (`looking`)."""
        worker = self._worker(node, namespace, pod, f"exec/{namespace}/{pod}")
        return {} if worker is None else await look_into(worker)

    async def execute(
        self,
        node: str,
        namespace: str,
        pod: str,
        container: str,
        command: list[str],
        stdin: Stdin | None,
        write: Write,
        write_error: Write,
        room: Room = at_once,
        *,
        tty: bool = False,
    ) -> int:
        """Run a command in a container, or (without one) attach to it; the exit code."""
        worker = self._worker(node, namespace, pod, f"exec/{namespace}/{pod}/{container}")
        if worker is None:
            raise errors.internal(f"unable to upgrade connection: pod does not exist: {namespace}/{pod}")
        try:
            running = log_endpoint.container_of(worker, container, previous=False)
            runtime = worker.kubelet.runtime
            if command:
                return int(await runtime.execute(running, command, stdin, write, write_error, room, tty=tty))
            return int(await runtime.attach(running, stdin, write, write_error, room, tty=tty))
        except RuntimeFailure as failure:
            doing = "executing command in" if command else "attaching to"
            raise errors.internal(f"Internal error occurred: error {doing} container: {failure.text}") from failure

    async def forward(self, node: str, namespace: str, pod: str, port: int, incoming: Incoming, write: Write) -> str:
        """One connection to a pod's port, until it is over; why it failed, or nothing."""
        worker = self._worker(node, namespace, pod, f"portForward/{namespace}/{pod}")
        if worker is None:
            raise errors.internal(f"unable to upgrade connection: pod does not exist: {namespace}/{pod}")
        return await converse(worker, port, incoming, write)

    async def dial(self, ip: str, port: int, request: Any, timeout: float) -> HTTPResult:
        """One HTTP request from the API server to a pod's address."""
        passed = HTTPRequest(request.path, request.method, request.headers, request.body, request.client)
        return await self.network.http("", ip, port, passed, timeout)

    async def logs(
        self,
        node: str,
        namespace: str,
        pod: str,
        container: str,
        *,
        follow: bool = False,
        previous: bool = False,
        timestamps: bool = False,
        tail_lines: int | None = None,
        limit_bytes: int | None = None,
        since_seconds: int | None = None,
        since_time: float | None = None,
    ) -> AsyncIterator[bytes]:
        """The log of a container, as a stream of bytes."""
        worker = self._worker(node, namespace, pod, f"containerLogs/{namespace}/{pod}/{container}")
        if worker is None:
            raise errors.bad_request(f'container "{container}" in pod "{pod}" is waiting to start: ContainerCreating')
        return log_endpoint.stream(
            log_endpoint.container_of(worker, container, previous=previous),
            follow=follow,
            timestamps=timestamps,
            tail_lines=tail_lines,
            limit_bytes=limit_bytes,
            since=log_endpoint.since_of(since_seconds, since_time),
        )
