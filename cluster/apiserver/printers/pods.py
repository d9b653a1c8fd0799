"""The pod's row: STATUS is worked out from phase, reasons, containers and deletion (printPod).

Also PodTemplates, which show the same containers. Pods are the kind that is listed most, so the common case (no init containers,
every container running) is kept short.
"""

from __future__ import annotations

from typing import Any

from cluster.apiserver.printers.columns import (
    AGE,
    NAME,
    NONE,
    PRINTERS,
    Cells,
    Column,
    Obj,
    age,
    human_duration,
    images,
    labels,
    name_of,
    printer,
    seconds_of,
    wide,
)

_COMPLETED = {
    "Succeeded": [
        {
            "type": "Completed",
            "status": "True",
            "reason": "Succeeded",
            "message": "The pod has completed successfully.",
        }
    ],
    "Failed": [{"type": "Completed", "status": "True", "reason": "Failed", "message": "The pod failed."}],
}


def _ended(terminated: Obj) -> str:
    if terminated.get("reason"):
        return str(terminated["reason"])
    if terminated.get("signal"):
        return f"Signal:{terminated['signal']}"
    return f"ExitCode:{terminated.get('exitCode', 0)}"


def _last_end(status: Obj) -> float:
    """When the container ended the last time; 0 when it never did."""
    ended = (status.get("lastState") or {}).get("terminated")
    return seconds_of(ended["finishedAt"]) if ended and ended.get("finishedAt") else 0.0


class _Row:
    """What is gathered on the way through a pod's statuses."""

    __slots__ = ("last_restart", "ready", "reason", "restarts", "spec", "status", "total")

    def __init__(self, spec: Any, status: Any) -> None:
        self.spec = spec
        self.status = status
        self.reason: str = status.get("reason") or status.get("phase") or ""
        self.restarts = 0
        self.last_restart = 0.0
        self.ready = 0
        self.total = len(spec.get("containers") or ())

    def initialize(self, initialized: bool) -> bool:
        """Walk the init containers; False while one of them still holds up the others."""
        inits = self.spec.get("initContainers") or ()
        sidecars = {one["name"] for one in inits if one.get("restartPolicy") == "Always"}
        self.total += len(sidecars)
        sidecar_restarts, sidecar_last = 0, 0.0
        waiting = False
        for index, status in enumerate(self.status.get("initContainerStatuses") or ()):
            is_sidecar = status["name"] in sidecars
            count, last = status.get("restartCount", 0), _last_end(status)
            self.restarts += count
            self.last_restart = max(self.last_restart, last)
            if is_sidecar:
                sidecar_restarts += count
                sidecar_last = max(sidecar_last, last)
            terminated = (status.get("state") or {}).get("terminated")
            if terminated is not None and not terminated.get("exitCode"):
                continue
            if is_sidecar and status.get("started"):
                self.ready += bool(status.get("ready"))
                continue
            self.reason = f"Init:{_holding_up(status, terminated, index, len(inits))}"
            waiting = True
            break
        if waiting and not initialized:
            return False
        # Once the pod is under way only the restarts of what still runs count.
        self.restarts, self.last_restart = sidecar_restarts, sidecar_last
        return True

    def run(self) -> None:
        """Walk the containers, the last one first: the first one's reason is the one that is shown."""
        has_running = False
        for status in reversed(self.status.get("containerStatuses") or ()):
            count = status.get("restartCount")
            if count:
                self.restarts += count
            if status.get("lastState"):
                self.last_restart = max(self.last_restart, _last_end(status))
            state = status.get("state") or {}
            waiting, terminated = state.get("waiting"), state.get("terminated")
            if waiting is not None and waiting.get("reason"):
                self.reason = waiting["reason"]
            elif terminated is not None:
                self.reason = _ended(terminated)
            elif status.get("ready") and state.get("running") is not None:
                has_running = True
                self.ready += 1
        if self.reason == "Completed" and has_running:
            ready = any(
                one["type"] == "Ready" and one["status"] == "True" for one in self.status.get("conditions") or ()
            )
            self.reason = "Running" if ready else "NotReady"


def _holding_up(status: Obj, terminated: Obj | None, index: int, total: int) -> str:
    """Why an init container is not done."""
    waiting = (status.get("state") or {}).get("waiting")
    if terminated is not None:
        return _ended(terminated)
    if waiting is not None and waiting.get("reason") and waiting["reason"] != "PodInitializing":
        return str(waiting["reason"])
    return f"{index}/{total}"


@printer(
    "pods",
    NAME,
    Column("Ready", "The aggregate readiness state of this pod for accepting traffic."),
    Column("Status", "The aggregate status of the containers in this pod."),
    Column(
        "Restarts",
        "The number of times the containers in this pod have been restarted and when the last container in this pod has "
        "restarted.",
    ),
    AGE,
    wide("IP", "@core.v1.PodStatus.podIP"),
    wide("Node", "@core.v1.PodSpec.nodeName"),
    wide("Nominated Node", "@core.v1.PodStatus.nominatedNodeName"),
    wide("Readiness Gates", "@core.v1.PodSpec.readinessGates"),
)
def pod(obj: Obj, now: float) -> Cells:
    metadata: Any = obj["metadata"]
    spec: Any = obj.get("spec") or {}
    status: Any = obj.get("status") or {}
    row = _Row(spec, status)
    initialized = False
    for condition in status.get("conditions") or ():
        kind = condition["type"]
        if kind == "Initialized":
            initialized = condition["status"] == "True"
        elif kind == "PodScheduled" and condition.get("reason") == "SchedulingGated":
            row.reason = "SchedulingGated"
    if not spec.get("initContainers") or row.initialize(initialized):
        row.run()
    if metadata.get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            row.reason = "Unknown"
        elif status.get("phase") not in ("Succeeded", "Failed"):
            row.reason = "Terminating"
    restarts = str(row.restarts)
    if row.restarts and row.last_restart:
        restarts = f"{restarts} ({human_duration(now - row.last_restart)} ago)"
    addresses = status.get("podIPs")
    return [
        metadata.get("name", ""),
        f"{row.ready}/{row.total}",
        row.reason,
        restarts,
        age(obj, now),
        (addresses[0].get("ip") if addresses else status.get("podIP")) or NONE,
        spec.get("nodeName") or NONE,
        status.get("nominatedNodeName") or NONE,
        _gates(spec["readinessGates"], status) if spec.get("readinessGates") else NONE,
    ]


def _gates(gates: Any, status: Any) -> str:
    good: dict[str, bool] = {}
    for condition in status.get("conditions") or ():
        good.setdefault(condition["type"], condition["status"] == "True")
    return f"{sum(good.get(gate['conditionType'], False) for gate in gates)}/{len(gates)}"


def completion(obj: Obj) -> list[dict[str, str]] | None:
    """The row's Completed condition, for pods that have ended."""
    return _COMPLETED.get((obj.get("status") or {}).get("phase", ""))


PRINTERS["pods"].conditions = completion


@printer(
    "podtemplates",
    NAME,
    Column("Containers", "Names of each container in the template."),
    Column("Images", "Images referenced by each container in the template."),
    Column("Pod Labels", "The labels for the pod template."),
)
def podtemplate(obj: Obj, now: float) -> Cells:
    template = obj.get("template") or {}
    return [
        name_of(obj),
        *images(template.get("spec") or {}),
        labels((template.get("metadata") or {}).get("labels")),
    ]
