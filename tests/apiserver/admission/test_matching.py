"""Which requests a configured policy or webhook is about; where a webhook's Service leads."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cluster.apiserver.admission.dynamic.matching import constraints_match, matching_version, rule_matches
from cluster.apiserver.request import Attributes, UserInfo
from cluster.apiserver.resources.registry import Registry
from cluster.apiserver.webhooks import CallFailed, endpoint

REGISTRY = Registry()
NAMESPACE = {"metadata": {"name": "shop", "labels": {"team": "a"}}}


class Reader:
    def __init__(self, **objects: list[Any]) -> None:
        self.objects = objects

    def get(self, resource: str, namespace: str, name: str) -> Any:
        return next((one for one in self.list(resource, namespace) if one["metadata"]["name"] == name), None)

    def list(self, resource: str, namespace: str = "") -> Any:
        return self.objects.get(resource.rpartition("/")[2], [])

    def on_change(self, resource: str, callback: Any) -> None:
        pass


def request(
    path: str = "apps/v1/deployments", operation: str = "CREATE", subresource: str = "", **labels: str
) -> Attributes:
    resource = REGISTRY.by_path(path)
    assert resource is not None
    obj = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": {"name": "web", "labels": labels}}
    reader = Reader(namespaces=[NAMESPACE])
    return Attributes(UserInfo("jane"), operation, resource, subresource, "shop", "web", obj, None, reader)


def rule(resources: str = "deployments", **changes: Any) -> dict[str, Any]:
    return {
        "apiGroups": ["apps"],
        "apiVersions": ["v1"],
        "operations": ["CREATE"],
        "resources": resources.split(","),
        **changes,
    }


@pytest.mark.parametrize(
    ("one", "asked", "matches"),
    [
        (rule(), request(), True),
        (rule("*"), request(), True),
        (rule("*/*"), request(subresource="status"), True),
        (rule("*"), request(subresource="status"), False),
        (rule("deployments/status"), request(subresource="status"), True),
        (rule("deployments/*"), request(subresource="scale"), True),
        (rule("deployments"), request(subresource="status"), False),
        (rule(operations=["*"]), request(operation="DELETE"), True),
        (rule(operations=["UPDATE"]), request(), False),
        (rule(apiGroups=["*"]), request(), True),
        (rule(apiGroups=["batch"]), request(), False),
        (rule(scope="Cluster"), request(), False),
        (rule(scope="Namespaced"), request(), True),
        (rule(resourceNames=["other"]), request(), False),
    ],
)
def test_rules(one, asked, matches):
    assert rule_matches(one, asked, asked.resource) is matches


def test_an_equivalent_version_counts_unless_it_must_be_exact():
    asked = request("autoscaling/v1/horizontalpodautoscalers")
    wanted = [rule("horizontalpodautoscalers", apiGroups=["autoscaling"], apiVersions=["v2"])]
    found = matching_version(wanted, "Equivalent", asked, REGISTRY)
    assert found is not None and found.version == "v2"
    assert matching_version(wanted, "Exact", asked, REGISTRY) is None


def test_selectors_and_exclusions():
    rules = {"resourceRules": [rule()]}
    assert constraints_match({**rules, "namespaceSelector": {"matchLabels": {"team": "a"}}}, request(), REGISTRY)
    assert not constraints_match({**rules, "namespaceSelector": {"matchLabels": {"team": "b"}}}, request(), REGISTRY)
    assert constraints_match({**rules, "objectSelector": {"matchLabels": {"x": "y"}}}, request(x="y"), REGISTRY)
    assert not constraints_match({**rules, "objectSelector": {"matchLabels": {"x": "y"}}}, request(), REGISTRY)
    assert not constraints_match({**rules, "excludeResourceRules": [rule()]}, request(), REGISTRY)
    old = replace(request(), obj=None, old=request(x="y").obj, operation="DELETE")
    deleting = {"resourceRules": [rule(operations=["DELETE"])], "objectSelector": {"matchLabels": {"x": "y"}}}
    assert constraints_match(deleting, old, REGISTRY)


SERVICE = {"metadata": {"name": "hook"}, "spec": {"ports": [{"port": 443, "targetPort": 8443}]}}
SLICE = {
    "metadata": {"name": "hook-1", "labels": {"kubernetes.io/service-name": "hook"}},
    "ports": [{"name": "", "port": 8443}],
    "endpoints": [{"addresses": ["10.0.0.9"], "conditions": {"ready": True}}],
}


def test_a_service_leads_to_a_ready_pod():
    reader = Reader(services=[SERVICE], endpointslices=[SLICE])
    assert endpoint({"name": "hook", "namespace": "n"}, reader, "u") == ("10.0.0.9", 8443)


@pytest.mark.parametrize(
    ("reader", "port", "told"),
    [
        (Reader(), 443, 'service "hook" not found'),
        (Reader(services=[SERVICE]), 443, 'no endpoints available for service "hook"'),
        (Reader(services=[SERVICE], endpointslices=[SLICE]), 80, 'no service port 80 found for service "hook"'),
        (Reader(services=[SERVICE], endpointslices=[{**SLICE, "endpoints": [{"addresses": ["1.1.1.1"], "conditions": {"ready": False}}]}]), 443, "no endpoints available"),
    ],
)  # fmt: skip
def test_a_service_that_leads_nowhere_says_why(reader, port, told):
    with pytest.raises(CallFailed, match=told):
        endpoint({"name": "hook", "namespace": "n", "port": port}, reader, "u")
