"""The checklist for what is not well, in its order: 1 scheduling, 2 nodes, 3 pods, 4 configuration; each with evidence and mending."""

from __future__ import annotations

from collections.abc import Callable

from cluster.diagnosis.checklist.configuration import configuration
from cluster.diagnosis.checklist.nodes import nodes
from cluster.diagnosis.checklist.pods import pods
from cluster.diagnosis.checklist.scheduling import scheduling
from cluster.diagnosis.facts import Facts, Obj
from cluster.diagnosis.mends import mend

STEPS: tuple[tuple[str, Callable[[Facts], list[Obj]]], ...] = (
    ("Scheduling", scheduling),
    ("Nodes", nodes),
    ("Pods", pods),
    ("Configuration", configuration),
)


def steps(facts: Facts) -> list[Obj]:
    """All four steps, each passed or failed."""
    found = []
    for number, (name, look) in enumerate(STEPS, 1):
        findings = look(facts)
        for finding in findings:
            if (mended := mend(facts, finding)) is not None:
                finding["mend"] = mended
            # What only the mend needs to know.
            finding.pop("request", None)
        found.append(
            {
                "step": number,
                "name": name,
                "result": "Failed" if findings else "Passed",
                **({"findings": findings} if findings else {}),
            }
        )
    return found
