"""Why is it here, and what did it lead to: causes and effects of one object, out of its revisions and the journeys that wrote them.

Pure functions over dicts. A `Past` is one revision of the object; a journey is `Journey.as_dict()`. Two questions have two answers:
*why at all* (its owners, each with the request that made it) and *why just then* (the chain of journeys from the person's request
to the write that created it). Effects are given as a forest in which siblings that did the same are one branch with a count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cluster.explorer.services import Past

Obj = dict[str, Any]
Journeys = Mapping[str, Obj]

# How far a chain is followed, how deep effects go, names told of one branch, changed fields told of one revision.
LONGEST, DEEPEST, NAMED, FIELDS = 30, 14, 12, 6
# Written by every component all the time; nobody asks what a heartbeat caused.
_ASIDE = frozenset({"events", "leases"})
# Fields that change with every write, or that say who wrote.
_BOOKKEEPING = frozenset({"managedFields", "resourceVersion", "generation"})


def step(journey: Obj) -> Obj:
    """One station of a chain: who did what, and what its spans say about why (in short)."""
    fields = (
        "id",
        "root",
        "kind",
        "component",
        "actor",
        "impersonator",
        "agent",
        "verb",
        "group",
        "resource",
        "subresource",
        "namespace",
    )
    found = {name: journey.get(name, "") for name in (*fields, "name", "outcome", "reason")}
    found |= {name: journey.get(name) or 0 for name in ("revision", "start", "end", "code")}
    found["said"] = _said(journey)
    return found


def _said(journey: Obj) -> Obj:
    """The few figures of the spans that explain the decision."""
    spans = {span["stage"]: span.get("detail") or {} for span in journey.get("spans") or ()}
    if journey["kind"] == "reconcile":
        return {stage: detail for stage, detail in spans.items() if detail}
    if journey["kind"] == "schedule":
        filtered = spans.get("filter", {})
        node = spans.get("bind", {}).get("node", "")
        found = {key: filtered[key] for key in ("considered", "passed", "refused_by") if key in filtered}
        if node:
            found |= {"node": node, "score": _score(spans.get("score", {}), node)}
        return found
    if journey["kind"] == "sync":
        return {"stages": [[span["stage"], span["outcome"]] for span in journey.get("spans") or ()]}
    return {}


def _score(detail: Obj, node: str) -> object:
    if node in detail:
        return detail[node].get("total")
    names = detail.get("nodes") or []
    return detail["total"][names.index(node)] if node in names else None


def chain(journeys: Journeys, last: str) -> list[Obj]:
    """From the request at the root to this journey, each because of the one before; empty when it is not known."""
    found: list[Obj] = []
    seen: set[str] = set()
    here = journeys.get(last)
    while here is not None and len(found) < LONGEST and here["id"] not in seen:
        seen.add(here["id"])
        found.append(here)
        here = next((journeys[cause] for cause in here["causes"] if cause in journeys), None)
    return found[::-1]


def about(journeys: Journeys, resource: str, namespace: str, name: str) -> list[Obj]:
    """What the scheduler and the kubelets did about an object, in order."""
    found = [
        one
        for one in journeys.values()
        if one["kind"] in ("schedule", "sync")
        and one["resource"] == resource
        and one["namespace"] == namespace
        and one["name"] == name
    ]
    return sorted(found, key=lambda one: float(one["start"]))


def effects(journeys: Journeys, starts: Iterable[str]) -> list[Obj]:
    """What followed from these journeys, as branches: {step, n, names, branches}."""
    after: dict[str, list[Obj]] = {}
    for one in sorted(journeys.values(), key=lambda journey: float(journey["start"])):
        cause = next((cause for cause in one["causes"] if cause in journeys), None)
        if cause is not None:
            after.setdefault(cause, []).append(one)
    return _branches([one for start in starts for one in _visible(after, start)], after, DEEPEST)


def _visible(after: Mapping[str, list[Obj]], journey: str) -> Iterable[Obj]:
    """The next journeys worth showing; looks through reconciles, status writes and bindings to what came of them."""
    waiting = list(reversed(after.get(journey, ())))
    while waiting:
        one = waiting.pop()
        if one["kind"] in ("schedule", "sync") or _is_telling(one):
            yield one
        else:
            waiting.extend(reversed(after.get(one["id"], ())))


def _is_telling(journey: Obj) -> bool:
    if journey["kind"] != "request" or journey["resource"] in _ASIDE or journey["subresource"] in ("status", "binding"):
        return False
    return bool(journey["revision"]) or journey["outcome"] in ("refused", "error")


def _branches(journeys: list[Obj], after: Mapping[str, list[Obj]], depth: int) -> list[Obj]:
    alike: dict[tuple[Any, ...], list[Obj]] = {}
    for one in journeys:
        who = one["component"].partition("/")[0] if one["kind"] == "sync" else one["actor"]
        key = (one["kind"], who, one["verb"], one["group"], one["resource"], one["subresource"], one["outcome"])
        alike.setdefault(key, []).append(one)
    found = []
    for same in alike.values():
        names = {(one["namespace"], one["name"]): None for one in same}
        inner = [follower for one in same for follower in _visible(after, one["id"])]
        found.append(
            {
                "step": step(same[0]),
                "n": len(same),
                "names": [{"namespace": namespace, "name": name} for namespace, name in list(names)[:NAMED]],
                "distinct": len(names),
                "branches": _branches(inner, after, depth - 1) if depth else [],
            }
        )
    return found


def changes(past: list[Past], *, secret: bool = False) -> list[Obj]:
    """One entry per revision of the object's present (or last) life, oldest first: what it changed, and whether in status alone."""
    life: list[Past] = []
    for one in sorted(past, key=lambda revision: revision.revision):
        if one.verb == "create":
            life = []
        life.append(one)
    found, before = [], None
    for one in life:
        fields: list[Obj] = _different(before.object, one.object) if before is not None and one.verb == "update" else []
        found.append(
            {
                "revision": one.revision,
                "verb": one.verb,
                "journey": one.journey,
                "status": bool(fields) and all(field["field"].startswith("status") for field in fields),
                "fields": [{"field": field["field"]} if secret else field for field in fields[:FIELDS]],
                "more": max(len(fields) - FIELDS, 0),
            }
        )
        before = one
    return found


def _different(old: Any, new: Any, path: str = "") -> list[Obj]:
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [*new, *(key for key in old if key not in new)]
        return [
            one
            for key in keys
            if not (path == "metadata" and key in _BOOKKEEPING)
            for one in _different(old.get(key), new.get(key), f"{path}.{key}" if path else key)
        ]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [
            one
            for position, (left, right) in enumerate(zip(old, new, strict=True))
            for one in _different(left, right, f"{path}[{_label(right, position)}]")
        ]
    return [] if old == new else [{"field": path, "from": _short(old), "to": _short(new)}]


def _label(item: Any, position: int) -> object:
    named = item if isinstance(item, dict) else {}
    return named.get("name") or named.get("type") or position


def _short(value: Any) -> Any:
    if isinstance(value, (dict, list)):
        return "{…}" if isinstance(value, dict) else f"{len(value)} items"
    return value[:77] + "…" if isinstance(value, str) and len(value) > 80 else value
