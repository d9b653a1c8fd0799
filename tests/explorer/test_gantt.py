"""The end of a pod as bars: who asked, when the endpoint left, what its containers did, which requests still came."""

from __future__ import annotations

from cluster.explorer.gantt import bars
from cluster.explorer.services import Past


def journey(id, kind="request", **more):
    values = {
        "id": id,
        "kind": kind,
        "component": "apiserver",
        "actor": "alice",
        "verb": "",
        "resource": "pods",
        "subresource": "",
        "namespace": "shop",
        "name": "web",
        "revision": 0,
        "outcome": "ok",
        "start": 1.0,
        "end": 2.0,
        "spans": [],
    }
    return {**values, **more}


def span(stage, start, end, **detail):
    return {"stage": stage, "start": start, "end": end, "outcome": "ok", "detail": detail}


def slice_at(revision, **conditions):
    endpoint = {"targetRef": {"name": "web"}, "conditions": conditions}
    return Past(revision, "update", "", {"endpoints": [endpoint] if conditions else []})


def test_every_lane_has_what_was_recorded():
    spans = [
        span("prestop", 1, 6, container="c", handler="sleep"),
        span("sigterm", 6, 7, container="c", exit_code=0, grace=15),
        span("requests", 1, 7, answered=3, failed=1, series=[[0.0, 3, 1]]),
        span("remove", 7, 8, pod="web"),
    ]
    known = [
        journey("r", verb="delete", revision=9),
        journey("r.1", "reconcile", resource="", component="endpointslice"),
        journey(
            "r.2", verb="update", resource="endpointslices", name="web-abc", revision=10, actor="system:x", start=2.0
        ),
        journey("r.3", "sync", component="kubelet/n1", verb="terminate", spans=spans, actor="system:node:n1"),
        journey("r.4", verb="delete", actor="system:node:n1", revision=12, start=8.0),
        journey(
            "r.5", verb="update", resource="endpointslices", name="web-abc", revision=13, actor="system:x", start=9.0
        ),
        journey("r.6", verb="delete", name="another"),
    ]
    slices = {
        "web-abc": [slice_at(13), slice_at(10, ready=False, serving=True, terminating=True), slice_at(5, ready=True)]
    }
    found = bars({one["id"]: one for one in known}, "shop", "web", slices)
    assert [(one["lane"], one["what"]) for one in found] == [
        ("api", "delete"),
        ("container/c", "prestop"),
        ("requests", "requests"),
        ("kubelet", "terminate"),
        ("endpointslice", "terminating"),
        ("container/c", "sigterm"),
        ("kubelet", "remove"),
        ("api", "remove"),
        ("endpointslice", "removed"),
    ]
    assert found[0]["actor"] == "alice"


def test_a_slice_that_says_the_same_of_the_pod_is_no_bar():
    other = journey("r", verb="update", resource="endpointslices", name="web-abc", revision=10)
    slices = {"web-abc": [slice_at(10, ready=True), slice_at(5, ready=True)]}
    assert bars({"r": other}, "shop", "web", slices) == []


def test_an_eviction_is_an_end_too():
    evicted = journey("r", verb="create", subresource="eviction")
    assert [one["what"] for one in bars({"r": evicted}, "shop", "web", {})] == ["evict"]
