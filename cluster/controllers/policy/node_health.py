"""What a node's conditions mean for its taints, and how fast nodes may be emptied (pkg/controller/nodelifecycle)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from cluster import clock
from cluster.apimachinery.meta import get_condition
from cluster.client.client import Obj

GRACE_PERIOD, STARTUP_GRACE_PERIOD = 50.0, 60.0
NOT_READY, UNREACHABLE = "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"
NO_SCHEDULE, NO_EXECUTE = "NoSchedule", "NoExecute"
WATCHED = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")

# condition → status → the key of its NoSchedule taint
SCHEDULE_TAINTS = {
    "Ready": {"False": NOT_READY, "Unknown": UNREACHABLE},
    "MemoryPressure": {"True": "node.kubernetes.io/memory-pressure"},
    "DiskPressure": {"True": "node.kubernetes.io/disk-pressure"},
    "NetworkUnavailable": {"True": "node.kubernetes.io/network-unavailable"},
    "PIDPressure": {"True": "node.kubernetes.io/pid-pressure"},
}
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
MANAGED_KEYS = frozenset(key for keys in SCHEDULE_TAINTS.values() for key in keys.values()) | {UNSCHEDULABLE}
EXECUTE_KEYS = frozenset((NOT_READY, UNREACHABLE))

# Nodes a second that may be emptied: normally, and in a large zone that is partly disrupted.
EVICTION_RATE, SECONDARY_RATE = 0.1, 0.01
LARGE_ZONE, UNHEALTHY_ZONE = 50, 0.55


def readiness(node: Obj) -> str:
    """The Ready condition's status; empty when the kubelet has never reported one."""
    ready = get_condition(node, "Ready")
    return ready["status"] if ready is not None else ""


def silent_conditions(node: Obj, now: float) -> list[Obj]:
    """The conditions of a node whose kubelet has been silent for too long: all Unknown."""
    moment = clock.timestamp(now)
    conditions = list((node.get("status") or {}).get("conditions") or ())
    for kind in WATCHED:
        position = next((i for i, known in enumerate(conditions) if known["type"] == kind), None)
        if position is None:
            created = node["metadata"].get("creationTimestamp", moment)
            conditions.append(
                {
                    "type": kind,
                    "status": "Unknown",
                    "lastHeartbeatTime": created,
                    "lastTransitionTime": moment,
                    "reason": "NodeStatusNeverUpdated",
                    "message": "Kubelet never posted node status.",
                }
            )
        elif conditions[position]["status"] != "Unknown":
            conditions[position] = {
                **conditions[position],
                "status": "Unknown",
                "lastTransitionTime": moment,
                "reason": "NodeStatusUnknown",
                "message": "Kubelet stopped posting node status.",
            }
    return conditions


def schedule_keys(node: Obj) -> list[str]:
    """The NoSchedule taints that the node's conditions and spec.unschedulable ask for."""
    keys = []
    for condition in (node.get("status") or {}).get("conditions") or ():
        key = SCHEDULE_TAINTS.get(condition["type"], {}).get(condition["status"])
        if key is not None:
            keys.append(key)
    if node["spec"].get("unschedulable"):
        keys.append(UNSCHEDULABLE)
    return keys


def execute_key(node: Obj) -> str:
    """The NoExecute taint that the Ready condition asks for, or nothing."""
    return {"False": NOT_READY, "Unknown": UNREACHABLE}.get(readiness(node), "")


def with_taints(
    taints: Iterable[Obj], effect: str, managed: frozenset[str], wanted: Iterable[str], now: float
) -> list[Obj]:
    """The taints with exactly `wanted` among those of this effect that are ours; foreign ones stay."""
    missing = list(wanted)
    result = []
    for taint in taints:
        if taint.get("effect") == effect and taint["key"] in managed:
            if taint["key"] not in missing:
                continue
            missing.remove(taint["key"])
        result.append(taint)
    return result + [{"key": key, "effect": effect, "timeAdded": clock.timestamp(now)} for key in missing]


def zone_of(node: Obj) -> str:
    labels = node["metadata"].get("labels") or {}
    return f"{labels.get('topology.kubernetes.io/region', '')}:{labels.get('topology.kubernetes.io/zone', '')}"


def eviction_rate(ready: int, not_ready: int) -> float:
    """Nodes a second that may be emptied in a zone with so many ready and not ready nodes; 0 is none."""
    size = ready + not_ready
    if ready and not_ready > 2 and not_ready / size >= UNHEALTHY_ZONE:
        # Perhaps it is the network: be careful in a large zone, do nothing in a small one.
        return SECONDARY_RATE if size > LARGE_ZONE else 0.0
    return EVICTION_RATE


# How many nodes of a zone have a readiness: (zone, readiness) → count.
States = Counter[tuple[str, str]]


def all_disrupted(states: States) -> bool:
    """No node at all is ready: more likely it is our end of the line that is broken, so nobody is evicted."""
    there = {readiness for (_, readiness), count in states.items() if count > 0}
    return bool(there) and "True" not in there


def ready_in(states: States, zone: str) -> tuple[int, int]:
    """How many nodes of a zone are ready, and how many are not."""
    ready = states[zone, "True"]
    return ready, sum(count for (where, _), count in states.items() if where == zone) - ready
