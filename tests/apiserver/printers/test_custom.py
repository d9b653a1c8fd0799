"""Columns of custom resources: JSONPath, types, and what is shown when there is nothing."""

from __future__ import annotations

import pytest

from cluster import clock
from cluster.apiserver.printers import custom

NOW = clock.parse("2026-06-01T12:00:00Z")
WIDGET = {
    "metadata": {
        "name": "w",
        "creationTimestamp": "2026-06-01T11:00:00Z",
        "annotations": {"example.com/owner": "me"},
    },
    "spec": {
        "size": 3,
        "ratio": 1.5,
        "on": True,
        "tags": ["a", "b"],
        "map": {"k": "v"},
        "nothing": None,
        "when": "soon",
    },
    "status": {
        "conditions": [{"type": "Synced", "status": "False"}, {"type": "Ready", "status": "True", "reason": "Fine"}],
    },
}


def cell(path, kind="string"):
    printer = custom.custom([{"name": "X", "type": kind, "jsonPath": path}])
    return printer.cells(WIDGET, NOW)[1]


@pytest.mark.parametrize(
    ("path", "kind", "shown"),
    [
        (".spec.size", "integer", 3),
        (".spec.ratio", "integer", 1),
        (".spec.ratio", "number", 1.5),
        (".spec.size", "string", "3"),
        (".spec.on", "boolean", True),
        (".spec.on", "string", "true"),
        (".spec.on", "integer", None),
        (".spec.size", "boolean", None),
        (".spec.tags", "string", '["a","b"]'),
        (".spec.tags[0]", "string", "a"),
        (".spec.tags[-1]", "string", "b"),
        (".spec.tags[7]", "string", None),
        (".spec.tags[*]", "string", "a b"),
        (".spec.map", "string", '{"k":"v"}'),
        (".spec.map['k']", "string", "v"),
        (".spec.nothing", "string", None),
        (".spec.missing.deeper", "string", None),
        (r".metadata.annotations.example\.com/owner", "string", "me"),
        ('.metadata.annotations["example.com/owner"]', "string", "me"),
        ('.status.conditions[?(@.type=="Ready")].status', "string", "True"),
        (".status.conditions[?(@.type == 'Ready')].reason", "string", "Fine"),
        (".status.conditions[?(@.type!='Ready')].type", "string", "Synced"),
        (".status.conditions[?(@.type=='Gone')].status", "string", None),
        ("{.spec.size}", "integer", 3),
        (".metadata.creationTimestamp", "date", "60m"),
        (".spec.when", "date", "<invalid>"),
        (".spec.size", "date", None),
    ],
)
def test_values_by_path_and_type(path, kind, shown):
    assert cell(path, kind) == shown


def test_a_path_that_is_none_is_refused():
    with pytest.raises(ValueError, match="unrecognized JSONPath"):
        custom.custom([{"name": "X", "type": "string", "jsonPath": "spec.size"}])
