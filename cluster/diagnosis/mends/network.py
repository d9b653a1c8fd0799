"""Mends of Services: a selector that chooses a workload, ports that lead to where it listens."""

from __future__ import annotations

from collections.abc import Callable
from difflib import SequenceMatcher

from cluster.diagnosis.checklist.services import declared, listening_of, selector_text, target_number
from cluster.diagnosis.facts import Facts, Obj, is_ready
from cluster.diagnosis.mends.common import Mend, skeleton

# What makes pods, by storage key.
_WORKLOADS = ("apps/deployments", "apps/statefulsets", "apps/daemonsets")
# From here on a selector is taken for a misspelling of another.
ALIKE = 0.75


def _selector(facts: Facts, finding: Obj) -> Mend | None:
    """The labels of the one workload that is meant: it is called so, or its labels are almost these."""
    wanted, name = facts.spec["selector"], facts.obj["metadata"]["name"]
    candidates = {}
    for resource in _WORKLOADS:
        for workload in facts.view.list(resource, facts.namespace):
            labels = (workload["spec"].get("selector") or {}).get("matchLabels")
            if labels and _reachable(facts, labels):
                text = selector_text(labels)
                alike = SequenceMatcher(None, selector_text(wanted), text).ratio()
                candidates[text] = (workload["metadata"]["name"] == name, alike, labels)
    if not candidates:
        return None
    ranked = sorted(candidates.values(), key=lambda one: one[:2], reverse=True)
    same, alike, labels = ranked[0]
    second = ranked[1] if len(ranked) > 1 else None
    if not (same or alike >= ALIKE) or (second is not None and second[:2] == (same, alike)):
        return None
    changed = skeleton(facts.obj, "Service")
    changed["spec"] = {"selector": labels}
    return f"Select {selector_text(labels)}.", [changed]


def _reachable(facts: Facts, labels: Obj) -> bool:
    """Whether pods of these labels are ready, and have the ports that the Service leads to."""
    for pod in facts.view.list("pods", facts.namespace):
        have = pod["metadata"].get("labels") or {}
        if is_ready(pod) and all(have.get(key) == text for key, text in labels.items()):
            return all(target_number(pod, port) for port in facts.spec.get("ports") or ())
    return False


def _target_port(facts: Facts, finding: Obj) -> Mend | None:
    """The one port at which its pods can be reached."""
    where = next(one["field"] for one in finding["evidence"] if one["field"].startswith("spec.ports["))
    number = int(where.removeprefix("spec.ports[").partition("]")[0])
    port = next((one for one in facts.spec["ports"] if one["port"] == number), None)
    if port is None:
        return None
    pods = [pod for pod in facts.pods if is_ready(pod)]
    found = [listening_of(facts, pod) or declared(pod) for pod in pods]
    if not found or len(found[0]) != 1 or any(one != found[0] for one in found):
        return None
    target = next(iter(found[0]))
    changed = skeleton(facts.obj, "Service")
    changed["spec"] = {"ports": [{"port": number, "protocol": port.get("protocol", "TCP"), "targetPort": target}]}
    return f"Send port {number} to port {target}, where its pods listen.", [changed]


MENDS: dict[str, Callable[[Facts, Obj], Mend | None]] = {
    "SelectorMatchesNothing": _selector,
    "TargetPortNotFound": _target_port,
    "TargetPortNotListening": _target_port,
}
