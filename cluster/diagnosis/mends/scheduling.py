"""Mends of step 1: nodes that take pods, and pods that fit them."""

from __future__ import annotations

from collections.abc import Callable

from cluster.apimachinery.placement import wants_node
from cluster.apimachinery.quantity import milli, value
from cluster.diagnosis.facts import TEMPLATED, Facts, Obj, node_is_ready
from cluster.diagnosis.mends.common import Mend, target_of, with_pod_spec

CORDON = "node.kubernetes.io/unschedulable"


def _uncordon(name: str) -> Mend:
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": {"unschedulable": False}}
    return f"Let node {name} take pods again.", [node]


def _cordoned(facts: Facts, finding: Obj) -> Mend | None:
    return _uncordon(facts.obj["metadata"]["name"])


def _taint(facts: Facts, finding: Obj) -> Mend | None:
    names = [one["object"].partition("/")[2] for one in finding["evidence"] if one["field"] == "spec.taints"]
    taints = [taint for name in names for taint in facts.nodes[name]["spec"].get("taints") or ()]
    shown = next((one["value"] for one in finding["evidence"] if one["field"] == "spec.taints"), "")
    taint = next((one for one in taints if shown.partition("=")[0].partition(":")[0] == one["key"]), None)
    if taint is None:
        return None
    if taint["key"] == CORDON:
        return _uncordon(names[0])
    if taint["key"].startswith("node.kubernetes.io/") or target_of(facts) is None:
        # The node is not well: tolerating that helps nobody.
        return None
    kept = list(facts.template.get("tolerations") or ())
    added = {"key": taint["key"], "operator": "Exists", "effect": taint["effect"]}
    return f"Let its pods tolerate {shown}.", [with_pod_spec(facts, {"tolerations": [*kept, added]})]


def _label(facts: Facts, finding: Obj) -> Mend | None:
    wanted = facts.template.get("nodeSelector")
    able = [
        name
        for name, node in sorted(facts.nodes.items())
        if node_is_ready(node) and not node["spec"].get("unschedulable")
    ]
    if not wanted or not able:
        return None
    shown = ", ".join(f"{key}={text}" for key, text in sorted(wanted.items()))
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": able[0], "labels": dict(wanted)}}
    return f"Label node {able[0]} with {shown}.", [node]


def _ask_less(facts: Facts, finding: Obj) -> Mend | None:
    """Half of what the emptiest node has left."""
    containers = facts.template.get("containers") or []
    name = next(
        (one["field"].rpartition("requests.")[2] for one in finding["evidence"] if "requests." in one["field"]), ""
    )
    if facts.kind not in TEMPLATED or len(containers) != 1 or not name:
        return None
    amount: Callable[[str], int] = milli if name == "cpu" else value
    asked = amount(((containers[0].get("resources") or {}).get("requests") or {}).get(name, "0"))
    best = max(
        (_left(facts, node, name, amount) for node in facts.nodes.values() if wants_node(facts.template, node)),
        default=0,
    )
    share = best // 2
    if not 0 < share < asked:
        return None
    text = f"{share}m" if name == "cpu" else f"{max(share // 1024**2, 1)}Mi"
    container = {"name": containers[0]["name"], "resources": {"requests": {name: text}}}
    return f"Ask for {text} of {name}: half of what the emptiest node has left.", [
        with_pod_spec(facts, {"containers": [container]})
    ]


def _left(facts: Facts, node: Obj, name: str, amount: Callable[[str], int]) -> int:
    room = amount(((node.get("status") or {}).get("allocatable") or {}).get(name, "0"))
    for pod in facts.view.on_node(node["metadata"]["name"]):
        room -= sum(
            amount(((one.get("resources") or {}).get("requests") or {}).get(name, "0"))
            for one in pod["spec"]["containers"]
        )
    return room


MENDS: dict[str, Callable[[Facts, Obj], Mend | None]] = {
    "Cordoned": _cordoned,
    "UntoleratedTaint": _taint,
    "NodeSelectorMismatch": _label,
    "InsufficientResources": _ask_less,
}
