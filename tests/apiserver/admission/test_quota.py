"""Quotas at the door: what is used, what is being written at this moment, and how a refusal reads."""

from __future__ import annotations

from typing import Any

import pytest

from cluster.apimachinery.errors import StatusError
from cluster.apiserver.admission.quota import ResourceQuota
from cluster.apiserver.request import Attributes, UserInfo
from cluster.apiserver.resources.registry import Registry

Obj = dict[str, Any]
REGISTRY = Registry()


class Objects:
    """What is stored, and what is on its way."""

    def __init__(self, stored: dict[str, list[Obj]], underway: dict[str, list[Obj]] | None = None) -> None:
        self.stored, self.coming = stored, underway or {}

    def get(self, resource: str, namespace: str, name: str) -> Obj | None:
        return next((one for one in self.stored.get(resource, ()) if one["metadata"]["name"] == name), None)

    def list(self, resource: str, namespace: str = "") -> list[Obj]:
        return self.stored.get(resource, [])

    def underway(self, resource: str, namespace: str) -> list[Obj]:
        return self.coming.get(resource, [])

    def on_change(self, resource: str, callback: Any) -> None: ...


def quota(**hard: str) -> Obj:
    names = {name.replace("_", "."): value for name, value in hard.items()}
    return {"metadata": {"name": "q", "namespace": "d"}, "spec": {"hard": names}}


def pod(name: str, **requests: str) -> Obj:
    return {
        "metadata": {"name": name, "namespace": "d"},
        "spec": {"containers": [{"name": "c", "resources": {"requests": requests} if requests else {}}]},
    }


def service(name: str, kind: str = "NodePort") -> Obj:
    return {"metadata": {"name": name, "namespace": "d"}, "spec": {"type": kind, "ports": [{"port": 80}]}}


def judge(reader: Objects, path: str, obj: Obj, old: Obj | None = None) -> str:
    """What the plugin says of a request: nothing, or why not."""
    resource = REGISTRY.by_path(path)
    assert resource is not None
    operation = "CREATE" if old is None else "UPDATE"
    user = UserInfo("somebody", ())
    attributes = Attributes(user, operation, resource, "", "d", obj["metadata"]["name"], obj, old, reader)
    try:
        ResourceQuota().validate(attributes)
    except StatusError as error:
        assert error.code == 403
        return error.message.partition("forbidden: ")[2]
    return ""


def test_many_at_once_get_no_more_than_there_is() -> None:
    stored = {"resourcequotas": [quota(pods="2")], "pods": [pod("a")]}
    assert judge(Objects(stored), "v1/pods", pod("b")) == ""
    full = "exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2"
    assert judge(Objects(stored, {"pods": [pod("b")]}), "v1/pods", pod("c")) == full
    # What has just been stored is for a moment in both places, and one pod for all that.
    assert judge(Objects(stored, {"pods": [stored["pods"][0]]}), "v1/pods", pod("b")) == ""


def test_a_pod_that_does_not_say_what_is_counted_is_refused() -> None:
    reader = Objects({"resourcequotas": [quota(limits_memory="1Gi", requests_cpu="1")]})
    assert judge(reader, "v1/pods", pod("a", cpu="1")) == "failed quota: q: must specify limits.memory for: c"
    text = "failed quota: q: must specify limits.memory for: c; requests.cpu for: c"
    assert judge(reader, "v1/pods", pod("a")) == text


@pytest.mark.parametrize(("kind", "refused"), [("ClusterIP", False), ("NodePort", True)])
def test_a_change_is_judged_by_what_it_adds(kind: str, refused: bool) -> None:
    old = service("b", "ClusterIP")
    stored = {"resourcequotas": [quota(services="2", services_nodeports="1")], "services": [service("a"), old]}
    said = judge(Objects(stored), "v1/services", service("b", kind), old)
    assert said == (
        "exceeded quota: q, requested: services.nodeports=1, used: services.nodeports=1, limited: services.nodeports=1"
        if refused
        else ""
    )
