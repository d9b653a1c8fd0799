"""The pod's row: its STATUS is worked out from phase, reasons and containers (printPod)."""

from __future__ import annotations

from typing import Any

from cluster.apiserver.printers.columns import NONE, Cells, Obj, age, human_duration, printer, seconds_of


def _restartable(spec: Obj, name: str) -> bool:
    return any(one["name"] == name and one.get("restartPolicy") == "Always" for one in spec.get("initContainers") or ())


def _ended(terminated: Obj) -> str:
    if terminated.get("reason"):
        return str(terminated["reason"])
    if terminated.get("signal"):
        return f"Signal:{terminated['signal']}"
    return f"ExitCode:{terminated.get('exitCode', 0)}"


class _Row:
    """What is gathered on the way through a pod's statuses."""

    def __init__(self, pod: Obj) -> None:
        self.pod = pod
        self.spec: Any = pod["spec"]
        self.status: Any = pod.get("status") or {}
        self.reason = self.status.get("reason") or self.status.get("phase") or ""
        self.restarts = 0
        self.last_restart = 0.0
        self.ready = 0
        self.total = len(self.spec.get("containers") or ())
        for condition in self.status.get("conditions") or ():
            if condition["type"] == "PodScheduled" and condition.get("reason") == "SchedulingGated":
                self.reason = "SchedulingGated"

    def note(self, status: Obj) -> None:
        self.restarts += status.get("restartCount", 0)
        ended = (status.get("lastState") or {}).get("terminated")
        if ended and ended.get("finishedAt"):
            self.last_restart = max(self.last_restart, seconds_of(ended["finishedAt"]))

    def initializing(self) -> bool:
        found = False
        inits = self.spec.get("initContainers") or ()
        for index, status in enumerate(self.status.get("initContainerStatuses") or ()):
            self.note(status)
            state = status.get("state") or {}
            terminated, waiting = state.get("terminated"), state.get("waiting")
            sidecar = _restartable(self.spec, status["name"])
            if sidecar:
                self.total += 1
            if terminated is not None and terminated.get("exitCode") == 0:
                continue
            if sidecar and status.get("started"):
                self.ready += bool(status.get("ready"))
                continue
            if terminated is not None:
                self.reason = f"Init:{_ended(terminated)}"
            elif waiting is not None and waiting.get("reason") and waiting["reason"] != "PodInitializing":
                self.reason = f"Init:{waiting['reason']}"
            else:
                self.reason = f"Init:{index}/{len(inits)}"
            found = True
            break
        return found

    def running(self) -> None:
        has_running = False
        for status in reversed(self.status.get("containerStatuses") or ()):
            self.note(status)
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


@printer(
    "pods",
    "Ready,Status,Restarts,Age,!IP,!Node,!Nominated Node,!Readiness Gates",
)
def pod(obj: Obj, now: float) -> Cells:
    row = _Row(obj)
    initialized = any(
        one["type"] == "Initialized" and one["status"] == "True" for one in row.status.get("conditions") or ()
    )
    if not row.initializing() or initialized:
        # Init containers' restarts stop counting once the pod is under way.
        if initialized:
            row.restarts = 0
            row.last_restart = 0.0
        row.running()
    if obj["metadata"].get("deletionTimestamp"):
        if row.status.get("reason") == "NodeLost":
            row.reason = "Unknown"
        elif row.status.get("phase") not in ("Succeeded", "Failed"):
            row.reason = "Terminating"
    restarts = str(row.restarts)
    if row.restarts and row.last_restart:
        restarts = f"{row.restarts} ({human_duration(now - row.last_restart)} ago)"
    gates = row.spec.get("readinessGates") or ()
    shown = NONE
    if gates:
        good = {one["type"] for one in row.status.get("conditions") or () if one["status"] == "True"}
        shown = f"{sum(gate['conditionType'] in good for gate in gates)}/{len(gates)}"
    return [
        f"{row.ready}/{row.total}",
        row.reason,
        restarts,
        age(obj, now),
        row.status.get("podIP") or NONE,
        row.spec.get("nodeName") or NONE,
        row.status.get("nominatedNodeName") or NONE,
        shown,
    ]
