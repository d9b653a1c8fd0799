"""The four steps on a pod, a node and a workload in the states that people meet: which step fails, and why."""

from __future__ import annotations

import pytest

from cluster import clock
from cluster.diagnosis.checklist import steps
from cluster.diagnosis.facts import Facts
from tests.diagnosis.test_mends import View


def node(name="n1", *, ready="True", pressure="False", **spec):
    conditions = [{"type": "Ready", "status": ready}, {"type": "MemoryPressure", "status": pressure}]
    allocatable = {"cpu": "4", "memory": "8Gi"}
    return {
        "metadata": {"name": name, "uid": name, "labels": {"disk": "hdd"}},
        "spec": spec,
        "status": {"conditions": conditions, "allocatable": allocatable},
    }


def pod(container=None, *, placed="n1", message="", reason="Unschedulable", requests=None, **spec):
    """A pod whose one container stands so; without a node it is Pending with that message."""
    containers = [{"name": "web", "image": "nginx", "resources": {"requests": requests or {}}}]
    conditions = [] if placed else [{"type": "PodScheduled", "status": "False", "reason": reason, "message": message}]
    status = {"phase": "Running" if placed else "Pending", "conditions": conditions}
    if container is not None:
        status["containerStatuses"] = [{"name": "web", "image": "nginx", "restartCount": 3, **container}]
    return {
        "metadata": {"name": "web", "namespace": "shop", "uid": "pod"},
        "spec": {"containers": containers, **({"nodeName": placed} if placed else {}), **spec},
        "status": status,
    }


def waits(reason, /, **last):
    found = {"state": {"waiting": {"reason": reason, "message": "said"}}}
    return {**found, "lastState": {"terminated": last}} if last else found


def failures(obj, resource="pods", **objects):
    """(step, reason) of all that is found; every finding has evidence or says that there is nothing."""
    facts = Facts(View(**{"nodes": [node()], **objects}), resource, obj, clock.now())
    found = steps(facts)
    assert [step["name"] for step in found] == ["Scheduling", "Nodes", "Pods", "Configuration"]
    assert all((step["result"] == "Failed") == ("findings" in step) for step in found)
    return [(step["step"], one["reason"]) for step in found for one in step.get("findings", ())]


RUNS = {"state": {"running": {}}, "ready": True}
TAINT = {"key": "gpu", "value": "yes", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("obj", "nodes", "expected"),
    [
        (pod(RUNS), [node()], []),
        (pod(placed="", message="m", nodeSelector={"disk": "ssd"}), [node()], [(1, "NodeSelectorMismatch")]),
        (pod(placed="", message="m"), [node(taints=[TAINT])], [(1, "UntoleratedTaint")]),
        (
            pod(placed="", message="m", tolerations=[{"operator": "Exists"}]),
            [node(taints=[TAINT])],
            [(1, "Unschedulable")],
        ),
        (pod(placed="", message="m", requests={"cpu": "5"}), [node()], [(1, "InsufficientResources")]),
        (pod(placed="", message="Insufficient cpu", requests={"cpu": "1"}), [node()], [(1, "InsufficientResources")]),
        (pod(placed="", message='persistentvolumeclaim "x" not found'), [node()], [(1, "VolumeNotBound")]),
        (pod(placed="", reason="SchedulingGated", schedulingGates=[{"name": "a"}]), [node()], [(1, "SchedulingGated")]),
        (pod(RUNS, placed="n2"), [node()], [(2, "NodeGone")]),
        (pod(RUNS), [node(ready="Unknown")], [(2, "NodeNotReady")]),
        (pod(RUNS), [node(pressure="True")], [(2, "MemoryPressure")]),
        (pod(waits("ImagePullBackOff")), [node()], [(3, "ImagePullBackOff")]),
        (pod(waits("CrashLoopBackOff", exitCode=1)), [node()], [(3, "CrashLoopBackOff")]),
        (pod(waits("CrashLoopBackOff", exitCode=137, reason="OOMKilled")), [node()], [(3, "OOMKilled")]),
        # That its node is away is the reason; what its containers said last is not.
        (pod(waits("CrashLoopBackOff", exitCode=1)), [node(ready="False")], [(2, "NodeNotReady")]),
        (pod(waits("CreateContainerConfigError")), [node()], [(4, "CreateContainerConfigError")]),
        (pod(RUNS, serviceAccountName="robot"), [node()], [(4, "MissingServiceAccount")]),
        (pod(RUNS, volumes=[{"name": "v", "configMap": {"name": "c"}}]), [node()], [(4, "MissingConfigMap")]),
        (pod(RUNS, volumes=[{"name": "v", "secret": {"secretName": "s", "optional": True}}]), [node()], []),
    ],
)
def test_a_pod(obj, nodes, expected):
    assert failures(obj, nodes=nodes) == expected


def test_a_probe_that_fails_is_told_by_its_event():
    event = {
        "metadata": {"name": "e"},
        "reason": "Unhealthy",
        "message": "Readiness probe failed: 404",
        "involvedObject": {"kind": "Pod", "name": "web", "uid": "pod", "fieldPath": "spec.containers{web}"},
        "lastTimestamp": "2026-01-01T00:00:00Z",
    }
    shy = pod({"state": {"running": {}}, "ready": False})
    assert failures(shy, events=[event]) == [(3, "Unhealthy")]
    assert failures(shy) == []


def test_an_event_that_says_nothing_is_no_trouble():
    about = {"kind": "Pod", "uid": "pod", "fieldPath": "spec.containers{web}"}
    events = [
        {"metadata": {"name": "k"}, "reason": "Killing", "involvedObject": about},
        {"metadata": {"name": "u"}, "reason": "Unhealthy", "involvedObject": about},
        {"metadata": {"name": "n"}, "involvedObject": about},
        {"metadata": {"name": "o"}},
    ]
    ended = {"exitCode": 1, "startedAt": "2026-01-01T00:00:00Z"}
    restarted = pod({"state": {"running": {}}, "lastState": {"terminated": ended}, "ready": False})
    assert failures(restarted, events=events) == [(3, "Unhealthy")]
    replicaset = {
        "metadata": {"name": "web", "namespace": "shop", "uid": "rs"},
        "spec": {"replicas": 2, "template": {"spec": {"containers": []}}},
    }
    refused = {"metadata": {}, "reason": "FailedCreate", "involvedObject": {"uid": "rs"}}
    assert failures(replicaset, "apps/replicasets", events=[refused]) == [(4, "FailedCreate")]


def test_a_node_tells_of_itself():
    assert failures(node(unschedulable=True), "nodes", nodes=[node(unschedulable=True)]) == [(1, "Cordoned")]
    assert failures(node(ready="False"), "nodes", nodes=[node(ready="False")]) == [(2, "NodeNotReady")]


def test_what_was_not_let_in_is_a_matter_of_configuration():
    replicaset = {
        "metadata": {"name": "web", "namespace": "shop", "uid": "rs"},
        "spec": {"replicas": 2, "template": {"spec": {"containers": []}}},
    }

    def refused(message):
        event = {"metadata": {}, "reason": "FailedCreate", "message": message, "involvedObject": {"uid": "rs"}}
        return failures(replicaset, "apps/replicasets", events=[event])

    assert refused('pods "x" is forbidden: exceeded quota: small') == [(4, "QuotaExceeded")]
    assert refused('pods "x" is forbidden: violates PodSecurity "restricted"') == [(4, "PodSecurity")]
    assert refused('pods "x" is forbidden: no') == [(4, "Forbidden")]
    assert refused("something else") == [(4, "FailedCreate")]


def test_a_daemon_set_that_may_stand_nowhere():
    daemons = {
        "metadata": {"name": "d", "namespace": "shop", "uid": "ds"},
        "spec": {"template": {"spec": {"containers": [], "nodeSelector": {"disk": "ssd"}}}},
    }
    assert failures(daemons, "apps/daemonsets") == [(1, "NodeSelectorMismatch")]
    assert failures(daemons, "apps/daemonsets", nodes=[]) == [(1, "NoNodes")]


def a_service(**spec):
    ports = [{"port": 80, "protocol": "TCP", "targetPort": 80}]
    metadata = {"name": "web", "namespace": "shop", "uid": "svc"}
    return {"kind": "Service", "metadata": metadata, "spec": {"selector": {"app": "web"}, "ports": ports, **spec}}


def a_slice(*addresses, ready=True):
    labels = {"kubernetes.io/service-name": "web"}
    endpoints = [{"addresses": [one], "conditions": {"ready": ready}} for one in addresses]
    return {
        "metadata": {"name": "web-1", "namespace": "shop", "uid": "slice", "labels": labels},
        "endpoints": endpoints,
    }


def labelled(obj):
    obj["metadata"]["labels"] = {"app": "web", "more": "x"}
    return obj


@pytest.mark.parametrize(
    ("spec", "pods", "slices", "expected"),
    [
        ({}, [], [a_slice()], [(4, "SelectorMatchesNothing")]),
        ({}, [labelled(pod(RUNS))], [a_slice("10.0.0.1")], []),
        # What its pods lack is its affair only while nobody answers.
        ({}, [labelled(pod(waits("ImagePullBackOff")))], [a_slice("10.0.0.1", ready=False)], [(3, "ImagePullBackOff")]),
        ({}, [labelled(pod(waits("ImagePullBackOff")))], [a_slice("10.0.0.1")], []),
        ({"ports": [{"port": 80, "targetPort": "http"}]}, [labelled(pod(RUNS))], [], [(4, "TargetPortNotFound")]),
        ({"selector": None}, [], [], [(4, "NoEndpoints")]),
        ({"selector": None}, [], [a_slice("10.0.0.1")], []),
        ({"type": "ExternalName", "externalName": "example.com", "selector": None}, [], [], []),
    ],
)
def test_a_service(spec, pods, slices, expected):
    objects = {"pods": pods, "discovery__k8s.io__endpointslices": slices}
    view = View(nodes=[node()], pods=pods)
    view.objects["discovery.k8s.io/endpointslices"] = objects["discovery__k8s.io__endpointslices"]
    found = steps(Facts(view, "services", a_service(**spec), clock.now()))
    assert [(step["step"], one["reason"]) for step in found for one in step.get("findings", ())] == expected


def a_class(provisioner="sim.kubeweb.dev/disk", mode="Immediate"):
    return {"metadata": {"name": "fast"}, "provisioner": provisioner, "volumeBindingMode": mode}


@pytest.mark.parametrize(
    ("class_name", "phase", "classes", "pods", "expected"),
    [
        ("", "Pending", [], [], [(4, "NoStorageClass")]),
        ("fast", "Pending", [], [], [(4, "StorageClassNotFound")]),
        ("fast", "Pending", [a_class()], [], []),
        ("fast", "Pending", [a_class("kubernetes.io/no-provisioner")], [], [(4, "NoVolume")]),
        # It waits for its first consumer: that is as it should be.
        ("fast", "Pending", [a_class("kubernetes.io/no-provisioner", "WaitForFirstConsumer")], [], []),
        ("fast", "Lost", [a_class()], [], [(4, "VolumeLost")]),
        ("fast", "Bound", [], [], []),
        ("fast", "Pending", [a_class(mode="WaitForFirstConsumer")], [{"disk": "ssd"}], [(1, "NodeSelectorMismatch")]),
        ("fast", "Bound", [a_class()], [{"disk": "ssd"}], []),
    ],
)
def test_a_claim(class_name, phase, classes, pods, expected):
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    using = [pod(placed="", message="m", nodeSelector=selector, volumes=volumes) for selector in pods]
    metadata = {"name": "data", "namespace": "shop", "uid": "pvc"}
    claim = {"metadata": metadata, "spec": {"storageClassName": class_name}, "status": {"phase": phase}}
    view = View(nodes=[node()], pods=using)
    view.objects["storage.k8s.io/storageclasses"] = classes
    found = steps(Facts(view, "persistentvolumeclaims", claim, clock.now()))
    assert [(step["step"], one["reason"]) for step in found for one in step.get("findings", ())] == expected
