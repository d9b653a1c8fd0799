"""The scheduler on a small cluster in virtual time: what pods that found no node are told, word by word, and how they come by one."""

from __future__ import annotations

from typing import Any

import pytest

from cluster import clock
from tests.support.stage import Stage, condition_of, play

Obj = dict[str, Any]
NOBODY = "no new claims to deallocate, preemption: 0/3 nodes are available: "
NO_VICTIMS, HELPLESS = "3 No preemption victims found for incoming pod.", "3 Preemption is not helpful for scheduling."
HOST = "kubernetes.io/hostname"


def asks(**requests: str) -> Obj:
    return {"resources": {"requests": requests}}


def near(kind: str, key: str = HOST, **labels: str) -> Obj:
    term = {"labelSelector": {"matchLabels": labels}, "topologyKey": key}
    return {"affinity": {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}}


def at(name: str) -> Obj:
    return {"nodeSelector": {HOST: name}}


def spread(key: str = HOST, **more: Any) -> Obj:
    selector = {"labelSelector": {"matchLabels": {"app": "x"}}}
    return {
        "topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "DoNotSchedule", **selector, **more}
        ]
    }


async def put(stage: Stage, name: str, container: Obj | None = None, **spec: Any) -> Obj:
    """A pod without tolerations of its own, for the scheduler to place."""
    spec.setdefault("tolerations", [])
    return await stage.pod(name, container or {}, node="", **spec)


async def why(stage: Stage, name: str) -> str:
    """What a pod that found no node is told, by its condition and its event alike."""
    pod = await stage.when(name, lambda pod: condition_of(pod, "PodScheduled") == "False", 30)
    condition = next(one for one in pod["status"]["conditions"] if one["type"] == "PodScheduled")
    assert condition["reason"] == "Unschedulable"
    await stage.until(lambda: stage.events(name, "FailedScheduling"))
    assert f"FailedScheduling {condition['message']}" in stage.events(name, "FailedScheduling")
    return str(condition["message"])


# what is set up before, the pod, what it is told
REASONS: list[tuple[str, Obj, Obj, str]] = [
    ("cpu", asks(cpu="5"), {}, f"0/3 nodes are available: 3 Insufficient cpu. {NOBODY}{HELPLESS}"),
    (
        "cpu and memory",
        asks(cpu="5", memory="100Gi"),
        {},
        f"0/3 nodes are available: 3 Insufficient cpu, 3 Insufficient memory. {NOBODY}{HELPLESS}",
    ),
    ("full", asks(cpu="3"), {}, f"0/3 nodes are available: 3 Insufficient cpu. {NOBODY}{NO_VICTIMS}"),
    (
        "selector",
        {},
        {"nodeSelector": {"disk": "none"}},
        f"0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. {NOBODY}{HELPLESS}",
    ),
    ("tainted", {}, {}, f"0/3 nodes are available: 3 node(s) had untolerated taint(s). {NOBODY}{HELPLESS}"),
    (
        "cordoned",
        {},
        {},
        f"0/3 nodes are available: 1 node(s) were unschedulable, 2 node(s) had untolerated taint(s). {NOBODY}{HELPLESS}",
    ),
    (
        "ports",
        {"ports": [{"containerPort": 80, "hostPort": 8080}]},
        {},
        f"0/3 nodes are available: 3 node(s) didn't have free ports for the requested pod ports. {NOBODY}{NO_VICTIMS}",
    ),
    (
        "apart",
        {},
        near("podAntiAffinity", app="filler"),
        f"0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules. {NOBODY}{NO_VICTIMS}",
    ),
    (
        "together",
        {},
        near("podAffinity", app="nobody"),
        f"0/3 nodes are available: 3 node(s) didn't match pod affinity rules. {NOBODY}{HELPLESS}",
    ),
    (
        "unlabeled",
        {},
        spread("no/such"),
        "0/3 nodes are available: 3 node(s) didn't match pod topology spread constraints (missing required label). "
        f"{NOBODY}{HELPLESS}",
    ),
    (
        "never",
        asks(cpu="3"),
        {"priorityClassName": "polite"},
        "0/3 nodes are available: 3 Insufficient cpu. no new claims to deallocate, preemption: not eligible due to "
        "preemptionPolicy=Never.",
    ),
    (
        "claim",
        {},
        {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "none"}}]},
        '0/3 nodes are available: persistentvolumeclaim "none" not found. not found',
    ),
]


async def prepare(stage: Stage, case: str) -> None:
    nodes = [f"node-{number}" for number in (1, 2, 3)]
    if case in ("full", "ports", "apart", "never"):
        for node in nodes:
            filler = {**asks(cpu="2"), "ports": [{"containerPort": 80, "hostPort": 8080}]}
            await stage.pod(f"on-{node}", filler, node=node, labels={"app": "filler"})
            await stage.ready(f"on-{node}")
    if case == "never":
        body = {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": "polite"},
            "value": 9,
        }
        await stage.create("scheduling.k8s.io/v1/priorityclasses", {**body, "preemptionPolicy": "Never"}, "")
    if case in ("tainted", "cordoned"):
        for node in nodes[case == "cordoned" :]:
            taints = [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]
            await stage.admin.patch("v1/nodes", node, {"spec": {"taints": taints}})
    if case == "cordoned":
        await stage.admin.patch("v1/nodes", nodes[0], {"spec": {"unschedulable": True}})
    await clock.sleep(1)


@pytest.mark.parametrize(("case", "container", "spec", "told"), REASONS, ids=[row[0] for row in REASONS])
def test_what_a_pod_without_a_node_is_told(case: str, container: Obj, spec: Obj, told: str) -> None:
    async def scenario(stage: Stage) -> None:
        await prepare(stage, case)
        await put(stage, "waits", container, **spec)
        assert await why(stage, "waits") == told

    play(scenario, nodes=3)


def test_gates_hold_a_pod_back_until_the_last_one_is_lifted() -> None:
    async def scenario(stage: Stage) -> None:
        gates = [{"name": "example.com/one"}, {"name": "example.com/two"}]
        await put(stage, "gated", schedulingGates=gates)
        pod = await stage.get("gated")
        condition = next(one for one in pod["status"]["conditions"] if one["type"] == "PodScheduled")
        assert (condition["reason"], condition["message"]) == (
            "SchedulingGated",
            "Scheduling is blocked due to non-empty scheduling gates",
        )
        await stage.admin.patch("v1/pods", "gated", {"spec": {"schedulingGates": gates[1:]}}, "default")
        await clock.sleep(5)
        assert not (await stage.get("gated"))["spec"].get("nodeName")
        await stage.admin.patch("v1/pods", "gated", {"spec": {"schedulingGates": []}}, "default")
        await stage.ready("gated")

    play(scenario)


def test_a_pod_that_waits_goes_where_room_comes() -> None:
    async def scenario(stage: Stage) -> None:
        await put(stage, "first", asks(cpu="3"))
        await stage.ready("first")
        await put(stage, "second", asks(cpu="3"))
        await why(stage, "second")
        await stage.admin.delete("v1/pods", "first", "default")
        pod = await stage.ready("second")
        scheduled = [one for one in stage.events("second") if one.startswith("Scheduled")]
        assert scheduled == ["Scheduled Successfully assigned default/second to node-1"]
        assert condition_of(pod, "PodScheduled") == "True"

    play(scenario)


async def priorities(stage: Stage) -> None:
    for name, value in (("low", 1), ("middle", 100), ("high", 1000)):
        body = {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": name},
            "value": value,
        }
        await stage.create("scheduling.k8s.io/v1/priorityclasses", body, "")


def test_preemption_nominates_a_node_and_takes_the_least_important() -> None:
    async def scenario(stage: Stage) -> None:
        await priorities(stage)
        for node, priority in (("node-1", "middle"), ("node-2", "low"), ("node-3", "middle")):
            await put(
                stage,
                f"on-{node}",
                asks(cpu="3"),
                priorityClassName=priority,
                terminationGracePeriodSeconds=20,
                **at(node),
            )
            await stage.ready(f"on-{node}")
        pod = await put(stage, "vital", asks(cpu="3"), priorityClassName="high")
        waiting = await stage.when("vital", lambda pod: pod["status"].get("nominatedNodeName"))
        assert waiting["status"]["nominatedNodeName"] == "node-2"
        told = await why(stage, "vital")
        assert told == "0/3 nodes are available: 3 Insufficient cpu."
        victim = next(one for one in reversed(stage.story("on-node-2")) if condition_of(one, "DisruptionTarget"))
        target = next(one for one in victim["status"]["conditions"] if one["type"] == "DisruptionTarget")
        assert (target["reason"], target["message"]) == (
            "PreemptionByScheduler",
            "default-scheduler: preempting to accommodate a higher priority pod",
        )
        vital = await stage.ready("vital")
        assert vital["spec"]["nodeName"] == "node-2"
        assert stage.events("on-node-2", "Preempted") == [
            f"Preempted Preempted by pod {pod['metadata']['uid']} on node node-2"
        ]
        assert stage.there("on-node-1") and stage.there("on-node-3")

    play(scenario, nodes=3)


def test_preemption_spares_what_a_budget_protects() -> None:
    async def scenario(stage: Stage) -> None:
        await priorities(stage)
        for node in ("node-1", "node-2"):
            await put(stage, f"on-{node}", asks(cpu="3"), priorityClassName="low", labels={"on": node}, **at(node))
            await stage.ready(f"on-{node}")
        budget = {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "one"},
            "spec": {"minAvailable": 1, "selector": {"matchLabels": {"on": "node-1"}}},
        }
        await stage.create("policy/v1/poddisruptionbudgets", budget)
        await clock.sleep(5)
        await put(stage, "vital", asks(cpu="3"), priorityClassName="high")
        vital = await stage.ready("vital")
        assert vital["spec"]["nodeName"] == "node-2" and stage.there("on-node-1")

    play(scenario, nodes=2)


def test_extended_resources_are_preempted_too() -> None:
    """As Kubernetes' conformance test of basic preemption has it: a resource that was patched into the nodes' status."""

    async def scenario(stage: Stage) -> None:
        await priorities(stage)
        change = {"status": {"capacity": {"scheduling.k8s.io/foo": "5"}, "allocatable": {"scheduling.k8s.io/foo": "5"}}}
        await stage.admin.patch("v1/nodes", "node-1", change, subresource="status")

        def foo(amount: str) -> Obj:
            both = {"scheduling.k8s.io/foo": amount}
            return {"resources": {"requests": both, "limits": both}}

        for name, priority in (("small", "low"), ("other", "middle")):
            await put(stage, name, foo("2"), priorityClassName=priority)
            await stage.ready(name)
        await put(stage, "vital", foo("3"), priorityClassName="high")
        await stage.ready("vital")
        assert stage.there("small") is None and stage.there("other") is not None

    play(scenario)


def test_a_taint_without_a_toleration_takes_pods_away_in_time() -> None:
    async def scenario(stage: Stage) -> None:
        tolerated = [{"key": "bad", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 30}]
        await put(stage, "short", **at("node-1"))
        await put(stage, "patient", tolerations=tolerated, **at("node-1"))
        await put(stage, "stays", tolerations=[{"key": "bad", "operator": "Exists"}], **at("node-1"))
        for name in ("short", "patient", "stays"):
            await stage.ready(name)
        began = clock.now()
        await stage.admin.patch("v1/nodes", "node-1", {"spec": {"taints": [{"key": "bad", "effect": "NoExecute"}]}})
        assert await stage.gone("short") - began < 10
        assert 29 <= await stage.gone("patient") - began < 45
        assert stage.there("stays") is not None
        assert stage.events("patient", "TaintManagerEviction")

    play(scenario, nodes=2)


def test_pods_are_spread_evenly_and_the_last_waits_when_it_would_not_be_even() -> None:
    async def scenario(stage: Stage) -> None:
        for number in range(4):
            await put(stage, f"x{number}", labels={"app": "x"}, **spread())
            await stage.ready(f"x{number}")
        placed = [await stage.get(f"x{number}") for number in range(4)]
        assert sorted(pod["spec"]["nodeName"] for pod in placed) == ["node-1", "node-1", "node-2", "node-2"]
        await stage.admin.patch("v1/nodes", "node-2", {"spec": {"unschedulable": True}})
        await put(stage, "x4", labels={"app": "x"}, **spread())
        await stage.ready("x4")
        await put(stage, "x5", labels={"app": "x"}, **spread())
        told = await why(stage, "x5")
        assert told.startswith(
            "0/2 nodes are available: 1 node(s) didn't match pod topology spread constraints, 1 node(s) were unschedulable. "
        )

    play(scenario, nodes=2)


def test_a_volume_that_only_some_nodes_reach() -> None:
    async def scenario(stage: Stage) -> None:
        term = {"matchExpressions": [{"key": HOST, "operator": "In", "values": ["node-2"]}]}
        volume = {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": "disk"},
            "spec": {
                "capacity": {"storage": "1Gi"},
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": "manual",
                "local": {"path": "/mnt/disk"},
                "nodeAffinity": {"required": {"nodeSelectorTerms": [term]}},
            },
        }
        claim = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "data"},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": "manual",
                "resources": {"requests": {"storage": "1Gi"}},
            },
        }
        await stage.create("v1/persistentvolumes", volume, "")
        await stage.create("v1/persistentvolumeclaims", claim)
        volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]
        await put(stage, "there", volumes=volumes)
        assert (await stage.ready("there"))["spec"]["nodeName"] == "node-2"
        await put(stage, "elsewhere", volumes=volumes, **at("node-1"))
        assert await why(stage, "elsewhere") == (
            "0/3 nodes are available: 1 node(s) didn't match PersistentVolume's node affinity, "
            f"2 node(s) didn't match Pod's node affinity/selector. {NOBODY}{HELPLESS}"
        )

    play(scenario, nodes=3)
