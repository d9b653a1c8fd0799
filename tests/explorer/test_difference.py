"""What differs between two states."""

from __future__ import annotations

from typing import Any

from cluster.explorer.difference import of_fields, of_lists


def obj(name: str, revision: int, uid: str = "u", **fields: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "shop", "resourceVersion": str(revision), "uid": uid}, **fields}


def test_added_changed_removed_and_replaced() -> None:
    before = [obj("same", 1), obj("grows", 2, spec={"replicas": 3}), obj("goes", 3), obj("again", 4, uid="old")]
    after = [obj("same", 1), obj("grows", 9, spec={"replicas": 5}), obj("comes", 10), obj("again", 11, uid="new")]
    found = [(one["name"], one["change"]) for one in of_lists(before, after)]
    assert found == [
        ("again", "removed"),
        ("again", "added"),
        ("comes", "added"),
        ("goes", "removed"),
        ("grows", "changed"),
    ]
    assert of_lists(before, after)[-1]["fields"] == [{"path": "spec.replicas", "before": 3, "after": 5}]


def test_elements_of_lists_are_told_apart_by_name() -> None:
    before = {"containers": [{"name": "a", "image": "x:1"}, {"name": "b", "image": "y:1"}], "args": ["one", "two"]}
    after = {"containers": [{"name": "b", "image": "y:2"}, {"name": "a", "image": "x:1"}], "args": ["one"]}
    assert list(of_fields(before, after)) == [
        {"path": "args[1]", "before": "two", "after": None},
        {"path": "containers[b].image", "before": "y:1", "after": "y:2"},
    ]


def test_bookkeeping_is_not_told() -> None:
    before, after = obj("a", 1), obj("a", 2)
    before["metadata"]["managedFields"] = [{"manager": "x"}]
    assert of_lists([before], [after]) == []
