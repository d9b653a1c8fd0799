"""Lists, and the pages that ask: matrix, who can, why, audit."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest

from cluster.accounts.rbac import lists
from cluster.audit.models import AuditEvent

RBAC = "rbac.authorization.k8s.io/v1"
PODS = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}


@pytest.fixture
def admin(client, root, backend):
    client.force_login(root)
    return client


def text_of(response):
    return response.content.decode()


def test_a_list_is_searched_and_narrowed(admin, backend):
    backend.role("readers", "shop", PODS)
    backend.role("writers", "default", {**PODS, "resources": ["secrets"]})
    assert "secrets" in text_of(admin.get("/admin/rbac/roles/?q=writ"))
    found = text_of(admin.get("/admin/rbac/roles/?q=POD&system=0"))
    assert "readers" in found
    assert "writers" not in found
    assert "writers" not in text_of(admin.get("/admin/rbac/roles/?ns=shop"))
    assert "Nothing here matches" in text_of(admin.get("/admin/rbac/roles/?q=zzz"))
    assert admin.get("/admin/rbac/roles/?page=999").status_code == 200


def options_of(answer, name="ns"):
    """What a pick list offers."""
    select = text_of(answer).split(f'<select name="{name}">')[1].split("</select>")[0]
    return re.findall(r"<option[^>]*>([^<]*)</option>", select)


def test_whoever_may_list_in_some_namespaces_alone_picks_among_those(client, alice, backend, monkeypatch):
    for name in ("lab", "yard"):
        backend.create("v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        backend.role("readers", name, PODS)
    backend.role("unseen-role", "default", PODS)
    backend.role("look", "", {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"], "verbs": ["list"]})
    backend.role("named", "", {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"], "resourceNames": ["x"]})
    backend.bind("look", "lab", "ClusterRole/look", "User/alice")
    backend.bind("look", "yard", "ClusterRole/look", "Group/devs")
    # Rights of another kind in another place.
    backend.bind("named", "shop", "ClusterRole/named", "User/alice")
    client.force_login(alice)
    answer = client.get("/admin/rbac/roles/")
    assert options_of(answer) == ["Wherever I may", "lab", "yard"]
    page = text_of(answer)
    assert "/admin/rbac/roles/lab/readers/" in page
    assert "/admin/rbac/roles/yard/readers/" in page
    assert "unseen-role" not in page
    assert 'type="text" name="ns"' not in page
    assert "Of the 2 namespaces in which RBAC lets you list Roles." in page
    with monkeypatch.context() as fewer:
        fewer.setattr(lists, "MOST_NAMESPACES", 1)
        some = text_of(client.get("/admin/rbac/roles/"))
    assert "/admin/rbac/roles/yard/readers/" not in some
    assert "Of 1 of the 2 namespaces in which RBAC lets you list Roles; those of another it lists once" in some
    one = client.get("/admin/rbac/roles/?ns=lab")
    assert "/admin/rbac/roles/yard/readers/" not in text_of(one)
    refused = client.get("/admin/rbac/roles/?ns=default")
    assert (refused.status_code, options_of(refused)) == (403, ["Wherever I may", "lab", "yard", "default"])
    none = client.get("/admin/rbac/serviceaccounts/")
    assert (none.status_code, options_of(none)) == (403, ["No namespace"])
    assert options_of(client.get("/account/")) == ["in every namespace", "lab", "shop", "yard"]


def test_a_new_object_begins_where_the_person_may_make_it(client, alice, root, backend):
    def place():
        facts = text_of(client.get("/admin/rbac/roles/add/")).split('id="facts" type="application/json">')[1]
        return json.loads(facts.split("</script>")[0])["object"]["metadata"]["namespace"]

    client.force_login(alice)
    assert place() == "default"
    backend.bind("chief", "shop", "ClusterRole/admin", "User/alice")
    assert place() == "shop"
    backend.bind("chief", "default", "ClusterRole/admin", "User/alice")
    assert place() == "default"
    client.force_login(root)
    assert place() == "default"


def test_whoever_may_list_everywhere_picks_among_all(admin, backend):
    assert options_of(admin.get("/admin/rbac/roles/"))[:2] == ["All namespaces", "default"]


def test_a_thousand_roles_come_in_pages_and_ask_the_database_no_more(admin, backend, django_assert_max_num_queries):
    async def many():
        for number in range(1000):
            metadata = {"name": f"r-{number:04}", "namespace": "shop"}
            obj = {"apiVersion": RBAC, "kind": "Role", "metadata": metadata, "rules": [PODS]}
            await backend.admin.create(f"{RBAC}/roles", obj, "shop")

    backend.run(many())
    with django_assert_max_num_queries(8):
        page = text_of(admin.get("/admin/rbac/roles/?ns=shop"))
    assert page.count("/admin/rbac/roles/shop/r-") == 50
    assert "Page 1 of 20" in page
    assert "r-0051" in text_of(admin.get("/admin/rbac/roles/?ns=shop&page=2"))


def test_the_matrix_shows_the_rule_behind_each_cell(admin, alice, backend):
    backend.role("readers", "shop", PODS)
    backend.bind("devs", "shop", "Role/readers", "Group/devs")
    page = text_of(admin.get("/admin/rbac/matrix/?kind=User&subject=alice&ns=shop"))
    assert 'aria-label="list pods: allowed"' in page
    assert "RoleBinding/shop/devs" in page
    assert "delete pods: allowed" not in page
    assert "/admin/rbac/rolebindings/shop/devs/" in page


def test_who_can_names_people_and_bindings(admin, alice, backend):
    backend.role("readers", "shop", PODS)
    backend.bind("devs", "shop", "Role/readers", "Group/devs")
    page = text_of(admin.get("/admin/rbac/who-can/?verb=list&what=pods&ns=shop"))
    assert "Group devs" in page
    assert "alice" in page
    assert admin.get("/admin/rbac/who-can/").status_code == 200


def test_why_not_comes_with_what_would_mend_it(admin, alice, backend):
    backend.bind("devs-edit", "default", "ClusterRole/edit", "Group/devs")
    page = text_of(admin.get("/admin/rbac/explain/?subject=User:alice&verb=create&what=deployments.apps&ns=shop"))
    assert "alice may not create deployments.apps in shop" in page
    assert "RoleBinding devs-edit would allow it, but it is in namespace default, not shop." in page
    assert "kind: RoleBinding" in page
    yes = text_of(admin.get("/admin/rbac/explain/?subject=User:alice&verb=create&what=deployments.apps&ns=default"))
    assert "alice may create deployments.apps in default" in yes


def test_everybody_may_ask_about_themselves_and_not_about_others(client, root, alice, backend):
    client.force_login(alice)
    assert client.get("/admin/rbac/matrix/").status_code == 200
    assert client.get("/admin/rbac/explain/?verb=get&what=/metrics").status_code == 200
    assert client.get("/admin/rbac/matrix/?subject=User:root").status_code == 403
    assert client.get("/admin/rbac/who-can/?verb=get&what=pods").status_code == 403


@pytest.mark.parametrize(
    "query", ["verb=get&what=.", "verb=%00&what=pods", "verb=get&what=pods/", "subject=ServiceAccount:x"]
)
def test_odd_questions_are_answered_or_refused_never_broken(admin, query):
    for page in ("matrix", "who-can", "explain"):
        assert admin.get(f"/admin/rbac/{page}/?{query}").status_code in (200, 400, 422)


def event(user, verb="get", outcome="allowed", code=200, **more):
    moment = datetime(2027, 1, 1, 12, tzinfo=UTC)
    fields = {"at": moment, "journey": f"j{user}", "resource": "pods", "uri": "/api/v1/pods", "level": "Metadata"}
    return AuditEvent.objects.create(user=user, verb=verb, outcome=outcome, code=code, **{**fields, **more})


def test_the_audit_log_is_searched(admin):
    event("alice", "delete", "denied", 403, why="no <b>rule</b>", namespace="shop")
    event("bob")
    page = text_of(admin.get("/admin/rbac/audit/?outcome=denied"))
    assert "/explore/pipeline/jalice" in page
    assert "/explore/pipeline/jbob" not in page
    assert "<b>rule</b>" not in page
    for query in (
        "user=alice",
        "verb=delete",
        "namespace=shop",
        "words=rule",
        "since=2027-01-01T11:00",
        "until=2027-01-02",
    ):
        assert "jalice" in text_of(admin.get(f"/admin/rbac/audit/?{query}"))
    assert "Nothing found" in text_of(admin.get("/admin/rbac/audit/?since=2027-01-01T13:00"))
    assert admin.get("/admin/rbac/audit/?since=yesterday").status_code == 400
    assert admin.get("/admin/rbac/audit/?before=x").status_code == 400


def test_what_was_only_tried_does_not_look_like_done(admin):
    event("alice", "update", uri="/api/v1/pods?dryRun=All")
    assert "dry run" in text_of(admin.get("/admin/rbac/audit/?user=alice"))
    assert "dry run" not in text_of(admin.get("/admin/rbac/audit/?user=bob"))


def test_a_plain_user_sees_their_own_requests_alone(client, alice, backend):
    event("alice")
    event("bob")
    client.force_login(alice)
    page = text_of(client.get("/admin/rbac/audit/?user=bob"))
    assert "jbob" not in page
    assert "jalice" in text_of(client.get("/admin/rbac/audit/"))


def test_the_audit_log_goes_on_in_pages(admin):
    for number in range(130):
        event("alice", journey=f"n{number}.")
    first = text_of(admin.get("/admin/rbac/audit/?user=alice"))
    older = first.split("before=")[1].split('"')[0]
    second = text_of(admin.get(f"/admin/rbac/audit/?user=alice&before={older}"))
    assert "n129." in first
    assert "n0." in second
    assert "n129." not in second


def test_a_sandbox_is_ended_by_its_owner_alone(client, alice, root, backend):
    sandbox = {"apiVersion": "sim.kubeweb.dev/v1alpha1", "kind": "Sandbox", "metadata": {"name": "alice"}, "spec": {}}
    backend.run(backend.client_for(alice).create("sim.kubeweb.dev/v1alpha1/sandboxes", sandbox))
    client.force_login(alice)
    assert "alice" in [one["name"] for one in client.get("/account/").context["sandboxes"]]
    client.post("/account/sandboxes/alice/end/")
    assert client.get("/account/").context["sandboxes"] == []
    page = client.post("/account/sandboxes/alice/end/", follow=True)
    assert "not found" in text_of(page)
