"""[sig-node] Nodes: leases, taints that evict, their lifecycle."""

from __future__ import annotations

from tests.conformance.api import Refused
from tests.support.server import wait_for


def test_node_lease_and_heartbeat(ns):
    def lease():
        return ns.request("GET", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/node-1")["spec"]

    first = lease()
    assert first["holderIdentity"] == "node-1" and first["leaseDurationSeconds"] == 40
    wait_for(lambda: lease()["renewTime"] > first["renewTime"], "it is renewed", 30)


def test_lease_api(ns):
    ns.create(
        "leases",
        "l",
        {
            "holderIdentity": "holder",
            "leaseDurationSeconds": 30,
            "leaseTransitions": 0,
            "acquireTime": "2024-01-01T00:00:00.000000Z",
        },
    )
    body = ns.get("leases", "l")
    body["spec"]["holderIdentity"] = "holder2"
    ns.put("leases", "l", body)
    assert ns.patch("leases", "l", {"spec": {"leaseDurationSeconds": 60}})["spec"]["leaseDurationSeconds"] == 60
    ns.delete("leases", query="?labelSelector=")
    assert not ns.list("leases")


def test_no_execute_taint_manager_evicts_pods_with_min_toleration(ns):
    def tolerant(name, seconds):
        toleration = {
            "key": "kubernetes.io/e2e-evict-taint-key",
            "operator": "Equal",
            "value": "evictTaintVal",
            "effect": "NoExecute",
        }
        ns.pod(
            name,
            "pause",
            nodeName="node-3",
            tolerations=[{**toleration, "tolerationSeconds": seconds}] if seconds else None,
        )

    tolerant("a", 10)
    tolerant("b", 600)
    ns.pod("c", "pause", nodeName="node-3")
    ns.ready("a", "b", "c")
    taint = {"key": "kubernetes.io/e2e-evict-taint-key", "value": "evictTaintVal", "effect": "NoExecute"}
    ns.patch("nodes", "node-3", {"spec": {"taints": [taint]}})
    wait_for(lambda: ns.find("pods", "c") is None, "c does not tolerate it")
    wait_for(lambda: ns.find("pods", "a") is None, "a does for a while", 60)
    assert ns.find("pods", "b") is not None
    ns.patch("nodes", "node-3", {"spec": {"taints": None}})


def test_removing_taint_cancels_eviction(ns):
    toleration = {
        "key": "kubernetes.io/e2e-evict",
        "operator": "Exists",
        "effect": "NoExecute",
        "tolerationSeconds": 20,
    }
    ns.pod("stays", "pause", nodeName="node-2", tolerations=[toleration])
    ns.ready("stays")
    ns.patch("nodes", "node-2", {"spec": {"taints": [{"key": "kubernetes.io/e2e-evict", "effect": "NoExecute"}]}})
    ns.exec("stays", "sleep", "5")
    ns.patch("nodes", "node-2", {"spec": {"taints": None}})
    wait_for(
        lambda: any("Cancelling deletion" in one for one in ns.said("stays", "TaintManagerEviction")), "and let off"
    )
    ns.exec("stays", "sleep", "25")
    assert "deletionTimestamp" not in ns.get("pods", "stays")["metadata"]


def test_node_lifecycle(ns):
    name = f"fake-{ns.name}"
    ns.create("nodes", name, {"unschedulable": True}, metadata={"labels": {"kubernetes.io/e2e-node": "yes"}})
    assert ns.patch("nodes", name, {"metadata": {"labels": {name: "patched"}}})["metadata"]["labels"][name] == "patched"
    assert [one["metadata"]["name"] for one in ns.list("nodes", f"{name}=patched")] == [name]

    def updated():
        body = ns.get("nodes", name)
        body["metadata"]["labels"][name] = "updated"
        try:
            return ns.put("nodes", name, body)["metadata"]["labels"][name] == "updated"
        except Refused as refused:
            assert refused.code == 409
            return False

    wait_for(updated, "updated")
    ns.delete("nodes", name)
    wait_for(lambda: ns.find("nodes", name) is None, "gone")
