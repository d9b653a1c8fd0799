"""Another role for a binding: deleted and made anew as the person who asks, and nothing is lost wherever it stops."""

from __future__ import annotations

import pytest

from cluster.accounts.models import User
from cluster.accounts.rbac import replacing
from cluster.apimachinery.errors import service_unavailable

RBAC = "rbac.authorization.k8s.io/v1"
BINDINGS = f"{RBAC}/rolebindings"
PAGE = "/admin/rbac/rolebindings/shop/devs/role/"
PODS = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}
WRITES = {"apiGroups": [""], "resources": ["pods"], "verbs": ["delete"]}


@pytest.fixture
def admin(client, root, backend):
    client.force_login(root)
    return client


@pytest.fixture
def devs(backend):
    """A binding with all that people write on one."""
    backend.role("readers", "shop", PODS)
    backend.role("writers", "shop", PODS, WRITES)
    made = backend.bind("devs", "shop", "Role/readers", "Group/devs")
    notes = {"labels": {"team": "a"}, "annotations": {"why": "because"}}
    return backend.run(backend.admin.patch(BINDINGS, "devs", {"metadata": notes}, "shop")) or made


def text_of(response):
    return response.content.decode()


def version(backend, name="devs"):
    return backend.get(BINDINGS, name, "shop")["metadata"]["resourceVersion"]


def replace(client, backend, role="Role:writers", **options):
    return client.post(PAGE, {"role": role, "version": version(backend)}, **options)


def gist(obj):
    metadata = obj["metadata"]
    return obj["roleRef"]["name"], obj["subjects"], metadata.get("labels"), metadata.get("annotations")


def test_looking_changes_nothing_and_tells_both_roles_and_what_is_gained(admin, backend, devs):
    assert "Give another role" not in text_of(admin.get(PAGE))
    page = text_of(admin.get(f"{PAGE}?role=Role:writers"))
    assert "get and list pods (core)" in page
    assert "delete pods (core)" in page
    assert "Group devs" in page
    assert "Replace the role" in page
    assert backend.get(BINDINGS, "devs", "shop")["metadata"] == devs["metadata"]
    assert backend.names(BINDINGS, "shop") == ["devs"]


def test_the_new_one_has_all_of_the_old_but_the_role(admin, backend, devs):
    answer = replace(admin, backend, follow=True)
    assert "Gave Role writers to RoleBinding shop/devs through the API." in text_of(answer)
    made = backend.get(BINDINGS, "devs", "shop")
    assert gist(made) == ("writers", *gist(devs)[1:])
    assert made["metadata"]["uid"] != devs["metadata"]["uid"]
    assert backend.names(BINDINGS, "shop") == ["devs"]


def test_a_cluster_role_binding_too(admin, backend):
    backend.bind("all", "", "ClusterRole/view", "Group/devs")
    page = "/admin/rbac/clusterrolebindings/_/all/role/"
    shown = backend.get(f"{RBAC}/clusterrolebindings", "all")["metadata"]["resourceVersion"]
    assert admin.post(page, {"role": "ClusterRole:edit", "version": shown}).status_code == 302
    assert backend.get(f"{RBAC}/clusterrolebindings", "all")["roleRef"]["name"] == "edit"
    assert admin.get(f"{page}?role=Role:edit").status_code == 400


def test_what_was_changed_meanwhile_is_looked_at_again_first(admin, backend, devs):
    answer = admin.post(PAGE, {"role": "Role:writers", "version": "1"})
    assert answer.status_code == 409
    assert "look again" in text_of(answer)
    assert gist(backend.get(BINDINGS, "devs", "shop")) == gist(devs)
    assert backend.names(BINDINGS, "shop") == ["devs"]


def test_one_that_would_not_be_gone_at_once_stays(admin, backend, devs):
    backend.run(backend.admin.patch(BINDINGS, "devs", {"metadata": {"finalizers": ["example.org/keep"]}}, "shop"))
    page = text_of(admin.get(f"{PAGE}?role=Role:writers"))
    assert "its finalizers (example.org/keep) keep it" in page
    assert "Replace the role" not in page
    assert replace(admin, backend).status_code == 400
    assert backend.get(BINDINGS, "devs", "shop")["metadata"].get("deletionTimestamp") is None


@pytest.fixture
def chief(client, alice, backend, devs):
    """alice looks after shop by a binding of her own, and holds no more than that."""
    backend.bind("chief", "shop", "ClusterRole/admin", "User/alice")
    client.force_login(alice)
    return client


def test_whoever_holds_less_than_the_role_is_told_and_nothing_is_begun(chief, backend, devs):
    page = text_of(chief.get(f"{PAGE}?role=ClusterRole:cluster-admin"))
    assert "attempting to grant RBAC permissions not currently held" in page
    assert "Replace the role" not in page
    answer = replace(chief, backend, "ClusterRole:cluster-admin")
    assert answer.status_code == 403
    assert "attempting to grant RBAC permissions not currently held" in text_of(answer)
    assert backend.get(BINDINGS, "devs", "shop") == devs
    assert sorted(backend.names(BINDINGS, "shop")) == ["chief", "devs"]


def test_whoever_could_not_put_it_back_does_not_begin(client, backend, devs):
    bob = User.objects.create_user("bob", password="x")
    backend.role(
        "binders", "", {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["rolebindings"], "verbs": ["*"]}
    )
    backend.bind("binders", "shop", "ClusterRole/binders", "User/bob")
    backend.role("nothing", "shop")
    client.force_login(bob)
    before = backend.get(BINDINGS, "devs", "shop")
    answer = replace(client, backend, "Role:nothing")
    assert answer.status_code == 403
    assert "attempting to grant RBAC permissions not currently held" in text_of(answer)
    assert backend.get(BINDINGS, "devs", "shop") == before


def test_the_binding_that_gives_the_right_to_do_this_is_replaced_like_any_other(chief, backend):
    page = "/admin/rbac/rolebindings/shop/chief/role/"
    assert chief.post(page, {"role": "ClusterRole:view", "version": version(backend, "chief")}).status_code == 302
    assert backend.get(BINDINGS, "chief", "shop")["roleRef"]["name"] == "view"
    # Its copy gave the right to the very last step.
    assert sorted(backend.names(BINDINGS, "shop")) == ["chief", "devs"]
    assert replace(chief, backend).status_code == 403


@pytest.fixture
def full(monkeypatch):
    """`full(n)`: the disk is full for the next n times that `devs` itself is to be made."""
    save, left = replacing.requests.save, []

    def failing(user, kind, obj, **options):
        if obj["metadata"].get("name") == "devs" and left:
            left.pop()
            raise service_unavailable("the disk is full")
        return save(user, kind, obj, **options)

    monkeypatch.setattr(replacing.requests, "save", failing)
    return lambda times: left.extend(range(times))


def test_what_cannot_be_made_is_put_back(admin, backend, devs, full):
    full(1)
    page = text_of(replace(admin, backend, follow=True))
    assert "The role was not replaced: " in page
    assert "the disk is full" in page
    assert "The binding is as it was." in page
    assert gist(backend.get(BINDINGS, "devs", "shop")) == gist(devs)
    assert backend.names(BINDINGS, "shop") == ["devs"]


def test_what_can_neither_be_made_nor_put_back_stands_as_its_copy(admin, backend, devs, full):
    full(2)
    answer = replace(admin, backend, follow=True)
    page = text_of(answer)
    (copy,) = backend.names(BINDINGS, "shop")
    assert copy.startswith("devs-before-")
    assert answer.redirect_chain[-1][0] == f"/admin/rbac/rolebindings/shop/{copy}/"
    assert "the disk is full" in page
    assert "its copy stands" in page
    kept = backend.get(BINDINGS, copy, "shop")
    assert (kept["roleRef"], kept["subjects"]) == (devs["roleRef"], devs["subjects"])


@pytest.mark.parametrize("role", ["", "Role:", "Dog:x", ":", "view", "Role:a/b", "Role:."])
def test_nonsense_is_refused_and_changes_nothing(admin, backend, devs, role):
    answer = replace(admin, backend, role)
    assert answer.status_code in (400, 422)
    assert gist(backend.get(BINDINGS, "devs", "shop")) == gist(devs)
    assert backend.names(BINDINGS, "shop") == ["devs"]


def test_only_bindings_have_a_role(admin, backend, devs):
    assert admin.get("/admin/rbac/roles/shop/readers/role/").status_code == 400
    assert admin.get("/admin/rbac/rolebindings/shop/nobody/role/").status_code == 404
