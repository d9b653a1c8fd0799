"""Roles and bindings edited in the admin: every save is a request to the API server by the person who saves."""

from __future__ import annotations

import json

import pytest
import yaml
from django.test import Client

RBAC = "rbac.authorization.k8s.io/v1"
PODS = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}
ROLE = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: readers
  namespace: shop
rules:
- apiGroups: ['']
  resources: [pods]
  verbs: [get, list]
"""


@pytest.fixture
def admin(client, root, backend):
    client.force_login(root)
    return client


def text_of(response):
    return response.content.decode()


def version_of(backend, resource, name, namespace="shop"):
    return backend.get(f"{RBAC}/{resource}", name, namespace)["metadata"]["resourceVersion"]


def test_a_role_is_made_through_the_api_as_oneself(admin, backend):
    answer = admin.post("/admin/rbac/roles/add/", {"yaml": ROLE, "_save": ""})
    assert answer.headers["Location"] == "/admin/rbac/roles/?ns=shop"
    stored = backend.get(f"{RBAC}/roles", "readers", "shop")
    assert stored["rules"] == [PODS]
    assert stored["metadata"]["managedFields"][0]["manager"] == "kubeweb-admin"
    told = text_of(admin.get(answer.headers["Location"]))
    assert "Created Role shop/readers through the API." in told
    assert "/explore/pipeline/" in told
    assert "get and list pods (core)" in told


def test_a_change_replaces_what_was_read_and_keeps_kubectls_note(admin, backend):
    backend.role("readers", "shop", PODS)
    note = {"kubectl.kubernetes.io/last-applied-configuration": '{"a":1}\n'}
    backend.run(backend.admin.patch(f"{RBAC}/roles", "readers", {"metadata": {"annotations": note}}, "shop"))
    page = text_of(admin.get("/admin/rbac/roles/shop/readers/"))
    assert "last-applied-configuration" not in page
    answer = admin.post(
        "/admin/rbac/roles/shop/readers/",
        {"yaml": ROLE.replace("[get, list]", "[get]"), "version": version_of(backend, "roles", "readers"), "_save": ""},
    )
    assert answer.status_code == 302
    stored = backend.get(f"{RBAC}/roles", "readers", "shop")
    assert stored["rules"][0]["verbs"] == ["get"]
    assert stored["metadata"]["annotations"] == note


def test_a_conflict_shows_both_versions_and_saves_neither_unasked(admin, backend):
    backend.role("readers", "shop", PODS)
    before = version_of(backend, "roles", "readers")
    theirs = {"rules": [{**PODS, "verbs": ["watch"]}]}
    backend.run(backend.admin.patch(f"{RBAC}/roles", "readers", theirs, "shop"))
    mine = ROLE.replace("[get, list]", "[delete]")
    answer = admin.post("/admin/rbac/roles/shop/readers/", {"yaml": mine, "version": before})
    assert answer.status_code == 409
    page = text_of(answer)
    assert "delete" in page
    assert "- watch" in page
    assert "Your change has not been saved." in page
    assert backend.get(f"{RBAC}/roles", "readers", "shop")["rules"][0]["verbs"] == ["watch"]
    fresh = version_of(backend, "roles", "readers")
    assert f'name="version" value="{fresh}"' in page
    again = admin.post("/admin/rbac/roles/shop/readers/", {"yaml": mine, "version": fresh, "_continue": ""})
    assert again.headers["Location"] == "/admin/rbac/roles/shop/readers/"
    assert backend.get(f"{RBAC}/roles", "readers", "shop")["rules"][0]["verbs"] == ["delete"]


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("", 400, "must be one object"),
        ("a: [", 400, "(line "),
        ("- 1", 400, "must be one object"),
        ("a: &x 1\nb: *x", 400, "alias"),
        ("a: 1\n---\nb: 2", 400, "cannot be read"),
        ("? [1]\n: 2", 400, "cannot be read"),
        (ROLE.replace("kind: Role", "kind: ClusterRole"), 400, "this form is for"),
        (ROLE.replace("name: readers", "name: 1"), 400, "must be a string"),
        (ROLE.replace("metadata:\n  name: readers\n  namespace: shop", "metadata: 3"), 400, "metadata must be"),
        (ROLE.replace("[get, list]", "[]"), 422, "rules[0].verbs"),
        (ROLE.replace("rules:", "rulez:"), 400, "unknown field"),
        (ROLE.replace("name: readers", "name: a/b"), 422, "metadata.name"),
        (ROLE.replace("namespace: shop", "namespace: nowhere"), 404, "nowhere"),
        ("x" * 600_000, 400, "longer than"),
    ],
)
def test_bad_input_is_told_and_nothing_is_stored(admin, backend, text, code, told):
    before = backend.names(f"{RBAC}/roles")
    answer = admin.post("/admin/rbac/roles/add/", {"yaml": text})
    assert answer.status_code == code
    page = text_of(answer)
    assert told in page
    assert "Traceback" not in page
    assert backend.names(f"{RBAC}/roles") == before


def test_what_people_write_is_text_and_never_markup(admin, backend):
    evil = ROLE.replace("[pods]", "['<script>alert(1)</script>', '</script><img src=x>']")
    answer = admin.post("/admin/rbac/roles/add/", {"yaml": evil})
    assert "<script>alert" not in text_of(answer)
    assert "<img src=x>" not in text_of(answer)
    assert "<script>" not in text_of(admin.get("/admin/rbac/roles/?q=<script>alert(1)</script>"))


def test_an_object_keeps_its_name_and_namespace(admin, backend):
    backend.role("readers", "shop", PODS)
    version = version_of(backend, "roles", "readers")
    for text in (ROLE.replace("name: readers", "name: other"), ROLE.replace("namespace: shop", "namespace: default")):
        answer = admin.post("/admin/rbac/roles/shop/readers/", {"yaml": text, "version": version})
        assert answer.status_code == 400
    assert "other" not in backend.names(f"{RBAC}/roles")


def test_a_binding_keeps_its_role(admin, backend):
    backend.bind("devs", "shop", "ClusterRole/view", "Group/devs")
    text = text_of(admin.get("/admin/rbac/rolebindings/shop/devs/"))
    obj = json.loads(text.split('id="facts" type="application/json">')[1].split("</script>")[0])["object"]
    obj["roleRef"]["name"] = "edit"
    answer = admin.post(
        "/admin/rbac/rolebindings/shop/devs/",
        {"yaml": yaml.safe_dump(obj), "version": version_of(backend, "rolebindings", "devs")},
    )
    assert answer.status_code == 422
    assert "cannot change roleRef" in text_of(answer)


def test_whoever_may_not_is_refused_with_the_near_miss(client, alice, backend):
    backend.role(
        "role-makers", "", {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"], "verbs": ["*"]}
    )
    backend.bind("makers", "default", "ClusterRole/role-makers", "Group/devs")
    client.force_login(alice)
    answer = client.post("/admin/rbac/roles/add/", {"yaml": ROLE})
    assert answer.status_code == 403
    page = text_of(answer)
    assert "You may not do this" in page
    assert "makers would allow it, but it is in namespace default, not shop" in page
    assert "readers" not in backend.names(f"{RBAC}/roles", "shop")
    assert client.get("/admin/rbac/roles/?ns=shop").status_code == 403
    assert client.get("/admin/rbac/clusterroles/").status_code == 403
    assert client.get("/admin/rbac/roles/?ns=default").status_code == 200
    assert client.get("/admin/rbac/roles/shop/readers/").status_code == 403


def test_nobody_grants_more_than_they_hold(client, alice, backend):
    rule = {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles", "rolebindings"], "verbs": ["create"]}
    backend.role("role-makers", "", rule)
    backend.bind("makers", "shop", "ClusterRole/role-makers", "User/alice")
    client.force_login(alice)
    answer = client.post("/admin/rbac/roles/add/", {"yaml": ROLE})
    assert answer.status_code == 403
    assert "attempting to grant RBAC permissions not currently held" in text_of(answer)
    binding = (
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: up, namespace: shop}\n"
        "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}\n"
        "subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: alice}]\n"
    )
    assert client.post("/admin/rbac/rolebindings/add/", {"yaml": binding}).status_code == 403
    assert "up" not in backend.names(f"{RBAC}/rolebindings", "shop")


def test_deleting_asks_first_says_what_hangs_on_it_and_takes_only_what_was_shown(admin, backend):
    role = backend.role("readers", "shop", PODS)
    backend.bind("devs", "shop", "Role/readers", "Group/devs")
    page = text_of(admin.get("/admin/rbac/roles/shop/readers/delete/"))
    assert "RoleBinding shop/devs" in page
    assert "readers" in backend.names(f"{RBAC}/roles", "shop")
    wrong = admin.post("/admin/rbac/roles/shop/readers/delete/", {"uid": "another"})
    assert wrong.status_code == 409
    done = admin.post("/admin/rbac/roles/shop/readers/delete/", {"uid": role["metadata"]["uid"]})
    assert done.status_code == 302
    assert "readers" not in backend.names(f"{RBAC}/roles", "shop")
    assert admin.get("/admin/rbac/roles/shop/readers/").status_code == 404


def test_strangers_sign_in_first_and_forged_forms_are_refused(client, root, backend):
    assert client.get("/admin/rbac/roles/", follow=True).redirect_chain[-1][0] == "/login/?next=/admin/rbac/roles/"
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(root)
    assert strict.post("/admin/rbac/roles/add/", {"yaml": ROLE}).status_code == 403
    assert strict.post("/admin/rbac/roles/check/", "{}", content_type="application/json").status_code == 403
    assert "readers" not in backend.names(f"{RBAC}/roles")


def test_a_cluster_that_does_not_run_is_said(client, root):
    client.force_login(root)
    answer = client.get("/admin/rbac/roles/")
    assert answer.status_code == 503
    assert "the cluster is not running in this process" in text_of(answer)
    assert client.get("/account/").status_code == 200


def test_unknown_kinds_are_not_found(admin):
    assert admin.get("/admin/rbac/secrets/").status_code == 404
    assert admin.get("/admin/rbac/roles/shop/none/").status_code == 404


def test_a_manifest_opens_in_the_form_of_what_it_is_about(admin, backend):
    fresh = admin.post("/admin/rbac/open/", {"yaml": ROLE})
    assert 'action="/admin/rbac/roles/add/"' in text_of(fresh)
    backend.role("readers", "shop", PODS)
    known = text_of(admin.post("/admin/rbac/open/", {"yaml": ROLE.replace("[get, list]", "[watch]")}))
    assert 'action="/admin/rbac/roles/shop/readers/"' in known
    assert f'name="version" value="{version_of(backend, "roles", "readers")}"' in known
    assert admin.post("/admin/rbac/open/", {"yaml": "kind: Pod"}).status_code == 400
    assert admin.get("/admin/rbac/open/").status_code == 405


def test_a_service_accounts_token_is_shown_once_to_whoever_may_make_it(client, root, alice, backend):
    metadata = {"name": "robot", "namespace": "shop"}
    backend.create("v1/serviceaccounts", {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
    client.force_login(root)
    page = client.post("/admin/rbac/serviceaccounts/shop/robot/token/")
    assert page.context["made"]["token"].count(".") == 2
    assert page.context["made"]["token"] in text_of(page)
    assert page.context["made"]["token"] not in text_of(client.get("/admin/rbac/serviceaccounts/shop/robot/"))
    assert client.get("/admin/rbac/serviceaccounts/shop/robot/token/").status_code == 405
    assert client.post("/admin/rbac/serviceaccounts/shop/nobody/token/").status_code == 404
    client.force_login(alice)
    assert client.post("/admin/rbac/serviceaccounts/shop/robot/token/").status_code == 403
