"""What the page draws: the stations of the map, declared by the code that does the work."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cluster.apiserver.pipeline import STAGES
from cluster.client.loop import ControlLoop
from cluster.scheduler.scheduler import Scheduler
from cluster.scheduler.simulation import FILTERS, WEIGHTS


def declaration(loops: Iterable[type[ControlLoop]]) -> dict[str, Any]:
    """The stations of the map, from the code that does the work."""
    return {
        "stages": [
            {
                "name": stage.name,
                "component": stage.component,
                "line": stage.line,
                "title": stage.title,
                "description": stage.description,
            }
            for stage in STAGES
        ],
        "loops": [
            {
                "name": loop.name,
                "title": loop.title or loop.name,
                "description": (loop.__doc__ or "").strip().split("\n")[0],
            }
            for loop in loops
            if loop is not Scheduler
        ],
        "loop_steps": ["observe", "compare", "decide", "act", "verify"],
        "components": [
            {
                "name": "scheduler",
                "title": "scheduler",
                "stages": ["queue", "filter", "score", "bind"],
                "filters": list(FILTERS),
                "weights": WEIGHTS,
                "description": (Scheduler.__doc__ or "").strip().split("\n")[0],
            },
            {
                "name": "kubelet",
                "title": "kubelet",
                "stages": ["pull", "create", "start", "probe", "prestop", "sigterm", "sigkill", "remove"],
                "description": "The node agent: runs the pods that are bound to its node.",
            },
        ],
    }
