"""The cluster's DNS: what CoreDNS answers for Services, their ports, their pods and their addresses (kubernetes.io/dns specification).

Names are tuples of labels without the cluster's domain: ("web", "default", "svc").
"""

from __future__ import annotations

import ipaddress
from collections.abc import Container, Iterator
from dataclasses import dataclass

from cluster.client.client import Obj
from cluster.client.informer import Informer

DOMAIN = ("cluster", "local")
SERVICE_NAME = "kubernetes.io/service-name"
Labels = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """One record: whose it is, A, SRV, PTR, CNAME or TXT, and what it says. Names end in a dot."""

    name: str
    kind: str
    data: str


def _full(labels: Labels) -> str:
    return ".".join((*labels, *DOMAIN)) + "."


class Names:
    """The zone, made of Services and EndpointSlices. `pods` are the addresses that pods have."""

    def __init__(self, services: Informer, slices: Informer, pods: Container[str]) -> None:
        self._services = services
        self._slices = slices
        self._pods = pods

    # -- questions -----------------------------------------------------------------------------------------------------

    def resolve(self, name: str, namespace: str) -> list[str]:
        """The addresses behind a name, as a pod of `namespace` looks it up."""
        try:
            return [str(ipaddress.ip_address(name.strip("[]")))]
        except ValueError:
            return [one.data for one in self.query(name, "A", namespace) if one.kind == "A"]

    def query(self, name: str, kind: str, namespace: str = "") -> list[Answer]:
        """The records of a name; with a namespace the resolver's search list is gone through, unless the name ends in a dot."""
        labels = tuple(part for part in name.lower().rstrip(".").split(".") if part)
        tries = [labels]
        if namespace and not name.endswith("."):
            tries = [(*labels, namespace, "svc"), (*labels, "svc"), labels, labels]
        for candidate in tries:
            inside = candidate[:-2] if candidate[-2:] == DOMAIN else candidate
            found = self._records(inside, kind)
            if found:
                return found
        return []

    def _records(self, labels: Labels, kind: str) -> list[Answer]:
        if kind == "PTR":
            return self._reverse(labels)
        if kind == "TXT":
            version = labels == ("dns-version",)
            return [Answer(_full(labels), "TXT", '"1.1.0"')] if version else []
        if kind == "SRV":
            return self._ports(labels)
        if len(labels) == 3 and labels[2] == "pod":
            ip = labels[0].replace("-", ".")
            return [Answer(_full(labels), "A", ip)] if kind == "A" and ip in self._pods else []
        if len(labels) not in (3, 4) or labels[-1] != "svc":
            return []
        service = self._services.get(f"{labels[-2]}/{labels[-3]}")
        if service is None:
            return []
        if service["spec"].get("type") == "ExternalName" and len(labels) == 3:
            target = str(service["spec"].get("externalName", "")).rstrip(".") + "."
            alias = Answer(_full(labels), "CNAME", target)
            return [alias, *(self.query(target, "A") if kind == "A" else [])] if kind in ("A", "CNAME") else []
        if kind != "A":
            return []
        host = labels[0] if len(labels) == 4 else ""
        return [Answer(_full(labels), "A", ip) for ip in self._addresses(service, host)]

    # -- what the zone is made of ----------------------------------------------------------------------------------------

    def _addresses(self, service: Obj, host: str) -> list[str]:
        spec = service["spec"]
        if not host and spec.get("clusterIP") not in (None, "", "None"):
            return [ip for ip in spec.get("clusterIPs") or [spec["clusterIP"]] if ip]
        return [
            ip
            for _, endpoint in self._endpoints(service)
            for ip in endpoint["addresses"]
            if not host or host in (endpoint.get("hostname"), ip.replace(".", "-"))
        ]

    def _endpoints(self, service: Obj) -> Iterator[tuple[Obj, Obj]]:
        """(slice, endpoint) of what is ready."""
        metadata = service["metadata"]
        for one in self._slices.by_index("namespace", metadata["namespace"]):
            if (one["metadata"].get("labels") or {}).get(SERVICE_NAME) != metadata["name"]:
                continue
            for endpoint in one.get("endpoints") or ():
                if (endpoint.get("conditions") or {}).get("ready", True):
                    yield one, endpoint

    def _ports(self, labels: Labels) -> list[Answer]:
        """`_http._tcp.web.default.svc`: the port of a Service, or of each pod of one without an address."""
        if len(labels) != 5 or labels[4] != "svc" or labels[0][:1] != "_" or labels[1][:1] != "_":
            return []
        service = self._services.get(f"{labels[3]}/{labels[2]}")
        if service is None:
            return []
        port, protocol = labels[0][1:], labels[1][1:].upper()
        if service["spec"].get("clusterIP") not in (None, "", "None"):
            return [
                Answer(_full(labels), "SRV", f"0 100 {one['port']} {_full(labels[2:])}")
                for one in service["spec"].get("ports") or ()
                if one.get("name") == port and one.get("protocol", "TCP") == protocol
            ]
        found = []
        for one, endpoint in self._endpoints(service):
            number = next(
                (
                    p["port"]
                    for p in one.get("ports") or ()
                    if p.get("name") == port and p.get("protocol", "TCP") == protocol
                ),
                None,
            )
            if number is not None:
                host = endpoint.get("hostname") or endpoint["addresses"][0].replace(".", "-")
                found.append((number, _full((host, *labels[2:]))))
        weight = 100 // max(len(found), 1)
        return [Answer(_full(labels), "SRV", f"0 {weight} {number} {target}") for number, target in found]

    def _reverse(self, labels: Labels) -> list[Answer]:
        """`1.0.96.10.in-addr.arpa`: whose address that is."""
        if labels[-2:] != ("in-addr", "arpa") or len(labels) != 6:
            return []
        ip, name = ".".join(reversed(labels[:4])), ".".join(labels) + "."
        for service in self._services.list():
            metadata = service["metadata"]
            path = (metadata["name"], metadata["namespace"], "svc")
            if service["spec"].get("clusterIP") == ip:
                return [Answer(name, "PTR", _full(path))]
            if service["spec"].get("clusterIP") != "None":
                continue
            for _, endpoint in self._endpoints(service):
                if ip in endpoint["addresses"]:
                    host = endpoint.get("hostname") or ip.replace(".", "-")
                    return [Answer(name, "PTR", _full((host, *path)))]
        return []
