"""From what a worker knows of its containers to the pod status that the API shows (pkg/kubelet/status, kubelet_pods.go). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cluster import clock
from cluster.apimachinery.meta import set_condition

Obj = dict[str, Any]
BACKOFF, MAX_BACKOFF = 10.0, 300.0


class Record:
    """One container as its worker knows it, across restarts."""

    __slots__ = (
        "allocated",
        "backoff",
        "container",
        "exit_code",
        "finished_at",
        "id",
        "image_id",
        "last",
        "message",
        "next_try",
        "noticed",
        "passed",
        "pull_backoff",
        "pull_error",
        "ready",
        "reason",
        "restarts",
        "shown_image",
        "sidecar",
        "spec",
        "started_at",
        "state",
        "waits",
    )

    def __init__(self, spec: Obj, *, init: bool = False) -> None:
        self.spec = spec
        self.state = "waiting"  # waiting, running or terminated
        self.reason = "PodInitializing" if init else "ContainerCreating"
        self.message = ""
        self.started_at = 0.0
        self.finished_at = 0.0
        self.exit_code = 0
        self.restarts = 0
        self.last: Obj | None = None
        self.id = ""
        self.image_id = ""
        self.shown_image = spec.get("image", "")
        self.container: Any = None
        # The resources that it has been given, since it was started.
        self.allocated: Obj | None = None
        # Readiness as the probes see it; `passed` is the startup probe's verdict.
        self.ready = False
        self.passed = False
        self.sidecar = init and spec.get("restartPolicy") == "Always"
        # The wait after the next failure, the present wait, and until when.
        self.backoff = 0.0
        self.waits = 0.0
        self.next_try = 0.0
        # When the kubelet looks again after it ended.
        self.noticed = 0.0
        self.pull_backoff = 0.0
        self.pull_error = ""

    def waiting(self, reason: str, message: str = "") -> None:
        self.state, self.reason, self.message = "waiting", reason, message
        self.ready = self.passed = False

    def terminated_state(self) -> Obj:
        state: Obj = {
            "exitCode": self.exit_code,
            "reason": self.reason,
            "startedAt": clock.timestamp(self.started_at) if self.started_at else None,
            "finishedAt": clock.timestamp(self.finished_at),
            "containerID": self.id or None,
            "message": self.message or None,
        }
        return {key: value for key, value in state.items() if value is not None}

    def as_status(self) -> Obj:
        """A ContainerStatus."""
        if self.state == "running":
            state: Obj = {"running": {"startedAt": clock.timestamp(self.started_at)}}
        elif self.state == "terminated":
            state = {"terminated": self.terminated_state()}
        else:
            state = {"waiting": {"reason": self.reason, **({"message": self.message} if self.message else {})}}
        started = self.state == "running" and self.passed
        status: Obj = {
            "name": self.spec["name"],
            "state": state,
            "lastState": {"terminated": self.last} if self.last else {},
            "ready": self.is_ready,
            "restartCount": self.restarts,
            "image": self.shown_image,
            "imageID": self.image_id,
            "started": started,
        }
        if self.id:
            status["containerID"] = self.id
        given = self.allocated if self.allocated is not None else self.spec.get("resources") or {}
        if given.get("requests"):
            status["allocatedResources"] = given["requests"]
        if self.container is not None or given.get("requests"):
            status["resources"] = {side: given[side] for side in ("limits", "requests") if given.get(side)}
        mounts = self.spec.get("volumeMounts")
        if mounts and self.container is not None:
            status["volumeMounts"] = [_mount_status(mount) for mount in mounts]
        if self.container is not None and self.state == "running":
            config = self.container.config
            uid = self.container.profile.user if config.user is None else config.user
            groups = list(config.groups)
            status["user"] = {"linux": {"uid": uid, "gid": groups[0], "supplementalGroups": groups}}
        return status

    @property
    def is_ready(self) -> bool:
        if self.state == "running":
            return self.ready
        # An init container that did its work is "ready".
        return self.state == "terminated" and self.exit_code == 0 and self.passed


def _mount_status(mount: Obj) -> Obj:
    status = {"name": mount["name"], "mountPath": mount["mountPath"]}
    if mount.get("readOnly"):
        status.update(readOnly=True, recursiveReadOnly="Disabled")
    return status


def duration(seconds: float) -> str:
    """Go's duration: 10s, 1m20s, 350ms, 1.234s."""
    if seconds >= 60:
        minutes, rest = divmod(int(seconds), 60)
        return f"{minutes}m{rest}s"
    if seconds >= 1:
        return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"
    return f"{int(seconds * 1000)}ms"


def backoff_after(backoff: float, started_at: float, finished_at: float) -> tuple[float, float]:
    """(the wait before the next start, the wait after the failure after that).

    None the first time, then 10 s doubling to 5 min; who has run for 10 min begins anew (client-go's flowcontrol.Backoff).
    """
    if not backoff or (started_at and finished_at - started_at > 2 * MAX_BACKOFF):
        return 0.0, BACKOFF
    return backoff, min(backoff * 2, MAX_BACKOFF)


def phase_of(spec: Obj, init: Iterable[Record], main: Iterable[Record]) -> str:
    """Pending, Running, Succeeded or Failed (getPhase)."""
    policy = spec.get("restartPolicy", "Always")
    for record in init:
        if record.sidecar:
            if not (record.state == "running" and record.passed) and record.restarts == 0 and not record.last:
                return "Pending"
        elif record.state != "terminated" or record.exit_code != 0:
            if record.state == "terminated" and policy == "Never":
                return "Failed"
            return "Pending"
    waiting = running = stopped = succeeded = 0
    for record in main:
        if record.state == "running":
            running += 1
        elif record.state == "terminated":
            stopped += 1
            succeeded += record.exit_code == 0
        elif record.last is not None:
            stopped += 1
            succeeded += record.last["exitCode"] == 0
        else:
            waiting += 1
    if waiting:
        return "Pending"
    if running:
        return "Running"
    if policy == "Always":
        return "Running"
    if succeeded == stopped:
        return "Succeeded"
    return "Failed" if policy == "Never" else "Running"


# Conditions that the kubelet takes back when they do not hold any more.
PASSING = frozenset({"PodResizePending", "PodResizeInProgress"})


def conditions_of(
    pod: Obj, phase: str, init: list[Record], main: list[Record], sandboxed: bool, told: Iterable[Obj] = ()
) -> list[Obj]:
    """The conditions that the kubelet owns, over those that others wrote. `told`: what else it has to say."""
    generation = pod["metadata"].get("generation")
    done = phase in ("Succeeded", "Failed")
    not_initialized = [
        record.spec["name"]
        for record in init
        if not (
            (record.sidecar and record.state == "running" and record.passed)
            or (record.state == "terminated" and record.exit_code == 0)
        )
    ]
    unready = [record.spec["name"] for record in main if not (record.state == "running" and record.ready)]
    unready += [record.spec["name"] for record in init if record.sidecar and not record.is_ready]
    wanted: list[Obj] = [{"type": "PodReadyToStartContainers", "status": "True" if sandboxed and not done else "False"}]
    if done and phase == "Succeeded":
        wanted.append({"type": "Initialized", "status": "True", "reason": "PodCompleted"})
        for kind in ("Ready", "ContainersReady"):
            wanted.append({"type": kind, "status": "False", "reason": "PodCompleted"})
    elif done:
        wanted.append(_initialized(not_initialized))
        for kind in ("Ready", "ContainersReady"):
            wanted.append({"type": kind, "status": "False", "reason": "PodFailed"})
    else:
        wanted.append(_initialized(not_initialized))
        containers = _containers_ready(unready)
        wanted.append(_ready(pod, containers))
        wanted.append(containers)
    conditions = list((pod.get("status") or {}).get("conditions") or ())
    if not any(one["type"] == "PodScheduled" for one in conditions):
        wanted.append({"type": "PodScheduled", "status": "True"})
    wanted.extend(told)
    owned = {one["type"] for one in wanted} | PASSING
    before = {one["type"]: one for one in conditions}
    result: list[Obj] = []
    for one in wanted:
        known = [before[one["type"]]] if one["type"] in before else []
        merged = set_condition(
            [
                {"type": k["type"], "status": k["status"], "lastTransitionTime": k.get("lastTransitionTime")}
                for k in known
            ],
            one,
        )[0]
        if generation:
            merged["observedGeneration"] = generation
        result.append(merged)
    result.extend(one for one in conditions if one["type"] not in owned)
    return result


def _initialized(missing: list[str]) -> Obj:
    if not missing:
        return {"type": "Initialized", "status": "True"}
    return {
        "type": "Initialized",
        "status": "False",
        "reason": "ContainersNotInitialized",
        "message": f"containers with incomplete status: [{' '.join(missing)}]",
    }


def _containers_ready(unready: list[str]) -> Obj:
    if not unready:
        return {"type": "ContainersReady", "status": "True"}
    return {
        "type": "ContainersReady",
        "status": "False",
        "reason": "ContainersNotReady",
        "message": f"containers with unready status: [{' '.join(unready)}]",
    }


def _ready(pod: Obj, containers: Obj) -> Obj:
    if containers["status"] != "True":
        return {**containers, "type": "Ready"}
    have = {one["type"]: one["status"] for one in (pod.get("status") or {}).get("conditions") or ()}
    problems = []
    for gate in pod["spec"].get("readinessGates") or ():
        kind = gate["conditionType"]
        if kind not in have:
            problems.append(f'corresponding condition of pod readiness gate "{kind}" does not exist.')
        elif have[kind] != "True":
            problems.append(f'the status of pod readiness gate "{kind}" is not "True", but {have[kind]}')
    if problems:
        text = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
        return {"type": "Ready", "status": "False", "reason": "ReadinessGatesNotReady", "message": text}
    return {"type": "Ready", "status": "True"}
