"""What a worker knows of its pod, and what others ask it: the network, the runtime, whoever writes events and variables."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from cluster import clock
from cluster.client.client import Obj
from cluster.journeys import trace
from cluster.kubelet import naming
from cluster.kubelet.ending import LastRequests
from cluster.kubelet.podstatus import Record
from cluster.kubelet.probes import Prober
from cluster.kubelet.references import Place
from cluster.kubelet.volumes import PodVolume

if TYPE_CHECKING:
    from cluster.kubelet.kubelet import Kubelet


class PodState:
    """One pod on one node, as its worker knows it."""

    __slots__ = (
        "_again",
        "_cancelled",
        "_deadline",
        "_evicting",
        "_task",
        "_terminating",
        "_timer",
        "_written",
        "causes",
        "debug",
        "ends_at",
        "exits",
        "finished",
        "hooks",
        "init",
        "ip",
        "kubelet",
        "last_requests",
        "main",
        "mount_delay",
        "orphans",
        "pod",
        "previous",
        "probers",
        "refresher",
        "rejected",
        "removing",
        "sandbox",
        "started_at",
        "told",
        "unmounted",
        "volumes",
    )

    def __init__(self, kubelet: Kubelet, pod: Obj) -> None:
        self.kubelet = kubelet
        self.pod = pod
        self.sandbox: Any = None
        self.ip = ""
        self.init = [Record(spec, init=True) for spec in pod["spec"].get("initContainers") or ()]
        self.main = [Record(spec) for spec in pod["spec"]["containers"]]
        # Ephemeral containers: added to look into the pod, started once, never restarted.
        self.debug = [Record(spec) for spec in pod["spec"].get("ephemeralContainers") or ()]
        if self.init:
            for record in self.main:
                record.reason = "PodInitializing"
        self.started_at = ""
        self.rejected: tuple[str, str] | None = None
        self.finished = False
        # Conditions that the kubelet adds now and then: type → condition.
        self.told: dict[str, Obj] = {}
        # When the grace period of an ending pod is over.
        self.ends_at = 0.0
        # Spans of containers that have ended and that no sync has told of yet.
        self.exits: list[trace.Span] = []
        # preStop handlers that are running.
        self.hooks: set[asyncio.Future[bool]] = set()
        # Containers that ran before this kubelet, whose processes are still to be found.
        self.orphans: list[Record] = []
        # True of a pod that was taken over from the kubelet before: its volumes are to be brought again.
        self.unmounted = False
        self.volumes: dict[str, PodVolume] = {}
        # Logs of the run before the latest, by container.
        self.previous: dict[str, Any] = {}
        self._task: asyncio.Task[None] | None = None
        self._again = False
        self.causes: tuple[str, ...] = ()
        self._timer: clock.Timer | None = None
        self._deadline: clock.Timer | None = None
        self.refresher: clock.Timer | None = None
        # The wait after a mount that failed.
        self.mount_delay = 0.0
        self.probers: dict[str, Prober] = {}
        self._written: Obj | None = None
        self._terminating = False
        self._evicting = False
        self._cancelled = False
        # While the API server is asked to take the pod away: what ends then ends by itself.
        self.removing = False
        self.last_requests: LastRequests | None = None

    @property
    def records(self) -> tuple[Record, ...]:
        """All containers of the pod."""
        return (*self.init, *self.main, *self.debug)

    @property
    def over(self) -> bool:
        """Whether nothing of the pod needs to be kept current any more."""
        return self._terminating or self._cancelled or self.finished

    @property
    def at_work(self) -> bool:
        """Whether somebody is looking at the pod just now."""
        return self._task is not None

    @property
    def counts(self) -> bool:
        """Whether the pod has what it asked for: it was let in and has not ended."""
        return bool(self.started_at) and self.rejected is None and not self.finished

    def journey(self) -> trace.Journey:
        """A new one, about this pod, going on from what was done last."""
        journey = trace.Journey("sync", f"kubelet/{self.kubelet.name}", self.causes)
        metadata = self.pod["metadata"]
        journey.actor, journey.resource = self.kubelet.client.user, "pods"
        journey.namespace, journey.name = metadata["namespace"], metadata["name"]
        return journey

    # -- who it is, and where -----------------------------------------------------------------------------------------

    @property
    def key(self) -> str:
        metadata = self.pod["metadata"]
        return f"{metadata['name']}_{metadata['namespace']}({metadata['uid']})"

    @property
    def hostname(self) -> str:
        """The pod's host name: its own where it names one, the node's on the node's network."""
        return naming.hostname_of(self.pod, self.kubelet.name)

    @property
    def place(self) -> Place:
        """What the downward API tells of where the pod stands."""
        return Place(self.ip, self.kubelet.ip, self.kubelet.allocatable)

    def services(self) -> dict[str, str]:
        """The variables that name the Services of the pod's namespace."""
        network = self.kubelet.network
        if network is None:
            return {}
        namespace = self.pod["metadata"]["namespace"]
        known = [*network.services.by_index("namespace", namespace)]
        api = network.services.get("default/kubernetes")
        links = self.pod["spec"].get("enableServiceLinks", True)
        return naming.service_variables([*known, *([api] if api else [])], namespace, links=links)

    def tell(self, record: Record, kind: str, reason: str, message: str) -> None:
        """An event about one container."""
        self.kubelet.events.event(self.pod, kind, reason, message, field_path=self._path(record))

    def _path(self, record: Record) -> str:
        where = "initContainers" if record in self.init else "containers"
        if record in self.debug:
            where = "ephemeralContainers"
        return f"spec.{where}{{{record.spec['name']}}}"

    # -- what the network asks -------------------------------------------------------------------------------------

    def listening(self, port: int, protocol: str = "TCP") -> Any:
        """The container that listens on a port; None when there is none."""
        runtime = self.kubelet.runtime
        for record in self.records:
            container = record.container
            if container is not None and (
                runtime.listens(container, port) if protocol == "TCP" else port in container.udp
            ):
                return container
        return None

    def ports(self) -> list[tuple[str, int]]:
        """Where the pod's containers listen: (tcp or udp, port)."""
        runtime, found = self.kubelet.runtime, set()
        for record in self.records:
            container = record.container
            if container is not None:
                found |= {("tcp", port) for port in container.ports if runtime.listens(container, port)}
                found |= {("udp", port) for port in container.udp if container.state == "running"}
        return sorted(found)

    def inner_port(self, port: int, protocol: str = "TCP") -> int:
        """The container's port behind a host port; the port itself where it is none."""
        for spec in self.pod["spec"]["containers"]:
            for declared in spec.get("ports") or ():
                if declared.get("hostPort") == port and declared.get("protocol", "TCP") == protocol:
                    return int(declared["containerPort"])
        return port

    def usage(self) -> dict[str, tuple[float, int]]:
        """Cores and bytes by container, of those that run."""
        found = {}
        for record in self.records:
            if record.state == "running" and record.container is not None:
                used = self.kubelet.runtime.usage(record.container)
                found[record.spec["name"]] = (used.cpu, used.memory)
        return found

    def join(self) -> None:
        """Be found under the pod's address."""
        if self.kubelet.network is not None and not self.pod["spec"].get("hostNetwork"):
            self.kubelet.network.join(self.ip, self)

    def leave(self) -> None:
        if self.kubelet.network is not None and self.ip:
            self.kubelet.network.leave(self.ip, self)
