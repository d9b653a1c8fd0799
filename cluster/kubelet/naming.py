"""The names a pod lives under: its host name, /etc/hosts, /etc/resolv.conf, and the variables that name Services. Pure.

pkg/kubelet/kubelet_pods.go, pkg/kubelet/network/dns, pkg/kubelet/envvars.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Obj = dict[str, Any]
DOMAIN = "cluster.local"
DNS_SERVER = "10.96.0.10"
# What the machines themselves ask.
NODE_RESOLVER = "172.18.0.1"
MAX_HOSTNAME = 63
LOCAL = """127.0.0.1	localhost
::1	localhost ip6-localhost ip6-loopback
fe00::0	ip6-localnet
fe00::0	ip6-mcastprefix
fe00::1	ip6-allnodes
fe00::2	ip6-allrouters
"""


def domain_of(pod: Obj) -> str:
    """The pod's domain, where it has a subdomain."""
    subdomain = pod["spec"].get("subdomain")
    return f"{subdomain}.{pod['metadata']['namespace']}.svc.{DOMAIN}" if subdomain else ""


def short_name(pod: Obj, node: str) -> str:
    """The host name without the domain: the pod's own, the node's on the node's network."""
    spec = pod["spec"]
    if spec.get("hostnameOverride"):
        return str(spec["hostnameOverride"])
    if spec.get("hostNetwork"):
        return node
    return str(spec.get("hostname") or pod["metadata"]["name"])[:MAX_HOSTNAME].rstrip("-.")


def hostname_of(pod: Obj, node: str) -> str:
    """What `hostname` says inside."""
    name, domain = short_name(pod, node), domain_of(pod)
    return f"{name}.{domain}" if domain and pod["spec"].get("setHostnameAsFQDN") else name


def node_hosts(node: str) -> str:
    """/etc/hosts of a machine."""
    return f"127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.1.1\t{node}\n"


def hosts_file(pod: Obj, ip: str, node: str) -> str:
    """/etc/hosts as the kubelet manages it."""
    if pod["spec"].get("hostNetwork"):
        text = f"# Kubernetes-managed hosts file (host network).\n{node_hosts(node)}"
    else:
        name, domain = short_name(pod, node), domain_of(pod)
        shown = f"{name}.{domain}\t{name}" if domain else name
        text = f"# Kubernetes-managed hosts file.\n{LOCAL}{ip}\t{shown}\n"
    aliases = "".join(
        f"{alias['ip']}\t" + "\t".join(alias.get("hostnames") or ()) + "\n"
        for alias in pod["spec"].get("hostAliases") or ()
    )
    return text + (f"\n# Entries added by HostAliases.\n{aliases}" if aliases else "")


def resolver_file(pod: Obj) -> str:
    """/etc/resolv.conf by dnsPolicy and dnsConfig."""
    spec, namespace = pod["spec"], pod["metadata"]["namespace"]
    policy = spec.get("dnsPolicy", "ClusterFirst")
    if policy == "ClusterFirst" and spec.get("hostNetwork"):
        policy = "Default"
    servers: list[str] = []
    searches: list[str] = []
    options: dict[str, str] = {}
    if policy in ("ClusterFirst", "ClusterFirstWithHostNet"):
        servers, searches = [DNS_SERVER], [f"{namespace}.svc.{DOMAIN}", f"svc.{DOMAIN}", DOMAIN]
        options = {"ndots": "5"}
    elif policy == "Default":
        servers = [NODE_RESOLVER]
    config = spec.get("dnsConfig") or {}
    servers = list(dict.fromkeys([*servers, *(config.get("nameservers") or ())]))
    searches = list(dict.fromkeys([*searches, *(config.get("searches") or ())]))
    options.update({one["name"]: one.get("value") or "" for one in config.get("options") or ()})
    shown = " ".join(f"{name}:{value}" if value else name for name, value in options.items())
    return (
        (f"search {' '.join(searches)}\n" if searches else "")
        + "".join(f"nameserver {server}\n" for server in servers)
        + (f"options {shown}\n" if shown else "")
    )


def service_variables(services: Iterable[Obj], namespace: str, *, links: bool) -> dict[str, str]:
    """HOST and PORT of every Service with an address, as Docker's links had them; without `links` of the API's alone."""
    found: dict[str, str] = {}
    chosen: dict[str, Obj] = {}
    for service in services:
        metadata, spec = service["metadata"], service["spec"]
        if spec.get("clusterIP") in (None, "", "None"):
            continue
        if metadata["namespace"] == namespace and links:
            chosen[metadata["name"]] = service
        elif (metadata["namespace"], metadata["name"]) == ("default", "kubernetes"):
            chosen.setdefault(metadata["name"], service)
    for name in sorted(chosen):
        found.update(_variables_of(name, chosen[name]["spec"]))
    return found


def _variables_of(name: str, spec: Obj) -> dict[str, str]:
    prefix, ip = name.upper().replace("-", "_"), spec["clusterIP"]
    ports = spec.get("ports") or []
    if not ports:
        return {}
    found = {f"{prefix}_SERVICE_HOST": ip, f"{prefix}_SERVICE_PORT": str(ports[0]["port"])}
    for port in ports:
        if port.get("name"):
            found[f"{prefix}_SERVICE_PORT_{port['name'].upper().replace('-', '_')}"] = str(port["port"])
    for at, port in enumerate(ports):
        protocol, number = port.get("protocol", "TCP"), port["port"]
        url = f"{protocol.lower()}://{ip}:{number}"
        if at == 0:
            found[f"{prefix}_PORT"] = url
        each = f"{prefix}_PORT_{number}_{protocol}"
        found.update({each: url, f"{each}_PROTO": protocol.lower(), f"{each}_PORT": str(number), f"{each}_ADDR": ip})
    return found
