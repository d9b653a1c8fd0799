"""The end of a pod as bars over time: the API, the EndpointSlices, the kubelet, each container, the requests that still came.

Pure: out of the journeys of the deletion's tree, the revisions of the slices, and the pod as it was last. Times are the journeys': real
seconds since the epoch.
"""

from __future__ import annotations

from typing import Any

from cluster.explorer.services import Past

Obj = dict[str, Any]
STAGES = ("prestop", "sigterm", "sigkill")


def bars(journeys: dict[str, Obj], namespace: str, name: str, slices: dict[str, list[Past]]) -> list[Obj]:
    """Bars {lane, what, start, end, outcome, journey, detail}; an end of 0 is still running. `slices`: revisions by slice name."""
    mine = [one for one in journeys.values() if one["namespace"] == namespace]
    pods = [one for one in mine if one["resource"] == "pods" and one["name"] == name]
    found = [_bar("api", _request_of(one), one, one) for one in pods if _is_api(one)]
    for one in mine:
        if one["resource"] == "endpointslices" and one["kind"] == "request" and one["revision"]:
            state = _endpoint(slices.get(one["name"], []), one["revision"], name)
            if state:
                found.append(
                    _bar("endpointslice", state, one, one, {"slice": one["name"], "revision": one["revision"]})
                )
    for one in pods:
        if one["kind"] == "sync" and one["verb"] in ("terminate", "evict"):
            found.append(_bar("kubelet", one["verb"], one, one, {"node": one["component"].partition("/")[2]}))
            found += [_span(one, span) for span in one["spans"]]
    return sorted(found, key=lambda bar: (float(bar["start"]), str(bar["what"])))


def _is_api(journey: Obj) -> bool:
    return bool(journey["kind"] == "request" and (journey["verb"] == "delete" or journey["subresource"] == "eviction"))


def _request_of(journey: Obj) -> str:
    if journey["subresource"] == "eviction":
        return "evict"
    return "remove" if journey["actor"].startswith("system:node:") else "delete"


def _span(journey: Obj, span: Obj) -> Obj:
    detail = span.get("detail") or {}
    lane = f"container/{detail['container']}" if span["stage"] in STAGES and "container" in detail else "kubelet"
    if span["stage"] == "requests":
        lane = "requests"
    return _bar(lane, span["stage"], span, journey, detail)


def _bar(lane: str, what: str, times: Obj, journey: Obj, detail: Obj | None = None) -> Obj:
    return {
        "lane": lane,
        "what": what,
        "start": times["start"],
        "end": times["end"],
        "outcome": times["outcome"],
        "journey": journey["id"],
        "actor": journey["actor"],
        "revision": journey["revision"],
        "detail": detail or {},
    }


def _endpoint(past: list[Past], revision: int, pod: str) -> str:
    """What a revision of a slice did to the pod's endpoint: `terminating`, `not serving`, `removed`; empty when nothing."""
    at = next((position for position, one in enumerate(past) if one.revision == revision), None)
    if at is None:
        return ""
    now, before = _conditions(past[at].object, pod), {}
    if at + 1 < len(past):
        # Newest first: the one before stands behind.
        before = _conditions(past[at + 1].object, pod)
    if now == before:
        return ""
    if not now:
        return "removed"
    if now.get("terminating") and not now.get("serving"):
        return "not serving"
    return "terminating" if now.get("terminating") else "ready" if now.get("ready") else "not ready"


def _conditions(obj: Obj, pod: str) -> Obj:
    for endpoint in obj.get("endpoints") or ():
        if (endpoint.get("targetRef") or {}).get("name") == pod:
            found: Obj = endpoint.get("conditions") or {}
            return found
    return {}
