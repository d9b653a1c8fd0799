"""A mend mends: what is suggested, applied, allows the request that was refused."""

from __future__ import annotations

import string

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.apiserver.authz.bootstrap import bootstrap_objects
from cluster.apiserver.authz.explain import explain
from cluster.apiserver.authz.mending import mend, suggestions
from cluster.apiserver.authz.rbac import Authorizer
from cluster.apiserver.request import RequestInfo, UserInfo
from tests.apiserver.authz.conftest import FakeReader

ALICE = UserInfo("alice", ("devs", "system:authenticated"))
ROBOT = UserInfo("system:serviceaccount:shop:robot", ("system:serviceaccounts", "system:authenticated"))


def ask(verb, resource, namespace="shop", group="", name=""):
    resource, _, subresource = resource.partition("/")
    return RequestInfo("", verb, True, group, "v1", namespace, resource, subresource, name)


def rule(verbs, group, resources, *names):
    result = {"verbs": verbs.split(), "apiGroups": [group], "resources": resources.split()}
    return {**result, "resourceNames": list(names)} if names else result


def apply(objects, found):
    """A world with what a mend says applied to it: objects of the same name are replaced."""
    key = lambda obj: (obj["kind"], obj["metadata"].get("namespace"), obj["metadata"]["name"])  # noqa: E731
    world = {key(obj): obj for obj in objects}
    for document in yaml.load_all(found["manifest"], yaml.CSafeLoader):
        before = world.get(key(document))
        if before is not None and "roleRef" in before:
            assert before["roleRef"] == document["roleRef"], "a roleRef cannot be changed"
        world[key(document)] = document
    return list(world.values())


def decide(objects, user, info):
    reader = FakeReader()
    reader.put(*objects)
    return Authorizer(reader)


def every_mend_mends(objects, user, info):
    """How many near misses had a mend; each of them, and each suggestion, must allow the request."""
    authorizer = decide(objects, user, info)
    assert not authorizer.authorize(user, info).allowed
    index = authorizer.index
    found = [(entry["verdict"], mend(index, user, info, entry)) for entry in explain(index, user, info, 100)]
    mended = [(verdict, one) for verdict, one in found if one is not None]
    assert all(one is not None for verdict, one in found if verdict not in ("allows", "no-matching-rule"))
    for verdict, one in [*mended, *(("suggestion", one) for one in suggestions(index, user, info))]:
        after = decide(apply(objects, one), user, info)
        assert after.authorize(user, info).allowed, (verdict, one["manifest"])
    return [verdict for verdict, _ in mended]


def world(rules, subject, *, where="shop", kind="ClusterRole", role="r", labels=None):
    objects = [
        {
            "kind": "RoleBinding" if where else "ClusterRoleBinding",
            "metadata": {"name": "b", **({"namespace": where} if where else {})},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role},
            "subjects": [subject],
        }
    ]
    if rules is not None:
        metadata = {"name": role, **({"namespace": where} if kind == "Role" else {}), "labels": labels or {}}
        objects.append({"kind": kind, "metadata": metadata, "rules": rules})
    return objects


ME = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "alice"}
PODS = [rule("get list", "", "pods")]


@pytest.mark.parametrize(
    ("verdict", "objects", "user", "info"),
    [
        ("other-namespace", world(PODS, ME, where="dev"), ALICE, ask("list", "pods")),
        ("other-namespace", world(PODS, ME, where="dev", kind="Role"), ALICE, ask("list", "pods")),
        ("namespaced-only", world(PODS, ME), ALICE, ask("list", "pods", "")),
        ("namespaced-only", world(PODS, ME, kind="Role"), ALICE, ask("list", "pods", "")),
        ("missing-role", world(None, ME), ALICE, ask("list", "pods")),
        ("missing-role", world(None, ME, kind="Role"), ALICE, ask("list", "pods")),
        (
            "missing-role",
            [*world(None, ME, kind="Role"), {"kind": "ClusterRole", "metadata": {"name": "r"}, "rules": PODS}],
            ALICE,
            ask("list", "pods"),
        ),
        ("resource-names", world([rule("list", "", "pods", "web")], ME), ALICE, ask("list", "pods")),
        ("resource-names", world([rule("create", "", "pods", "web")], ME), ALICE, ask("create", "pods")),
        ("resource-names", world([rule("get", "", "pods", "web")], ME), ALICE, ask("get", "pods", name="db")),
        ("wrong-group", world([rule("get", "", "deployments")], ME), ALICE, ask("get", "deployments", group="apps")),
        ("misspelled-resource", world([rule("list", "", "pod")], ME), ALICE, ask("list", "pods")),
        (
            "misspelled-resource",
            world([rule("get", "", "Pod", "web")], ME),
            ALICE,
            ask("get", "pods", name="db"),
        ),
        ("misspelled-verb", world([rule("LIST", "", "pods")], ME), ALICE, ask("list", "pods")),
        ("subresource", world(PODS, ME), ALICE, ask("get", "pods/log", name="web")),
        ("subresource", world([rule("get", "", "pods/log")], ME), ALICE, ask("get", "pods", name="web")),
        ("verb-not-granted", world(PODS, ME), ALICE, ask("delete", "pods", name="web")),
        ("verb-not-granted", world([rule("get", "", "pods", "web")], ME), ALICE, ask("list", "pods")),
        (
            "verb-not-granted",
            world(PODS, ME, labels={"kubernetes.io/bootstrapping": "rbac-defaults"}),
            ALICE,
            ask("delete", "pods", name="web"),
        ),
        ("subject-kind", world(PODS, {"kind": "Group", "name": "alice"}), ALICE, ask("list", "pods")),
        ("subject-kind", world(PODS, {"kind": "User", "name": "devs"}), ALICE, ask("list", "pods")),
        ("subject-kind", world(PODS, {"kind": "User", "name": "robot"}), ROBOT, ask("list", "pods")),
        (
            "subject-kind",
            world(PODS, {"kind": "ServiceAccount", "name": "alice", "namespace": "shop"}),
            ALICE,
            ask("list", "pods"),
        ),
        ("subject-spelling", world(PODS, {"kind": "User", "name": "Alice"}), ALICE, ask("list", "pods")),
        ("subject-spelling", world(PODS, {"kind": "Group", "name": "Devs"}), ALICE, ask("list", "pods")),
        (
            "subject-namespace",
            world(PODS, {"kind": "ServiceAccount", "name": "robot", "namespace": "dev"}),
            ROBOT,
            ask("list", "pods"),
        ),
        (
            "namespaced-only",
            world([{"verbs": ["get"], "nonResourceURLs": ["/metrics"]}], ME),
            ALICE,
            RequestInfo("/metrics", "get"),
        ),
        (
            "verb-not-granted",
            world([{"verbs": ["post"], "nonResourceURLs": ["/metrics"]}], ME, where=""),
            ALICE,
            RequestInfo("/metrics", "get"),
        ),
    ],
)
def test_the_mend_of_each_near_miss_allows_the_request(verdict, objects, user, info):
    assert every_mend_mends(objects, user, info) == [verdict]


def test_where_nothing_is_near_a_role_that_would_do_is_suggested():
    authorizer = decide(bootstrap_objects(), ALICE, None)
    info = ask("create", "deployments", group="apps")
    found = suggestions(authorizer.index, ALICE, info)
    roles = [list(yaml.safe_load_all(one["manifest"]))[-1]["roleRef"]["name"] for one in found]
    assert roles == ["alice-create-deployments", "edit", "admin", "cluster-admin"]
    assert every_mend_mends(bootstrap_objects(), ALICE, info) == []


def test_a_default_role_is_never_changed():
    objects = [*bootstrap_objects(), *world(None, ME, role="view")]
    authorizer = decide(objects, ALICE, None)
    info = ask("delete", "pods", name="web")
    entry = next(one for one in explain(authorizer.index, ALICE, info) if one["binding"] == "RoleBinding/shop/b")
    found = mend(authorizer.index, ALICE, info, entry)
    assert {document["metadata"]["name"] for document in yaml.safe_load_all(found["manifest"])} == {"alice-delete-pods"}


WORDS = st.sampled_from(["pods", "pod", "Pods", "pods/log", "secrets", "deployments", "*"])
RULES = st.builds(
    lambda verbs, groups, resources, names: {
        "verbs": verbs,
        "apiGroups": groups,
        "resources": resources,
        **({"resourceNames": names} if names else {}),
    },
    st.lists(st.sampled_from(["get", "list", "LIST", "create", "delete"]), min_size=1, max_size=3, unique=True),
    st.lists(st.sampled_from(["", "apps", "batch"]), min_size=1, max_size=2, unique=True),
    st.lists(WORDS, min_size=1, max_size=2, unique=True),
    st.lists(st.sampled_from(["web", "db"]), max_size=2, unique=True),
)
SUBJECTS = st.one_of(
    st.builds(
        lambda kind, name: {"kind": kind, "name": name},
        st.sampled_from(["User", "Group"]),
        st.sampled_from(["alice", "Alice", "devs", "robot", "shop:robot", "system:serviceaccount:shop:robot"]),
    ),
    st.builds(
        lambda name, namespace: {"kind": "ServiceAccount", "name": name, **namespace},
        st.sampled_from(["alice", "robot"]),
        st.sampled_from([{}, {"namespace": "dev"}, {"namespace": "shop"}]),
    ),
)
INFOS = st.builds(
    ask,
    st.sampled_from(["get", "list", "create", "delete"]),
    st.sampled_from(["pods", "pods/log", "secrets", "deployments"]),
    st.sampled_from(["shop", "dev", ""]),
    st.sampled_from(["", "apps"]),
    st.sampled_from(["", "web", "api"]),
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.lists(RULES, max_size=3), min_size=1, max_size=3),
    st.lists(st.tuples(SUBJECTS, st.sampled_from(["shop", "dev", ""]), st.integers(0, 3), st.booleans()), max_size=4),
    INFOS,
    st.sampled_from([ALICE, ROBOT]),
)
def test_whatever_the_world_a_mend_allows_what_was_refused(roles, bindings, info, user):
    objects = []
    for number, rules in enumerate(roles):
        objects.append({"kind": "ClusterRole", "metadata": {"name": f"r{number}"}, "rules": rules})
        for namespace in ("shop", "dev"):
            metadata = {"name": f"r{number}", "namespace": namespace}
            objects.append({"kind": "Role", "metadata": metadata, "rules": rules})
    for letter, (subject, where, number, local) in zip(string.ascii_lowercase, bindings, strict=False):
        kind = "Role" if where and local else "ClusterRole"
        objects += [
            {**obj, "metadata": {**obj["metadata"], "name": letter}}
            for obj in world(None, subject, where=where, kind=kind, role=f"r{number}")
        ]
    if decide(objects, user, info).authorize(user, info).allowed:
        return
    every_mend_mends(objects, user, info)
