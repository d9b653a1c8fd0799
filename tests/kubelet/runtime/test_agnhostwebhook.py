"""agnhost's webhooks: what they say to whom."""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.kubelet.runtime import agnhostserver
from cluster.kubelet.runtime.agnhostwebhook import serve
from cluster.kubelet.runtime.cri import HTTPRequest


async def ask(path: str, **request: Any) -> dict[str, Any]:
    body = json.dumps({"request": {"uid": "u", "operation": "CREATE", **request}}).encode()
    result = await serve(SimpleNamespace(), HTTPRequest(path, "POST", {}, body))  # type: ignore[arg-type]
    found: dict[str, Any] = json.loads(result.body)["response"]
    assert found["uid"] == "u"
    return found


def patch_of(response: dict[str, Any]) -> Any:
    return json.loads(base64.b64decode(response["patch"]))


@pytest.mark.parametrize(
    ("path", "request_", "status"),
    [
        ("/always-deny", {"object": {}}, {"message": "this webhook denies all requests"}),
        ("/configmaps", {"object": {"data": {"webhook-e2e-test": "webhook-disallow"}}}, {"reason": "the configmap contains unwanted key and value"}),
        (
            "/custom-resource",
            {"operation": "DELETE", "oldObject": {"data": {"webhook-e2e-test": "webhook-nondeletable"}}},
            {"reason": "the custom resource cannot be deleted because it contains unwanted key and value"},
        ),
        ("/crd", {"object": {"metadata": {"labels": {"webhook-e2e-test": "webhook-disallow"}}}}, {"message": "the crd contains unwanted label"}),
        ("/pods/attach", {"operation": "CONNECT", "name": "to-be-attached-pod"}, {"message": "attaching to pod 'to-be-attached-pod' is not allowed"}),
    ],
)  # fmt: skip
async def test_what_is_marked_is_refused(path, request_, status):
    response = await ask(path, **request_)
    assert response["allowed"] is False and response["status"] == {"metadata": {}, **status}


@pytest.mark.parametrize("path", ["/configmaps", "/custom-resource", "/mutating-configmaps"])
async def test_what_is_not_marked_passes(path):
    assert (await ask(path, object={"metadata": {"name": "x"}, "data": {"a": "b"}})) == {"uid": "u", "allowed": True}


async def test_labels_are_added_where_there_are_none_and_where_there_are_some():
    assert patch_of(await ask("/add-label", object={"metadata": {}}))[0]["path"] == "/metadata/labels"
    assert (
        patch_of(await ask("/add-label", object={"metadata": {"labels": {"a": "b"}}}))[0]["path"]
        == "/metadata/labels/added-label"
    )


async def test_versions_are_converted_there_and_back():
    async def converted(obj: dict[str, Any], wanted: str) -> Any:
        review = {"request": {"uid": "u", "desiredAPIVersion": wanted, "objects": [obj]}}
        result = await serve(SimpleNamespace(), HTTPRequest("/crdconvert", "POST", {}, json.dumps(review).encode()))  # type: ignore[arg-type]
        return json.loads(result.body)["response"]["convertedObjects"][0]

    old = {"apiVersion": "stable.example.com/v1", "hostPort": "localhost:8080"}
    new = await converted(old, "stable.example.com/v2")
    assert new == {"apiVersion": "stable.example.com/v2", "host": "localhost", "port": "8080"}
    assert await converted(new, "stable.example.com/v1") == old


async def test_nonsense_is_answered_with_an_error():
    assert (await serve(SimpleNamespace(), HTTPRequest("/pods", "POST", {}, b"{"))).status == 400  # type: ignore[arg-type]
    assert (
        await serve(SimpleNamespace(), HTTPRequest("/nowhere", "POST", {}, b'{"request":{"uid":"u"}}'))
    ).status == 404  # type: ignore[arg-type]


def test_the_converter_serves_under_a_command_of_its_own():
    assert agnhostserver.ports_of("crd-conversion-webhook", ["--port=9444"], {}) == ((9444,), ())
    assert agnhostserver.PROGRAMS["crd-conversion-webhook"] is serve
