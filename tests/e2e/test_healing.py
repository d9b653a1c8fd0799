"""Every fault with kubectl: it bites as it would on a real cluster, and is over by itself when its time is up.

The clock runs twenty times as fast: a minute of node failure takes three seconds.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from datetime import datetime

import pytest

from tests.support.kubectl import got
from tests.support.server import Cluster, wait_for


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    running = Cluster("--profile=instant", "--speed=20", prepared=True).start()
    yield running
    running.close()


def fault(cluster, name, **spec):
    body = {"apiVersion": "sim.kubeweb.dev/v1alpha1", "kind": "Fault", "metadata": {"name": name}, "spec": spec}
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(body))


def ended(cluster, name):
    wait_for(lambda: got(cluster, "fault", name).get("status", {}).get("phase") == "Ended", f"{name} is over", 60)


def condition(cluster, what, name, kind):
    conditions = got(cluster, what, name)["status"].get("conditions") or ()
    return next((one for one in conditions if one["type"] == kind), {"status": "", "reason": "", "message": ""})


def taints(cluster, node):
    return {
        (one["key"].rpartition("/")[2], one["effect"]) for one in got(cluster, "node", node)["spec"].get("taints") or ()
    }


def run(cluster, name, image="nginx", node="", **container):
    """A pod of its own; on that node, if one is named."""
    spec = {"containers": [{"name": "main", "image": image, **container}], "terminationGracePeriodSeconds": 1}
    if node:
        spec["nodeName"] = node
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": spec}
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(body))


def ready(cluster, name):
    cluster.kubectl("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=60s")


def said(cluster, name, reason):
    """The messages of events about an object."""
    chosen = f"involvedObject.name={name},reason={reason}"
    return [one["message"] for one in got(cluster, "events", "--field-selector", chosen)["items"]]


def endpoints(cluster, service):
    items = got(cluster, "endpointslices", "-l", f"kubernetes.io/service-name={service}")["items"]
    return [end["conditions"]["ready"] for one in items for end in one.get("endpoints") or ()]


def test_a_partition_hides_a_node_and_what_runs_there_runs_on(cluster):
    run(cluster, "far", node="node-2")
    ready(cluster, "far")
    cluster.kubectl("expose", "pod", "far", "--port=80")
    wait_for(lambda: endpoints(cluster, "far") == [True], "it is reachable")
    before = got(cluster, "pod", "far")
    fault(cluster, "cut", type="NetworkPartition", node="node-2", durationSeconds=120)
    wait_for(
        lambda: condition(cluster, "node", "node-2", "Ready")["status"] == "Unknown", "the node is not heard of", 60
    )
    assert condition(cluster, "node", "node-2", "Ready")["message"] == "Kubelet stopped posting node status."
    wait_for(lambda: ("unreachable", "NoExecute") in taints(cluster, "node-2"), "it is tainted")
    wait_for(lambda: endpoints(cluster, "far") == [False], "nobody is sent there")
    ended(cluster, "cut")
    wait_for(lambda: condition(cluster, "node", "node-2", "Ready")["status"] == "True", "it is back", 60)
    wait_for(lambda: endpoints(cluster, "far") == [True] and not taints(cluster, "node-2"), "all is as before")
    after = got(cluster, "pod", "far")
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["status"]["containerStatuses"][0]["restartCount"] == 0
    cluster.kubectl("delete", "pod,service", "far")


PRESSURES = {
    "node-1": ("MemoryPressure", "KubeletHasInsufficientMemory", "KubeletHasSufficientMemory", "memory-pressure"),
    "node-2": ("DiskPressure", "KubeletHasDiskPressure", "KubeletHasNoDiskPressure", "disk-pressure"),
    "node-3": ("PIDPressure", "KubeletHasInsufficientPID", "KubeletHasSufficientPID", "pid-pressure"),
}


def pressed(cluster, node, kind, reason, taint):
    wait_for(lambda: condition(cluster, "node", node, kind)["reason"] == reason, "the kubelet tells", 60)
    wait_for(lambda: (taint, "NoSchedule") in taints(cluster, node), "nobody new comes")
    wait_for(lambda: got(cluster, "pod", f"on-{node}")["status"].get("reason") == "Evicted", "somebody has to go", 60)
    assert got(cluster, "pod", f"on-{node}")["status"]["phase"] == "Failed"


def released(cluster, node, kind, reason):
    ended(cluster, kind.lower())
    # Kubernetes waits for five minutes before it believes that a pressure is over.
    wait_for(lambda: condition(cluster, "node", node, kind)["reason"] == reason, "the kubelet breathes again", 90)
    wait_for(lambda: not taints(cluster, node), "and takes pods again")


def test_pressure_is_told_tainted_and_evicts(cluster):
    for node in PRESSURES:
        run(cluster, f"on-{node}", node=node)
    for node, (kind, *_) in PRESSURES.items():
        ready(cluster, f"on-{node}")
        fault(cluster, kind.lower(), type=kind, node=node, durationSeconds=100)
    for node, (kind, reason, _, taint) in PRESSURES.items():
        pressed(cluster, node, kind, reason, taint)
    for node, (kind, _, reason, _) in PRESSURES.items():
        released(cluster, node, kind, reason)
        cluster.kubectl("delete", "pod", f"on-{node}")


def test_no_registry_no_image_until_it_is_back(cluster):
    fault(cluster, "no-registry", type="RegistryDown", durationSeconds=100)
    wait_for(lambda: got(cluster, "fault", "no-registry").get("status", {}).get("phase") == "Active", "it is down")
    run(cluster, "puller", image="httpd:2.4.1")

    def waiting():
        (status,) = got(cluster, "pod", "puller")["status"].get("containerStatuses") or [{}]
        return (status.get("state") or {}).get("waiting", {}).get("reason", "")

    wait_for(lambda: waiting() in ("ErrImagePull", "ImagePullBackOff"), "it cannot be pulled")
    wait_for(lambda: waiting() == "ImagePullBackOff", "the kubelet waits longer and longer")
    diagnosis = got(cluster, "diagnosis", "pod.puller")
    assert diagnosis["verdict"] == "Unhealthy" and "cannot be pulled" in diagnosis["message"]
    ended(cluster, "no-registry")
    ready(cluster, "puller")
    assert got(cluster, "diagnosis", "pod.puller")["verdict"] == "Healthy"


def test_a_slow_registry_takes_its_time(cluster):
    fault(cluster, "slow-registry", type="RegistrySlow", delaySeconds=30, durationSeconds=100)
    wait_for(lambda: got(cluster, "fault", "slow-registry").get("status", {}).get("phase") == "Active", "it is slow")
    run(cluster, "patient", image="httpd:2.4.2")
    ready(cluster, "patient")
    (text,) = said(cluster, "patient", "Pulled")
    assert re.search(r'Successfully pulled image "httpd:2.4.2" in 3\d(\.\d+)?s ', text), text
    ended(cluster, "slow-registry")


def test_who_hangs_is_killed_by_its_liveness_probe(cluster):
    probe = {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 5, "failureThreshold": 2, "timeoutSeconds": 2}
    run(cluster, "stuck", livenessProbe=probe)
    ready(cluster, "stuck")
    fault(cluster, "hang", type="ContainerHang", namespace="default", pod="stuck", durationSeconds=120)

    def restarts():
        return got(cluster, "pod", "stuck")["status"]["containerStatuses"][0]["restartCount"]

    wait_for(lambda: restarts() >= 1, "it is restarted", 60)
    assert any(text.startswith("Liveness probe failed: ") for text in said(cluster, "stuck", "Unhealthy"))
    assert "Container main failed liveness probe, will be restarted" in said(cluster, "stuck", "Killing")
    ended(cluster, "hang")
    ready(cluster, "stuck")


def test_a_failing_readiness_probe_takes_a_pod_out_of_its_service(cluster):
    run(cluster, "shy", readinessProbe={"httpGet": {"path": "/", "port": 80}, "periodSeconds": 2})
    ready(cluster, "shy")
    cluster.kubectl("expose", "pod", "shy", "--port=80")
    wait_for(lambda: endpoints(cluster, "shy") == [True], "it is reachable")
    fault(cluster, "unready", type="ProbeFailure", namespace="default", pod="shy", durationSeconds=60)
    wait_for(lambda: condition(cluster, "pod", "shy", "Ready")["status"] == "False", "it is not ready", 60)
    assert condition(cluster, "pod", "shy", "Ready")["reason"] == "ContainersNotReady"
    wait_for(lambda: endpoints(cluster, "shy") == [False], "nobody is sent there")
    # It runs, and that is not enough: green while unready would be a lie.
    assert got(cluster, "pod", "shy")["status"]["phase"] == "Running"
    assert got(cluster, "diagnosis", "pod.shy")["verdict"] != "Healthy"
    ended(cluster, "unready")
    wait_for(lambda: endpoints(cluster, "shy") == [True], "all is as before", 60)


def test_slow_etcd_slows_writes_down(cluster):
    def took():
        began = time.monotonic()
        assert (
            cluster.request("PATCH", "/api/v1/namespaces/default", {"metadata": {"labels": {"x": str(began)}}}, PATCH)[
                0
            ]
            == 200
        )
        return time.monotonic() - began

    fault(cluster, "slow", type="SlowEtcd", delaySeconds=40, durationSeconds=100)
    wait_for(lambda: got(cluster, "fault", "slow").get("status", {}).get("phase") == "Active", "it is slow")
    assert took() > 1.5
    ended(cluster, "slow")
    assert got(cluster, "fault", "slow")["status"]["endTime"]


PATCH = {"Content-Type": "application/merge-patch+json"}


def test_an_overloaded_api_server_refuses_and_recovers(cluster):
    cluster.kubectl("create", "clusterrolebinding", "bob", "--clusterrole=view", "--user=bob")

    def answers():
        return [cluster.request("GET", "/api/v1/pods", None, {"Impersonate-User": "bob"}) for _ in range(40)]

    assert {code for code, _ in answers()} == {200}
    fault(cluster, "busy", type="APIServerOverload", percent=60, durationSeconds=100)
    wait_for(lambda: got(cluster, "fault", "busy").get("status", {}).get("phase") == "Active", "it is busy")
    refused = [body for code, body in answers() if code == 429]
    assert refused and refused[0]["reason"] == "TooManyRequests"
    ended(cluster, "busy")
    assert {code for code, _ in answers()} == {200}


def test_a_clock_that_is_off_shows_in_what_the_kubelet_writes(cluster):
    def ahead():
        """Seconds by which the node's heartbeat is ahead of what the API server says the time is."""
        beat = condition(cluster, "node", "node-1", "Ready")["lastHeartbeatTime"]
        cluster.kubectl("delete", "configmap", "now", "--ignore-not-found")
        cluster.kubectl("create", "configmap", "now")
        now = got(cluster, "configmap", "now")["metadata"]["creationTimestamp"]
        return (datetime.fromisoformat(beat) - datetime.fromisoformat(now)).total_seconds()

    fault(cluster, "fast-clock", type="ClockSkew", node="node-1", skewSeconds=3600, durationSeconds=400)
    # A kubelet with nothing new to say reports every five minutes of cluster time, and so stays ahead a while after that.
    wait_for(lambda: ahead() > 2000, "its heartbeats come from the future", 90)
    # Leases are judged by when they change, not by what they say.
    assert condition(cluster, "node", "node-1", "Ready")["status"] == "True"
    ended(cluster, "fast-clock")
    wait_for(lambda: ahead() < 60, "it is on time again", 90)


def test_nothing_is_left_broken(cluster):
    phases = {one["metadata"]["name"]: one["status"]["phase"] for one in got(cluster, "faults")["items"]}
    assert set(phases.values()) == {"Ended"}, phases
    assert all(not one["spec"].get("taints") for one in got(cluster, "nodes")["items"])
    verdicts = {
        one["metadata"]["name"]: one["message"]
        for one in got(cluster, "diagnoses")["items"]
        if one["verdict"] != "Healthy"
    }
    assert not verdicts
