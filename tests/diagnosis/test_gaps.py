"""What is desired against what is: who closes a gap, and what is not as desired though it looks so."""

from __future__ import annotations

from cluster import clock
from cluster.diagnosis.facts import Facts
from cluster.diagnosis.gaps import gaps
from tests.diagnosis.test_checklist import node
from tests.diagnosis.test_mends import View


def pod(name, owner="u", *, ready=True, on="n1"):
    metadata = {"name": name, "namespace": "shop", "uid": name}
    metadata["ownerReferences"] = [{"controller": True, "uid": owner, "kind": "X", "name": "x"}]
    conditions = [{"type": "Ready", "status": str(ready)}]
    return {"metadata": metadata, "spec": {"nodeName": on, "containers": []}, "status": {"conditions": conditions}}


def compared(kind, spec, status, *pods, resource="", **objects):
    obj = {"kind": kind, "metadata": {"name": "web", "namespace": "shop", "uid": "u", "generation": 1}, "spec": spec}
    obj["status"] = {"observedGeneration": 1, **status}
    view = View(**{"nodes": [node()], "pods": list(pods), **objects})
    found = gaps(Facts(view, resource or f"apps/{kind.lower()}s", obj, clock.now()))
    return {one["what"]: (one["gap"], one["closedBy"]) for one in found}


def test_pods_that_are_ready_are_not_available_before_their_time():
    status = {"updatedReplicas": 1, "availableReplicas": 0}
    found = compared("StatefulSet", {"replicas": 1, "minReadySeconds": 30}, status, pod("a"))
    assert found["ready pods"][0] == ""
    assert found["available pods"] == ("1 of 1 pods have not been ready for 30 s", "statefulset controller")


def test_whose_turn_it_is_with_an_old_template():
    old = {"updatedReplicas": 0, "updateRevision": "b", "currentRevision": "a"}
    spec = {"replicas": 1, "updateStrategy": {"type": "OnDelete"}}
    waits = "1 of 1 pods have the old template"
    found = compared("StatefulSet", spec, old, pod("a"))
    assert found["pods of the newest template"] == (waits, "whoever deletes the old pods (updateStrategy OnDelete)")
    owned = {"metadata": {"name": "web-1", "namespace": "shop", "uid": "rs"}, "spec": {"replicas": 1}}
    owned["metadata"]["ownerReferences"] = [{"controller": True, "uid": "u", "kind": "Deployment", "name": "web"}]
    # (The status leaves out updatedReplicas when it is 0.)
    paused = compared("Deployment", {"replicas": 1, "paused": True}, {}, pod("a", "rs"), apps__replicasets=[owned])
    assert paused["pods of the newest template"] == (waits, "whoever resumes the rollout (spec.paused)")
    found = compared("DaemonSet", {"updateStrategy": {"type": "OnDelete"}, "template": {"spec": {}}}, {}, pod("a"))
    assert found["nodes with the newest template"][1].startswith("whoever deletes")


def test_pods_that_are_not_there_have_no_old_template():
    found = compared("Deployment", {"replicas": 3}, {"updatedReplicas": 0})
    assert "pods of the newest template" not in found
    assert found["pods"] == ("3 of 3 pods are not there", "deployment controller")


def test_the_replica_set_makes_the_pods_once_it_is_told_how_many():
    owned = {"metadata": {"name": "web-1", "namespace": "shop", "uid": "rs"}, "spec": {"replicas": 3}}
    owned["metadata"]["ownerReferences"] = [{"controller": True, "uid": "u", "kind": "Deployment", "name": "web"}]
    found = compared("Deployment", {"replicas": 3}, {"updatedReplicas": 0}, apps__replicasets=[owned])
    assert found["pods"] == ("3 of 3 pods are not there", "replicaset controller")


def test_what_was_done_last_about_unready_pods_is_what_counts():
    event = {
        "metadata": {"name": "e"},
        "reason": "Unhealthy",
        "message": "Readiness probe failed",
        "involvedObject": {"kind": "Pod", "name": "a", "namespace": "shop", "uid": "a"},
        "source": {"component": "kubelet"},
        "lastTimestamp": "2026-01-01T00:00:00Z",
    }
    obj = {"kind": "ReplicaSet", "metadata": {"name": "web", "namespace": "shop", "uid": "u"}, "spec": {"replicas": 1}}
    view = View(nodes=[node()], pods=[pod("a", ready=False)], events=[event])
    found = {one["what"]: one for one in gaps(Facts(view, "apps/replicasets", obj, clock.now()))}
    assert found["ready pods"]["lastAction"] == "Unhealthy: Readiness probe failed"


def test_an_action_that_says_nothing_is_no_trouble():
    about = {"kind": "Pod", "namespace": "shop", "uid": "a"}
    event = {"metadata": {"name": "e"}, "involvedObject": about, "source": {"component": "kubelet"}}
    obj = {"kind": "ReplicaSet", "metadata": {"name": "web", "namespace": "shop", "uid": "u"}, "spec": {"replicas": 1}}
    view = View(nodes=[node()], pods=[pod("a", ready=False)], events=[event])
    found = {one["what"]: one for one in gaps(Facts(view, "apps/replicasets", obj, clock.now()))}
    assert found["ready pods"]["lastAction"] == ": "
