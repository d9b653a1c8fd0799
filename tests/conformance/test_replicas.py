"""[sig-apps] ReplicaSet and ReplicationController."""

from __future__ import annotations

import pytest

from tests.conformance.api import pod_template, workload
from tests.conformance.workloads import available, owner, pods_of
from tests.support.server import wait_for


def test_replication_controller_lifecycle(ns):
    """Created, read, patched (spec and status), scaled, listed in all namespaces, deleted as a collection."""
    spec = {"replicas": 1, "selector": {"app": "lc"}, "template": pod_template({"app": "lc"}, "pause")}
    ns.create("replicationcontrollers", "lc", spec, metadata={"labels": {"test-rc-static": ns.name}})
    available(ns, "replicationcontrollers", "lc", 1)
    patched = ns.patch(
        "replicationcontrollers", "lc", {"metadata": {"labels": {"test-rc": "patched"}}, "spec": {"replicas": 2}}
    )
    assert patched["metadata"]["labels"]["test-rc"] == "patched"
    ns.patch("replicationcontrollers", "lc/status", {"status": {"readyReplicas": 0, "availableReplicas": 0}})
    available(ns, "replicationcontrollers", "lc", 2)
    found = ns.request("GET", f"/api/v1/replicationcontrollers?labelSelector=test-rc-static%3D{ns.name}")["items"]
    assert [one["metadata"]["name"] for one in found] == ["lc"]
    ns.delete("replicationcontrollers", query=f"?labelSelector=test-rc-static%3D{ns.name}")
    wait_for(lambda: ns.find("replicationcontrollers", "lc") is None, "gone")


def test_replicaset_replace_and_patch(ns):
    ns.create("replicasets", "rp", workload("rp", "pause", replicas=1))
    available(ns, "replicasets", "rp", 1)
    ns.patch("replicasets", "rp/scale", {"spec": {"replicas": 2}})
    available(ns, "replicasets", "rp", 2)
    change = {
        "metadata": {"labels": {"test-rs": "patched"}},
        "spec": {"replicas": 3, "template": {"spec": {"terminationGracePeriodSeconds": 0}}},
    }
    ns.patch("replicasets", "rp", change, "strategic")
    available(ns, "replicasets", "rp", 3)
    assert ns.get("replicasets", "rp")["metadata"]["labels"]["test-rs"] == "patched"


@pytest.mark.parametrize("resource", ["replicasets", "replicationcontrollers"])
def test_should_adopt_matching_pods_on_creation_and_release_no_longer_matching_pods(ns, resource):
    ns.pod("adopt", "pause", metadata={"labels": {"app": "adopt"}})
    spec = workload("adopt", "pause", replicas=1)
    if resource == "replicationcontrollers":
        spec["selector"] = {"app": "adopt"}
    made = ns.create(resource, "adopt", spec)
    wait_for(lambda: owner(ns.get("pods", "adopt")).get("uid") == made["metadata"]["uid"], "the pod is adopted")
    ns.patch("pods", "adopt", {"metadata": {"labels": {"app": "other"}}})
    wait_for(lambda: not owner(ns.get("pods", "adopt")), "the pod is released")
    wait_for(lambda: len(pods_of(ns, "adopt")) == 1, "there is another")


def test_replication_controller_should_surface_a_failure_condition_on_exceeded_quota(ns):
    ns.create("resourcequotas", "q", {"hard": {"pods": "2"}})
    wait_for(lambda: ns.get("resourcequotas", "q")["status"].get("used"), "the quota counts")
    ns.create(
        "replicationcontrollers",
        "rc",
        {"replicas": 3, "selector": {"app": "rc"}, "template": pod_template({"app": "rc"}, "pause")},
    )
    wait_for(lambda: ns.condition("replicationcontrollers", "rc", "ReplicaFailure")["status"] == "True", "it says so")
    assert ns.condition("replicationcontrollers", "rc", "ReplicaFailure")["reason"] == "FailedCreate"
    ns.patch("replicationcontrollers", "rc", {"spec": {"replicas": 2}})
    wait_for(lambda: not ns.condition("replicationcontrollers", "rc", "ReplicaFailure")["status"], "and takes it back")


@pytest.mark.parametrize("resource", ["replicasets", "replicationcontrollers"])
def test_should_serve_a_basic_image_on_each_replica(ns, resource):
    template = pod_template({"app": "serve"}, "serve-hostname")
    spec = workload("serve", template=template, replicas=2)
    if resource == "replicationcontrollers":
        spec["selector"] = {"app": "serve"}
    ns.create(resource, "serve", spec)
    available(ns, resource, "serve", 2)
    for pod in pods_of(ns, "serve"):
        name = pod["metadata"]["name"]
        assert ns.request("GET", f"/api/v1/namespaces/{ns.name}/pods/{name}:9376/proxy/").strip() == name


def test_a_replication_controller_that_is_deleted_without_a_word_leaves_its_pods(ns):
    ns.create("replicationcontrollers", "left", {"replicas": 2, "template": pod_template({"app": "left"}, "pause")})
    wait_for(lambda: len(ns.list("pods")) == 2, "its pods are there")
    ns.delete("replicationcontrollers", "left")
    wait_for(lambda: ns.find("replicationcontrollers", "left") is None, "the controller is gone")
    assert all("ownerReferences" not in one["metadata"] for one in ns.list("pods")) and len(ns.list("pods")) == 2
