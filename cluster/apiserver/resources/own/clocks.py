"""Clock: the cluster's clock, to be slowed down, sped up, paused and stepped."""

from __future__ import annotations

from cluster.apiserver.resources.own.schema import boolean, integer, kind, moment, number, ref, struct, text

DEFINITIONS = {
    **kind(
        "Clock",
        "Clock is the cluster's clock: every timer, probe, lease, back-off and grace period obeys it. There is one, named cluster.",
        {"spec": ref("ClockSpec"), "status": ref("ClockStatus")},
    ),
    **struct(
        "ClockSpec",
        "ClockSpec says how cluster time runs.",
        {
            "speed": number("Seconds of cluster time in a second, from 0.1 to 100. Defaults to 1."),
            "paused": boolean("True stops cluster time. Requests are still answered."),
            "step": integer("Counts steps: while paused, each higher number takes time on to the next event."),
        },
    ),
    **struct(
        "ClockStatus",
        "ClockStatus says what time it is.",
        {
            "time": moment("Cluster time when this was written."),
            "speed": number("The speed in force; 0 while paused."),
            "step": integer("The latest step that was made."),
            "nextEvent": moment("When the next timer is due."),
            "message": text("What was done last."),
        },
    ),
}
