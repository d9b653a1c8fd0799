"""What a step of the checklist finds: a reason, a message, the evidence that was seen, and how it is mended."""

from __future__ import annotations

from collections.abc import Iterable

from cluster.diagnosis.facts import Facts, Obj, is_over, said_at

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


def awaited(facts: Facts) -> list[Obj]:
    """The pods that are not there yet and not going."""
    return [pod for pod in facts.pods if not pod["metadata"].get("deletionTimestamp") and not is_over(pod)]
