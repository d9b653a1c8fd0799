"""SchedulingSimulation: a question to the scheduler, answered at once and stored nowhere."""

from __future__ import annotations

from cluster.apiserver.resources.own.schema import INTEGER, STRING, integer, kind, mapped, ref, several, struct, text

_TEMPLATE = "io.k8s.api.core.v1.PodTemplateSpec"

DEFINITIONS = {
    **kind(
        "SchedulingSimulation",
        "SchedulingSimulation asks where a pod would go if it were created now. It is answered by the scheduler's own filters"
        " and scores; nothing is created.",
        {"spec": ref("SchedulingSimulationSpec"), "status": ref("SchedulingSimulationStatus")},
        required=("spec",),
    ),
    **struct(
        "SchedulingSimulationSpec",
        "SchedulingSimulationSpec holds the pod that is asked about.",
        {"pod": ref(_TEMPLATE, "The pod as its template would say it; it is taken to be in the question's namespace.")},
        "pod",
    ),
    **struct(
        "SchedulingSimulationStatus",
        "SchedulingSimulationStatus is the scheduler's answer.",
        {
            "node": text("The node that would be chosen."),
            "message": text("Why none would do."),
            "considered": integer("How many nodes there are."),
            "feasible": integer("How many passed all filters."),
            "filters": several(ref("SchedulingFilter"), "The filters in their order, and how many nodes each refused."),
            "nodes": several(ref("SchedulingNode"), "Every node: the best first, then those that fell."),
            "preemption": ref("SchedulingPreemption", "Whose place would be taken."),
        },
    ),
    **struct(
        "SchedulingFilter",
        "SchedulingFilter is one filter plugin.",
        {"name": text("Its name."), "refused": integer("How many nodes it refused.")},
    ),
    **struct(
        "SchedulingNode",
        "SchedulingNode is the verdict on one node.",
        {
            "name": text("The node."),
            "refusedBy": text("The filter that refused it; empty when it passed."),
            "reasons": several(STRING, "Why it was refused."),
            "scores": mapped(INTEGER, "0 to 100 by score plugin, before weighting."),
            "total": integer("The weighted sum."),
        },
    ),
    **struct(
        "SchedulingPreemption",
        "SchedulingPreemption names the pods that would have to go.",
        {"node": text("Where."), "victims": several(STRING, "Which: namespace/name.")},
    ),
}
