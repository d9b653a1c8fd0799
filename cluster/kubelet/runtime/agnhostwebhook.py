"""agnhost webhook: the admission and conversion webhooks that Kubernetes' own tests deploy (test/images/agnhost/webhook).

Each path is one webhook: a function from an AdmissionReview's request to its response.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from typing import Any

import orjson

from cluster import clock
from cluster.kubelet.runtime.cri import HTTPRequest, HTTPResult
from cluster.kubelet.runtime.servers import Self, json_answer, path_of, text_answer

Obj = dict[str, Any]
Admit = Callable[[Obj], Obj]
_KEY, _NO, _STAYS = "webhook-e2e-test", "webhook-disallow", "webhook-nondeletable"


def _allowed() -> Obj:
    return {"allowed": True}


def _denied(**status: Any) -> Obj:
    return {"allowed": False, "status": {"metadata": {}, **status}}


def _patched(*operations: Obj) -> Obj:
    return {**_allowed(), "patchType": "JSONPatch", "patch": base64.b64encode(orjson.dumps(operations)).decode()}


def _object(request: Obj) -> Obj:
    found: Obj = request.get("oldObject" if request.get("operation") == "DELETE" else "object") or {}
    return found


def _add_label(request: Obj) -> Obj:
    labels = (_object(request).get("metadata") or {}).get("labels") or {}
    if not labels:
        return _patched({"op": "add", "path": "/metadata/labels", "value": {"added-label": "yes"}})
    if labels.get("added-label") == "yes":
        return _allowed()
    operation = "replace" if "added-label" in labels else "add"
    return _patched({"op": operation, "path": "/metadata/labels/added-label", "value": "yes"})


def _pods(request: Obj) -> Obj:
    pod, told = _object(request), []
    if (pod["metadata"].get("labels") or {}).get(_KEY) == _NO:
        told.append("the pod contains unwanted label;")
    if any(_NO in one["name"] for one in (pod.get("spec") or {}).get("containers") or ()):
        told.append("the pod contains unwanted container name;")
    return _denied(message=" ".join(told)) if told else _allowed()


def _mutating_pods(request: Obj) -> Obj:
    pod = _object(request)
    name = "webhook-added-init-container"
    present = any(one["name"] == name for one in (pod.get("spec") or {}).get("initContainers") or ())
    if pod["metadata"].get("name") != "webhook-to-be-mutated" or present:
        return _allowed()
    container = {"image": "webhook-added-image", "name": name, "resources": {}}
    return _patched({"op": "add", "path": "/spec/initContainers", "value": [container]})


def _attaching(request: Obj) -> Obj:
    if request.get("operation") == "CONNECT" and request.get("name") == "to-be-attached-pod":
        return _denied(message="attaching to pod 'to-be-attached-pod' is not allowed")
    return _allowed()


def _data(what: str, content: str) -> Admit:
    """Refuses what `data` marks: writing it, or deleting it."""

    def admit(request: Obj) -> Obj:
        mark = (_object(request).get("data") or {}).get(_KEY)
        operation = request.get("operation")
        if mark == _NO and operation in ("CREATE", "UPDATE"):
            return _denied(reason=f"the {what} contains unwanted {content}")
        if mark == _STAYS and operation == "DELETE":
            return _denied(reason=f"the {what} cannot be deleted because it contains unwanted key and value")
        return _allowed()

    return admit


def _mutating_data(request: Obj) -> Obj:
    """Two stages, each started by what the one before wrote."""
    data = _object(request).get("data") or {}
    if data.get("mutation-stage-1") == "yes":
        return _patched({"op": "add", "path": "/data/mutation-stage-2", "value": "yes"})
    if data.get("mutation-start") == "yes":
        return _patched({"op": "add", "path": "/data/mutation-stage-1", "value": "yes"})
    return _allowed()


def _definitions(request: Obj) -> Obj:
    if (_object(request)["metadata"].get("labels") or {}).get(_KEY) == _NO:
        return _denied(message="the crd contains unwanted label")
    return _allowed()


ADMISSION: dict[str, Admit] = {
    "/always-deny": lambda request: _denied(message="this webhook denies all requests"),
    "/always-allow-delay-5s": lambda request: _allowed(),
    "/add-label": _add_label,
    "/pods": _pods,
    "/pods/attach": _attaching,
    "/mutating-pods": _mutating_pods,
    "/configmaps": _data("configmap", "key and value"),
    "/mutating-configmaps": _mutating_data,
    "/custom-resource": _data("custom resource", "data"),
    "/mutating-custom-resource": _mutating_data,
    "/crd": _definitions,
}


def _converted(obj: Obj, wanted: str) -> Obj:
    """The tests' custom resource: v1 has `hostPort`, v2 has `host` and `port`."""
    fresh = {**obj, "apiVersion": wanted}
    if wanted.endswith("/v2"):
        host, _, port = str(fresh.pop("hostPort", "")).partition(":")
        if "hostPort" in obj:
            fresh["host"], fresh["port"] = host, port
    elif "host" in fresh or "port" in fresh:
        fresh["hostPort"] = f"{fresh.pop('host', '')}:{fresh.pop('port', '')}"
    return fresh


def _convert(review: Obj) -> Obj:
    request = review["request"]
    objects = [_converted(obj, request["desiredAPIVersion"]) for obj in request["objects"]]
    result = {"metadata": {}, "status": "Success"}
    return {
        **review,
        "request": None,
        "response": {"uid": request["uid"], "convertedObjects": objects, "result": result},
    }


async def serve(me: Self, request: HTTPRequest) -> HTTPResult:
    """The server: a webhook by path, and /readyz."""
    path = path_of(request)
    if path == "/readyz":
        return text_answer("ok")
    try:
        review = orjson.loads(request.body)
        if path == "/crdconvert":
            return json_answer(_convert(review))
        admit = ADMISSION.get(path)
        if admit is None:
            return text_answer("404 page not found\n", 404)
        asked = review["request"]
        pod = asked.get("object") or {}
        if path == "/pods" and ((pod.get("metadata") or {}).get("labels") or {}).get(_KEY) == "wait-forever":
            # The tests look at what becomes of a webhook that never answers.
            await asyncio.get_running_loop().create_future()
        if path == "/always-allow-delay-5s":
            await clock.sleep(5)
        response = {"uid": asked["uid"], **admit(asked)}
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        return text_answer(f"{type(error).__name__}: {error}\n", 400)
    return json_answer({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "response": response})
