"""[sig-instrumentation] Events, in the core group and in their own."""

from __future__ import annotations


def test_events(ns):
    body = {
        "metadata": {"name": "e"},
        "involvedObject": {"kind": "Pod", "namespace": ns.name, "name": "x"},
        "reason": "Test",
        "message": "This is a test",
        "type": "Normal",
    }
    ns.request("POST", ns.path("events"), body)
    assert (
        ns.patch("events", "e", {"message": "This is a patched test"}, "strategic")["message"]
        == "This is a patched test"
    )
    new = f"/apis/events.k8s.io/v1/namespaces/{ns.name}/events"
    found = ns.request("GET", f"{new}/e")
    assert found["note"] == "This is a patched test" and found["regarding"]["name"] == "x"
    ns.delete("events", query="?fieldSelector=metadata.name%3De")
    assert ns.find("events", "e") is None


def test_events_api_series(ns):
    path = f"/apis/events.k8s.io/v1/namespaces/{ns.name}/events"
    body = {
        "metadata": {"name": "series"},
        "eventTime": "2017-09-19T13:49:16.000000Z",
        "action": "Do",
        "reason": "Test",
        "note": "first",
        "type": "Normal",
        "regarding": {"kind": "Pod", "name": "x", "namespace": ns.name},
        "reportingController": "test-controller",
        "reportingInstance": "test-node",
    }
    ns.request("POST", path, body)
    found = ns.request("GET", f"{path}/series")
    found["series"] = {"count": 100, "lastObservedTime": "2014-09-19T13:49:16.000000Z"}
    assert ns.request("PUT", f"{path}/series", found)["series"]["count"] == 100
    ns.request("DELETE", f"{path}/series")
    assert ns.find("events", "series") is None
