"""Rows of what routes traffic: Services, Endpoints, EndpointSlices, Ingresses, NetworkPolicies, address ranges."""

from __future__ import annotations

from typing import Any

from cluster.apiserver.printers.columns import (
    AGE,
    NAME,
    NONE,
    UNKNOWN,
    UNSET,
    Cells,
    Column,
    Obj,
    age,
    first_three,
    joined,
    labels,
    name_of,
    printer,
    selector,
    spec_of,
    status_of,
    wide,
)


@printer(
    "services",
    NAME,
    Column("Type", "@core.v1.ServiceSpec.type"),
    Column("Cluster-IP", "@core.v1.ServiceSpec.clusterIP"),
    Column("External-IP", "@core.v1.ServiceSpec.externalIPs"),
    Column("Port(s)", "@core.v1.ServiceSpec.ports"),
    AGE,
    wide("Selector", "@core.v1.ServiceSpec.selector"),
)
def service(obj: Obj, now: float) -> Cells:
    spec = spec_of(obj)
    addresses = spec.get("clusterIPs") or [spec.get("clusterIP")]
    return [
        name_of(obj),
        spec.get("type", ""),
        addresses[0] or NONE,
        _external(spec, status_of(obj)),
        joined(_port(port) for port in spec.get("ports") or ()),
        age(obj, now),
        labels(spec.get("selector")),
    ]


def _port(port: Any) -> str:
    node = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port['port']}{node}/{port.get('protocol', 'TCP')}"


def _external(spec: Any, status: Any) -> str:
    kind, external = spec.get("type"), spec.get("externalIPs") or []
    if kind in ("ClusterIP", "NodePort"):
        return joined(external)
    if kind == "LoadBalancer":
        return ",".join([*_given(status), *external]) or "<pending>"
    if kind == "ExternalName":
        return str(spec.get("externalName", ""))
    return UNKNOWN


def _given(status: Any) -> list[str]:
    """The addresses that a load balancer has, each once, sorted."""
    points = (status.get("loadBalancer") or {}).get("ingress") or ()
    return sorted({point.get("ip") or point.get("hostname") or "" for point in points} - {""})


@printer("endpoints", NAME, Column("Endpoints", "@core.v1.Endpoints.subsets"), AGE)
def endpoints(obj: Obj, now: float) -> Cells:
    found: list[str] = []
    for subset in obj.get("subsets") or ():
        addresses, ports = subset.get("addresses") or (), subset.get("ports") or ()
        if not ports:  # a headless service may have none
            found.extend(address["ip"] for address in addresses)
        for port in ports:
            found.extend(_host_port(address["ip"], port["port"]) for address in addresses)
    return [name_of(obj), first_three(found, "" if obj.get("subsets") else NONE), age(obj, now)]


def _host_port(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@printer(
    "discovery.k8s.io/endpointslices",
    NAME,
    Column("AddressType", "@discovery.v1.EndpointSlice.addressType"),
    Column("Ports", "@discovery.v1.EndpointSlice.ports"),
    Column("Endpoints", "@discovery.v1.EndpointSlice.endpoints"),
    AGE,
)
def endpointslice(obj: Obj, now: float) -> Cells:
    ports = [str(port.get("port") or port.get("name", "*")) for port in obj.get("ports") or ()]
    addresses = [address for one in obj.get("endpoints") or () for address in one.get("addresses") or ()]
    return [
        name_of(obj),
        obj.get("addressType", ""),
        first_three(ports, UNSET),
        first_three(addresses, UNSET),
        age(obj, now),
    ]


@printer(
    "networking.k8s.io/ingresses",
    NAME,
    Column("Class", "The name of the IngressClass resource that should be used for additional configuration"),
    Column("Hosts", "Hosts that incoming requests are matched against before the ingress rule"),
    Column("Address", "Address is a list containing ingress points for the load-balancer"),
    Column("Ports", "Ports of TLS configurations that open"),
    AGE,
)
def ingress(obj: Obj, now: float) -> Cells:
    spec = spec_of(obj)
    return [
        name_of(obj),
        spec.get("ingressClassName", NONE),
        _hosts(spec.get("rules") or ()),
        ",".join(_given(status_of(obj))),
        "80, 443" if spec.get("tls") else "80",
        age(obj, now),
    ]


def _hosts(rules: Any) -> str:
    """Three hosts; what follows is counted in rules, as Kubernetes counts it."""
    found: list[str] = []
    for rule in rules:
        if len(found) == 3:
            return f"{','.join(found)} + {len(rules) - 3} more..."
        if rule.get("host"):
            found.append(rule["host"])
    return ",".join(found) or "*"


@printer(
    "networking.k8s.io/ingressclasses",
    NAME,
    Column("Controller", "Controller that is responsible for handling this class"),
    Column("Parameters", "A reference to a resource with additional parameters"),
    AGE,
)
def ingressclass(obj: Obj, now: float) -> Cells:
    spec = spec_of(obj)
    parameters = spec.get("parameters")
    shown = NONE
    if parameters:
        group = parameters.get("apiGroup")
        shown = f"{parameters['kind']}{'.' + group if group is not None else ''}/{parameters['name']}"
    return [name_of(obj), spec.get("controller", ""), shown, age(obj, now)]


@printer(
    "networking.k8s.io/networkpolicies",
    NAME,
    Column("Pod-Selector", "@networking.v1.NetworkPolicySpec.podSelector"),
    AGE,
)
def networkpolicy(obj: Obj, now: float) -> Cells:
    return [name_of(obj), selector(spec_of(obj).get("podSelector") or {}), age(obj, now)]


@printer("networking.k8s.io/servicecidrs", NAME, Column("CIDRs", "@networking.v1.ServiceCIDRSpec.cidrs"), AGE)
def servicecidr(obj: Obj, now: float) -> Cells:
    return [name_of(obj), ",".join(spec_of(obj).get("cidrs") or ()), age(obj, now)]


# Kubernetes declares two columns and fills three cells; clients show what is declared.
@printer("networking.k8s.io/ipaddresses", NAME, Column("ParentRef", "@networking.v1.IPAddressSpec.parentRef"))
def ipaddress(obj: Obj, now: float) -> Cells:
    parent = spec_of(obj).get("parentRef")
    shown = NONE
    if parent:
        group, namespace = parent.get("group"), parent.get("namespace")
        shown = f"{parent.get('resource', '')}{'.' + group if group else ''}".lower()
        shown += f"/{namespace}/{parent.get('name', '')}" if namespace else f"/{parent.get('name', '')}"
    return [name_of(obj), shown, age(obj, now)]
