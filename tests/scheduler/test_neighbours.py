"""InterPodAffinity, PodTopologySpread and preemption: who may stand beside whom, and who has to go."""

from __future__ import annotations

import pytest

from cluster.scheduler.evaluation import Evaluator
from cluster.scheduler.nodeinfo import NodeInfo, shape_of
from cluster.scheduler.peers import Peers, peer_of
from cluster.scheduler.plugins import neighbours
from cluster.scheduler.plugins.neighbours import neighbourhood
from cluster.scheduler.preemption import choose

HOST, ZONE = "kubernetes.io/hostname", "zone"


class Place:
    """Nodes a1, a2 in zone a and b1 in zone b, and the pods on them."""

    def __init__(self, cpu="4"):
        self.nodes = {}
        self.peers = Peers()
        for name in ("a1", "a2", "b1"):
            info = self.nodes[name] = NodeInfo(name)
            info.set_node(
                {
                    "metadata": {"name": name, "labels": {HOST: name, ZONE: name[0]}},
                    "spec": {},
                    "status": {"allocatable": {"cpu": cpu, "memory": "8Gi", "pods": "110"}},
                }
            )

    def put(self, name, node, *, terminating=False, **more):
        pod = make_pod(name, **more)
        if terminating:
            pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        shape = shape_of(pod["spec"])
        self.nodes[node].add_pod(name, shape, "")
        self.peers.put(peer_of(pod, node, shape))
        return self

    def around(self, pod, without=()):
        return neighbourhood(pod, shape_of(pod["spec"]), self.nodes, self.peers, namespace_labels, without)

    def verdicts(self, pod):
        """Node → the reason why not, or None."""
        around = self.around(pod)
        return {name: around and (around.refusal(info) or (None, (None,)))[1][0] for name, info in self.nodes.items()}


def namespace_labels(name):
    return {"team": "red"} if name == "red" else {}


def make_pod(name="new", namespace="default", labels=None, cpu="100m", priority=0, **spec):
    return {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": name,
            "labels": labels or {},
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": {
            "containers": [{"name": "c", "image": "nginx", "resources": {"requests": {"cpu": cpu}}}],
            "priority": priority,
            **spec,
        },
    }


def term(key=HOST, app="web", **more):
    return {"topologyKey": key, "labelSelector": {"matchLabels": {"app": app}}, **more}


def affinity(kind, *terms, strength="required"):
    if strength == "preferred":
        terms = [{"weight": 10, "podAffinityTerm": one} for one in terms]
    return {"affinity": {kind: {f"{strength}DuringSchedulingIgnoredDuringExecution": list(terms)}}}


WEB = {"app": "web"}


def test_nobody_asks_anything():
    assert Place().put("w", "a1", labels=WEB).around(make_pod()) is None


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        (affinity("podAffinity", term()), {"a1": None, "a2": neighbours.UNMATCHED, "b1": neighbours.UNMATCHED}),
        (affinity("podAffinity", term(ZONE)), {"a1": None, "a2": None, "b1": neighbours.UNMATCHED}),
        (affinity("podAntiAffinity", term()), {"a1": neighbours.EXCLUDED, "a2": None, "b1": None}),
        (
            affinity("podAntiAffinity", term(ZONE)),
            {"a1": neighbours.EXCLUDED, "a2": neighbours.EXCLUDED, "b1": None},
        ),
        (affinity("podAffinity", term("rack")), dict.fromkeys(("a1", "a2", "b1"), neighbours.UNMATCHED)),
        (affinity("podAntiAffinity", term(namespaces=["other"])), dict.fromkeys(("a1", "a2", "b1"))),
    ],
)
def test_affinity(spec, wanted):
    assert Place().put("w", "a1", labels=WEB).verdicts(make_pod(**spec)) == wanted


def test_the_first_of_a_group_may_stand_anywhere():
    alone = Place()
    assert alone.verdicts(make_pod(labels=WEB, **affinity("podAffinity", term()))) == dict.fromkeys(alone.nodes)
    assert set(alone.verdicts(make_pod(**affinity("podAffinity", term()))).values()) == {neighbours.UNMATCHED}


def test_those_who_were_there_first_have_a_say():
    place = Place().put("lonely", "b1", **affinity("podAntiAffinity", term()))
    assert place.verdicts(make_pod(labels=WEB)) == {"a1": None, "a2": None, "b1": neighbours.UNWELCOME}
    assert place.verdicts(make_pod()) == dict.fromkeys(place.nodes)


def test_namespaces_are_chosen_by_their_labels():
    place = Place().put("w", "a1", namespace="red", labels=WEB)
    red = term(namespaceSelector={"matchLabels": {"team": "red"}})
    assert place.verdicts(make_pod(**affinity("podAntiAffinity", red)))["a1"] == neighbours.EXCLUDED
    assert place.verdicts(make_pod(**affinity("podAntiAffinity", term())))["a1"] is None


def spread(key=HOST, skew=1, when="DoNotSchedule", **more):
    one = {"topologyKey": key, "maxSkew": skew, "whenUnsatisfiable": when, "labelSelector": {"matchLabels": WEB}}
    return {"topologySpreadConstraints": [{**one, **more}]}


def test_spreading():
    place = Place().put("1", "a1", labels=WEB).put("2", "a2", labels=WEB)
    skewed = neighbours.SKEWED
    assert place.verdicts(make_pod(labels=WEB, **spread())) == {"a1": skewed, "a2": skewed, "b1": None}
    assert place.verdicts(make_pod(labels=WEB, **spread(ZONE, 2))) == {"a1": skewed, "a2": skewed, "b1": None}
    assert place.verdicts(make_pod(labels=WEB, **spread(ZONE, 3))) == dict.fromkeys(place.nodes)
    assert set(place.verdicts(make_pod(labels=WEB, **spread("rack"))).values()) == {neighbours.UNLABELED}
    # Two domains where three are asked for: the least counts as none.
    assert place.verdicts(make_pod(labels=WEB, **spread(ZONE, 1, minDomains=3)))["b1"] is None
    # Those on their way out do not count.
    gone = Place().put("1", "a1", labels=WEB, terminating=True)
    assert gone.verdicts(make_pod(labels=WEB, **spread())) == dict.fromkeys(gone.nodes)


@pytest.mark.parametrize(
    ("spec", "best"),
    [
        (affinity("podAffinity", term(), strength="preferred"), "a1"),
        (affinity("podAntiAffinity", term(ZONE), strength="preferred"), "b1"),
        (spread(ZONE, when="ScheduleAnyway"), "b1"),
    ],
)
def test_preferences(spec, best):
    place = Place().put("w", "a1", labels=WEB)
    pod = make_pod(**spec)
    found = Evaluator().evaluate(
        shape_of(pod["spec"]), "", list(place.nodes.values()), wanted=0, around=place.around(pod)
    )
    assert found.best.name == best


def preempted(place, pod, protected=lambda peer: False):
    shape = shape_of(pod["spec"])

    def refusal(node, gone):
        around = place.around(pod, gone)
        return around and around.refusal(node)

    found = choose(shape, pod["spec"]["priority"], list(place.nodes.values()), place.peers, protected, refusal)
    return found and (found.node, sorted(peer.uid for peer in found.victims))


def test_the_least_important_go_and_no_more_than_needed():
    place = Place()
    for node, priority in (("a1", 5), ("a2", 1), ("b1", 3)):
        place.put(f"{node}-big", node, cpu="3", priority=priority)
        place.put(f"{node}-small", node, cpu="500m", priority=0)
    assert preempted(place, make_pod(cpu="2", priority=10)) == ("a2", ["a2-big"])
    assert preempted(place, make_pod(cpu="4", priority=10)) == ("a2", ["a2-big", "a2-small"])
    assert preempted(place, make_pod(cpu="2", priority=1)) is None
    assert preempted(place, make_pod(cpu="5", priority=10)) is None


def test_budgets_are_kept_where_it_can_be():
    place = (
        Place()
        .put("x", "a1", cpu="4", priority=1)
        .put("y", "a2", cpu="4", priority=2)
        .put("z", "b1", cpu="4", priority=9)
    )
    assert preempted(place, make_pod(cpu="1", priority=5)) == ("a1", ["x"])
    assert preempted(place, make_pod(cpu="1", priority=5), lambda peer: peer.uid == "x") == ("a2", ["y"])


def test_room_is_made_beside_those_who_exclude_one():
    place = Place()
    for node in place.nodes:
        place.put(f"lonely-{node}", node, priority=0 if node == "b1" else 20, **affinity("podAntiAffinity", term()))
    assert preempted(place, make_pod(labels=WEB, priority=10)) == ("b1", ["lonely-b1"])
