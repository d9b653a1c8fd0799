"""A refusal comes with what was nearly right."""

from __future__ import annotations

import pytest

from cluster.apiserver.authz.rbac import Authorizer
from cluster.apiserver.request import RequestInfo, UserInfo

ALICE = UserInfo("alice", ("devs", "system:authenticated"))


def rule(verbs, group, resources, *names):
    result = {"verbs": verbs.split(), "apiGroups": [group], "resources": resources.split()}
    return {**result, "resourceNames": list(names)} if names else result


def ask(verb, resource, namespace="shop", group="", name=""):
    resource, _, subresource = resource.partition("/")
    return RequestInfo("", verb, True, group, "v1", namespace, resource, subresource, name)


def near(reader, info, rules, *, subject=("User", "alice"), where="shop", user=ALICE, role="r"):
    """The first entry for one binding of one role with these rules."""
    if rules is not None:
        reader.put({"kind": "ClusterRole", "metadata": {"name": role}, "rules": rules})
    kind, _, name = ("", "", "")
    kind, name = subject
    home, _, short = name.rpartition("/")
    one = {"kind": kind, "name": short, **({"namespace": home} if home else {})}
    reader.put(
        {
            "kind": "RoleBinding" if where else "ClusterRoleBinding",
            "metadata": {"name": "b", **({"namespace": where} if where else {})},
            "roleRef": {"kind": "ClusterRole", "name": role},
            "subjects": [one],
        }
    )
    authorizer = Authorizer(reader)
    found = authorizer.explain(user, info)
    allowed = authorizer.authorize(user, info).allowed
    assert allowed is bool(found and found[0]["verdict"] == "allows")
    return (found[0]["verdict"], found[0]["sentence"]) if found else None


PODS = [rule("get list", "", "pods")]


@pytest.mark.parametrize(
    ("info", "rules", "options", "verdict", "sentence"),
    [
        (ask("list", "pods"), PODS, {}, "allows", "RoleBinding b allows it."),
        (
            ask("list", "pods"),
            PODS,
            {"where": "dev"},
            "other-namespace",
            "RoleBinding b would allow it, but it is in namespace dev, not shop.",
        ),
        (
            ask("list", "pods", ""),
            PODS,
            {},
            "namespaced-only",
            "RoleBinding b allows it inside namespace shop only; this request is at the cluster scope (all namespaces).",
        ),
        (
            ask("list", "pods"),
            None,
            {},
            "missing-role",
            "RoleBinding b refers to ClusterRole r, which does not exist.",
        ),
        (
            ask("list", "pods"),
            [rule("list", "", "pods", "web")],
            {},
            "resource-names",
            "RoleBinding b: its rule is limited to resourceNames web, and a list request names no object, "
            "so such a rule cannot allow it.",
        ),
        (
            ask("get", "pods", name="db"),
            [rule("get", "", "pods", "web")],
            {},
            "resource-names",
            'RoleBinding b: its rule is limited to resourceNames web; the request is for "db".',
        ),
        (
            ask("get", "deployments", group="apps", name="web"),
            [rule("get", "", "deployments")],
            {},
            "wrong-group",
            'RoleBinding b: its rule names API group "", but the request is for deployments of "apps".',
        ),
        (
            ask("list", "pods"),
            [rule("list", "", "pod")],
            {},
            "misspelled-resource",
            'RoleBinding b: its rule says "pod", but the resource is called "pods".',
        ),
        (
            ask("list", "ingresses", group="networking.k8s.io"),
            [rule("list", "networking.k8s.io", "Ingress")],
            {},
            "misspelled-resource",
            'RoleBinding b: its rule says "Ingress", but the resource is called "ingresses".',
        ),
        (
            ask("get", "pods/log", name="web"),
            PODS,
            {},
            "subresource",
            'RoleBinding b: its rule covers "pods", but a subresource must be named itself: "pods/log".',
        ),
        (
            ask("get", "pods", name="web"),
            [rule("get", "", "pods/log")],
            {},
            "subresource",
            'RoleBinding b: its rule covers "pods/log" only, not "pods".',
        ),
        (
            ask("delete", "pods", name="web"),
            PODS,
            {},
            "verb-not-granted",
            "RoleBinding b: its rule on pods grants get, list, not delete.",
        ),
        (
            ask("list", "pods"),
            [rule("LIST", "", "pods")],
            {},
            "misspelled-verb",
            "RoleBinding b: its verbs LIST are not in lower case; the request's verb is list.",
        ),
        (
            ask("list", "pods"),
            PODS,
            {"subject": ("Group", "alice")},
            "subject-kind",
            "RoleBinding b names the Group alice; the requester is the User alice.",
        ),
        (
            ask("list", "pods"),
            PODS,
            {"subject": ("User", "devs")},
            "subject-kind",
            "RoleBinding b names the User devs; devs is a Group.",
        ),
        (
            ask("list", "pods"),
            PODS,
            {"subject": ("User", "Alice")},
            "subject-spelling",
            'RoleBinding b names User "Alice": names are compared letter by letter, upper and lower case differ.',
        ),
        (
            ask("list", "pods"),
            PODS,
            {"subject": ("ServiceAccount", "dev/robot"), "user": UserInfo("system:serviceaccount:shop:robot")},
            "subject-namespace",
            "RoleBinding b names ServiceAccount robot of namespace dev; this one is of namespace shop.",
        ),
        (
            ask("list", "pods"),
            PODS,
            {"subject": ("User", "robot"), "user": UserInfo("system:serviceaccount:shop:robot")},
            "subject-kind",
            "RoleBinding b names the User robot; robot is a ServiceAccount.",
        ),
        (
            ask("list", "pods"),
            [rule("list", "batch", "jobs")],
            {},
            "no-matching-rule",
            "RoleBinding b applies, but no rule of ClusterRole r is about this.",
        ),
        (
            RequestInfo("/metrics", "get"),
            [{"verbs": ["get"], "nonResourceURLs": ["/metrics"]}],
            {},
            "namespaced-only",
            "RoleBinding b would allow it, but a RoleBinding grants nothing on paths; a ClusterRoleBinding would.",
        ),
        (
            RequestInfo("/metrics", "get"),
            [{"verbs": ["post"], "nonResourceURLs": ["/metrics"]}],
            {"where": ""},
            "verb-not-granted",
            "ClusterRoleBinding b: its rule on /metrics grants post, not get.",
        ),
    ],
)
def test_near_misses(reader, info, rules, options, verdict, sentence):
    assert near(reader, info, rules, **options) == (verdict, sentence)


def test_what_has_nothing_to_do_with_it_is_not_mentioned(reader):
    assert near(reader, ask("list", "pods"), PODS, subject=("User", "bob")) is None
