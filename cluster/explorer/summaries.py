"""Objects as the map needs them: a few hundred bytes instead of a few thousand. Pure functions, one per resource."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cluster import clock
from cluster.apimachinery import quantity
from cluster.apimachinery.meta import controller_of, get_condition

Obj = dict[str, Any]


def _epoch(text: str | None) -> float | None:
    return clock.parse(text) if text else None


def _owner(obj: Obj) -> Obj | None:
    reference = controller_of(obj)
    return None if reference is None else {key: reference[key] for key in ("kind", "name", "uid")}


def _base(obj: Obj) -> Obj:
    metadata = obj["metadata"]
    return {
        "uid": metadata.get("uid", ""),
        "namespace": metadata.get("namespace", ""),
        "name": metadata["name"],
        "rv": metadata.get("resourceVersion", ""),
        "created": _epoch(metadata.get("creationTimestamp")),
        "deleting": _epoch(metadata.get("deletionTimestamp")),
        "labels": metadata.get("labels") or {},
        "owner": _owner(obj),
    }


def pod_status_word(pod: Obj) -> str:
    """The STATUS column of `kubectl get pods`."""
    status = pod.get("status") or {}
    word = status.get("reason") or status.get("phase") or "Unknown"
    spec_init = {container["name"]: container for container in pod["spec"].get("initContainers") or ()}
    initializing = False
    for position, container in enumerate(status.get("initContainerStatuses") or ()):
        state = container.get("state") or {}
        sidecar = (spec_init.get(container["name"]) or {}).get("restartPolicy") == "Always"
        terminated, waiting = state.get("terminated"), state.get("waiting")
        if terminated is not None and terminated.get("exitCode") == 0:
            continue
        if sidecar and container.get("started"):
            continue
        initializing = True
        if terminated is not None:
            word = f"Init:{terminated.get('reason') or 'ExitCode:' + str(terminated.get('exitCode'))}"
        elif waiting is not None and waiting.get("reason") not in (None, "", "PodInitializing"):
            word = f"Init:{waiting['reason']}"
        else:
            word = f"Init:{position}/{len(spec_init)}"
        break
    if not initializing:
        running = False
        for container in reversed(status.get("containerStatuses") or ()):
            state = container.get("state") or {}
            waiting, terminated = state.get("waiting"), state.get("terminated")
            if waiting is not None and waiting.get("reason"):
                word = waiting["reason"]
            elif terminated is not None:
                signal = terminated.get("signal")
                word = terminated.get("reason") or (
                    f"Signal:{signal}" if signal else f"ExitCode:{terminated.get('exitCode')}"
                )
            elif container.get("ready") and state.get("running") is not None:
                running = True
        if word == "Completed" and running:
            ready = get_condition(pod, "Ready")
            word = "Running" if ready is not None and ready["status"] == "True" else "NotReady"
    if pod["metadata"].get("deletionTimestamp"):
        word = "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    return str(word)


def pod(obj: Obj) -> Obj:
    spec, status = obj["spec"], obj.get("status") or {}
    containers = status.get("containerStatuses") or []
    ready = get_condition(obj, "Ready")
    return {
        **_base(obj),
        "node": spec.get("nodeName", ""),
        "phase": status.get("phase", "Pending"),
        "status": pod_status_word(obj),
        "ready": f"{sum(1 for container in containers if container.get('ready'))}/{len(spec['containers'])}",
        "isReady": ready is not None and ready["status"] == "True",
        "restarts": sum(container.get("restartCount", 0) for container in containers),
        "images": [container.get("image", "") for container in spec["containers"]],
        "ip": status.get("podIP", ""),
        "qos": status.get("qosClass", ""),
        "grace": obj["metadata"].get("deletionGracePeriodSeconds"),
        **_requested(spec),
    }


def _requested(spec: Obj) -> Obj:
    """What the containers ask for together: cores and bytes."""
    requests = [(container.get("resources") or {}).get("requests") or {} for container in spec["containers"]]
    return {
        "cpu": sum(quantity.milli(one["cpu"]) for one in requests if "cpu" in one) / 1000,
        "memory": sum(quantity.value(one["memory"]) for one in requests if "memory" in one),
    }


def node(obj: Obj) -> Obj:
    spec, status, labels = obj.get("spec") or {}, obj.get("status") or {}, obj["metadata"].get("labels") or {}
    ready = get_condition(obj, "Ready")
    capacity = status.get("allocatable") or status.get("capacity") or {}
    return {
        **_base(obj),
        "zone": labels.get("topology.kubernetes.io/zone", ""),
        "ready": ready["status"] if ready is not None else "Unknown",
        "reason": (ready or {}).get("message", ""),
        "unschedulable": bool(spec.get("unschedulable")),
        "taints": spec.get("taints") or [],
        "capacity": {
            "cpu": quantity.milli(capacity.get("cpu", "0")) / 1000,
            "memory": quantity.value(capacity.get("memory", "0")),
            "pods": quantity.value(capacity.get("pods", "0")),
        },
    }


def workload(obj: Obj) -> Obj:
    spec, status, metadata = obj["spec"], obj.get("status") or {}, obj["metadata"]
    template = ((spec.get("template") or {}).get("spec")) or {}
    return {
        **_base(obj),
        "desired": spec.get("replicas", 1),
        "current": status.get("replicas", 0),
        "ready": status.get("readyReplicas", 0),
        "updated": status.get("updatedReplicas", 0),
        "available": status.get("availableReplicas", 0),
        "generation": metadata.get("generation", 0),
        "observed": status.get("observedGeneration", 0),
        "images": [container.get("image", "") for container in template.get("containers") or ()],
        "revision": (metadata.get("annotations") or {}).get("deployment.kubernetes.io/revision", ""),
        "conditions": status.get("conditions") or [],
    }


def namespace(obj: Obj) -> Obj:
    return {**_base(obj), "phase": (obj.get("status") or {}).get("phase", "")}


def service(obj: Obj) -> Obj:
    spec = obj["spec"]
    return {
        **_base(obj),
        "type": spec.get("type", ""),
        "clusterIP": spec.get("clusterIP", ""),
        "ports": spec.get("ports") or [],
        "selector": spec.get("selector") or {},
    }


def lease(obj: Obj) -> Obj:
    return {
        "name": obj["metadata"]["name"],
        "namespace": obj["metadata"].get("namespace", ""),
        "rv": obj["metadata"]["resourceVersion"],
        "uid": obj["metadata"].get("uid", ""),
        "renewed": _epoch((obj.get("spec") or {}).get("renewTime")),
    }


def fault(obj: Obj) -> Obj:
    spec, status = obj["spec"], obj.get("status") or {}
    return {
        **_base(obj),
        "type": spec["type"],
        "node": spec.get("node", ""),
        "podNamespace": spec.get("namespace", ""),
        "pod": spec.get("pod", ""),
        "probe": spec.get("probe", ""),
        "phase": status.get("phase", ""),
        "message": status.get("message", ""),
        "started": _epoch(status.get("startTime")),
        "ended": _epoch(status.get("endTime")),
        "duration": spec.get("durationSeconds"),
    }


def traffic(obj: Obj) -> Obj:
    spec, status = obj["spec"], obj.get("status") or {}
    counts = ("requests", "succeeded", "failed", "successPercent", "recentSuccessPercent", "latencyMilliseconds")
    return {
        **_base(obj),
        "service": spec["service"],
        "rate": spec.get("requestsPerSecond", 10),
        "paused": bool(spec.get("paused")),
        **{name: status.get(name) for name in counts},
        "failures": status.get("failures") or {},
        "pods": status.get("pods") or {},
        "lastFailure": status.get("lastFailure", ""),
    }


def cluster_clock(obj: Obj) -> Obj:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    return {
        **_base(obj),
        "speed": spec.get("speed", 1),
        "paused": bool(spec.get("paused")),
        "step": spec.get("step", 0),
        # The speed in force, 0 while paused; when the next timer is due.
        "running": status.get("speed", 1),
        "next": _epoch(status.get("nextEvent")),
        "message": status.get("message", ""),
    }


SUMMARIES: dict[str, Callable[[Obj], Obj]] = {
    "v1/pods": pod,
    "v1/nodes": node,
    "v1/namespaces": namespace,
    "v1/services": service,
    "apps/v1/deployments": workload,
    "apps/v1/replicasets": workload,
    "coordination.k8s.io/v1/leases": lease,
    "sim.kubeweb.dev/v1alpha1/faults": fault,
    "sim.kubeweb.dev/v1alpha1/clocks": cluster_clock,
    "sim.kubeweb.dev/v1alpha1/traffics": traffic,
}
