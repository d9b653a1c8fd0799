"""Whether a pod that is bound to a node may run there after all (pkg/kubelet/lifecycle, pkg/kubelet/sysctl). Pure.

The answer is (reason, message) of a refusal: the pod fails, with the message after "Pod was rejected: ".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cluster.apimachinery.placement import untolerated, wants_node
from cluster.apimachinery.podresources import Amounts, amount, host_ports, pod_requests, ports_conflict

Obj = dict[str, Any]
Refusal = tuple[str, str]
SAFE_SYSCTLS = frozenset(
    [
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.tcp_wmem",
    ]
)
# RuntimeClass handlers that the machines have.
HANDLERS = frozenset({"", "runc", "test-handler"})


def node_resources(pod: Obj, used: Amounts, allocatable: Obj) -> Refusal | None:
    """OutOfcpu and its like: what the scheduler counted is not there any more. A pod itself counts, too."""
    if not allocatable:
        return None
    for name, wanted in {"pods": 1, **pod_requests(pod["spec"])}.items():
        if "/" in name and name not in allocatable:
            # Somebody else's resource, of which this kubelet has not heard.
            continue
        capacity, taken = amount(name, allocatable.get(name, "0")), used.get(name, 0)
        if wanted > capacity - taken:
            return (
                f"OutOf{name}",
                f"Node didn't have enough resource: {name}, requested: {wanted}, used: {taken}, capacity: {capacity}",
            )
    return None


def node_predicates(pod: Obj, node: Obj, others: Iterable[Obj]) -> Refusal | None:
    """What the scheduler checks first, checked again: pods may be bound by hand, and nodes change."""
    spec = pod["spec"]
    if not wants_node({**spec, "nodeName": ""}, node):
        return "NodeAffinity", "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"
    wanted = host_ports(spec)
    for other in others if wanted else ():
        if any(ports_conflict(one, two) for one in wanted for two in host_ports(other["spec"])):
            return (
                "NodePorts",
                "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
            )
    taints = (node.get("spec") or {}).get("taints") or ()
    if untolerated(spec.get("tolerations") or (), taints, ("NoExecute",)) is not None:
        return "TaintToleration", "Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate"
    return None


def operating_system(pod: Obj) -> Refusal | None:
    wanted = (pod["spec"].get("os") or {}).get("name", "linux")
    if wanted != "linux":
        return "PodOSNotSupported", f'Failed to admit pod as the OS field doesn\'t match node OS; pod OS: "{wanted}"'
    return None


def sysctls(pod: Obj) -> Refusal | None:
    """Kernel settings that are not safe are not given to pods."""
    spec = pod["spec"]
    for one in (spec.get("securityContext") or {}).get("sysctls") or ():
        name = one["name"].replace("/", ".")
        if name not in SAFE_SYSCTLS:
            return "SysctlForbidden", f'forbidden sysctl: "{name}" not allowlisted'
        if spec.get("hostNetwork") and name.startswith("net."):
            return "SysctlForbidden", f'forbidden sysctl: "{name}" not allowed with host net enabled'
        if spec.get("hostIPC") and name.startswith("kernel.shm"):
            return "SysctlForbidden", f'forbidden sysctl: "{name}" not allowed with host ipc enabled'
    return None
