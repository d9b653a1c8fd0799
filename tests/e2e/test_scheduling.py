"""Real kubectl and the scheduler's finer points: neighbours, spread, preemption, claims that are missing."""

from __future__ import annotations

import json
from collections import Counter

from tests.support.manifests import deployment
from tests.support.server import wait_for


def pods(cluster, selector):
    return json.loads(cluster.kubectl("get", "pods", "-l", selector, "-o", "json"))["items"]


def test_one_per_node_and_the_fourth_waits(cluster):
    term = {"labelSelector": {"matchLabels": {"app": "apart"}}, "topologyKey": "kubernetes.io/hostname"}
    affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    cluster.kubectl(
        "apply", "-f", "-", stdin=json.dumps(deployment("apart", 4, affinity=affinity, terminationGracePeriodSeconds=1))
    )
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
    cluster.kubectl(
        "apply",
        "-f",
        "-",
        stdin=json.dumps(
            deployment("even", 6, topologySpreadConstraints=[constraint], terminationGracePeriodSeconds=1)
        ),
    )
    cluster.kubectl("rollout", "status", "deployment/even", "--timeout=60s")
    assert set(Counter(pod["spec"]["nodeName"] for pod in pods(cluster, "app=even")).values()) == {2}
    cluster.kubectl("delete", "deployment", "even")


def test_the_important_make_room(cluster):
    cpu = json.loads(cluster.kubectl("get", "node", "node-1", "-o", "json"))["status"]["allocatable"]["cpu"]
    half = f"{int(cpu) * 1000 * 6 // 10}m"
    asks = {"containers": [{"name": "c", "image": "nginx", "resources": {"requests": {"cpu": half}}}]}
    cluster.kubectl(
        "apply", "-f", "-", stdin=json.dumps(deployment("filler", 3, **asks, terminationGracePeriodSeconds=1))
    )
    cluster.kubectl("rollout", "status", "deployment/filler", "--timeout=60s")
    before = {pod["metadata"]["name"] for pod in pods(cluster, "app=filler")}
    cluster.kubectl("create", "priorityclass", "vital", "--value=1000")
    cluster.kubectl(
        "apply",
        "-f",
        "-",
        stdin=json.dumps(deployment("vital", 1, priorityClassName="vital", **asks, terminationGracePeriodSeconds=1)),
    )
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


def simulated(cluster, spec, labels=None):
    question = {
        "apiVersion": "sim.kubeweb.dev/v1alpha1",
        "kind": "SchedulingSimulation",
        "metadata": {"name": "what-if"},
        "spec": {"pod": {"metadata": {"labels": labels or {}}, "spec": spec}},
    }
    path = "/apis/sim.kubeweb.dev/v1alpha1/namespaces/default/schedulingsimulations"
    code, answer = cluster.request("POST", path, question)
    assert code == 201, answer
    return answer["status"]


def test_a_simulation_says_where_a_pod_would_go_and_creates_nothing(cluster, nodes):
    before = cluster.kubectl("get", "pods", "-A", "-o", "name")
    asked = {"requests": {"cpu": "250m"}}
    cluster.kubectl("label", "node", "node-2", "disk=ssd", "--overwrite")
    cluster.kubectl("cordon", "node-3")
    spec = {"nodeSelector": {"disk": "ssd"}, "containers": [{"name": "c", "image": "nginx", "resources": asked}]}
    answer = wait_for(
        lambda: (told := simulated(cluster, spec)).get("node") == "node-2" and told,
        "it would stand on the one with the label",
    )
    assert (answer["considered"], answer["feasible"]) == (3, 1)
    fell = {row["name"]: row["refusedBy"] for row in answer["nodes"] if "refusedBy" in row}
    assert fell == {"node-1": "NodeAffinity", "node-3": "NodeUnschedulable"}
    assert {one["name"]: one["refused"] for one in answer["filters"] if one["refused"]} == {
        "NodeAffinity": 1,
        "NodeUnschedulable": 1,
    }
    assert answer["nodes"][0]["name"] == "node-2" and answer["nodes"][0]["total"] > 0
    assert cluster.kubectl("get", "pods", "-A", "-o", "name") == before


def test_a_simulation_speaks_as_the_scheduler_would(cluster):
    asked = {"requests": {"cpu": "4k"}}
    answer = simulated(cluster, {"containers": [{"name": "c", "image": "nginx", "resources": asked}]})
    assert answer["message"].startswith("0/3 nodes are available: 3 Insufficient cpu. no new claims to deallocate")
    assert "node" not in answer
    claim = {"name": "d", "persistentVolumeClaim": {"claimName": "nowhere"}}
    answer = simulated(cluster, {"containers": [{"name": "c", "image": "nginx"}], "volumes": [claim]})
    assert 'persistentvolumeclaim "nowhere" not found' in answer["message"]


def test_whoever_may_not_simulate_is_refused(cluster):
    question = {"apiVersion": "sim.kubeweb.dev/v1alpha1", "kind": "SchedulingSimulation", "spec": {"pod": {}}}
    path = "/apis/sim.kubeweb.dev/v1alpha1/namespaces/default/schedulingsimulations"
    code, answer = cluster.request("POST", path, question, {"Impersonate-User": "nobody"})
    assert code == 403 and "schedulingsimulations" in answer["message"]
