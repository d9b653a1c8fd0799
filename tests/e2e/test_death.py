"""The death of a pod in its eight steps as kubectl and watches see it, and what its users feel of it.

The order across resources is told by resourceVersions: all writes go through one log.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest

from tests.support.kubectl import apply, got
from tests.support.manifests import deployment
from tests.support.server import Cluster, tool, wait_for

SPEED = 5


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    running = Cluster("--profile=realistic", f"--speed={SPEED}", prepared=True).start()
    yield running
    running.close()


def since(cluster, path, version):
    """What a watch from that version on brings: (resourceVersion, type, object)."""
    query = f"watch=true&resourceVersion={version}&timeoutSeconds=1"
    text = cluster.kubectl("get", "--raw", f"{path}?{query}")
    events = [json.loads(line) for line in text.splitlines()]
    return [(int(one["object"]["metadata"]["resourceVersion"]), one["type"], one["object"]) for one in events]


SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web"},
    "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
}


def dying(witness):
    """A pod that says goodbye, hears SIGTERM, and does not go."""
    script = (
        f"trap 'wget -qO- http://{witness}:8080/echo?msg=sigterm' TERM; httpd -f -p 80 & while true; do sleep 1; done"
    )
    main = {
        "name": "main",
        "image": "busybox:1.37",
        "command": ["sh", "-c", script],
        "lifecycle": {"preStop": {"httpGet": {"host": witness, "port": 8080, "path": "/echo?msg=prestop"}}},
    }
    spec = {"containers": [main], "terminationGracePeriodSeconds": 10}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "labels": {"app": "web"}}, "spec": spec}


def test_the_eight_steps_in_their_order(cluster):
    cluster.kubectl("run", "witness", "--image=registry.k8s.io/e2e-test-images/agnhost:2.59", "--", "netexec")
    cluster.kubectl("wait", "--for=condition=Ready", "pod/witness", "--timeout=80s")
    apply(cluster, SERVICE, dying(got(cluster, "pod", "witness")["status"]["podIP"]))
    cluster.kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=80s")

    def endpoint():
        (one,) = got(cluster, "endpointslices", "-l", "kubernetes.io/service-name=web")["items"]
        return one["endpoints"] and one["endpoints"][0]["conditions"]

    wait_for(lambda: endpoint() == {"ready": True, "serving": True, "terminating": False}, "it serves")
    version = cluster.request("GET", "/api/v1/namespaces/default/pods")[1]["metadata"]["resourceVersion"]
    cluster.kubectl("delete", "pod", "web", "--wait=false")
    assert "Terminating" in cluster.kubectl("get", "pod", "web")
    wait_for(lambda: "NotFound" in cluster.kubectl("get", "pod", "web", check=False), "it is gone", 60)

    pods = [
        one for one in since(cluster, "/api/v1/namespaces/default/pods", version) if one[2]["metadata"]["name"] == "web"
    ]
    marked = next(at for at, _, pod in pods if pod["metadata"].get("deletionTimestamp"))
    first = next(pod for at, _, pod in pods if at == marked)
    # 1, 2: the API server sets the time and the grace; everything still runs.
    assert first["metadata"]["deletionGracePeriodSeconds"] == 10
    assert "running" in first["status"]["containerStatuses"][0]["state"]
    # 3: out of the endpoints, though it could still serve.
    slices = since(cluster, "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", version)
    leaving = next(
        at
        for at, _, one in slices
        for end in one.get("endpoints") or ()
        if end["conditions"] == {"ready": False, "serving": True, "terminating": True}
    )
    assert leaving > marked
    # 4, 5: the hook, then the signal.
    heard = [line for line in cluster.kubectl("logs", "witness").splitlines() if "/echo?msg=" in line]
    assert ["prestop" in heard[0], "sigterm" in heard[1]] == [True, True], heard
    # 6, 7: it does not go by itself, so it is killed when its grace is over.
    killed, last = next(
        (at, pod["status"]["containerStatuses"][0]["state"]["terminated"])
        for at, _, pod in pods
        if "terminated" in pod["status"]["containerStatuses"][0]["state"]
    )
    assert last["exitCode"] == 137
    assert killed > leaving
    # 8: the kubelet deletes it for good.
    gone = next(at for at, kind, _ in pods if kind == "DELETED")
    assert gone > killed
    events = got(cluster, "events", "--field-selector", "involvedObject.name=web,reason=Killing")["items"]
    assert [one["message"] for one in events] == ["Stopping container main"]


def test_who_stops_at_once_drops_requests_and_a_prestop_sleep_mends_that(cluster):
    container = {
        "name": "main",
        "image": "nginx:1.27",
        "readinessProbe": {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 1},
    }
    shop = deployment("shop", 3, container=container)
    service = {**SERVICE, "metadata": {"name": "shop"}, "spec": {"selector": {"app": "shop"}, "ports": [{"port": 80}]}}
    apply(cluster, shop, service)
    cluster.kubectl("rollout", "status", "deployment/shop", "--timeout=80s")
    traffic = {
        "apiVersion": "sim.kubeweb.dev/v1alpha1",
        "kind": "Traffic",
        "metadata": {"name": "shop"},
        "spec": {"service": "shop", "requestsPerSecond": 40},
    }
    apply(cluster, traffic)

    def counted(field):
        return got(cluster, "traffic", "shop").get("status", {}).get(field, 0)

    def failures_of(change):
        """How many requests fail while the pods are replaced."""
        before = counted("failed")
        change()
        cluster.kubectl("rollout", "status", "deployment/shop", "--timeout=80s")
        wait_for(lambda: len(got(cluster, "pods", "-l", "app=shop")["items"]) == 3, "the old ones are gone", 60)
        # What was sent before is counted in what is reported from now on.
        sent = counted("succeeded")
        wait_for(lambda: counted("succeeded") > sent + 100, "users have been served", 60)
        return counted("failed") - before

    wait_for(lambda: counted("succeeded") > 50, "users are served", 60)
    assert counted("failed") == 0
    assert sum(failures_of(lambda: cluster.kubectl("rollout", "restart", "deployment/shop")) for _ in range(2)) > 0
    sleep = {
        "spec": {
            "template": {
                "spec": {"containers": [{"name": "main", "lifecycle": {"preStop": {"sleep": {"seconds": 10}}}}]}
            }
        }
    }
    # The pods that go in this one have no hook yet.
    failures_of(lambda: cluster.kubectl("patch", "deployment", "shop", "-p", json.dumps(sleep)))
    assert failures_of(lambda: cluster.kubectl("rollout", "restart", "deployment/shop")) == 0


def test_force_leaves_nobody_waiting(cluster):
    cluster.kubectl("run", "deaf", "--image=busybox", "--", "sh", "-c", "trap '' TERM; while true; do sleep 1; done")
    cluster.kubectl("wait", "--for=condition=Ready", "pod/deaf", "--timeout=80s")
    done = subprocess.run(
        [tool("kubectl"), "delete", "pod", "deaf", "--grace-period=0", "--force"],
        env={"KUBECONFIG": str(cluster.kubeconfig), "HOME": str(cluster.data)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Immediate deletion does not wait" in done.stderr
    assert "NotFound" in cluster.kubectl("get", "pod", "deaf", check=False)
