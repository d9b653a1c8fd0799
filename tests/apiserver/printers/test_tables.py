"""The Table around the rows: its columns, its objects, its metadata."""

from __future__ import annotations

import pytest

from cluster import clock
from cluster.apiserver.printers.tables import table

NOW = clock.parse("2026-06-01T12:00:00Z")
POD = {
    "kind": "Pod",
    "apiVersion": "v1",
    "metadata": {"name": "a", "namespace": "d", "creationTimestamp": "2026-06-01T11:59:30Z"},
    "spec": {"containers": [{"name": "c"}]},
    "status": {"phase": "Pending"},
}


def columns(key):
    return table(key, [], now=NOW)["columnDefinitions"]


@pytest.mark.parametrize(
    ("include", "carried"),
    [
        ("None", None),
        ("Object", POD),
        ("Metadata", {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": POD["metadata"]}),
    ],
)
def test_rows_carry_what_was_asked_for(include, carried):
    row = table("pods", [POD], now=NOW, include_object=include)["rows"][0]
    assert row["object"] == carried


def test_the_table_is_kubernetes_own():
    shown = table("pods", [POD], now=NOW, list_metadata={"resourceVersion": "7", "continue": "x"})
    assert (shown["kind"], shown["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    assert shown["metadata"] == {"resourceVersion": "7", "continue": "x"}
    assert shown["rows"][0]["cells"] == ["a", "0/1", "Pending", "0", "30s", "<none>", "<none>", "<none>", "<none>"]


def test_pod_columns():
    found = columns("pods")
    assert [(one["name"], one["type"], one["format"], one["priority"]) for one in found] == [
        ("Name", "string", "name", 0),
        ("Ready", "string", "", 0),
        ("Status", "string", "", 0),
        ("Restarts", "string", "", 0),
        ("Age", "string", "", 0),
        ("IP", "string", "", 1),
        ("Node", "string", "", 1),
        ("Nominated Node", "string", "", 1),
        ("Readiness Gates", "string", "", 1),
    ]
    assert found[0]["description"].startswith("Name must be unique within a namespace. Is required when creating")
    assert found[5]["description"].startswith("podIP address allocated to the pod.")


def test_event_columns_lead_with_what_happened():
    found = columns("events")
    assert [one["name"] for one in found if not one["priority"]] == ["Last Seen", "Type", "Reason", "Object", "Message"]
    assert [one["name"] for one in found if one["priority"]] == ["Subobject", "Source", "First Seen", "Count", "Name"]


def test_kinds_without_columns_show_when_they_were_created():
    found = columns("widgets.example.com")
    assert [(one["name"], one["type"]) for one in found] == [("Name", "string"), ("Created At", "date")]
    rows = table("widgets", [POD, {"metadata": {"name": "b"}}], now=NOW)["rows"]
    assert [row["cells"] for row in rows] == [["a", "2026-06-01T11:59:30Z"], ["b", "0001-01-01T00:00:00Z"]]


def test_flow_schemas_are_listed_in_the_order_in_which_they_are_tried():
    schemas = [
        {"metadata": {"name": name}, "spec": {"matchingPrecedence": precedence}}
        for name, precedence in (("late", 900), ("b", 100), ("a", 100))
    ]
    rows = table("flowcontrol.apiserver.k8s.io/flowschemas", schemas, now=NOW)["rows"]
    assert [row["cells"][0] for row in rows] == ["a", "b", "late"]
