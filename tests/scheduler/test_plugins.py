"""Filters and scores: one row a rule."""

from __future__ import annotations

import pytest

from cluster.apimachinery.podresources import pod_requests
from cluster.scheduler.evaluation import Evaluator, Verdicts, fit_error
from cluster.scheduler.nodeinfo import NodeInfo, shape_of
from cluster.scheduler.plugins import filters, scores


def make_node(name="n1", *, cpu="4", memory="8Gi", pods="110", labels=None, taints=None, unschedulable=False):
    info = NodeInfo(name)
    info.set_node(
        {
            "metadata": {"name": name, "labels": labels or {}},
            "spec": {"taints": taints or [], "unschedulable": unschedulable},
            "status": {"allocatable": {"cpu": cpu, "memory": memory, "pods": pods}},
        }
    )
    return info


def make_spec(cpu=None, memory=None, **spec):
    requests = {key: value for key, value in (("cpu", cpu), ("memory", memory)) if value}
    return {"containers": [{"name": "c", "image": "nginx", "resources": {"requests": requests}}], **spec}


GPU_TAINT = {"key": "gpu", "value": "yes", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("toleration", "tolerated"),
    [
        ({"key": "gpu", "operator": "Equal", "value": "yes", "effect": "NoSchedule"}, True),
        ({"key": "gpu", "value": "yes"}, True),
        ({"key": "gpu", "operator": "Exists"}, True),
        ({"operator": "Exists"}, True),
        ({"key": "gpu", "value": "no"}, False),
        ({"key": "other", "operator": "Exists"}, False),
        ({"key": "gpu", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"value": "yes"}, False),
    ],
)
def test_tolerations(toleration, tolerated):
    assert filters.tolerates(toleration, GPU_TAINT) is tolerated


@pytest.mark.parametrize(
    ("spec", "node", "reasons"),
    [
        (make_spec(), make_node(), []),
        (make_spec(cpu="5"), make_node(), ["Insufficient cpu"]),
        (make_spec(cpu="5", memory="9Gi"), make_node(), ["Insufficient cpu", "Insufficient memory"]),
        (make_spec(), make_node(pods="0"), ["Too many pods"]),
        (make_spec(), make_node(unschedulable=True), ["node(s) were unschedulable"]),
        (
            make_spec(tolerations=[{"key": "node.kubernetes.io/unschedulable", "operator": "Exists"}]),
            make_node(unschedulable=True),
            [],
        ),
        (make_spec(), make_node(taints=[GPU_TAINT]), ["node(s) had untolerated taint(s)"]),
        (make_spec(), make_node(taints=[{"key": "soft", "effect": "PreferNoSchedule"}]), []),
        (
            make_spec(nodeSelector={"disk": "ssd"}),
            make_node(),
            ["node(s) didn't match Pod's node affinity/selector"],
        ),
        (make_spec(nodeSelector={"disk": "ssd"}), make_node(labels={"disk": "ssd"}), []),
        (
            make_spec(
                affinity={
                    "nodeAffinity": {
                        "requiredDuringSchedulingIgnoredDuringExecution": {
                            "nodeSelectorTerms": [
                                {"matchExpressions": [{"key": "cores", "operator": "Gt", "values": ["8"]}]}
                            ]
                        }
                    }
                }
            ),
            make_node(labels={"cores": "16"}),
            [],
        ),
        (
            make_spec(
                affinity={
                    "nodeAffinity": {
                        "requiredDuringSchedulingIgnoredDuringExecution": {
                            "nodeSelectorTerms": [
                                {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n2"]}]}
                            ]
                        }
                    }
                }
            ),
            make_node(),
            ["node(s) didn't satisfy plugin(s) [NodeAffinity]"],
        ),
    ],
)
def test_filters(spec, node, reasons):
    result = Evaluator().evaluate(shape_of(spec), "", [node], wanted=0)
    found = [reason for _, some in result.refusals().values() for reason in some]
    assert found == reasons
    assert (result.best is node) is not bool(reasons)


@pytest.mark.parametrize(
    ("taken", "wanted", "free"),
    [
        (("0.0.0.0", "TCP", 80), {"hostPort": 80}, False),
        (("10.0.0.1", "TCP", 80), {"hostPort": 80}, False),
        (("10.0.0.1", "TCP", 80), {"hostPort": 80, "hostIP": "10.0.0.2"}, True),
        (("0.0.0.0", "TCP", 80), {"hostPort": 80, "protocol": "UDP"}, True),
        (("0.0.0.0", "TCP", 81), {"hostPort": 80}, True),
    ],
)
def test_host_ports(taken, wanted, free):
    node = make_node()
    node.ports[taken] = 1
    shape = shape_of({"containers": [{"name": "c", "ports": [{"containerPort": 80, **wanted}]}]})
    assert (filters.node_ports(shape, node) == ()) is free


def test_requests_of_init_containers_and_sidecars():
    def container(cpu, **more):
        return {"resources": {"requests": {"cpu": cpu}}, **more}

    spec = {
        "initContainers": [container("2"), container("100m", restartPolicy="Always"), container("1")],
        "containers": [container("500m"), container("500m")],
        "overhead": {"cpu": "10m"},
    }
    # The first step wants 2 cores alone; later ones run beside the sidecar; the containers need 1.1 with it.
    assert pod_requests(spec) == {"cpu": 2010}


def test_the_emptier_node_wins_and_equals_take_the_first():
    busy, idle = make_node("busy"), make_node("idle")
    busy.add_pod("u", shape_of(make_spec(cpu="2", memory="4Gi")), "")
    result = Evaluator().evaluate(shape_of(make_spec(cpu="100m")), "", [busy, idle], wanted=0)
    assert result.best is idle
    same = [make_node("a"), make_node("b")]
    assert Evaluator().evaluate(shape_of(make_spec()), "", same, wanted=0).best is same[0]


def test_pods_of_one_owner_spread():
    nodes = [make_node("a"), make_node("b"), make_node("c")]
    evaluator, shape = Evaluator(), shape_of(make_spec())
    placed = []
    for number in range(6):
        best = evaluator.evaluate(shape, "rs", nodes, wanted=0).best
        assert best is not None
        best.add_pod(str(number), shape, "rs")
        placed.append(best.name)
    assert sorted(placed) == ["a", "a", "b", "b", "c", "c"]


def test_a_remembered_verdict_falls_when_the_node_changes():
    node, evaluator, shape = make_node(cpu="1"), Evaluator(), shape_of(make_spec(cpu="600m"))
    assert evaluator.evaluate(shape, "", [node], wanted=0).best is node
    node.add_pod("u", shape, "")
    assert evaluator.evaluate(shape, "", [node], wanted=0).refused["n1"][1] == ("Insufficient cpu",)
    node.remove_pod("u")
    assert evaluator.evaluate(shape, "", [node], wanted=0).best is node


def test_normalized():
    assert scores.normalized([0, 5, 10], reverse=False) == [0, 50, 100]
    assert scores.normalized([0, 5, 10], reverse=True) == [100, 50, 0]
    assert scores.normalized([0, 0], reverse=True) == [100, 100]


def test_fit_error_counts_and_sorts():
    nodes = [make_node("a", taints=[GPU_TAINT]), make_node("b", cpu="1"), make_node("c", cpu="1")]
    shape = shape_of(make_spec(cpu="2"))
    result = Evaluator().evaluate(shape, "", nodes, wanted=0)
    assert fit_error(shape, result, {node.name: node for node in nodes}, policy="") == (
        "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. "
        "no new claims to deallocate, preemption: 0/3 nodes are available: "
        "3 Preemption is not helpful for scheduling."
    )


def test_a_pod_that_names_its_node_is_tried_there_alone() -> None:
    """A thousand daemons on a thousand nodes are a thousand looks, not a million."""
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    evaluator = Evaluator()
    shape = shape_of(make_spec(affinity={"nodeAffinity": required}))
    result = evaluator.evaluate(shape, "", [make_node("n1"), make_node("n2"), make_node("n3")], wanted=0)
    assert [node.name for node in result.feasible] == ["n1"]
    assert set(result.refusals()) == {"n2", "n3"}
    assert set(evaluator._remembered[shape.signature]) == {"n1"}
    either = {"nodeSelectorTerms": [term, {"matchExpressions": [{"key": "a", "operator": "Exists"}]}]}
    spec = make_spec(affinity={"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": either}})
    assert shape_of(spec).pinned is None


def _many(count, **spec):
    return [_named(f"n{number}", **spec) for number in range(count)]


def _named(name, **spec):
    info = NodeInfo(name)
    info.set_node({"metadata": {"name": name}, "spec": spec, "status": {"allocatable": {"cpu": "1", "pods": "110"}}})
    return info


def test_verdicts_of_a_large_cluster_name_some_nodes_and_count_the_others():
    nodes = [*_many(600, unschedulable=True), *(_named(f"ok{number}") for number in range(400))]
    shape = shape_of({"containers": [{"name": "c"}]})
    result = Evaluator().evaluate(shape, "", nodes, wanted=0)
    filtered, scored = Verdicts("filter", result).as_detail(), Verdicts("score", result).as_detail()
    assert (filtered["considered"], filtered["passed"]) == (1000, 400)
    assert filtered["refused_by"] == {"NodeUnschedulable": 600}
    assert len(filtered["nodes"]) == Verdicts.NAMED
    assert filtered["more"] == [["NodeUnschedulable", "node(s) were unschedulable", 600 - Verdicts.NAMED]]
    assert len(filtered["passed_nodes"]) == len(scored["nodes"]) == len(scored["total"]) == Verdicts.NAMED
    assert result.best.name == scored["nodes"][0]


def test_a_daemon_in_a_large_cluster_does_not_name_the_nodes_it_is_not_for():
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n7"]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}
    result = Evaluator().evaluate(shape_of({"containers": [], "affinity": affinity}), "", _many(300), wanted=0)
    filtered = Verdicts("filter", result).as_detail()
    assert result.best.name == "n7"
    assert filtered["nodes"] == {"n7": "ok"}
    assert filtered["refused_by"] == {"NodeAffinity": 299}
    assert [count for _, _, count in filtered["more"]] == [299]


def test_what_was_futile_is_not_tried_again_until_some_node_changes():
    evaluator, nodes = Evaluator(), _many(5)
    shape = shape_of({"containers": [{"name": "c", "resources": {"requests": {"cpu": "2"}}}]})
    first = evaluator.evaluate(shape, "", nodes, wanted=0)
    assert first.best is None
    assert evaluator.evaluate(shape, "", nodes, wanted=0) is first
    larger = {"metadata": {"name": "n3"}, "spec": {}, "status": {"allocatable": {"cpu": "4", "pods": "110"}}}
    nodes[3].set_node(larger)
    assert evaluator.evaluate(shape, "", nodes, wanted=0).best is nodes[3]


def test_what_a_pod_asks_for_as_a_whole_tells_it_from_others():
    small, large = ({**make_spec(), "resources": {"requests": {"cpu": cpu}}} for cpu in ("100m", "3"))
    assert (shape_of(small).requests["cpu"], shape_of(large).requests["cpu"]) == (100, 3000)
