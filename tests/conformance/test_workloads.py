"""[sig-apps] What several workloads have in common: scale, status, collections."""

from __future__ import annotations

import pytest

from tests.conformance.api import Refused, pod_template, workload
from tests.support.server import wait_for


@pytest.mark.parametrize("resource", ["deployments", "replicasets", "statefulsets", "replicationcontrollers"])
def test_should_have_a_working_scale_subresource(ns, resource):
    spec = workload("s", "pause")
    if resource == "statefulsets":
        spec["serviceName"] = "s"
    if resource == "replicationcontrollers":
        spec["selector"] = {"app": "s"}
    ns.create(resource, "s", spec)
    scale = ns.get(resource, "s/scale")
    assert (scale["kind"], scale["spec"]["replicas"]) == ("Scale", 1)
    scale["spec"]["replicas"] = 2
    del scale["metadata"]["resourceVersion"]
    assert ns.put(resource, "s/scale", scale)["spec"]["replicas"] == 2
    ns.patch(resource, "s/scale", {"spec": {"replicas": 4}})
    assert ns.get(resource, "s")["spec"]["replicas"] == 4


STATUS_OF = {
    "deployments": ("apps/v1", "Deployment"),
    "replicasets": ("apps/v1", "ReplicaSet"),
    "statefulsets": ("apps/v1", "StatefulSet"),
    "daemonsets": ("apps/v1", "DaemonSet"),
}


@pytest.mark.parametrize("resource", STATUS_OF)
def test_status_endpoints(ns, resource):
    spec = workload("x", "pause")
    if resource == "statefulsets":
        spec["serviceName"] = "x"
    ns.create(resource, "x", spec)
    condition = {"type": "StatusUpdate", "status": "True", "reason": "E2E", "message": "Set from e2e test"}

    def updated():
        obj = ns.get(resource, "x")
        obj["status"]["conditions"] = [*(obj["status"].get("conditions") or ()), condition]
        try:
            return ns.put(resource, "x/status", obj)
        except Refused as refused:
            assert refused.code == 409
            return None

    wait_for(updated, "the status is written")
    wait_for(lambda: ns.condition(resource, "x", "StatusUpdate")["reason"] == "E2E", "and read")
    ns.patch(resource, "x/status", {"status": {"conditions": [{"type": "StatusPatched", "status": "True"}]}})
    wait_for(lambda: ns.condition(resource, "x", "StatusPatched")["status"] == "True", "patched")


@pytest.mark.parametrize(
    "resource",
    [
        "deployments",
        "replicasets",
        "statefulsets",
        "daemonsets",
        "jobs",
        "cronjobs",
        "poddisruptionbudgets",
        "replicationcontrollers",
    ],
)
def test_should_list_and_delete_a_collection(ns, resource):
    for name in ("a", "b", "c"):
        spec = workload(name, "pause")
        if resource == "statefulsets":
            spec["serviceName"] = "x"
        if resource == "jobs":
            spec = {"template": pod_template({"app": name}, "pause", restartPolicy="Never")}
        if resource == "cronjobs":
            inner = {"template": pod_template({"app": name}, "pause", restartPolicy="Never")}
            spec = {"schedule": "*/1 * * * *", "suspend": True, "jobTemplate": {"spec": inner}}
        if resource == "poddisruptionbudgets":
            spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": name}}}
        if resource == "replicationcontrollers":
            spec["selector"] = {"app": name}
        ns.create(resource, name, spec, metadata={"labels": {"e2e": "yes"}})
    assert len(ns.list(resource, "e2e=yes")) == 3
    ns.delete(resource, query="?labelSelector=e2e%3Dyes&propagationPolicy=Background")
    wait_for(lambda: not ns.list(resource, "e2e=yes"), "all are gone")


def test_controller_revision_should_manage_its_lifecycle(ns):
    ns.create("daemonsets", "cr", workload("cr", "pause"))
    found = wait_for(lambda: ns.list("controllerrevisions", "app=cr"), "it has a revision")[0]
    name = found["metadata"]["name"]
    ns.patch("controllerrevisions", name, {"metadata": {"labels": {name: "patched"}}})
    assert ns.get("controllerrevisions", name)["metadata"]["labels"][name] == "patched"
    body = {
        "metadata": {"name": "mine", "labels": {"app": "cr"}, "ownerReferences": found["metadata"]["ownerReferences"]},
        "data": found["data"],
        "revision": found["revision"] + 1,
    }
    ns.request("POST", ns.path("controllerrevisions"), body)
    ns.delete("controllerrevisions", "mine")
    assert ns.find("controllerrevisions", "mine") is None
    ns.delete("controllerrevisions", query="?labelSelector=app%3Dcr")
    wait_for(
        lambda: [
            one
            for one in ns.list("controllerrevisions", "app=cr")
            if one["metadata"]["uid"] != found["metadata"]["uid"]
        ],
        "the set makes it anew",
    )
