"""LimitRanges: what containers get that they did not ask for, and what they may not ask for."""

from __future__ import annotations

from typing import Any

import pytest

from cluster.apimachinery.errors import StatusError
from cluster.apiserver.admission.limits import LimitRanger
from cluster.apiserver.request import Attributes, UserInfo
from cluster.apiserver.resources.registry import Registry

Obj = dict[str, Any]
PODS = Registry().by_path("v1/pods")


class Ranges:
    """The LimitRanges of the namespace."""

    def __init__(self, limit: Obj) -> None:
        self.found = [{"metadata": {"name": "l"}, "spec": {"limits": [{"type": "Container", **limit}]}}]

    def get(self, resource: str, namespace: str, name: str) -> Obj | None:
        return None

    def list(self, resource: str, namespace: str = "") -> list[Obj]:
        return self.found if resource == "limitranges" else []

    def underway(self, resource: str, namespace: str) -> list[Obj]:
        return []

    def on_change(self, resource: str, callback: Any) -> None: ...


def asked(limit: Obj, **resources: Obj) -> Attributes:
    assert PODS is not None
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "resources": resources}]}}
    return Attributes(UserInfo("somebody", ()), "CREATE", PODS, "", "d", "p", pod, None, Ranges(limit))


def test_what_was_filled_in_is_told() -> None:
    limit = {"default": {"memory": "1Gi", "cpu": "1"}, "defaultRequest": {"cpu": "100m", "memory": "64Mi"}}
    attributes = asked(limit, requests={"memory": "1Mi"})
    LimitRanger().admit(attributes)
    assert attributes.obj is not None
    (container,) = attributes.obj["spec"]["containers"]
    assert container["resources"] == {
        "limits": {"memory": "1Gi", "cpu": "1"},
        "requests": {"memory": "1Mi", "cpu": "100m"},
    }
    assert attributes.obj["metadata"]["annotations"] == {
        "kubernetes.io/limit-ranger": "LimitRanger plugin set: cpu request for container c; cpu, memory limit for container c"
    }


@pytest.mark.parametrize(
    ("limit", "resources", "said"),
    [
        ({"min": {"cpu": "50m"}}, {}, "minimum cpu usage per Container is 50m.  No request is specified"),
        (
            {"min": {"cpu": "50m"}},
            {"requests": {"cpu": "10m"}, "limits": {"cpu": "20m"}},
            "minimum cpu usage per Container is 50m, but request is 10m",
        ),
        ({"max": {"cpu": "1"}}, {}, "maximum cpu usage per Container is 1.  No limit is specified"),
        (
            {"max": {"cpu": "1"}},
            {"requests": {"cpu": "2"}, "limits": {"cpu": "2"}},
            "maximum cpu usage per Container is 1, but limit is 2",
        ),
        (
            {"maxLimitRequestRatio": {"cpu": "2"}},
            {"requests": {"cpu": "1"}, "limits": {"cpu": "3"}},
            "cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000",
        ),
    ],
)
def test_a_bound_is_named_once(limit: Obj, resources: Obj, said: str) -> None:
    with pytest.raises(StatusError) as refused:
        LimitRanger().validate(asked(limit, **resources))
    assert refused.value.message == f'pods "p" is forbidden: {said}'
