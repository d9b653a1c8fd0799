"""The audit Policy decides as Kubernetes' does: the first rule that matches, and nothing when none does."""

from __future__ import annotations

import pytest

from cluster.apiserver.request import RequestInfo, UserInfo
from cluster.audit.policy import DEFAULT, BadPolicy, Policy

ALICE = UserInfo("alice", ("devs", "system:authenticated"))


def ask(verb, resource, namespace="shop", group="", name=""):
    resource, _, subresource = resource.partition("/")
    return RequestInfo("", verb, True, group, "v1", namespace, resource, subresource, name)


def policy(*rules, head=""):
    lines = "\n".join(f"- {rule}" for rule in rules)
    return Policy.parse(f"apiVersion: audit.k8s.io/v1\nkind: Policy\n{head}\nrules:\n{lines}\n")


@pytest.mark.parametrize(
    ("rule", "asked", "matches"),
    [
        ("{level: Request}", ask("get", "pods"), True),
        ("{level: Request}", RequestInfo("/version", "get"), True),
        ("{level: Request, users: [alice]}", ask("get", "pods"), True),
        ("{level: Request, users: [bob]}", ask("get", "pods"), False),
        ("{level: Request, userGroups: [ops, devs]}", ask("get", "pods"), True),
        ("{level: Request, userGroups: [ops]}", ask("get", "pods"), False),
        ("{level: Request, verbs: [list]}", ask("get", "pods"), False),
        ("{level: Request, namespaces: [shop]}", ask("get", "pods"), True),
        ("{level: Request, namespaces: [dev]}", ask("get", "pods"), False),
        ('{level: Request, namespaces: [""]}', ask("get", "nodes", ""), True),
        ("{level: Request, namespaces: [shop]}", RequestInfo("/version", "get"), False),
        ("{level: Request, resources: [{group: ''}]}", ask("get", "pods/log"), True),
        ("{level: Request, resources: [{group: apps}]}", ask("get", "pods"), False),
        ("{level: Request, resources: [{group: '', resources: [pods]}]}", ask("get", "pods"), True),
        ("{level: Request, resources: [{group: '', resources: [pods]}]}", ask("get", "pods/log"), False),
        ("{level: Request, resources: [{group: '', resources: [pods/log]}]}", ask("get", "pods/log"), True),
        ("{level: Request, resources: [{group: '', resources: ['pods/*']}]}", ask("get", "pods/log"), True),
        ("{level: Request, resources: [{group: '', resources: ['pods/*']}]}", ask("get", "pods"), True),
        ("{level: Request, resources: [{group: '', resources: ['*/log']}]}", ask("get", "pods/log"), True),
        ("{level: Request, resources: [{group: '', resources: ['*']}]}", ask("get", "pods/log"), True),
        (
            "{level: Request, resources: [{group: '', resources: [pods], resourceNames: [web]}]}",
            ask("get", "pods", name="web"),
            True,
        ),
        (
            "{level: Request, resources: [{group: '', resources: [pods], resourceNames: [web]}]}",
            ask("get", "pods", name="db"),
            False,
        ),
        ("{level: Request, nonResourceURLs: [/healthz*]}", RequestInfo("/healthz/ping", "get"), True),
        ("{level: Request, nonResourceURLs: ['*']}", RequestInfo("/version", "get"), True),
        ("{level: Request, nonResourceURLs: [/version]}", RequestInfo("/version/x", "get"), False),
        ("{level: Request, nonResourceURLs: ['*']}", ask("get", "pods"), False),
    ],
)
def test_what_a_rule_matches(rule, asked, matches):
    verdict = policy(rule).decide(ALICE, asked)
    assert verdict.level == ("Request" if matches else "None")


def test_the_first_rule_that_matches_decides_and_answers_are_not_mixed_up():
    one = policy(
        "{level: None, resources: [{group: '', resources: [configmaps], resourceNames: [noise]}]}",
        "{level: RequestResponse, verbs: [delete], omitStages: [ResponseStarted]}",
        "{level: Metadata}",
        head="omitStages: [RequestReceived]\nomitManagedFields: true",
    )
    for _ in range(2):
        assert one.decide(ALICE, ask("get", "configmaps", name="noise")).level == "None"
        assert one.decide(ALICE, ask("get", "configmaps", name="other")).level == "Metadata"
        found = one.decide(ALICE, ask("delete", "pods", name="x"))
        assert found == ("RequestResponse", {"RequestReceived", "ResponseStarted"}, True)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "not YAML"),
        ("kind: Pod", "not an audit Policy"),
        ("{kind: Policy, apiVersion: audit.k8s.io/v1beta1}", "apiVersion"),
        ("{kind: Policy, apiVersion: audit.k8s.io/v1}", "at least one"),
        ("{kind: Policy, apiVersion: audit.k8s.io/v1, rules: [{level: All}]}", r"rules\[0\].level"),
        ("{kind: Policy, apiVersion: audit.k8s.io/v1, rules: [{level: None, user: [x]}]}", "unknown field user"),
        ("{kind: Policy, apiVersion: audit.k8s.io/v1, rules: [{level: None, users: x}]}", "list of strings"),
        ("{kind: Policy, apiVersion: audit.k8s.io/v1, rules: [{level: None, nonResourceURLs: [x]}]}", "begin with /"),
        (
            "{kind: Policy, apiVersion: audit.k8s.io/v1, rules: [{level: None, nonResourceURLs: [/x], namespaces: [a]}]}",
            "not both",
        ),
        ("{kind: Policy, apiVersion: audit.k8s.io/v1, omitStages: [End], rules: [{level: None}]}", "omitStages"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(text, complaint):
    with pytest.raises(BadPolicy, match=complaint):
        Policy.parse(text)


def test_by_default_people_are_audited_and_heartbeats_are_not():
    default = Policy.parse(DEFAULT)
    kubelet = UserInfo("system:node:a", ("system:nodes", "system:authenticated"))
    assert default.decide(ALICE, ask("list", "secrets")).level == "Metadata"
    assert default.decide(kubelet, ask("update", "leases", group="coordination.k8s.io")).level == "None"
    assert default.decide(kubelet, ask("update", "pods/status")).level == "None"
    assert default.decide(kubelet, ask("delete", "pods", name="x")).level == "Metadata"
    assert default.decide(ALICE, RequestInfo("/healthz", "get")).level == "None"
