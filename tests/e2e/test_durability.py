"""kill -9 in the middle of an apply of 200 objects: what was acknowledged is there, and the loops finish the work."""

from __future__ import annotations

import sqlite3
import threading

import pytest

from tests.support.manifests import deployment
from tests.support.server import Cluster, wait_for

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
DEPLOYMENT = deployment("survivor", 20)


@pytest.fixture
def cluster():
    running = Cluster("--profile=instant", prepared=True).start()
    yield running
    running.close()


def test_what_was_acknowledged_survives_a_power_cut(cluster):
    acknowledged: dict[str, str] = {}
    lock, enough = threading.Lock(), threading.Event()

    def apply(first: int) -> None:
        for number in range(first, 200, 8):
            name = f"item-{number}"
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"n": str(number)}}
            try:
                status, answer = cluster.request("POST", CONFIGMAPS, body)
            except OSError:
                return
            if status == 201:
                with lock:
                    acknowledged[name] = answer["metadata"]["resourceVersion"]
                    if len(acknowledged) >= 60:
                        enough.set()

    assert cluster.request("POST", "/apis/apps/v1/namespaces/default/deployments", DEPLOYMENT)[0] == 201
    threads = [threading.Thread(target=apply, args=(first,)) for first in range(8)]
    for thread in threads:
        thread.start()
    assert enough.wait(60)
    cluster.kill()
    for thread in threads:
        thread.join()
    assert 60 <= len(acknowledged) < 200

    with sqlite3.connect(cluster.data / "etcd.sqlite3") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (ids,) = zip(*database.execute("SELECT id FROM etcd_revision ORDER BY id"), strict=True)
        assert list(ids) == list(range(1, len(ids) + 1)), "the log has no gap"

    cluster.start()
    _, page = cluster.request("GET", CONFIGMAPS)
    there = {item["metadata"]["name"]: item["metadata"]["resourceVersion"] for item in page["items"]}
    assert {name: there.get(name) for name in acknowledged} == acknowledged

    def ready() -> bool:
        _, found = cluster.request("GET", "/apis/apps/v1/namespaces/default/deployments/survivor")
        return bool(found["status"].get("readyReplicas") == 20)

    wait_for(ready, "the loops finish what the cut interrupted", 60)


def test_a_graceful_stop_and_start_keeps_everything_running(cluster):
    cluster.request("POST", "/apis/apps/v1/namespaces/default/deployments", DEPLOYMENT)
    path = "/api/v1/namespaces/default/pods"

    def running():
        items = cluster.request("GET", path)[1]["items"]
        done = [pod for pod in items if (pod["status"].get("containerStatuses") or [{}])[0].get("ready")]
        return (
            {pod["metadata"]["name"]: pod["status"]["containerStatuses"][0] for pod in done} if len(done) == 20 else {}
        )

    before = wait_for(running, "twenty pods run")
    assert cluster.stop() == 0
    cluster.start()
    after = wait_for(running, "they still run")
    assert {name: (one["containerID"], one["restartCount"]) for name, one in before.items()} == {
        name: (one["containerID"], one["restartCount"]) for name, one in after.items()
    }


def test_what_is_on_disks_is_there_after_a_restart(cluster):
    """An emptyDir lives as long as its pod, a volume as long as itself, a machine's directory for ever."""
    claim = {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}}
    cluster.request(
        "POST", "/api/v1/namespaces/default/persistentvolumeclaims", {"metadata": {"name": "kept"}, **claim}
    )
    volumes = [
        {"name": "empty", "emptyDir": {}},
        {"name": "claimed", "persistentVolumeClaim": {"claimName": "kept"}},
        {"name": "machine", "hostPath": {"path": "/srv/data", "type": "DirectoryOrCreate"}},
    ]
    mounts = [{"name": one["name"], "mountPath": f"/{one['name']}"} for one in volumes]
    box = {"name": "c", "image": "busybox", "command": ["sleep", "100000"], "volumeMounts": mounts}
    pod = {"metadata": {"name": "keeper"}, "spec": {"containers": [box], "volumes": volumes}}
    cluster.request("POST", "/api/v1/namespaces/default/pods", pod)
    cluster.kubectl("wait", "--for=condition=Ready", "pod/keeper", "--timeout=60s")
    places = [mount["mountPath"] for mount in mounts]
    cluster.kubectl("exec", "keeper", "--", "sh", "-c", f"for at in {' '.join(places)}; do echo $at > $at/file; done")
    assert cluster.stop() == 0
    cluster.start()
    look = ("exec", "keeper", "--", "cat", *(f"{place}/file" for place in places))
    wait_for(lambda: cluster.kubectl(*look, check=False) == "".join(f"{place}\n" for place in places), "the files", 60)


def test_what_a_container_wrote_in_its_own_file_system_is_there_after_a_restart(cluster):
    """The kubelet finds the same container again: what it wrote beside its volumes goes with the container, not with the kubelet."""
    box = {"name": "c", "image": "busybox", "command": ["sleep", "100000"]}
    pod = {"metadata": {"name": "writer"}, "spec": {"containers": [box]}}
    cluster.request("POST", "/api/v1/namespaces/default/pods", pod)
    cluster.kubectl("wait", "--for=condition=Ready", "pod/writer", "--timeout=60s")

    def status():
        return cluster.request("GET", "/api/v1/namespaces/default/pods/writer")[1]["status"]["containerStatuses"][0]

    before = status()
    cluster.kubectl(
        "exec", "writer", "--", "sh", "-c", "mkdir /srv/data; echo kept > /srv/data/file; rm /etc/os-release"
    )
    assert cluster.stop() == 0
    cluster.start()
    look = ("exec", "writer", "--", "sh", "-c", "cat /srv/data/file; test -e /etc/os-release || echo gone")
    wait_for(lambda: cluster.kubectl(*look, check=False) == "kept\ngone\n", "the files", 60)
    after = status()
    assert (after["containerID"], after["restartCount"]) == (before["containerID"], before["restartCount"])
