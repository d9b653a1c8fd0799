"""The pod's STATUS, READY and RESTARTS in every state that Kubernetes tells apart."""

from __future__ import annotations

import pytest

from cluster import clock
from cluster.apiserver.printers.tables import table

NOW = clock.parse("2026-06-01T12:00:00Z")
RUNNING = {"running": {"startedAt": "2026-06-01T11:00:00Z"}}


def container(name="c", *, state=None, ready=False, restarts=0, ended=None, started=None):
    status = {"name": name, "state": state or {}, "ready": ready, "restartCount": restarts}
    if ended:
        status["lastState"] = {"terminated": {"exitCode": 1, "finishedAt": ended}}
    if started is not None:
        status["started"] = started
    return status


def waiting(reason):
    return {"waiting": {"reason": reason}}


def terminated(code=0, reason="", signal=0):
    return {
        "terminated": {
            "exitCode": code,
            **({"reason": reason} if reason else {}),
            **({"signal": signal} if signal else {}),
        }
    }


def condition(kind, status="True", reason=""):
    return {"type": kind, "status": status, **({"reason": reason} if reason else {})}


def pod(phase="Running", *, containers=(), inits=(), conditions=(), deleted=False, reason="", spec_inits=None, **spec):
    metadata = {"name": "web", "namespace": "default", "creationTimestamp": "2026-06-01T11:00:00Z"}
    if deleted:
        metadata["deletionTimestamp"] = "2026-06-01T11:59:00Z"
    status = {"phase": phase, "containerStatuses": list(containers), "conditions": list(conditions)}
    if reason:
        status["reason"] = reason
    if inits:
        status["initContainerStatuses"] = list(inits)
    return {
        "metadata": metadata,
        "spec": {
            "containers": [{"name": one["name"]} for one in containers] or [{"name": "c"}],
            **({"initContainers": spec_inits} if spec_inits else {}),
            **spec,
        },
        "status": status,
    }


def cells(obj):
    return table("pods", [obj], now=NOW)["rows"][0]["cells"]


INITS = [{"name": "i0"}, {"name": "i1"}]
SIDECAR = [{"name": "s", "restartPolicy": "Always"}]


@pytest.mark.parametrize(
    ("obj", "ready", "status"),
    [
        (pod("Pending"), "0/1", "Pending"),
        (pod("Pending", conditions=[condition("PodScheduled", "False", "SchedulingGated")]), "0/1", "SchedulingGated"),
        (pod("Pending", conditions=[condition("PodScheduled", "False", "Unschedulable")]), "0/1", "Pending"),
        (pod("Pending", containers=[container(state=waiting("ContainerCreating"))]), "0/1", "ContainerCreating"),
        (pod("Pending", containers=[container(state=waiting("ErrImagePull"))]), "0/1", "ErrImagePull"),
        (pod(containers=[container(state=RUNNING, ready=True)]), "1/1", "Running"),
        (pod(containers=[container(state=RUNNING)]), "0/1", "Running"),
        (pod(containers=[container(state=waiting("CrashLoopBackOff"))]), "0/1", "CrashLoopBackOff"),
        (pod("Succeeded", containers=[container(state=terminated(0, "Completed"))]), "0/1", "Completed"),
        (pod("Failed", containers=[container(state=terminated(1, "Error"))]), "0/1", "Error"),
        (pod("Failed", containers=[container(state=terminated(137, "OOMKilled"))]), "0/1", "OOMKilled"),
        (pod("Failed", containers=[container(state=terminated(3))]), "0/1", "ExitCode:3"),
        (pod("Failed", containers=[container(state=terminated(137, signal=9))]), "0/1", "Signal:9"),
        (pod("Failed", reason="Evicted"), "0/1", "Evicted"),
        # The first container's reason is the one that is shown.
        (
            pod(
                containers=[
                    container("a", state=waiting("ErrImagePull")),
                    container("b", state=waiting("CrashLoopBackOff")),
                ]
            ),
            "0/2",
            "ErrImagePull",
        ),
        # One ended well, one still runs.
        (
            pod(
                containers=[
                    container("a", state=terminated(0, "Completed")),
                    container("b", state=RUNNING, ready=True),
                ],
                conditions=[condition("Ready")],
            ),
            "1/2",
            "Running",
        ),
        (
            pod(
                containers=[
                    container("a", state=terminated(0, "Completed")),
                    container("b", state=RUNNING, ready=True),
                ],
                conditions=[condition("Ready", "False")],
            ),
            "1/2",
            "NotReady",
        ),
        # Init containers, one after the other.
        (pod("Pending", spec_inits=INITS, inits=[container("i0", state=RUNNING), container("i1")]), "0/1", "Init:0/2"),
        (
            pod(
                "Pending", spec_inits=INITS, inits=[container("i0", state=terminated(0, "Completed")), container("i1")]
            ),
            "0/1",
            "Init:1/2",
        ),
        (pod("Pending", spec_inits=INITS, inits=[container("i0", state=terminated(1, "Error"))]), "0/1", "Init:Error"),
        (pod("Pending", spec_inits=INITS, inits=[container("i0", state=terminated(2))]), "0/1", "Init:ExitCode:2"),
        (
            pod("Pending", spec_inits=INITS, inits=[container("i0", state=terminated(2, signal=15))]),
            "0/1",
            "Init:Signal:15",
        ),
        (
            pod("Pending", spec_inits=INITS, inits=[container("i0", state=waiting("CrashLoopBackOff"))]),
            "0/1",
            "Init:CrashLoopBackOff",
        ),
        (
            pod("Pending", spec_inits=INITS, inits=[container("i0", state=waiting("PodInitializing"))]),
            "0/1",
            "Init:0/2",
        ),
        (
            pod(
                "Pending",
                spec_inits=INITS,
                inits=[container("i0", state=terminated(0)), container("i1", state=terminated(0))],
                containers=[container(state=waiting("PodInitializing"))],
            ),
            "0/1",
            "PodInitializing",
        ),
        # Sidecars count among the containers, and do not hold up the others once they have started.
        (
            pod(
                spec_inits=SIDECAR,
                inits=[container("s", state=RUNNING, ready=True, started=True)],
                containers=[container(state=RUNNING, ready=True)],
            ),
            "2/2",
            "Running",
        ),
        (
            pod("Pending", spec_inits=SIDECAR, inits=[container("s", state=RUNNING, started=False)]),
            "0/2",
            "Init:0/1",
        ),
        # A sidecar that crashes later does not take the pod back to Init.
        (
            pod(
                spec_inits=SIDECAR,
                inits=[container("s", state=waiting("CrashLoopBackOff"), started=False)],
                containers=[container(state=RUNNING, ready=True)],
                conditions=[condition("Initialized")],
            ),
            "1/2",
            "Init:CrashLoopBackOff",
        ),
        # Deletion comes last.
        (pod(containers=[container(state=RUNNING, ready=True)], deleted=True), "1/1", "Terminating"),
        (pod("Succeeded", containers=[container(state=terminated(0, "Completed"))], deleted=True), "0/1", "Completed"),
        (pod(containers=[container(state=RUNNING, ready=True)], deleted=True, reason="NodeLost"), "1/1", "Unknown"),
    ],
)
def test_ready_and_status(obj, ready, status):
    assert cells(obj)[1:3] == [ready, status]


def test_restarts_say_when_the_last_one_was():
    late, early = "2026-06-01T11:55:00Z", "2026-06-01T09:00:00Z"
    two = [
        container("a", state=RUNNING, restarts=2, ended=early),
        container("b", state=RUNNING, restarts=3, ended=late),
    ]
    assert cells(pod(containers=two))[3] == "5 (5m ago)"
    assert cells(pod(containers=[container(state=RUNNING, restarts=1)]))[3] == "1"
    assert cells(pod(containers=[container(state=RUNNING)]))[3] == "0"


def test_restarts_of_init_containers_count_only_until_the_pod_is_under_way():
    crashing = container("i0", state=waiting("CrashLoopBackOff"), restarts=4, ended="2026-06-01T11:59:00Z")
    assert cells(pod("Pending", spec_inits=INITS, inits=[crashing]))[3] == "4 (60s ago)"
    done = [container("i0", state=terminated(0), restarts=4), container("i1", state=terminated(0))]
    assert cells(pod(spec_inits=INITS, inits=done, containers=[container(state=RUNNING, restarts=1)]))[3] == "1"
    sidecar = [container("s", state=RUNNING, restarts=2, started=True)]
    assert cells(pod(spec_inits=SIDECAR, inits=sidecar, containers=[container(state=RUNNING, restarts=1)]))[3] == "3"


def test_wide_cells():
    obj = pod(
        containers=[container(state=RUNNING, ready=True)],
        conditions=[condition("a/b"), condition("c/d", "False")],
        nodeName="n1",
        readinessGates=[{"conditionType": "a/b"}, {"conditionType": "c/d"}, {"conditionType": "e/f"}],
    )
    obj["status"] |= {"podIP": "10.0.0.9", "podIPs": [{"ip": "10.0.0.9"}, {"ip": "fd00::9"}], "nominatedNodeName": "n2"}
    assert cells(obj)[4:] == ["60m", "10.0.0.9", "n1", "n2", "1/3"]
    assert cells(pod("Pending"))[5:] == ["<none>"] * 4


def test_rows_of_pods_that_ended_say_so():
    rows = table("pods", [pod("Succeeded"), pod("Failed"), pod()], now=NOW)["rows"]
    assert [row.get("conditions", [{}])[0].get("reason") for row in rows] == ["Succeeded", "Failed", None]
    assert rows[0]["conditions"][0]["type"] == "Completed"


def test_podtemplates_show_their_containers():
    obj = {
        "metadata": {"name": "t"},
        "template": {
            "metadata": {"labels": {"b": "2", "a": "1"}},
            "spec": {"containers": [{"name": "x", "image": "i"}, {"name": "y", "image": "j"}]},
        },
    }
    assert table("podtemplates", [obj], now=NOW)["rows"][0]["cells"] == ["t", "x,y", "i,j", "a=1,b=2"]
