"""What a test that fails leaves to the whole cluster is undone, so that it fails alone."""

from __future__ import annotations

from tests.support.server import wait_for


def test_what_is_done_to_the_whole_cluster_is_undone(ns, baseline):
    name = f"left-{ns.name}"
    ns.patch("nodes", "node-2", {"metadata": {"labels": {"left": ns.name}}, "spec": {"unschedulable": True}})
    ns.patch("nodes", "node-3", {"spec": {"taints": [{"key": "left", "effect": "NoSchedule"}]}})
    ns.patch("nodes", "node-1/status", {"status": {"capacity": {"example.com/left": "3"}}})
    ns.create("nodes", name)
    finalizers = {"finalizers": ["example.com/nobody"]}
    ns.request("POST", ns.path("priorityclasses"), {"metadata": {"name": name, **finalizers}, "value": 3})
    ns.request("POST", ns.path("runtimeclasses"), {"metadata": {"name": name}, "handler": "runc"})
    ns.create("servicecidrs", name, {"cidrs": ["10.198.0.0/24"]})
    wait_for(lambda: ns.condition("servicecidrs", name, "Ready")["status"] == "True", "the range is ready")
    ns.create("services", "web", {"clusterIP": "10.198.0.7", "ports": [{"port": 80}]})
    names = {"plural": "lefts", "kind": "Left"}
    schema = {"openAPIV3Schema": {"type": "object"}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    spec = {"group": "left.example.com", "scope": "Cluster", "names": names, "versions": [version]}
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    ns.request("POST", definitions, {"metadata": {"name": "lefts.left.example.com"}, "spec": spec})
    left = baseline.left()
    assert {path.rpartition("/")[2] for path in left} == {
        *("node-1", "node-2", "node-3"),
        *(name, "lefts.left.example.com"),
    }
    # What is in the test's namespace goes with it.
    ns.delete("services", "web")
    baseline.restore()
    assert baseline.left() == []
