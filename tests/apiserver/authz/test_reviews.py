"""Access reviews answer as Kubernetes does."""

from __future__ import annotations

import pytest

from cluster.apimachinery.errors import StatusError, unauthorized
from cluster.apiserver.authz.bootstrap import bootstrap_objects
from cluster.apiserver.authz.chain import AuthorizerChain
from cluster.apiserver.authz.reviews import handle
from cluster.apiserver.request import UserInfo

ALICE = UserInfo("alice", ("devs", "system:authenticated"), "u1", {"k": ("v",)})


class Tokens:
    async def authenticate_token(self, token, audiences=()):
        if token == "good":
            return ALICE, audiences
        raise unauthorized("invalid bearer token" if token == "bad" else "Unauthorized")


@pytest.fixture
def review(reader):
    reader.put(*bootstrap_objects())
    reader.put(
        {
            "kind": "RoleBinding",
            "metadata": {"name": "y", "namespace": "shop"},
            "roleRef": {"kind": "ClusterRole", "name": "edit"},
            "subjects": [{"kind": "Group", "name": "devs"}],
        }
    )
    chain = AuthorizerChain(reader)

    async def ask(kind, spec=None, user=ALICE, **metadata):
        obj = {"kind": kind, "metadata": metadata, "spec": spec or {}}
        return (await handle(kind, obj, user, chain, Tokens()))["status"]

    return ask


LIST_PODS = {"verb": "list", "resource": "pods", "namespace": "shop"}


async def test_may_i(review):
    assert await review("SelfSubjectAccessReview", {"resourceAttributes": LIST_PODS}) == {
        "allowed": True,
        "reason": 'RBAC: allowed by RoleBinding "y/shop" of ClusterRole "edit" to Group "devs"',
    }
    assert await review("SelfSubjectAccessReview", {"resourceAttributes": {**LIST_PODS, "namespace": "dev"}}) == {
        "allowed": False
    }
    assert (await review("SelfSubjectAccessReview", {"nonResourceAttributes": {"path": "/api", "verb": "get"}}))[
        "allowed"
    ]


async def test_may_they(review):
    spec = {"resourceAttributes": LIST_PODS, "user": "bob"}
    # Nothing comes near.
    assert await review("SubjectAccessReview", spec) == {"allowed": False}
    assert (await review("SubjectAccessReview", {**spec, "groups": ["devs"]}))["allowed"]
    assert (await review("LocalSubjectAccessReview", {**spec, "groups": ["devs"]}, namespace="shop"))["allowed"]


ELSEWHERE = "RBAC: RoleBinding y would allow it, but it is in namespace shop, not dev."
BARRED = "RBAC: RoleBinding y: its rule on pods grants create, delete, deletecollection, patch, update, not approve."


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ({"verb": "list", "resource": "pods", "namespace": "dev"}, ELSEWHERE),
        (
            {"verb": "list", "resource": "pods"},
            "RBAC: RoleBinding y allows it inside namespace shop only; this request is at the cluster scope (all namespaces).",
        ),
        (
            {"verb": "list", "resource": "deployments", "namespace": "shop"},
            'RBAC: RoleBinding y: its rule names API group "apps", but the request is for deployments of "".',
        ),
        ({"verb": "get", "resource": "nodes"}, None),
    ],
)
async def test_a_review_about_others_tells_the_closest_near_miss(review, what, reason):
    spec = {"resourceAttributes": what, "user": "bob", "groups": ["devs"]}
    wanted = {"allowed": False, "reason": reason} if reason else {"allowed": False}
    assert await review("SubjectAccessReview", spec) == wanted
    # About oneself everybody may ask: the answer stays Kubernetes' own, and kubectl auth can-i prints "no".
    assert await review("SelfSubjectAccessReview", {"resourceAttributes": what}) == {"allowed": False}


async def test_a_local_review_tells_of_its_own_namespace_and_the_cluster_alone(review):
    about = {"user": "bob", "groups": ["devs"]}
    spec = {**about, "resourceAttributes": {**LIST_PODS, "namespace": "dev"}}
    assert await review("LocalSubjectAccessReview", spec, namespace="dev") == {"allowed": False}
    spec = {**about, "resourceAttributes": {**LIST_PODS, "verb": "approve"}}
    assert await review("LocalSubjectAccessReview", spec, namespace="shop") == {"allowed": False, "reason": BARRED}


async def test_for_a_role_that_does_not_exist_kubernetes_has_words(review, reader):
    reader.put(
        {
            "kind": "RoleBinding",
            "metadata": {"name": "a", "namespace": "lab"},
            "roleRef": {"kind": "Role", "name": "gone"},
            "subjects": [{"kind": "User", "name": "bob"}],
        }
    )
    spec = {"user": "bob", "resourceAttributes": {**LIST_PODS, "namespace": "lab"}}
    wanted = {"allowed": False, "reason": 'RBAC: role.rbac.authorization.k8s.io "gone" not found'}
    assert await review("SubjectAccessReview", spec) == wanted
    bob = UserInfo("bob", ("system:authenticated",))
    assert await review("SelfSubjectAccessReview", {"resourceAttributes": spec["resourceAttributes"]}, bob) == wanted


async def test_a_long_rule_makes_no_long_reason(review, reader):
    reader.put(
        {
            "kind": "Role",
            "metadata": {"name": "many", "namespace": "lab"},
            "rules": [
                {
                    "verbs": ["get"],
                    "apiGroups": [""],
                    "resources": ["pods"],
                    "resourceNames": [f"web-{n}" for n in range(10, 99)],
                }
            ],
        },
        {
            "kind": "RoleBinding",
            "metadata": {"name": "a", "namespace": "lab"},
            "roleRef": {"kind": "Role", "name": "many"},
            "subjects": [{"kind": "User", "name": "bob"}],
        },
    )
    spec = {"user": "bob", "resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "lab", "name": "db"}}
    assert (await review("SubjectAccessReview", spec))["reason"] == (
        "RBAC: RoleBinding a: its rule is limited to resourceNames web-10, web-11, web-12, web-13, web-14, web-15, web-16, "
        'web-17 and 81 more; the request is for "db".'
    )


@pytest.mark.parametrize(
    ("kind", "spec", "text"),
    [
        ("SubjectAccessReview", {"resourceAttributes": LIST_PODS}, "at least one of user or group must be specified"),
        ("SelfSubjectAccessReview", {}, "exactly one of nonResourceAttributes or resourceAttributes must be specified"),
        (
            "SelfSubjectAccessReview",
            {"resourceAttributes": LIST_PODS, "nonResourceAttributes": {"path": "/"}},
            "cannot be specified in combination with resourceAttributes",
        ),
        ("LocalSubjectAccessReview", {"resourceAttributes": LIST_PODS, "user": "x"}, "must match metadata.namespace"),
    ],
)
async def test_nonsense_is_refused(review, kind, spec, text):
    with pytest.raises(StatusError) as refused:
        await review(kind, spec, namespace="dev")
    assert refused.value.code == 422
    assert text in refused.value.message


async def test_what_may_i(review):
    status = await review("SelfSubjectRulesReview", {"namespace": "shop"})
    assert {"verbs": ["get", "list", "watch"], "apiGroups": [""], "resources": ["namespaces"]} in status[
        "resourceRules"
    ]
    assert status["nonResourceRules"]
    assert status["incomplete"] is False
    node = UserInfo("system:node:n1", ("system:nodes",))
    status = await review("SelfSubjectRulesReview", {"namespace": "shop"}, user=node)
    assert status["incomplete"] is True
    assert status["evaluationError"] == "node authorizer does not support user rule resolution"
    with pytest.raises(StatusError):
        await review("SelfSubjectRulesReview")


async def test_who_am_i_and_whose_token_is_this(review):
    info = {"username": "alice", "uid": "u1", "groups": ["devs", "system:authenticated"], "extra": {"k": ["v"]}}
    assert await review("SelfSubjectReview") == {"userInfo": info}
    assert await review("TokenReview", {"token": "good", "audiences": ["a"]}) == {
        "authenticated": True,
        "user": info,
        "audiences": ["a"],
    }
    assert await review("TokenReview", {"token": "bad"}) == {"user": {}, "error": "invalid bearer token"}
    assert await review("TokenReview", {"token": "none"}) == {"user": {}}
    with pytest.raises(StatusError):
        await review("TokenReview", {})
