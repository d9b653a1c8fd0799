"""The cluster's network as processes see it: DNS names, Services' addresses, and which pod answers (CoreDNS and kube-proxy).

Every node routes by its own view of the EndpointSlices, which lags a little behind the API, as kube-proxy's does: between an endpoint's
removal and the last node that has heard of it, requests still go to the pod that leaves. A view is a function of time: each slice's
latest versions are kept with the time they came, and a node sees the newest one that is old enough for it. No timers, no copies.
"""

from __future__ import annotations

import random
import zlib
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cluster import clock
from cluster.client.client import Client, Obj
from cluster.client.informer import SharedInformers
from cluster.journeys import signals
from cluster.kubelet.dns import SERVICE_NAME, Names
from cluster.kubelet.naming import hosts_file
from cluster.kubelet.runtime.cri import HTTPRequest, HTTPResult
from cluster.kubelet.runtime.hosts import lines_of
from cluster.kubelet.runtime.profile import Profile

if TYPE_CHECKING:
    from cluster.kubelet.kubelet import Kubelet
    from cluster.kubelet.podstate import PodState

SERVICES, SLICES = "v1/services", "discovery.k8s.io/v1/endpointslices"
USER = "system:kube-proxy"
# Services with such a label are somebody else's to route, or nobody's: kube-proxy does not look at them.
FOREIGN = frozenset({"service.kubernetes.io/service-proxy-name", "service.kubernetes.io/headless"})
# Seconds until a host that is not there is given up.
UNREACHABLE = 3.0
# Seconds that a client stays with its endpoint where the Service does not say (v1.DefaultClientIPServiceAffinitySeconds), and how
# many clients are remembered.
AFFINITY_SECONDS, MOST_AFFINE = 10_800, 10_000


@dataclass(frozen=True, slots=True)
class Route:
    """Where a connection goes: a pod's address and port, or why nowhere."""

    ip: str
    port: int
    refused: bool = False


class Network:
    """Shared by all machines. `kubelets` is the pool's own table."""

    def __init__(self, kubelets: dict[str, Kubelet], profile: Profile) -> None:
        self.kubelets = kubelets
        self._profile = profile
        self._random = random.Random("network")
        # Who has an address: pods by theirs, services by all of theirs, and by node port.
        self.pods: dict[str, PodState] = {}
        self._virtual: dict[str, str] = {}
        self._node_ports: dict[int, str] = {}
        self._slices_of: dict[str, set[str]] = {}
        self._history: dict[str, deque[tuple[float, Obj | None]]] = {}
        # Which endpoint a client of a Service's port has, and until when; who asked last is last.
        self._affine: dict[tuple[str, str, str], tuple[Route | None, float]] = {}
        # Who answers at the API server's address.
        self.api: Callable[[HTTPRequest, float], Awaitable[HTTPResult]] | None = None
        # Nodes that are cut off see what they saw when it happened.
        self.frozen: dict[str, float] = {}

    async def start(self, client: Client) -> None:
        """Follow Services and EndpointSlices as this client."""
        self._informers = SharedInformers(client)
        self.services = self._informers(SERVICES)
        self.slices = self._informers(SLICES)
        self.names = Names(self.services, self.slices, self.pods)
        self.services.add_handler(self._service_changed)
        self.slices.add_handler(self._slice_changed)
        await self._informers.start()

    async def stop(self) -> None:
        await self._informers.stop()

    # -- what is known -----------------------------------------------------------------------------------------------

    def join(self, ip: str, worker: PodState) -> None:
        """A pod has this address from now on."""
        self.pods[ip] = worker

    def leave(self, ip: str, worker: PodState) -> None:
        if self.pods.get(ip) is worker:
            del self.pods[ip]

    def _service_changed(self, old: Obj | None, new: Obj | None) -> None:
        for obj, table in ((old, False), (new, True)):
            if obj is None or not FOREIGN.isdisjoint(obj["metadata"].get("labels") or ()):
                continue
            key = f"{obj['metadata']['namespace']}/{obj['metadata']['name']}"
            for ip in _addresses(obj):
                if table:
                    self._virtual[ip] = key
                elif self._virtual.get(ip) == key:
                    del self._virtual[ip]
            for port in obj["spec"].get("ports") or ():
                number = port.get("nodePort")
                if number and table:
                    self._node_ports[number] = key
                elif number and self._node_ports.get(number) == key:
                    del self._node_ports[number]

    def _slice_changed(self, old: Obj | None, new: Obj | None) -> None:
        obj = new or old
        assert obj is not None
        metadata = obj["metadata"]
        service = (metadata.get("labels") or {}).get(SERVICE_NAME)
        if not service:
            return
        key, now = f"{metadata['namespace']}/{metadata['name']}", clock.now()
        self._slices_of.setdefault(f"{metadata['namespace']}/{service}", set()).add(key)
        history = self._history.setdefault(key, deque())
        history.append((now, new))
        # What is older than every node's delay, and than every cut, is not asked for any more.
        horizon = min([now - 2 * self._profile.proxy[1], *self.frozen.values()])
        while len(history) > 1 and history[1][0] <= horizon:
            history.popleft()

    def _seen(self, node: str, service: str) -> list[Obj]:
        """The slices of a service as this node sees them."""
        found = []
        now = self.frozen.get(node) or clock.now()
        least, most = self._profile.proxy
        for key in self._slices_of.get(service, ()):
            seen: Obj | None = None
            for at, version in self._history[key]:
                delay = least + (most - least) * (zlib.crc32(f"{node}{at}".encode()) / 2**32) if most else 0.0
                if at + delay > now and seen is not None:
                    break
                seen = version
            if seen is not None:
                found.append(seen)
        return found

    def resolve(self, name: str, namespace: str) -> list[str]:
        """The addresses behind a name, as a pod of `namespace` looks it up."""
        return self.names.resolve(name, namespace)

    # -- ways ----------------------------------------------------------------------------------------------------------

    def route(self, node: str, ip: str, port: int, client: str = "", protocol: str = "TCP") -> Route:
        """Where a connection from `node` to an address goes: through a Service's address to one of its endpoints."""
        key = self._virtual.get(ip)
        external = False
        if ip in LOOPBACK and port in self._node_ports and node in self.kubelets:
            ip = self.kubelets[node].ip
        if key is None and port in self._node_ports and self._kubelet_at(ip) is not None:
            key, external = self._node_ports[port], True
            node = next(name for name, one in self.kubelets.items() if one.ip == ip)
        if key is None:
            return Route(ip, port)
        service = self.services.get(key)
        wanted = None
        for one in (service or {}).get("spec", {}).get("ports") or ():
            if one.get("nodePort" if external else "port") == port and one.get("protocol", "TCP") == protocol:
                wanted = one
        if service is None or wanted is None:
            return Route(ip, port, refused=True)
        chosen = self._endpoints(node, key, service, wanted.get("name", ""), external=external)
        if not chosen:
            return Route(ip, port, refused=True)
        if service["spec"].get("sessionAffinity") == "ClientIP" and client:
            return self._same_as_before(service, (key, wanted.get("name", ""), client), chosen)
        return self._random.choice(chosen)

    def _same_as_before(self, service: Obj, who: tuple[str, str, str], chosen: list[Route]) -> Route:
        """The endpoint that a client had last, if that was not too long ago."""
        timeout = ((service["spec"].get("sessionAffinityConfig") or {}).get("clientIP") or {}).get("timeoutSeconds")
        now = clock.now()
        route, until = self._affine.pop(who, (None, 0.0))
        if route not in chosen or now >= until:
            route = self._random.choice(chosen)
        assert route is not None
        self._affine[who] = route, now + (timeout or AFFINITY_SECONDS)
        if len(self._affine) > MOST_AFFINE:
            del self._affine[next(iter(self._affine))]
        return route

    def _endpoints(self, node: str, key: str, service: Obj, port: str, *, external: bool) -> list[Route]:
        """The endpoints that take new connections; those that are terminating, when there are no others."""
        ready: list[Route] = []
        leaving: list[Route] = []
        policy = service["spec"].get("externalTrafficPolicy" if external else "internalTrafficPolicy", "Cluster")
        for one in self._seen(node, key):
            number = next((p.get("port") for p in one.get("ports") or () if p.get("name", "") == port), None)
            if number is None:
                continue
            for endpoint in one.get("endpoints") or ():
                if policy == "Local" and endpoint.get("nodeName") != node:
                    continue
                conditions = endpoint.get("conditions") or {}
                place = Route(endpoint["addresses"][0], number)
                if conditions.get("ready", True):
                    ready.append(place)
                elif conditions.get("serving") and conditions.get("terminating"):
                    leaving.append(place)
        return ready or leaving

    def _kubelet_at(self, ip: str) -> Kubelet | None:
        return next((one for one in self.kubelets.values() if one.ip == ip), None)

    def _worker_at(self, ip: str, port: int, protocol: str = "TCP") -> PodState | None:
        """The pod behind an address: its own, or its node's where it uses that."""
        worker = self.pods.get(ip)
        if worker is not None and not worker.pod["spec"].get("hostNetwork"):
            return worker
        kubelet = self._kubelet_at(ip)
        return None if kubelet is None else _on_machine(kubelet, ip, port, protocol)

    def _within(self, local: PodState | None, ip: str, port: int, protocol: str = "TCP") -> PodState | None:
        """Who answers a process that speaks to its own machine: its pod, or (on the node's network) whoever is there."""
        if local is None or ip not in (*LOOPBACK, local.ip):
            return None
        if local.pod["spec"].get("hostNetwork"):
            found = _on_machine(local.kubelet, ip, port, protocol)
            # A node port of the machine's own is a Service's like any other.
            return found or (None if port in self._node_ports else local)
        return local

    async def http(
        self, node: str, ip: str, port: int, request: HTTPRequest, timeout: float, local: PodState | None = None
    ) -> HTTPResult:
        """One request from a node (`local`: from inside this pod) to an address; status 0 and why when there is no answer."""
        own = self._within(local, ip, port)
        if own is not None:
            return await _ask(own, port, request, timeout)
        if ip == API_ADDRESS:
            return await self._ask_api(node, port, request, timeout)
        route = self.route(node, ip, port, request.client)
        worker = None if route.refused else self._worker_at(route.ip, route.port)
        answer = await self._at(route, worker, request, timeout)
        self._tell(node, ip, worker, answer, local)
        return answer

    async def _ask_api(self, node: str, port: int, request: HTTPRequest, timeout: float) -> HTTPResult:
        if node in self.frozen:
            await clock.sleep(min(timeout, UNREACHABLE))
            return HTTPResult(0, error=f"dial tcp {API_ADDRESS}:{port}: i/o timeout")
        if port != API_PORT or self.api is None:
            return HTTPResult(0, error=f"dial tcp {API_ADDRESS}:{port}: connect: connection refused")
        return await self.api(request, timeout)

    def _tell(self, node: str, ip: str, to: PodState | None, answer: HTTPResult, by: PodState | None = None) -> None:
        """Let whoever looks at the map see the request; a pod that ends counts its last ones."""
        if to is not None and to.last_requests is not None:
            to.last_requests.note(0 < answer.status < 500, answer.error or f"HTTP {answer.status}")
        if not signals.heard():
            return
        key = self._virtual.get(ip, "")
        namespace = to.pod["metadata"]["namespace"] if to is not None else key.partition("/")[0]
        signals.emit(
            "request",
            node,
            namespace,
            to.pod["metadata"]["name"] if to is not None else "",
            0 < answer.status < 500,
            answer.error or f"HTTP {answer.status}",
            service=key.partition("/")[2],
            client=f"{by.pod['metadata']['namespace']}/{by.pod['metadata']['name']}" if by is not None else "",
        )

    async def _at(self, route: Route, worker: PodState | None, request: HTTPRequest, timeout: float) -> HTTPResult:
        """The answer of whoever is at the end of a route."""
        if route.refused:
            return HTTPResult(0, error=f"dial tcp {route.ip}:{route.port}: connect: connection refused")
        if worker is None:
            if self._kubelet_at(route.ip) is not None:
                return HTTPResult(0, error=f"dial tcp {route.ip}:{route.port}: connect: connection refused")
            await clock.sleep(min(timeout, UNREACHABLE))
            why = "i/o timeout" if timeout <= UNREACHABLE else "connect: no route to host"
            return HTTPResult(0, error=f"dial tcp {route.ip}:{route.port}: {why}")
        return await _ask(worker, route.port, request, timeout)

    def nodes(self) -> list[str]:
        """The machines through which a client from outside may come."""
        return list(self.kubelets)

    async def ask(self, node: str, ip: str, port: int, path: str, timeout: float) -> tuple[int, str, str]:
        """One GET of a client outside of all pods: (status, why there was no answer, the pod that answered)."""
        if node not in self.kubelets:
            await clock.sleep(timeout)
            return 0, f"dial tcp {ip}:{port}: i/o timeout", ""
        route = self.route(node, ip, port)
        worker = None if route.refused else self._worker_at(route.ip, route.port)
        request = HTTPRequest(path, headers={"Host": ip}, client=self.kubelets[node].ip)
        answer = await self._at(route, worker, request, timeout)
        self._tell(node, ip, worker, answer)
        name = worker.pod["metadata"]["name"] if worker is not None and answer.status else ""
        return answer.status, answer.error, name

    async def connect(self, node: str, ip: str, port: int, timeout: float, local: PodState | None = None) -> str:
        """Empty when a connection is accepted, else why not."""
        own = self._within(local, ip, port)
        if own is not None:
            return "" if own.listening(own.inner_port(port)) else f"dial tcp {ip}:{port}: connect: connection refused"
        if ip == API_ADDRESS:
            return "" if port == API_PORT else f"dial tcp {ip}:{port}: connect: connection refused"
        route = self.route(node, ip, port)
        worker = None if route.refused else self._worker_at(route.ip, route.port)
        if worker is None and not route.refused and self._kubelet_at(route.ip) is None:
            await clock.sleep(min(timeout, UNREACHABLE))
            return f"dial tcp {ip}:{port}: i/o timeout"
        listening = worker is not None and worker.listening(worker.inner_port(route.port))
        return "" if listening else f"dial tcp {ip}:{port}: connect: connection refused"

    async def datagram(
        self, node: str, ip: str, port: int, text: str, timeout: float, local: PodState | None = None
    ) -> str | None:
        """What comes back for a UDP packet; None (after `timeout`) when nothing does."""
        worker = self._within(local, ip, port, "UDP")
        if worker is None:
            route = self.route(node, ip, port, local.ip if local else "", "UDP")
            worker, port = None if route.refused else self._worker_at(route.ip, route.port, "UDP"), route.port
        if worker is not None:
            port = worker.inner_port(port, "UDP")
            container = worker.listening(port, "UDP")
            answer = None
            if container is not None:
                answer = await worker.kubelet.runtime.datagram(container, port, text)
            if answer is not None:
                return answer
        await clock.sleep(timeout)
        return None


API_ADDRESS, API_PORT = "10.96.0.1", 443
LOOPBACK = ("127.0.0.1", "::1")


def _on_machine(kubelet: Kubelet, ip: str, port: int, protocol: str) -> PodState | None:
    """The pod that has a port of the machine: one on its network that listens there, or one with that host port."""
    for one in kubelet.workers.values():
        if one.pod["spec"].get("hostNetwork"):
            if one.listening(port, protocol) is not None:
                return one
        elif any(
            declared.get("hostPort") == port
            and declared.get("protocol", "TCP") == protocol
            and declared.get("hostIP", "") in ("", "0.0.0.0", ip)  # noqa: S104
            for spec in one.pod["spec"]["containers"]
            for declared in spec.get("ports") or ()
        ):
            return one
    return None


async def _ask(worker: PodState, port: int, request: HTTPRequest, timeout: float) -> HTTPResult:
    container = worker.listening(worker.inner_port(port))
    if container is None:
        return HTTPResult(0, error=f"dial tcp {worker.ip}:{port}: connect: connection refused")
    return await worker.kubelet.runtime.http(container, worker.inner_port(port), request, timeout)


def _addresses(service: Obj) -> list[str]:
    spec = service["spec"]
    found = [ip for ip in spec.get("clusterIPs") or [spec.get("clusterIP")] if ip and ip != "None"]
    found += spec.get("externalIPs") or []
    balancer = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return [*found, *(one["ip"] for one in balancer if one.get("ip"))]


class Link:
    """One pod's connection to the network (the shell's `Net`)."""

    __slots__ = ("_network", "_worker")

    def __init__(self, network: Network, worker: PodState) -> None:
        self._network = network
        self._worker = worker

    def resolve(self, name: str) -> list[str]:
        worker = self._worker
        if name == worker.hostname:
            return [worker.ip]
        known = lines_of(hosts_file(worker.pod, worker.ip, worker.kubelet.name), name)
        if known:
            return [address for address, _ in known if ":" not in address][:1]
        return self._network.resolve(name, worker.pod["metadata"]["namespace"])

    def query(self, name: str, kind: str, *, search: bool) -> list[tuple[str, str, str]]:
        namespace = self._worker.pod["metadata"]["namespace"] if search else ""
        return [(one.name, one.kind, one.data) for one in self._network.names.query(name, kind, namespace)]

    async def http(
        self, host: str, port: int, path: str, *, method: str, headers: dict[str, str], body: bytes, timeout: float
    ) -> HTTPResult:
        found = self.resolve(host)
        if not found:
            return HTTPResult(0, error=f"dial tcp: lookup {host} on 10.96.0.10:53: no such host")
        shown = {"Host": host if port in (80, 443) else f"{host}:{port}", **headers}
        request = HTTPRequest(path, method, shown, body, self._worker.ip)
        # A headless name has several addresses; any will do.
        address = found[0] if len(found) == 1 else random.choice(found)
        return await self._network.http(self._worker.kubelet.name, address, port, request, timeout, self._worker)

    def listening(self) -> list[tuple[str, int]]:
        return self._worker.ports()

    async def connect(self, host: str, port: int, timeout: float) -> str:
        found = self.resolve(host)
        if not found:
            return f"dial tcp: lookup {host}: no such host"
        return await self._network.connect(self._worker.kubelet.name, found[0], port, timeout, self._worker)

    async def datagram(self, host: str, port: int, text: str, timeout: float) -> str | None:
        found = self.resolve(host)
        if not found:
            return None
        return await self._network.datagram(self._worker.kubelet.name, found[0], port, text, timeout, self._worker)
