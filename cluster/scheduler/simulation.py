"""What if? Answers a SchedulingSimulation: where a pod would go if it were created now, by the scheduler's own filters and scores.

Wired into the API server as the answer to a created `schedulingsimulations.sim.kubeweb.dev`; nothing is stored or assumed.
"""

from __future__ import annotations

from typing import Any

from cluster.scheduler.evaluation import Evaluation
from cluster.scheduler.plugins import filters, neighbours, scores
from cluster.scheduler.scheduler import Scheduler

Obj = dict[str, Any]

# The filters in the order in which they are asked, and the weight of each score.
FILTERS: tuple[str, ...] = (
    *(name for name, _ in filters.STATIC),
    *(name for name, _ in filters.DYNAMIC),
    neighbours.SPREAD,
    neighbours.AFFINITY,
)
WEIGHTS: dict[str, int] = {
    **{name: weight for name, _, weight in scores.PER_NODE},
    **{name: weight for name, _, weight, _ in scores.NORMALIZED},
    scores.SPREAD: scores.SPREAD_WEIGHT,
    neighbours.AFFINITY: neighbours.AFFINITY_WEIGHT,
}


def simulate(scheduler: Scheduler, question: Obj) -> Obj:
    """The question with its status."""
    spec, namespace = question.get("spec") or {}, question["metadata"]["namespace"]
    template = spec.get("pod") or {}
    pod = {
        "metadata": {
            "uid": "",
            "name": question["metadata"].get("name") or "simulated",
            "namespace": namespace,
            **{key: value for key, value in (template.get("metadata") or {}).items() if key in _KEPT},
        },
        "spec": template.get("spec") or {},
    }
    result, message, candidate = scheduler.consider(pod)
    status: Obj = {"considered": result.nodes, "feasible": len(result.feasible), "filters": _filters(result)}
    status["nodes"] = _rows(result)
    if result.best is not None:
        status["node"] = result.best.name
    else:
        status["message"] = message
    if candidate is not None:
        status["preemption"] = {"node": candidate.node, "victims": [peer.key for peer in candidate.victims]}
    return {**question, "status": status}


_KEPT = ("labels", "ownerReferences")


def _filters(result: Evaluation) -> list[Obj]:
    """The funnel: how many nodes each filter turned away, those asked first before the others."""
    fell = result.refused_by()
    return [{"name": name, "refused": fell[name]} for name in FILTERS]


def _rows(result: Evaluation) -> list[Obj]:
    """One row for each node: the best first, then those that fell, by name."""
    found: list[Obj] = []
    for position, node in enumerate(result.feasible):
        given = {plugin: column[position] for plugin, column in result.columns.items()}
        found.append({"name": node.name, "scores": given, "total": result.totals[position]})
    found.sort(key=lambda row: -row["total"])
    if result.best is not None:
        # Among equals it is the first asked that wins.
        found.sort(key=lambda row: row["name"] != result.best.name)  # type: ignore[union-attr]
    found += [
        {"name": name, "refusedBy": plugin, "reasons": list(reasons)}
        for name, (plugin, reasons) in sorted(result.refusals().items())
    ]
    return found
