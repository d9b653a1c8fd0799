"""A large cluster with something to see in it: namespaces full of Deployments of unlike sizes, a DaemonSet on every node, one
workload that crashes, one that never gets ready, cordoned nodes and dead ones. Everything goes through the API, as people's own would.

python -m bench crowd measures 5,000 nodes and 50,000 pods (some ten minutes and 3 GB, so that only who names it waits for it);
python -m bench.crowd URL TOKEN NODES PODS fills a cluster that runs already.
"""

from __future__ import annotations

import json
import ssl
import sys
import time
import urllib.request
from collections.abc import Callable
from typing import Any

from bench.cluster import memory, processor, running
from cluster.apimachinery.meta import is_condition_true
from tests.support.server import Cluster, wait_for

Request = Callable[..., tuple[int, Any]]

NAMESPACES = ("shop", "payments", "search", "media", "mail", "maps", "ledger", "fraud", "ads", "ml", "edge", "logs")
# Deployments of each namespace: name, share of the namespace's pods, CPU, memory, zone they insist on.
APPS = (
    ("web", 0.40, "250m", "256Mi", ""),
    ("api", 0.25, "400m", "512Mi", ""),
    ("worker", 0.20, "500m", "768Mi", "zone-b"),
    ("cache", 0.10, "150m", "1Gi", "zone-a"),
    ("cron", 0.05, "50m", "64Mi", ""),
)
CRASHING, UNREADY = 40, 60
# Seconds over which the processor time at rest is measured.
REST = 30.0


def _container(image: str, cpu: str, memory: str) -> dict[str, Any]:
    return {"name": "c", "image": image, "resources": {"requests": {"cpu": cpu, "memory": memory}}}


def _workload(kind: str, namespace: str, name: str, container: dict[str, Any], **spec: Any) -> dict[str, Any]:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container], **spec.pop("pod", {})}}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"matchLabels": labels}, "template": template, **spec},
    }


def deployments(pods: int) -> list[dict[str, Any]]:
    """Deployments of `pods` replicas in all; the n-th namespace has a share of 1/(n+2)."""
    weights = [1 / (index + 2) for index in range(len(NAMESPACES))]
    found = []
    left = pods
    for namespace, weight in zip(NAMESPACES, weights, strict=True):
        for app, share, cpu, mem, zone in APPS:
            replicas = min(int(pods * weight / sum(weights) * share), left)
            left -= replicas
            spec: dict[str, Any] = {"terminationGracePeriodSeconds": 1}
            if zone:
                spec["nodeSelector"] = {"topology.kubernetes.io/zone": zone}
            container = _container("nginx:1.27", cpu, mem)
            found.append(_workload("Deployment", namespace, app, container, replicas=replicas, pod=spec))
    found[0]["spec"]["replicas"] += left
    return found


def fill(request: Request, nodes: int, pods: int, *, timeout: float = 1800) -> float:
    """Fill a cluster of `nodes` nodes up to `pods` pods; seconds until they run (but for those that cannot)."""
    began = time.perf_counter()
    for name in NAMESPACES:
        status, answer = request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        assert status in (201, 409), answer
    crash = _container("busybox:1.36", "10m", "16Mi") | {"command": ["sh", "-c", "exit 1"]}
    never = {"exec": {"command": ["sh", "-c", "exit 1"]}, "periodSeconds": 30}
    some = max(min(pods // 500, CRASHING), 1), max(min(pods // 500, UNREADY), 1)
    agent = _workload("DaemonSet", "kube-system", "agent", _container("fluentd:v1.16", "50m", "64Mi"))
    wanted = [
        agent,
        *deployments(pods - nodes - sum(some)),
        _workload("Deployment", "fraud", "crashing", crash, replicas=some[0]),
        _workload(
            "Deployment",
            "ml",
            "warming",
            _container("nginx:1.27", "10m", "16Mi") | {"readinessProbe": never},
            replicas=some[1],
        ),
    ]
    # The daemons first: who comes after might leave no room for them.
    for together in (wanted[:1], wanted[1:]):
        for one in together:
            path = f"/apis/apps/v1/namespaces/{one['metadata']['namespace']}/{one['kind'].lower()}s"
            status, answer = request("POST", path, one)
            assert status in (201, 409), answer
        _until_ready(request, [one for one in together if one not in wanted[-2:]], nodes, began + timeout)
    return time.perf_counter() - began


def _until_ready(request: Request, workloads: list[dict[str, Any]], nodes: int, deadline: float) -> None:
    left = list(workloads)
    while left:
        one = left[0]
        path = (
            f"/apis/apps/v1/namespaces/{one['metadata']['namespace']}/{one['kind'].lower()}s/{one['metadata']['name']}"
        )
        state = request("GET", path)[1]["status"]
        ready = state.get("numberReady", 0) if one["kind"] == "DaemonSet" else state.get("readyReplicas", 0)
        if ready >= one["spec"].get("replicas", nodes):
            left.pop(0)
            continue
        assert time.perf_counter() < deadline, (one["metadata"], state)
        time.sleep(0.5)


def trouble(request: Request, nodes: int) -> None:
    """One node in a hundred is cordoned, one in four hundred loses power."""
    for number in range(7, nodes + 1, 100):
        patch = {"spec": {"unschedulable": True}}
        merge = {"Content-Type": "application/merge-patch+json"}
        status, answer = request("PATCH", f"/api/v1/nodes/node-{number}", patch, merge)
        assert status == 200, answer
    for number in range(123, nodes + 1, 400):
        fault = {"metadata": {"name": f"dark-{number}"}, "spec": {"type": "NodeDown", "node": f"node-{number}"}}
        status, answer = request("POST", "/apis/sim.kubeweb.dev/v1alpha1/faults", fault)
        assert status in (201, 409), answer


def _quiet(cluster: Cluster, nodes: int) -> None:
    """Until all nodes are ready but those without power."""
    dark = len(range(123, nodes + 1, 400))

    def ready() -> bool:
        found = cluster.request("GET", "/api/v1/nodes")[1]["items"]
        return sum(is_condition_true(one, "Ready") for one in found) == nodes - dark

    wait_for(ready, "the nodes that have power are ready, the others not", 300)


# What one asks of a cluster, and at which address: `now` is its newest revision.
QUESTIONS = {
    "list of all pods": "/api/v1/pods",
    "list of all pods of a moment ago": "/api/v1/pods?resourceVersion={now}&resourceVersionMatch=Exact",
    "diagnoses of all nodes": "/apis/sim.kubeweb.dev/v1alpha1/nodediagnoses",
    "diagnoses of all workloads": "/apis/sim.kubeweb.dev/v1alpha1/diagnoses",
    "diagnosis of one node": "/apis/sim.kubeweb.dev/v1alpha1/nodediagnoses/node-9",
    "diagnosis of the DaemonSet": "/apis/sim.kubeweb.dev/v1alpha1/namespaces/kube-system/diagnoses/daemonset.agent",
}


def measure(nodes: int = 5000, pods: int = 50_000) -> dict[str, float]:
    label = f"{nodes:,} nodes, {pods:,} pods"
    figures: dict[str, float] = {}
    with running(f"--nodes={nodes}", "--profile=instant") as cluster:
        figures[f"{label}: filled after (s)"] = fill(cluster.request, nodes, pods)
        trouble(cluster.request, nodes)
        _quiet(cluster, nodes)
        figures[f"{label}: memory (MB)"] = memory(cluster)
        used = processor(cluster)
        time.sleep(REST)
        figures[f"{label}, at rest: processor (%)"] = (processor(cluster) - used) / REST * 100
        for what, path in QUESTIONS.items():
            now = cluster.request("GET", "/api/v1/namespaces?limit=1")[1]["metadata"]["resourceVersion"]
            began = time.perf_counter()
            status, answer = cluster.request("GET", path.format(now=now))
            assert status == 200, answer
            figures[f"{label}: {what} (s)"] = time.perf_counter() - began
        began = time.perf_counter()
        cluster.stop()
        figures[f"{label}: stopped after (s)"] = time.perf_counter() - began
        began = time.perf_counter()
        cluster.start()
        figures[f"{label}: start to ready, again (s)"] = time.perf_counter() - began
        _quiet(cluster, nodes)
        figures[f"{label}: all its machines heard of, again (s)"] = time.perf_counter() - began
    return figures


def _over(url: str, token: str) -> Request:
    context = ssl._create_unverified_context()

    def request(method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        sent = {"Content-Type": "application/json", "Authorization": f"Bearer {token}", **(headers or {})}
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(url + path, data, sent, method=method)
        try:
            with urllib.request.urlopen(asked, context=context, timeout=120) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    return request


if __name__ == "__main__":
    ask = _over(sys.argv[1], sys.argv[2])
    print(f"{fill(ask, int(sys.argv[3]), int(sys.argv[4])):.1f} s")
    trouble(ask, int(sys.argv[3]))
