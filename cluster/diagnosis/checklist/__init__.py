"""The checklist for what is not well, in its order: 1 scheduling, 2 nodes, 3 pods, 4 configuration; each with evidence and mending."""

from __future__ import annotations

from collections.abc import Callable

from cluster.diagnosis.checklist.claims import claim
from cluster.diagnosis.checklist.configuration import configuration
from cluster.diagnosis.checklist.nodes import nodes
from cluster.diagnosis.checklist.pods import pods
from cluster.diagnosis.checklist.scheduling import scheduling
from cluster.diagnosis.checklist.services import service
from cluster.diagnosis.facts import Facts, Obj
from cluster.diagnosis.mends import mend

Look = Callable[[Facts], list[Obj]]
NAMES = ("Scheduling", "Nodes", "Pods", "Configuration")


def _nothing(facts: Facts) -> list[Obj]:
    return []


def _while_nobody_answers(look: Look) -> Look:
    """A Service with an endpoint serves: what its other pods lack is said of these."""
    return lambda facts: [] if facts.endpoints else look(facts)


def _while_it_waits(look: Look) -> Look:
    """A claim that has its volume does not care for its pods."""
    return lambda facts: look(facts) if facts.status.get("phase", "Pending") == "Pending" else []


# What is looked at in each step: of what makes pods, of a pod and a node; and of those that only have to do with pods.
STEPS: tuple[Look, ...] = (scheduling, nodes, pods, configuration)
OTHER_STEPS: dict[str, tuple[Look, ...]] = {
    "Service": (*map(_while_nobody_answers, (scheduling, nodes, pods)), service),
    "PersistentVolumeClaim": (_while_it_waits(scheduling), _nothing, _nothing, claim),
}


def steps(facts: Facts) -> list[Obj]:
    """All four steps, each passed or failed."""
    found = []
    looks = OTHER_STEPS.get(facts.kind, STEPS)
    for number, (name, look) in enumerate(zip(NAMES, looks, strict=True), 1):
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
