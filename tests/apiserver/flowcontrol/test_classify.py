"""Which FlowSchema a request falls under."""

from __future__ import annotations

from typing import Any

import pytest

from cluster.apiserver.flowcontrol.classify import LEVELS, SCHEMAS, Classifier
from cluster.apiserver.flowcontrol.defaults import OBJECTS
from cluster.apiserver.request import RequestInfo, UserInfo


class Reader:
    def __init__(self) -> None:
        self.objects: dict[str, list[Any]] = {SCHEMAS: [], LEVELS: []}
        self.callbacks: list[Any] = []
        for obj in OBJECTS:
            key = SCHEMAS if obj["kind"] == "FlowSchema" else LEVELS
            name = obj["metadata"]["name"]
            self.objects[key].append({**obj, "metadata": {**obj["metadata"], "uid": f"{key}-{name}"}})

    def list(self, resource: str, namespace: str = "") -> Any:
        return self.objects[resource]

    def get(self, resource: str, namespace: str, name: str) -> Any:
        return None

    def on_change(self, resource: str, callback: Any) -> None:
        self.callbacks.append(callback)


PODS = RequestInfo("/api/v1/pods", "list", True, "", "v1", "", "pods")


@pytest.mark.parametrize(
    ("user", "info", "schema", "level"),
    [
        (UserInfo("admin", ("system:masters",)), PODS, "exempt", "exempt"),
        (UserInfo("jane", ("system:authenticated",)), PODS, "global-default", "global-default"),
        (UserInfo("system:serviceaccount:a:b", ("system:serviceaccounts", "system:authenticated")), PODS, "service-accounts", "workload-low"),
        (UserInfo("system:serviceaccount:kube-system:x", ("system:serviceaccounts",)), PODS, "kube-system-service-accounts", "workload-high"),
        (UserInfo("system:node:n", ("system:nodes",)), RequestInfo("", "update", True, "", "v1", "", "nodes", "status", "n"), "system-node-high", "node-high"),
        (UserInfo("system:node:n", ("system:nodes",)), PODS, "system-nodes", "system"),
        (UserInfo("system:kube-scheduler"), PODS, "kube-scheduler", "workload-high"),
        (UserInfo("system:anonymous", ("system:unauthenticated",)), RequestInfo("/readyz", "get"), "probes", "exempt"),
    ],
)  # fmt: skip
def test_the_first_that_matches_counts(user, info, schema, level):
    flow = Classifier(Reader()).classify(user, info)
    assert flow is not None and (flow.schema, flow.level) == (schema, level)


def test_a_change_is_noticed():
    reader = Reader()
    classifier = Classifier(reader)
    jane = UserInfo("jane", ("system:authenticated",))
    assert classifier.classify(jane, PODS).schema == "global-default"
    rule = {
        "subjects": [{"kind": "User", "user": {"name": "jane"}}],
        "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["pods"], "clusterScope": True}],
    }
    spec = {"matchingPrecedence": 5, "priorityLevelConfiguration": {"name": "workload-low"}, "rules": [rule]}
    reader.objects[SCHEMAS].append({"metadata": {"name": "mine", "uid": "u"}, "spec": spec})
    for callback in reader.callbacks:
        callback(None, None)
    assert classifier.classify(jane, PODS).schema == "mine"
