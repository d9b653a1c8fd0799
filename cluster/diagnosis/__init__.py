"""Why is it not as it should be? Desired against actual, and the ordered checklist with evidence and mending.

Pure: it looks at objects through a `View` and decides nothing. The API server serves what it finds as resources, worked out when they
are read; the page asks the same way. `facts` finds what belongs together, `gaps` compares, `checklist` looks for reasons, `spans` finds the
recorded work that bears them out, `mends` what would change them.
"""

from __future__ import annotations

from typing import Any

from cluster.diagnosis import checklist, gaps
from cluster.diagnosis.facts import KINDS, Facts, Obj
from cluster.diagnosis.inside import Inside
from cluster.diagnosis.spans import Traces
from cluster.diagnosis.surroundings import Surroundings, View

__all__ = ["KINDS", "Inside", "Traces", "View", "diagnose", "diagnose_node"]

API_VERSION = "sim.kubeweb.dev/v1alpha1"


def diagnose(
    view: View | Surroundings,
    resource: str,
    obj: Obj,
    now: float,
    traces: Traces | None = None,
    inside: Inside | None = None,
) -> Obj:
    """The Diagnosis of a workload or pod; `resource` is its storage key (`apps/deployments`), `now` the cluster time of the view.

    `traces`: journeys that may be named; `inside`: what a look into pods finds.
    """
    facts = Facts(view, resource, obj, now, traces, inside)
    found = _diagnosis(facts, "Diagnosis", f"{facts.kind.lower()}.{obj['metadata']['name']}")
    found["metadata"]["namespace"] = obj["metadata"]["namespace"]
    if facts.kind == "DaemonSet":
        found["nodes"] = gaps.node_matrix(facts)
    return found


def diagnose_node(view: View | Surroundings, node: Obj, now: float, traces: Traces | None = None) -> Obj:
    """The NodeDiagnosis of a node."""
    return _diagnosis(Facts(view, "nodes", node, now, traces), "NodeDiagnosis", node["metadata"]["name"])


def _diagnosis(facts: Facts, kind: str, name: str) -> Obj:
    metadata = facts.obj["metadata"]
    compared = gaps.gaps(facts)
    steps = checklist.steps(facts)
    target: Obj = {
        "apiVersion": facts.obj.get("apiVersion", ""),
        "kind": facts.kind,
        "name": metadata["name"],
        "uid": metadata["uid"],
    }
    if metadata.get("namespace"):
        target["namespace"] = metadata["namespace"]
    verdict, message = _verdict(facts, compared, steps)
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": name, "uid": metadata["uid"], "creationTimestamp": metadata["creationTimestamp"]},
        "target": target,
        "verdict": verdict,
        "message": message,
        "desired": compared,
        "checklist": steps,
    }


def _verdict(facts: Facts, compared: list[Obj], steps: list[Obj]) -> tuple[str, str]:
    failed: list[dict[str, Any]] = [step for step in steps if step["result"] == "Failed"]
    missing = [gap for gap in compared if gap.get("gap")]
    name = f"{facts.kind} {facts.obj['metadata']['name']}"
    if failed:
        first = failed[0]["findings"][0]
        return "Unhealthy", f"{name}: step {failed[0]['step']}, {failed[0]['name'].lower()}: {first['message']}"
    if missing:
        return "Progressing", f"{name}: {missing[0]['gap']}; {missing[0]['closedBy']} is to close this"
    return "Healthy", f"{name} is as it should be"
