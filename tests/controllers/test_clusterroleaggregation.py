"""Aggregated ClusterRoles."""

from __future__ import annotations

from typing import Any

import pytest

from cluster.client.client import Obj
from cluster.controllers.clusterroleaggregation import CLUSTERROLES, ClusterRoleAggregationController, aggregated_rules
from tests.support.fakecluster import FakeCluster, Running, settle
from tests.support.objects import named

LABEL = "rbac.authorization.k8s.io/aggregate-to-view"


def role(name: str, *resources: str, labels: dict[str, str] | None = None, **body: Any) -> Obj:
    rules = [{"apiGroups": [""], "resources": [resource], "verbs": ["get"]} for resource in resources]
    obj = named("ClusterRole", name, version="rbac.authorization.k8s.io/v1", rules=rules, **body)
    obj["metadata"]["labels"] = labels or {}
    return obj


def aggregating(*selectors: dict[str, str]) -> Obj:
    chosen = [{"matchLabels": labels} for labels in selectors]
    return role("view", aggregationRule={"clusterRoleSelectors": chosen})


def test_rules_come_in_order_and_once() -> None:
    view = aggregating({"a": "1"}, {"b": "1"})
    roles = [view, role("z", "pods", labels={"a": "1"}), role("b", "pods", "secrets", labels={"b": "1", "a": "1"})]
    assert [rule["resources"] for rule in aggregated_rules(view, roles)] == [["pods"], ["secrets"]]


@pytest.mark.looptime
async def test_a_new_role_is_aggregated_and_a_removed_one_taken_out() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    async with Running(cluster, ClusterRoleAggregationController):
        await client.create(CLUSTERROLES, aggregating({LABEL: "true"}))
        await client.create(CLUSTERROLES, role("widgets", "widgets", labels={LABEL: "true"}))
        await settle()
        assert [rule["resources"] for rule in cluster.get(CLUSTERROLES, "view")["rules"]] == [["widgets"]]
        await client.patch(CLUSTERROLES, "widgets", {"metadata": {"labels": None}})
        await settle()
        assert cluster.get(CLUSTERROLES, "view")["rules"] == []
