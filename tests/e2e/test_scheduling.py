"""Real kubectl and the scheduler's finer points: neighbours, spread, preemption, claims that are missing."""

from __future__ import annotations

import json
from collections import Counter

from tests.support.server import wait_for


def pods(cluster, selector):
    return json.loads(cluster.kubectl("get", "pods", "-l", selector, "-o", "json"))["items"]


def deployment(name, replicas, **spec):
    body = {"containers": [{"name": "c", "image": "nginx"}], "terminationGracePeriodSeconds": 1, **spec}
    return json.dumps(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": {"app": name}},
                "template": {"metadata": {"labels": {"app": name}}, "spec": body},
            },
        }
    )


def test_one_per_node_and_the_fourth_waits(cluster):
    term = {"labelSelector": {"matchLabels": {"app": "apart"}}, "topologyKey": "kubernetes.io/hostname"}
    affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    cluster.kubectl("apply", "-f", "-", stdin=deployment("apart", 4, affinity=affinity))
    wait_for(
        lambda: (
            Counter(pod["spec"].get("nodeName", "") for pod in pods(cluster, "app=apart"))
            == Counter(["node-1", "node-2", "node-3", ""])
        ),
        "three stand apart, one waits",
    )
    (waiting,) = (pod for pod in pods(cluster, "app=apart") if not pod["spec"].get("nodeName"))
    out = wait_for(
        lambda: (
            "FailedScheduling" in (told := cluster.kubectl("describe", "pod", waiting["metadata"]["name"])) and told
        ),
        "it is told why",
    )
    assert "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules." in out
    cluster.kubectl("scale", "deployment/apart", "--replicas=3")
    cluster.kubectl("delete", "deployment", "apart")


def test_spread_evenly(cluster):
    constraint = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "even"}},
    }
    cluster.kubectl("apply", "-f", "-", stdin=deployment("even", 6, topologySpreadConstraints=[constraint]))
    cluster.kubectl("rollout", "status", "deployment/even", "--timeout=60s")
    assert set(Counter(pod["spec"]["nodeName"] for pod in pods(cluster, "app=even")).values()) == {2}
    cluster.kubectl("delete", "deployment", "even")


def test_the_important_make_room(cluster):
    cpu = json.loads(cluster.kubectl("get", "node", "node-1", "-o", "json"))["status"]["allocatable"]["cpu"]
    half = f"{int(cpu) * 1000 * 6 // 10}m"
    asks = {"containers": [{"name": "c", "image": "nginx", "resources": {"requests": {"cpu": half}}}]}
    cluster.kubectl("apply", "-f", "-", stdin=deployment("filler", 3, **asks))
    cluster.kubectl("rollout", "status", "deployment/filler", "--timeout=60s")
    before = {pod["metadata"]["name"] for pod in pods(cluster, "app=filler")}
    cluster.kubectl("create", "priorityclass", "vital", "--value=1000")
    cluster.kubectl("apply", "-f", "-", stdin=deployment("vital", 1, priorityClassName="vital", **asks))
    cluster.kubectl("rollout", "status", "deployment/vital", "--timeout=60s")
    (vital,) = pods(cluster, "app=vital")
    left = {pod["metadata"]["name"] for pod in pods(cluster, "app=filler") if pod["spec"].get("nodeName")}
    assert len(before & left) == 2 and left <= before
    events = json.loads(cluster.kubectl("get", "events", "-o", "json"))["items"]
    (event,) = (one for one in events if one["reason"] == "Preempted")
    node = vital["spec"]["nodeName"]
    assert event["message"] == f"Preempted by pod {vital['metadata']['uid']} on node {node}"
    assert event["involvedObject"]["name"] in before - left
    cluster.kubectl("delete", "deployment", "vital", "filler")


def test_a_claim_that_comes_later(cluster):
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "user"},
        "spec": {
            "containers": [{"name": "c", "image": "nginx", "volumeMounts": [{"name": "d", "mountPath": "/d"}]}],
            "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "later"}}],
        },
    }
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(pod))
    wait_for(
        lambda: 'persistentvolumeclaim "later" not found' in cluster.kubectl("describe", "pod", "user"),
        "it is told why",
    )
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "later"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(claim))
    cluster.kubectl("wait", "--for=condition=Ready", "pod/user", "--timeout=60s")
