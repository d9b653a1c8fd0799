"""Rows of what makes pods: Deployments, ReplicaSets, StatefulSets, DaemonSets, Jobs, CronJobs and their like."""

from __future__ import annotations

from typing import Any

from cluster.apimachinery import meta
from cluster.apiserver.printers.columns import (
    AGE,
    CONTAINERS,
    IMAGES,
    NAME,
    NONE,
    Cells,
    Column,
    Obj,
    age,
    boolean,
    condition_true,
    human_duration,
    images,
    integer,
    labels,
    name_of,
    pod_spec,
    printer,
    seconds_of,
    selector,
    since,
    spec_of,
    status_of,
    true_or_false,
    wide,
)

_LABELS_HELP = "https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors"
_READY = "Number of the pod with ready state"


@printer(
    "apps/deployments",
    NAME,
    Column("Ready", _READY),
    Column("Up-to-date", "@apps.v1.DeploymentStatus.updatedReplicas"),
    Column("Available", "@apps.v1.DeploymentStatus.availableReplicas"),
    AGE,
    CONTAINERS,
    IMAGES,
    wide(
        "Selector",
        "Label selector for pods. Existing ReplicaSets whose pods are selected by this will be the ones affected by this "
        "deployment.",
    ),
)
def deployment(obj: Obj, now: float) -> Cells:
    spec, status = spec_of(obj), status_of(obj)
    return [
        name_of(obj),
        f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}",
        status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0),
        age(obj, now),
        *images(pod_spec(obj)),
        selector(spec.get("selector")),
    ]


def _replicas(obj: Obj, now: float) -> Cells:
    spec, status = spec_of(obj), status_of(obj)
    return [
        name_of(obj),
        spec.get("replicas", 0),
        status.get("replicas", 0),
        status.get("readyReplicas", 0),
        age(obj, now),
        *images(pod_spec(obj)),
    ]


@printer(
    "apps/replicasets",
    NAME,
    integer(
        "Desired",
        "Replicas is the number of desired replicas. This is a pointer to distinguish between explicit zero and "
        "unspecified. Defaults to 1. More info: "
        "https://kubernetes.io/docs/concepts/workloads/controllers/replicationcontroller/#what-is-a-replicationcontroller",
    ),
    integer("Current", "@apps.v1.ReplicaSetStatus.replicas"),
    integer("Ready", "@apps.v1.ReplicaSetStatus.readyReplicas"),
    AGE,
    CONTAINERS,
    IMAGES,
    wide(
        "Selector",
        "Selector is a label query over pods that should match the replica count. If the selector is empty, it is "
        "defaulted to the labels present on the pod template. Label keys and values that must match in order to be "
        f"controlled by this replica set. More info: {_LABELS_HELP}",
    ),
)
def replicaset(obj: Obj, now: float) -> Cells:
    return [*_replicas(obj, now), selector(spec_of(obj).get("selector"))]


@printer(
    "replicationcontrollers",
    NAME,
    integer("Desired", "@core.v1.ReplicationControllerSpec.replicas"),
    integer("Current", "@core.v1.ReplicationControllerStatus.replicas"),
    integer("Ready", "@core.v1.ReplicationControllerStatus.readyReplicas"),
    AGE,
    CONTAINERS,
    IMAGES,
    wide("Selector", "@core.v1.ReplicationControllerSpec.selector"),
)
def replicationcontroller(obj: Obj, now: float) -> Cells:
    return [*_replicas(obj, now), labels(spec_of(obj).get("selector"))]


@printer("apps/statefulsets", NAME, Column("Ready", _READY), AGE, CONTAINERS, IMAGES)
def statefulset(obj: Obj, now: float) -> Cells:
    return [
        name_of(obj),
        f"{status_of(obj).get('readyReplicas', 0)}/{spec_of(obj).get('replicas', 0)}",
        age(obj, now),
        *images(pod_spec(obj)),
    ]


@printer(
    "apps/daemonsets",
    NAME,
    integer("Desired", "@apps.v1.DaemonSetStatus.desiredNumberScheduled"),
    integer("Current", "@apps.v1.DaemonSetStatus.currentNumberScheduled"),
    integer("Ready", "@apps.v1.DaemonSetStatus.numberReady"),
    integer("Up-to-date", "@apps.v1.DaemonSetStatus.updatedNumberScheduled"),
    integer("Available", "@apps.v1.DaemonSetStatus.numberAvailable"),
    Column("Node Selector", "@core.v1.PodSpec.nodeSelector"),
    AGE,
    CONTAINERS,
    IMAGES,
    wide("Selector", "@apps.v1.DaemonSetSpec.selector"),
)
def daemonset(obj: Obj, now: float) -> Cells:
    status, template = status_of(obj), pod_spec(obj)
    return [
        name_of(obj),
        status.get("desiredNumberScheduled", 0),
        status.get("currentNumberScheduled", 0),
        status.get("numberReady", 0),
        status.get("updatedNumberScheduled", 0),
        status.get("numberAvailable", 0),
        labels(template.get("nodeSelector")),
        age(obj, now),
        *images(template),
        selector(spec_of(obj).get("selector")),
    ]


@printer(
    "apps/controllerrevisions",
    NAME,
    Column("Controller", "Controller of the object"),
    Column("Revision", "@apps.v1.ControllerRevision.revision"),
    AGE,
)
def controllerrevision(obj: Obj, now: float) -> Cells:
    owner = meta.controller_of(obj)
    shown = NONE
    if owner is not None:
        group = owner["apiVersion"].rpartition("/")[0]
        shown = f"{owner['kind']}{'.' + group if group else ''}".lower() + f"/{owner['name']}"
    return [name_of(obj), shown, obj.get("revision", 0), age(obj, now)]


@printer(
    "batch/jobs",
    NAME,
    Column("Status", "Status of the job."),
    Column("Completions", "@batch.v1.JobStatus.succeeded"),
    Column("Duration", "Time required to complete the job."),
    AGE,
    CONTAINERS,
    IMAGES,
    wide("Selector", "@batch.v1.JobSpec.selector"),
)
def job(obj: Obj, now: float) -> Cells:
    spec, status = spec_of(obj), status_of(obj)
    start, end = status.get("startTime"), status.get("completionTime")
    duration = human_duration((seconds_of(end) if end else now) - seconds_of(start)) if start else ""
    return [
        name_of(obj),
        _job_state(obj, status.get("conditions")),
        _completions(spec, status.get("succeeded", 0)),
        duration,
        age(obj, now),
        *images(pod_spec(obj)),
        selector(spec.get("selector")),
    ]


def _completions(spec: Any, done: int) -> str:
    if spec.get("completions") is not None:
        return f"{done}/{spec['completions']}"
    parallel = spec.get("parallelism", 0)
    return f"{done}/1 of {parallel}" if parallel > 1 else f"{done}/1"


def _job_state(obj: Obj, conditions: Any) -> str:
    for ended in ("Complete", "Failed"):
        if condition_true(conditions, ended):
            return ended
    if obj["metadata"].get("deletionTimestamp"):
        return "Terminating"
    for state in ("Suspended", "FailureTarget"):
        if condition_true(conditions, state):
            return state
    return "Running"


@printer(
    "batch/cronjobs",
    NAME,
    Column("Schedule", "@batch.v1.CronJobSpec.schedule"),
    Column("Timezone", "@batch.v1.CronJobSpec.timeZone"),
    boolean("Suspend", "@batch.v1.CronJobSpec.suspend"),
    integer("Active", "@batch.v1.CronJobStatus.active"),
    Column("Last Schedule", "@batch.v1.CronJobStatus.lastScheduleTime"),
    AGE,
    CONTAINERS,
    IMAGES,
    wide("Selector", "@batch.v1.JobSpec.selector"),
)
def cronjob(obj: Obj, now: float) -> Cells:
    spec, status = spec_of(obj), status_of(obj)
    last = status.get("lastScheduleTime")
    template = spec.get("jobTemplate") or {}
    return [
        name_of(obj),
        spec.get("schedule", ""),
        spec.get("timeZone") or NONE,
        true_or_false(spec.get("suspend")),
        len(status.get("active") or ()),
        since(last, now) if last else NONE,
        age(obj, now),
        *images(pod_spec(template)),
        selector(spec_of(template).get("selector")),
    ]
