"""What a step of the checklist finds: a reason, a message, the evidence that was seen, and how it is mended."""

from __future__ import annotations

from collections.abc import Iterable

from cluster.diagnosis import spans
from cluster.diagnosis.facts import Facts, Obj, is_over
from cluster.diagnosis.surroundings import said_at

# How many objects are named one by one.
NAMED = 5


def finding_of(reason: str, message: str, evidence: Iterable[Obj], fix: str, command: str = "") -> Obj:
    found: Obj = {"reason": reason, "message": message, "evidence": list(evidence), "fix": fix}
    if command:
        found["command"] = command
    return found


def field_of(obj: Obj, kind: str, field: str, text: object, since: str = "") -> Obj:
    found: Obj = {"object": f"{kind}/{obj['metadata']['name']}", "field": field, "value": str(text)}
    if since:
        found["time"] = since
    return found


def listed(names: list[str]) -> str:
    """`a, b and 3 more`."""
    shown = ", ".join(names[:NAMED])
    return f"{shown} and {len(names) - NAMED} more" if len(names) > NAMED else shown


def event_of(event: Obj) -> Obj:
    about = event.get("involvedObject") or {}
    return {
        "object": f"{about.get('kind', '').lower()}/{about.get('name', '')}",
        "field": "Event",
        "value": f"{event['reason']}: {event['message']}",
        "time": said_at(event)[:19].rstrip("Z") + "Z",
    }


def traced(facts: Facts, written: Iterable[Obj], kind: str, about: Obj, *stages: str, container: str = "") -> list[Obj]:
    """Evidence from the recorded work in whose course the first of these was written that leads to any; empty when none does.

    `kind`: schedule, sync or reconcile; `about`: the object of that work; `stages`: of which the span has to be one.
    """
    metadata = about["metadata"]
    for one in written:
        picked = spans.work(facts.traces, one, kind, metadata.get("namespace", ""), metadata["name"], stages, container)
        if picked is not None:
            return [span_evidence(picked, f"{_kind_of(facts, about)}/{metadata['name']}")]
    return []


def refused_requests(facts: Facts, event: Obj, about: Obj) -> list[Obj]:
    """The reconcile that told of a failure, and the request of its that the API server refused."""
    metadata = about["metadata"]
    picked = spans.work(facts.traces, event, "reconcile", metadata.get("namespace", ""), metadata["name"], ("act",))
    if picked is None:
        return []
    found = [span_evidence(picked, f"{_kind_of(facts, about)}/{metadata['name']}")]
    if (refused := spans.refused_requests(facts.traces, event, picked[0])) is not None:
        found.append(span_evidence(refused, f"{refused[0]['verb']} {refused[0]['resource']}"))
    return found


def span_evidence(picked: spans.Picked, about: str) -> Obj:
    span = spans.span_of(picked)
    said = f": {span['detail']}" if span["detail"] else ""
    return {
        "object": about,
        "field": "Span",
        "value": f"{span['component']}, {span['stage']} {span['outcome']}{said}",
        "span": span,
    }


def _kind_of(facts: Facts, obj: Obj) -> str:
    return facts.kind.lower() if obj is facts.obj else str(obj.get("kind") or "pod").lower()


def pods_wanted(facts: Facts) -> int:
    """How many pods there should be."""
    if facts.kind == "DaemonSet":
        return sum(facts.placement(node)[0] for node in facts.nodes.values())
    return int(facts.spec.get("replicas", 1))


def awaited(facts: Facts) -> list[Obj]:
    """The pods that are not there yet and not going."""
    return [pod for pod in facts.pods if not pod["metadata"].get("deletionTimestamp") and not is_over(pod)]
