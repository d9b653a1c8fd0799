"""The sample API server: what it keeps, and what it says to objects that are none."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.kubelet.runtime.cri import HTTPRequest
from cluster.kubelet.runtime.sampleapiserver import serve

PATH = "/apis/wardle.example.com/v1alpha1/namespaces/default/flunders"


def ask(me: Any, method: str, path: str, obj: Any = None) -> tuple[int, Any]:
    found = serve(me, HTTPRequest(path, method, {}, b"" if obj is None else json.dumps(obj).encode()))
    return found.status, json.loads(found.body)


@pytest.mark.parametrize(
    ("obj", "what"),
    [
        ({"metadata": {"name": 5}}, "number into Go struct field ObjectMeta.metadata.name of type string"),
        ({"metadata": {"name": ["a"]}}, "array into Go struct field ObjectMeta.metadata.name of type string"),
        (
            {"metadata": {"generateName": {}}},
            "object into Go struct field ObjectMeta.metadata.generateName of type string",
        ),
        (
            {"metadata": {"name": "a", "labels": [1]}},
            "array into Go struct field ObjectMeta.metadata.labels of type map[string]string",
        ),
        (
            {"metadata": {"name": "a", "labels": {"x": True}}},
            "bool into Go struct field ObjectMeta.metadata.labels of type string",
        ),
        ({"metadata": "a"}, "string into Go struct field ObjectMeta.metadata of type v1.ObjectMeta"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_odd_objects_are_refused(obj: Any, what: str, method: str) -> None:
    me = SimpleNamespace(heard={})
    assert ask(me, "POST", PATH, {"metadata": {"name": "there"}})[0] == 201
    code, status = ask(me, method, PATH if method == "POST" else f"{PATH}/there", obj)
    assert (code, status["reason"]) == (400, "BadRequest")
    assert (
        status["message"]
        == f'Flunder in version "v1alpha1" cannot be handled as a Flunder: json: cannot unmarshal {what}'
    )
    code, listing = ask(me, "GET", f"{PATH}?labelSelector=x%3Dy")
    assert code == 200 and listing["items"] == []


@pytest.mark.parametrize("obj", [[], 5, None])
def test_a_body_that_is_no_object(obj: Any) -> None:
    assert ask(SimpleNamespace(heard={}), "POST", PATH, obj)[0] == 400
