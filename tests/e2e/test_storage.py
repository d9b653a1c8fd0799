"""Volumes with kubectl: bound when a pod has a node, used by one alone, grown while in use, made for a pod and gone with it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.kubectl import apply, got
from tests.support.server import Cluster, wait_for

CLASSES = """
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: later}
provisioner: sim.kubeweb.dev/disk
volumeBindingMode: WaitForFirstConsumer
allowVolumeExpansion: true
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: local}
provisioner: kubernetes.io/no-provisioner
volumeBindingMode: WaitForFirstConsumer
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    running = Cluster("--profile=instant", "--speed=20", prepared=True).start()
    running.kubectl("apply", "-f", "-", stdin=CLASSES)
    yield running
    running.close()


def claim(name, storage_class, mode="ReadWriteOnce"):
    spec = {"accessModes": [mode], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": storage_class}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}


def user(name, *claims, **volumes):
    """A pod that mounts claims at /CLAIM, and other volumes at /NAME."""
    sources = {one: {"persistentVolumeClaim": {"claimName": one}} for one in claims} | volumes
    main = {
        "name": "main",
        "image": "busybox",
        "command": ["sleep", "86400"],
        "volumeMounts": [{"name": one, "mountPath": f"/{one}"} for one in sources],
    }
    spec = {
        "containers": [main],
        "volumes": [{"name": one, **source} for one, source in sources.items()],
        "terminationGracePeriodSeconds": 1,
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def volume(name, size, node):
    term = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]}
    spec = {
        "capacity": {"storage": size},
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "local",
        "local": {"path": "/mnt/disk"},
        "nodeAffinity": {"required": {"nodeSelectorTerms": [term]}},
    }
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec}


def ready(cluster, name):
    cluster.kubectl("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=60s")


def said(cluster, name, reason):
    chosen = f"involvedObject.name={name},reason={reason}"
    return [one["message"] for one in got(cluster, "events", "--field-selector", chosen)["items"]]


def test_a_volume_is_made_when_its_first_consumer_has_a_node(cluster):
    apply(cluster, claim("data", "later"))
    wait_for(lambda: said(cluster, "data", "WaitForFirstConsumer"), "the claim says what it waits for")
    assert said(cluster, "data", "WaitForFirstConsumer") == ["waiting for first consumer to be created before binding"]
    assert got(cluster, "pvc", "data")["status"]["phase"] == "Pending"
    apply(cluster, user("first", "data"))
    ready(cluster, "first")
    found, pod = got(cluster, "pvc", "data"), got(cluster, "pod", "first")
    assert found["metadata"]["annotations"]["volume.kubernetes.io/selected-node"] == pod["spec"]["nodeName"]
    assert found["status"]["phase"] == "Bound"
    described = cluster.kubectl("describe", "pvc", "data")
    assert f"Successfully provisioned volume pvc-{found['metadata']['uid']}" in described
    assert "Used By:       first" in described


def test_a_local_volume_draws_its_pod_to_its_node(cluster):
    apply(cluster, volume("on-3", "2Gi", "node-3"), volume("small", "500Mi", "node-1"), claim("here", "local"))
    apply(cluster, user("drawn", "here"))
    ready(cluster, "drawn")
    assert got(cluster, "pod", "drawn")["spec"]["nodeName"] == "node-3"
    found = got(cluster, "pvc", "here")
    assert (found["spec"]["volumeName"], found["status"]["capacity"]) == ("on-3", {"storage": "2Gi"})
    # For a second one there is none, and a node that does not reach the first is told apart.
    apply(cluster, claim("none", "local"), user("stuck", "none"))
    text = "3 node(s) didn't find available persistent volumes to bind"
    wait_for(lambda: any(text in one for one in said(cluster, "stuck", "FailedScheduling")), "nothing is there to bind")
    elsewhere = user("elsewhere", "here")
    elsewhere["spec"]["nodeSelector"] = {"kubernetes.io/hostname": "node-1"}
    apply(cluster, elsewhere)
    text = "1 node(s) didn't match PersistentVolume's node affinity"
    wait_for(lambda: any(text in one for one in said(cluster, "elsewhere", "FailedScheduling")), "it is out of reach")
    cluster.kubectl("delete", "pod", "drawn", "stuck", "elsewhere")
    cluster.kubectl("delete", "pvc", "here")
    wait_for(lambda: got(cluster, "pv", "on-3")["status"]["phase"] == "Released", "what is retained is released")


def test_one_pod_alone_has_a_claim_that_says_so(cluster):
    apply(cluster, claim("alone", "later", "ReadWriteOncePod"), user("one", "alone"))
    ready(cluster, "one")
    apply(cluster, user("two", "alone"))
    text = (
        "0/3 nodes are available: 3 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod "
        "access mode."
    )
    wait_for(lambda: any(one.startswith(text) for one in said(cluster, "two", "FailedScheduling")), "it has to wait")
    cluster.kubectl("delete", "pod", "one")
    ready(cluster, "two")


def test_a_claim_grows_while_its_pod_runs(cluster):
    apply(cluster, claim("growing", "later"))
    patch = '{"spec": {"resources": {"requests": {"storage": "%s"}}}}'
    refused = cluster.kubectl("patch", "pvc", "growing", "-p", patch % "2Gi", check=False)
    assert "spec is immutable after creation" in refused or "Only bound persistent volume claims" in refused
    apply(cluster, user("writer", "growing"))
    ready(cluster, "writer")
    cluster.kubectl("patch", "pvc", "growing", "-p", patch % "3Gi")
    wait_for(
        lambda: got(cluster, "pvc", "growing")["status"]["capacity"] == {"storage": "3Gi"}, "the file system grows", 60
    )
    found = got(cluster, "pvc", "growing")
    assert not found["status"].get("conditions")
    assert got(cluster, "pv", found["spec"]["volumeName"])["spec"]["capacity"] == {"storage": "3Gi"}
    wait_for(lambda: said(cluster, "growing", "FileSystemResizeSuccessful"), "and the kubelet says so")
    assert said(cluster, "growing", "Resizing") and said(cluster, "growing", "FileSystemResizeRequired")
    refused = cluster.kubectl("patch", "pvc", "growing", "-p", patch % "1Gi", check=False)
    assert "field can not be less than status.capacity" in refused
    apply(cluster, volume("fixed", "1Gi", "node-2"), claim("rigid", "local"), user("rigid", "rigid"))
    ready(cluster, "rigid")
    refused = cluster.kubectl("patch", "pvc", "rigid", "-p", patch % "9Gi", check=False)
    assert "only dynamically provisioned pvc can be resized" in refused


def test_an_ephemeral_volume_comes_and_goes_with_its_pod(cluster):
    template = {"metadata": {"labels": {"for": "scratch"}}, "spec": claim("x", "later")["spec"]}
    apply(cluster, user("short", scratch={"ephemeral": {"volumeClaimTemplate": template}}))
    ready(cluster, "short")
    cluster.kubectl("exec", "short", "--", "sh", "-c", "echo hello > /scratch/file")
    found = got(cluster, "pvc", "short-scratch")
    assert found["metadata"]["labels"] == {"for": "scratch"}
    assert found["metadata"]["ownerReferences"][0]["name"] == "short"
    cluster.kubectl("delete", "pod", "short")
    wait_for(lambda: "NotFound" in cluster.kubectl("get", "pvc", "short-scratch", check=False), "the claim goes, too")
    wait_for(
        lambda: "NotFound" in cluster.kubectl("get", "pv", found["spec"]["volumeName"], check=False), "and its volume"
    )
    # A claim of that name that belongs to nobody is not used.
    apply(cluster, claim("other-scratch", "standard"))
    apply(cluster, user("other", scratch={"ephemeral": {"volumeClaimTemplate": template}}))
    text = "PVC default/other-scratch was not created for pod default/other (pod is not owner)"
    wait_for(lambda: any(text in one for one in said(cluster, "other", "FailedScheduling")), "it is not used")
