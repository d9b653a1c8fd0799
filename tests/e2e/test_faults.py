"""Breaking things with kubectl: nodes, containers and loops, and how they heal.

The clock runs ten times as fast: a node is given up after four seconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.support.kubectl import got
from tests.support.server import Cluster, wait_for


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    running = Cluster("--profile=instant", "--speed=10", prepared=True).start()
    yield running
    running.close()


FAULT = {"apiVersion": "sim.kubeweb.dev/v1alpha1", "kind": "Fault"}


def fault(cluster, name, **spec):
    return cluster.kubectl(
        "apply", "-f", "-", stdin=json.dumps({**FAULT, "metadata": {"name": name}, "spec": spec}), check=False
    )


def test_a_container_crashes_and_another_runs_out_of_memory(cluster):
    cluster.kubectl("run", "victim", "--image=nginx")
    cluster.kubectl("wait", "--for=condition=Ready", "pod/victim", "--timeout=60s")
    assert fault(cluster, "boom", type="ContainerCrash", namespace="default", pod="victim").endswith("/boom created\n")

    def last():
        (status,) = got(cluster, "pod", "victim")["status"]["containerStatuses"]
        return status["restartCount"], (status["lastState"].get("terminated") or {}).get("reason")

    wait_for(lambda: last() == (1, "Error"), "it is restarted")
    fault(cluster, "hungry", type="OutOfMemory", namespace="default", pod="victim")
    wait_for(lambda: last() == (2, "OOMKilled"), "it is killed and restarted", 60)
    lines = cluster.kubectl("get", "faults").splitlines()
    assert lines[0].split() == ["NAME", "TYPE", "TARGET", "PHASE", "AGE"]
    assert lines[1].split()[:4] == ["boom", "ContainerCrash", "default/victim", "Ended"]


def test_nobody_heals_while_the_loop_is_stopped(cluster):
    cluster.kubectl("create", "deployment", "web", "--image=nginx")
    cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    fault(cluster, "asleep", type="ControllerStopped", controller="replicaset")
    wait_for(lambda: got(cluster, "fault", "asleep").get("status", {}).get("phase") == "Active", "it sleeps")
    cluster.kubectl("delete", "pod", "-l", "app=web", "--now")
    assert got(cluster, "pods", "-l", "app=web")["items"] == []
    cluster.kubectl("delete", "fault", "asleep")
    cluster.kubectl("wait", "--for=condition=Available", "deployment/web", "--timeout=60s")
    wait_for(lambda: len(got(cluster, "pods", "-l", "app=web")["items"]) == 1, "it is replaced")


def test_a_node_without_power_is_not_asked_and_comes_back(cluster):
    fault(cluster, "dark", type="NodeDown", node="node-3")
    wait_for(lambda: got(cluster, "fault", "dark").get("status", {}).get("phase") == "Active", "it is dark")
    ready = wait_for(
        lambda: (
            (
                condition := next(
                    one for one in got(cluster, "node", "node-3")["status"]["conditions"] if one["type"] == "Ready"
                )
            )["status"]
            == "Unknown"
            and condition
        ),
        "the node is NotReady",
        90,
    )
    assert ready["reason"] == "NodeStatusUnknown"
    cluster.kubectl("delete", "fault", "dark")
    cluster.kubectl("wait", "--for=condition=Ready", "node/node-3", "--timeout=60s")


def test_bad_faults_are_refused(cluster):
    assert "Unsupported value" in fault(cluster, "odd", type="Meteor")
    assert "spec.node: Required value: for a fault of type NodeDown" in fault(cluster, "odd", type="NodeDown")
    assert 'unknown field "spec.size"' in fault(cluster, "odd", type="NodeDown", node="node-1", size=3)
    fault(cluster, "none", type="NodeDown", node="nosuch")
    status = wait_for(lambda: got(cluster, "fault", "none").get("status"), "it is judged")
    assert status == {"phase": "Failed", "message": 'node "nosuch" not found'}
    assert "type" in cluster.kubectl("explain", "fault.spec")
