"""Questions about access: answers agree with the decisions themselves, and only those may ask who may."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from cluster.accounts.models import User
from cluster.apimachinery.errors import StatusError
from cluster.apiserver.authz.bootstrap import bootstrap_objects
from cluster.apiserver.authz.chain import AuthorizerChain
from cluster.apiserver.authz.questions import answer
from cluster.apiserver.request import RequestInfo, UserInfo
from cluster.apiserver.resources.registry import Registry

pytestmark = pytest.mark.django_db(transaction=True)

ALICE = UserInfo("alice", ("devs", "system:authenticated"))
ROOT = UserInfo("root", ("system:masters", "system:authenticated"))
CHIEF = UserInfo("chief", ("system:authenticated",))
GROUP = "rbac.authorization.k8s.io"


def bind(name, role, subject, namespace="", kind="ClusterRole"):
    return {
        "kind": "RoleBinding" if namespace else "ClusterRoleBinding",
        "metadata": {"name": name, **({"namespace": namespace} if namespace else {})},
        "roleRef": {"apiGroup": GROUP, "kind": kind, "name": role},
        "subjects": [subject],
    }


DEVS = {"apiGroup": GROUP, "kind": "Group", "name": "devs"}


@pytest.fixture
def server(reader):
    reader.put(*bootstrap_objects())
    reader.put(
        {
            "kind": "Role",
            "metadata": {"name": "web", "namespace": "shop"},
            "rules": [{"apiGroups": [""], "resources": ["pods"], "resourceNames": ["web"], "verbs": ["get"]}],
        },
        bind("devs-view", "view", DEVS, "shop"),
        bind("devs-web", "web", DEVS, "lab", kind="Role"),
        bind("devs-shop-web", "web", DEVS, "shop", kind="Role"),
        bind("chief", "admin", {"kind": "User", "name": "chief"}, "shop"),
    )
    return SimpleNamespace(authorizer=AuthorizerChain(reader), registry=Registry())


@pytest.fixture
def ask(server):
    async def question(kind, spec, user=ROOT):
        return (await answer(kind, {"kind": kind, "spec": spec}, server, user))["status"]

    return question


LIST = {"resourceAttributes": {"verb": "list", "resource": "pods", "namespace": "shop"}}


async def test_what_is_allowed_names_rule_role_binding_and_subject(ask):
    status = await ask("AccessExplanation", LIST, ALICE)
    assert status["allowed"]
    assert status["reason"] == 'RBAC: allowed by RoleBinding "devs-view/shop" of ClusterRole "view" to Group "devs"'
    assert (status["grant"]["binding"], status["grant"]["role"]) == ("RoleBinding/shop/devs-view", "ClusterRole/view")
    assert status["grant"]["subject"] == DEVS
    assert "pods" in status["grant"]["rule"]["resources"]
    assert "nearMisses" not in status


async def test_a_refusal_comes_with_near_misses_and_their_mends(ask):
    spec = {"resourceAttributes": {**LIST["resourceAttributes"], "namespace": "dev"}}
    status = await ask("AccessExplanation", spec, ALICE)
    assert not status["allowed"]
    assert status["message"] == (
        'pods is forbidden: User "alice" cannot list resource "pods" in API group "" in the namespace "dev"'
    )
    near = status["nearMisses"][0]
    assert (near["verdict"], near["binding"]) == ("other-namespace", "RoleBinding/shop/devs-view")
    assert "namespace: dev" in near["mend"]["manifest"]
    assert status["suggestions"]


async def test_only_those_who_may_review_access_ask_about_others(ask):
    about = {**LIST, "user": "bob"}
    with pytest.raises(StatusError) as caught:
        await ask("AccessExplanation", about, ALICE)
    assert caught.value.code == 403
    assert caught.value.message == (
        'subjectaccessreviews.authorization.k8s.io is forbidden: User "alice" cannot create resource '
        '"subjectaccessreviews" in API group "authorization.k8s.io" at the cluster scope'
    )
    for kind, spec in (
        ("AccessMatrix", {"user": "bob", "namespace": "shop"}),
        ("AccessMatrix", {"serviceAccount": {"namespace": "shop", "name": "default"}}),
        ("AccessReport", {"verb": "list", "resource": "pods", "namespace": "shop"}),
        ("BindingPreview", {"roleRef": {"kind": "ClusterRole", "name": "edit"}, "subjects": [DEVS]}),
    ):
        with pytest.raises(StatusError) as caught:
            await ask(kind, spec, ALICE)
        assert caught.value.code == 403, kind
    # An admin of the namespace asks about that namespace, and no other.
    assert not (await ask("AccessExplanation", about, CHIEF))["allowed"]
    with pytest.raises(StatusError):
        await ask("AccessMatrix", {"user": "bob", "namespace": "dev"}, CHIEF)
    with pytest.raises(StatusError):
        await ask("AccessMatrix", {"user": "bob"}, CHIEF)


async def test_whoever_is_trusted_with_a_namespace_hears_of_no_others_bindings(ask, reader):
    reader.put(bind("devs-edit", "edit", DEVS, "lab"))
    about = {"resourceAttributes": {**LIST["resourceAttributes"], "resource": "secrets"}, "groups": ["devs"]}
    about["resourceAttributes"]["verb"] = "get"
    everything = await ask("AccessExplanation", about)
    assert {one["binding"] for one in everything["considered"]} > {"RoleBinding/shop/devs-view"}
    assert any(one["binding"].startswith("RoleBinding/lab/") for one in everything["considered"])
    told = await ask("AccessExplanation", about, CHIEF)
    assert told["considered"] == [
        one for one in everything["considered"] if not one["binding"].startswith("RoleBinding/lab/")
    ]


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("AccessExplanation", {}),
        ("AccessExplanation", {**LIST, "nonResourceAttributes": {"path": "/", "verb": "get"}}),
        ("AccessReport", {"verb": "list"}),
        ("AccessReport", {"verb": "list", "resource": "pods", "path": "/metrics"}),
        ("AccessReport", {"verb": "", "resource": "pods"}),
        ("BindingPreview", {"roleRef": {"kind": "Role", "name": "web"}}),
        ("BindingPreview", {"roleRef": {"kind": "Cluster", "name": "web"}, "namespace": "shop"}),
        ("BindingPreview", {"roleRef": {"kind": "ClusterRole", "name": "view"}, "subjects": [{"kind": "Dog"}]}),
        (
            "BindingPreview",
            {"roleRef": {"kind": "ClusterRole", "name": "view"}, "subjects": [{"kind": "ServiceAccount", "name": "x"}]},
        ),
    ],
)
async def test_nonsense_is_invalid(ask, kind, spec):
    with pytest.raises(StatusError) as caught:
        await ask(kind, spec)
    assert caught.value.code == 422


@pytest.mark.parametrize("namespace", ["shop", "dev", ""])
@pytest.mark.parametrize("user", [ALICE, CHIEF, ROOT], ids=lambda user: user.name)
async def test_every_cell_is_what_a_request_would_get(server, ask, user, namespace):
    status = await ask("AccessMatrix", {"namespace": namespace}, user)
    seen = 0
    for row in status["rows"]:
        resource, _, subresource = row["resource"].partition("/")
        for cell in row["cells"]:
            info = RequestInfo("", cell["verb"], True, row["group"], "", namespace, resource, subresource, "any")
            decision = server.authorizer.authorize(user, info)
            assert cell["allowed"] is decision.allowed, (row["resource"], cell)
            for name in cell.get("names", ()):
                info.name = name
                assert server.authorizer.authorize(user, info).allowed
            for position in cell.get("grants", ()):
                grant = status["grants"][position]
                assert grant["binding"] or grant["subject"]["name"] == "system:masters"
            seen += 1
    assert seen > 500


async def test_a_cell_shows_the_names_it_is_limited_to(ask):
    status = await ask("AccessMatrix", {"groups": ["devs"], "namespace": "shop"})
    grants = [grant["binding"] for grant in status["grants"]]
    assert "RoleBinding/shop/devs-shop-web" in grants
    rows = {(row["group"], row["resource"]): row for row in status["rows"]}
    get = next(cell for cell in rows["", "pods"]["cells"] if cell["verb"] == "get")
    assert get["allowed"]
    assert "names" not in get
    status = await ask("AccessMatrix", {"groups": ["devs"], "namespace": "lab"})
    assert status["evaluationError"] == 'role.rbac.authorization.k8s.io "web" not found'


async def test_a_person_is_taken_with_the_groups_of_a_login(ask):
    from asgiref.sync import sync_to_async
    from django.contrib.auth.models import Group

    def make():
        person = User.objects.create_user("bob")
        person.groups.add(Group.objects.create(name="devs"))

    await sync_to_async(make)()
    status = await ask("AccessExplanation", {**LIST, "user": "bob"})
    assert status["allowed"]
    assert status["groups"] == ["devs", "system:authenticated"]
    report = await ask("AccessReport", {"verb": "list", "resource": "pods", "namespace": "shop"})
    devs = next(one for one in report["subjects"] if one["name"] == "devs")
    assert (devs["members"], devs["binding"]) == (["bob"], "RoleBinding/shop/devs-view")


async def test_who_may_is_everybody_whom_a_binding_names_and_nobody_else(ask):
    report = await ask("AccessReport", {"verb": "delete", "resource": "secrets", "namespace": "shop", "name": "x"})
    people = {(one["kind"], one["name"]) for one in report["subjects"] if one["kind"] != "ServiceAccount"}
    assert people == {("Group", "system:masters"), ("User", "chief"), ("User", "system:kube-controller-manager")}
    paths = await ask("AccessReport", {"verb": "get", "path": "/metrics"})
    assert ("Group", "system:monitoring") in {(one["kind"], one["name"]) for one in paths["subjects"]}


async def test_a_preview_says_what_is_new_and_only_that(ask):
    spec = {
        "namespace": "shop",
        "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": "edit"},
        "subjects": [DEVS],
    }
    status = await ask("BindingPreview", spec)
    assert status["allowed"]
    gains = {(one["group"], one["resource"]): one["verbs"] for one in status["subjects"][0]["gains"]}
    # `view` is there already: reading pods is nothing new.
    assert gains["", "pods"] == ["create", "update", "patch", "delete", "deletecollection"]
    assert "list" in gains["", "secrets"]
    again = await ask("BindingPreview", {**spec, "roleRef": {"kind": "ClusterRole", "name": "view", "apiGroup": GROUP}})
    assert again["subjects"][0]["gains"] == []
    assert again["subjects"][0]["rules"] == []


async def test_a_preview_says_what_the_server_would_refuse(ask):
    spec = {"namespace": "shop", "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": "cluster-admin"}}
    status = await ask("BindingPreview", {**spec, "subjects": [DEVS]}, CHIEF)
    assert not status["allowed"]
    assert "is attempting to grant RBAC permissions not currently held" in status["message"]
    fine = await ask(
        "BindingPreview", {**spec, "roleRef": {"kind": "ClusterRole", "name": "view", "apiGroup": GROUP}}, CHIEF
    )
    assert fine["allowed"]
    gone = await ask("BindingPreview", {**spec, "roleRef": {"kind": "Role", "name": "nope", "apiGroup": GROUP}}, CHIEF)
    assert (gone["allowed"], gone["roleExists"]) == (False, False)
