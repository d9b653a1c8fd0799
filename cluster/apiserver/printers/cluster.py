"""Rows of the cluster itself and of plain configuration: namespaces, nodes, config maps, secrets, quotas, leases, classes."""

from __future__ import annotations

from typing import Any

from cluster.apiserver.printers.columns import (
    AGE,
    NAME,
    NONE,
    UNKNOWN,
    Cells,
    Column,
    Obj,
    age,
    boolean,
    integer,
    joined,
    name_of,
    printer,
    spec_of,
    status_of,
    wide,
)

_ROLE_PREFIX, _ROLE = "node-role.kubernetes.io/", "kubernetes.io/role"


@printer("namespaces", NAME, Column("Status", "The status of the namespace"), AGE)
def namespace(obj: Obj, now: float) -> Cells:
    return [name_of(obj), status_of(obj).get("phase", ""), age(obj, now)]


@printer(
    "nodes",
    NAME,
    Column("Status", "The status of the node"),
    Column("Roles", "The roles of the node"),
    AGE,
    Column("Version", "@core.v1.NodeSystemInfo.kubeletVersion"),
    wide("Internal-IP", "@core.v1.NodeStatus.addresses"),
    wide("External-IP", "@core.v1.NodeStatus.addresses"),
    wide("OS-Image", "@core.v1.NodeSystemInfo.osImage"),
    wide("Kernel-Version", "@core.v1.NodeSystemInfo.kernelVersion"),
    wide("Container-Runtime", "@core.v1.NodeSystemInfo.containerRuntimeVersion"),
)
def node(obj: Obj, now: float) -> Cells:
    status = status_of(obj)
    info = status.get("nodeInfo") or {}
    return [
        name_of(obj),
        _node_state(obj),
        joined(_roles(obj["metadata"].get("labels") or {})),
        age(obj, now),
        info.get("kubeletVersion", ""),
        _address(status, "InternalIP"),
        _address(status, "ExternalIP"),
        info.get("osImage") or UNKNOWN,
        info.get("kernelVersion") or UNKNOWN,
        info.get("containerRuntimeVersion") or UNKNOWN,
    ]


def _node_state(obj: Obj) -> str:
    conditions = {one["type"]: one["status"] for one in status_of(obj).get("conditions") or ()}
    if "Ready" not in conditions:
        state = "Unknown"
    else:
        state = "Ready" if conditions["Ready"] == "True" else "NotReady"
    return f"{state},SchedulingDisabled" if spec_of(obj).get("unschedulable") else state


def _roles(labels: Any) -> list[str]:
    found = {key.removeprefix(_ROLE_PREFIX) for key in labels if key.startswith(_ROLE_PREFIX)}
    found.add(labels.get(_ROLE, ""))
    return sorted(found - {""})


def _address(status: Any, kind: str) -> str:
    return next((one["address"] for one in status.get("addresses") or () if one["type"] == kind), NONE)


@printer("configmaps", NAME, Column("Data", "@core.v1.ConfigMap.data"), AGE)
def configmap(obj: Obj, now: float) -> Cells:
    return [name_of(obj), len(obj.get("data") or ()) + len(obj.get("binaryData") or ()), age(obj, now)]


@printer("secrets", NAME, Column("Type", "@core.v1.Secret.type"), Column("Data", "@core.v1.Secret.data"), AGE)
def secret(obj: Obj, now: float) -> Cells:
    return [name_of(obj), obj.get("type", ""), len(obj.get("data") or ()), age(obj, now)]


@printer("serviceaccounts", NAME, AGE)
def serviceaccount(obj: Obj, now: float) -> Cells:
    return [name_of(obj), age(obj, now)]


@printer(
    "resourcequotas",
    NAME,
    Column("Request", "Request represents a minimum amount of cpu/memory that a container may consume."),
    Column(
        "Limit",
        "Limits control the maximum amount of cpu/memory that a container may use independent of contention on the node.",
    ),
    AGE,
)
def quota(obj: Obj, now: float) -> Cells:
    status = status_of(obj)
    hard, used = status.get("hard") or {}, status.get("used") or {}
    requests: list[str] = []
    limits: list[str] = []
    for name in sorted(hard):
        column = limits if name.startswith("limits.") else requests
        column.append(f"{name}: {used.get(name, '0')}/{hard[name]}")
    return [name_of(obj), ", ".join(requests), ", ".join(limits), age(obj, now)]


@printer(
    "componentstatuses",
    NAME,
    Column("Status", "Status of the component conditions"),
    Column("Message", "Message of the component conditions"),
    Column("Error", "Error of the component conditions"),
)
def componentstatus(obj: Obj, now: float) -> Cells:
    healthy = next((one for one in obj.get("conditions") or () if one["type"] == "Healthy"), None)
    if healthy is None:
        return [name_of(obj), "Unknown", "", ""]
    state = "Healthy" if healthy["status"] == "True" else "Unhealthy"
    return [name_of(obj), state, healthy.get("message", ""), healthy.get("error", "")]


@printer("coordination.k8s.io/leases", NAME, Column("Holder", "@coordination.v1.LeaseSpec.holderIdentity"), AGE)
def lease(obj: Obj, now: float) -> Cells:
    return [name_of(obj), spec_of(obj).get("holderIdentity", ""), age(obj, now)]


@printer(
    "scheduling.k8s.io/priorityclasses",
    NAME,
    integer("Value", "@scheduling.v1.PriorityClass.value"),
    boolean("Global-Default", "@scheduling.v1.PriorityClass.globalDefault"),
    AGE,
    Column("PreemptionPolicy", "@scheduling.v1.PriorityClass.preemptionPolicy"),
)
def priorityclass(obj: Obj, now: float) -> Cells:
    return [
        name_of(obj),
        obj.get("value", 0),
        bool(obj.get("globalDefault")),
        age(obj, now),
        obj.get("preemptionPolicy", ""),
    ]


# Kubernetes looks the handler's description up in the wrong place and finds none.
@printer("node.k8s.io/runtimeclasses", NAME, Column("Handler"), AGE)
def runtimeclass(obj: Obj, now: float) -> Cells:
    return [name_of(obj), obj.get("handler", ""), age(obj, now)]
