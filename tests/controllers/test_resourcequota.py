"""What a namespace uses, as its quotas' status says it."""

from __future__ import annotations

from typing import Any

import pytest

from cluster.apiserver.admission.quota import in_scope, pod_amounts, usage_of, used_in
from cluster.client.client import Obj
from cluster.controllers.lib.resources import DEFINITIONS
from cluster.controllers.resourcequota import QUOTAS, ResourceQuotaController
from tests.support.fakecluster import FakeCluster, Running, settle
from tests.support.objects import named

WIDGETS = named(
    "CustomResourceDefinition",
    "widgets.example.com",
    spec={
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "kind": "Widget"},
        "versions": [{"name": "v1", "served": True, "storage": True}],
    },
) | {"status": {"conditions": [{"type": "Established", "status": "True"}]}}


def quota(name: str = "q", hard: dict[str, str] | None = None, **spec: Any) -> Obj:
    return named("ResourceQuota", name, "default", spec={"hard": hard or {}, **spec})


def pod(*containers: Obj, status: Obj | None = None, metadata: Obj | None = None, **spec: Any) -> Obj:
    listed = [{"name": f"c{number}", "resources": resources} for number, resources in enumerate(containers)]
    return {
        "metadata": {"name": "p", "namespace": "default", **(metadata or {})},
        "spec": {"containers": listed, **spec},
        "status": status or {},
    }


def used(cluster: FakeCluster, name: str = "q") -> dict[str, str]:
    return dict((cluster.get(QUOTAS, f"default/{name}").get("status") or {}).get("used") or {})


@pytest.mark.looptime
async def test_any_kind_is_counted_as_soon_as_a_quota_names_it() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    async with Running(cluster, ResourceQuotaController, quota_usage=used_in):
        await client.create("apps/v1/deployments", named("Deployment", "web", "default", spec={}))
        hard = {
            "count/deployments.apps": "5",
            "count/ingresses.networking.k8s.io": "1",
            "count/widgets.example.com": "2",
        }
        nothing = dict.fromkeys(hard, "0")
        await client.create(QUOTAS, quota(hard=hard))
        await settle(3)
        assert used(cluster) == {**nothing, "count/deployments.apps": "1"}
        await client.create("networking.k8s.io/v1/ingresses", named("Ingress", "in", "default", spec={}))
        await client.delete("apps/v1/deployments", "web", "default")
        await settle(3)
        assert used(cluster) == {**nothing, "count/ingresses.networking.k8s.io": "1"}
        # A custom resource comes.
        await client.create("example.com/v1/widgets", named("Widget", "w", "default"))
        await client.create(DEFINITIONS, WIDGETS)
        await settle(3)
        assert used(cluster)["count/widgets.example.com"] == "1"


@pytest.mark.looptime
async def test_the_hard_limits_are_noted_when_they_change() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    async with Running(cluster, ResourceQuotaController, quota_usage=used_in):
        await client.create(QUOTAS, quota(hard={"configmaps": "2"}))
        await client.create("v1/configmaps", named("ConfigMap", "a", "default"))
        await settle(1)
        assert used(cluster) == {"configmaps": "1"}
        await client.patch(QUOTAS, "q", {"spec": {"hard": {"configmaps": "7"}}}, "default")
        await settle(1)
        assert cluster.get(QUOTAS, "default/q")["status"] == {"hard": {"configmaps": "7"}, "used": {"configmaps": "1"}}


REQUESTS = {"requests": {"cpu": "100m", "memory": "1Gi"}, "limits": {"cpu": "200m"}}


@pytest.mark.parametrize(
    ("spec", "cpu"),
    [
        (pod(REQUESTS, REQUESTS)["spec"], "0.2"),
        # An init container that asks for more than all the others together.
        (pod(REQUESTS, initContainers=[{"resources": {"requests": {"cpu": "1"}}}])["spec"], "1"),
        # A sidecar runs beside both.
        (pod(REQUESTS, initContainers=[{"restartPolicy": "Always", "resources": REQUESTS}])["spec"], "0.2"),
        (pod(REQUESTS, overhead={"cpu": "50m"})["spec"], "0.15"),
        (pod(REQUESTS, resources={"requests": {"cpu": "3"}})["spec"], "3"),
    ],
)
def test_a_pod_asks_for_what_its_containers_ask_for(spec: Obj, cpu: str) -> None:
    assert str(pod_amounts(spec, "requests")["cpu"].normalize()) == cpu


def test_a_pod_that_has_ended_counts_as_an_object_only() -> None:
    ended = usage_of("pods", pod(REQUESTS, status={"phase": "Succeeded"}))
    assert set(ended) == {"count/pods"}
    lost = {"deletionTimestamp": "2001-01-01T00:00:00Z", "deletionGracePeriodSeconds": 30}
    assert set(usage_of("pods", pod(REQUESTS, metadata=lost))) == {"count/pods"}
    running = usage_of("pods", pod(REQUESTS))
    names = {"count/pods", "pods", "cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu"}
    assert set(running) == names


@pytest.mark.parametrize(
    ("spec", "kind", "amount"),
    [
        ({"type": "ClusterIP"}, "services.nodeports", 0),
        ({"type": "NodePort", "ports": [{}, {}]}, "services.nodeports", 2),
        ({"type": "LoadBalancer", "ports": [{}]}, "services.loadbalancers", 1),
        ({"type": "LoadBalancer", "ports": [{}], "allocateLoadBalancerNodePorts": False}, "services.nodeports", 0),
    ],
)
def test_services_count_by_what_they_take(spec: Obj, kind: str, amount: int) -> None:
    assert usage_of("services", {"metadata": {}, "spec": spec}).get(kind, 0) == amount


ELSEWHERE = {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "zone", "namespaces": ["other"]}]}


@pytest.mark.parametrize(
    ("scope", "inside", "outside"),
    [
        ({"scopes": ["BestEffort"]}, pod({}), pod(REQUESTS)),
        ({"scopes": ["NotBestEffort"]}, pod(REQUESTS), pod({})),
        ({"scopes": ["Terminating"]}, pod({}, activeDeadlineSeconds=5), pod({})),
        ({"scopes": ["NotTerminating"]}, pod({}), pod({}, activeDeadlineSeconds=5)),
        ({"scopes": ["CrossNamespacePodAffinity"]}, pod({}, affinity={"podAffinity": ELSEWHERE}), pod({})),
        (
            {
                "scopeSelector": {
                    "matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": ["a"]}]
                }
            },
            pod({}, priorityClassName="a"),
            pod({}, priorityClassName="b"),
        ),
        (
            {"scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "DoesNotExist"}]}},
            pod({}),
            pod({}, priorityClassName="b"),
        ),
    ],
)
def test_scopes_choose_pods(scope: Obj, inside: Obj, outside: Obj) -> None:
    assert in_scope(quota(**scope), "pods", inside)
    assert not in_scope(quota(**scope), "pods", outside)
    assert not in_scope(quota(**scope), "configmaps", {"metadata": {}})
