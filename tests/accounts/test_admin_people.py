"""People in the admin: nobody hands out more than they hold."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission

from cluster.accounts.models import AccessToken, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(db):
    return User.objects.create_superuser("root", password="x")


@pytest.fixture
def clerk(db):
    """Staff who may do everything to people that Django's permissions know, and is in group devs alone."""
    user = User.objects.create_user("clerk", password="x", is_staff=True)
    wanted = Permission.objects.filter(content_type__app_label__in=("accounts", "auth"))
    user.user_permissions.set(wanted)
    user.groups.add(Group.objects.create(name="devs"))
    Group.objects.create(name="ops")
    return user


def person(groups=(), **more):
    user = User.objects.create_user(f"p{User.objects.count()}", password="x", **more)
    user.groups.set(Group.objects.filter(name__in=groups))
    return user


def form_of(user, **changes):
    return {
        "username": user.username,
        "is_active": "on",
        "groups": [group.pk for group in user.groups.all()],
        **changes,
    }


def test_a_group_is_made_with_its_members(client, root, alice):
    client.force_login(root)
    answer = client.post("/admin/auth/group/add/", {"name": "devs", "members": [alice.pk]})
    assert answer.status_code == 302
    assert alice.kubernetes_groups() == ("devs", "system:authenticated")
    group = Group.objects.get(name="devs")
    client.post(f"/admin/auth/group/{group.pk}/change/", {"name": "devs", "members": []})
    assert User.objects.get(pk=alice.pk).kubernetes_groups() == ("system:authenticated",)


def test_kubernetes_own_groups_are_not_for_sale(client, root):
    client.force_login(root)
    page = client.post("/admin/auth/group/add/", {"name": "system:masters", "members": []}).content.decode()
    assert "Kubernetes&#x27; own" in page
    assert not Group.objects.exists()
    page = client.post("/admin/accounts/user/add/", {"username": "system:admin", "password1": "x", "password2": "x"})
    assert page.status_code == 200
    assert not User.objects.filter(username="system:admin").exists()


def test_staff_cannot_make_themselves_or_others_more_than_they_are(client, clerk, root):
    client.force_login(clerk)
    friend = person(["devs"])
    ops = Group.objects.get(name="ops")
    data = form_of(friend, is_superuser="on", is_staff="on", user_permissions=[1], groups=[ops.pk])
    assert client.post(f"/admin/accounts/user/{friend.pk}/change/", data).status_code == 200
    friend.refresh_from_db()
    assert (friend.is_superuser, friend.is_staff, friend.kubernetes_groups()[0]) == (False, False, "devs")
    fine = client.post(f"/admin/accounts/user/{friend.pk}/change/", form_of(friend, is_superuser="on", first_name="F"))
    assert fine.status_code == 302
    friend.refresh_from_db()
    assert (friend.is_superuser, friend.first_name) == (False, "F")


def test_staff_cannot_take_over_the_mighty(client, clerk, root):
    client.force_login(clerk)
    mighty = person(["ops"])
    for target in (root, mighty):
        for page in ("change", "password", "delete"):
            answer = client.post(
                f"/admin/accounts/user/{target.pk}/{page}/", {"password1": "new-Pass-1", "post": "yes"}
            )
            assert answer.status_code == 403, (target, page)
    chosen = {"action": "delete_selected", "_selected_action": [mighty.pk, root.pk], "post": "yes"}
    client.post("/admin/accounts/user/", chosen)
    assert User.objects.filter(pk__in=[mighty.pk, root.pk]).count() == 2
    ops = Group.objects.get(name="ops")
    assert client.post(f"/admin/auth/group/{ops.pk}/change/", {"name": "ops", "members": [clerk.pk]}).status_code == 403
    assert client.post("/admin/auth/group/add/", {"name": "more", "members": [clerk.pk]}).status_code == 403


def test_permissions_without_staff_open_nothing(client, clerk):
    User.objects.filter(pk=clerk.pk).update(is_staff=False)
    client.force_login(clerk)
    for path in ("accounts/user/", "auth/group/", "accounts/accesstoken/", f"accounts/user/{clerk.pk}/change/"):
        assert client.get(f"/admin/{path}").status_code == 403
    assert b"Users" not in client.get("/admin/").content


def test_the_list_of_people_asks_no_more_for_more_people(client, root, django_assert_max_num_queries):
    groups = [Group.objects.create(name=f"g{number}") for number in range(5)]
    for _ in range(40):
        person().groups.set(groups)
    client.force_login(root)
    with django_assert_max_num_queries(14):
        assert client.get("/admin/accounts/user/").status_code == 200


def test_my_account_makes_a_token_and_shows_it_once(client, alice):
    client.force_login(alice)
    page = client.post("/account/", {"name": "laptop", "days": "30"})
    secret = page.context["secret"]
    assert secret in page.content.decode()
    assert page.headers["Cache-Control"].startswith("max-age=0")
    again = client.get("/account/").content.decode()
    assert "laptop" in again
    assert secret not in again
    token = AccessToken.objects.get()
    assert client.post(f"/account/tokens/{token.pk}/revoke/").status_code == 302
    token.refresh_from_db()
    assert not token.is_valid


@pytest.mark.parametrize(
    "data", [{}, {"name": "", "days": "30"}, {"name": "x", "days": "9"}, {"name": "x" * 101, "days": "7"}]
)
def test_bad_tokens_are_refused_on_the_page(client, alice, data):
    client.force_login(alice)
    assert client.post("/account/", data).status_code == 200
    assert not AccessToken.objects.exists()


def test_somebody_elses_token_is_not_mine_to_revoke(client, alice, root):
    token, _ = AccessToken.objects.issue(root, "his")
    client.force_login(alice)
    page = client.post(f"/account/tokens/{token.pk}/revoke/", follow=True).content.decode()
    assert "no such token of yours" in page
    token.refresh_from_db()
    assert token.is_valid


def test_django_pages_run_no_foreign_scripts(client, alice):
    for path in ("/login/", "/account/", "/admin/"):
        assert "default-src 'self'" in client.get(path).headers["Content-Security-Policy"]
    client.force_login(alice)
    for path in ("/account/", "/admin/", "/admin/password_change/"):
        page = client.get(path)
        assert "default-src 'self'" in page.headers["Content-Security-Policy"]
        assert "<script>" not in page.content.decode()
        assert "style=" not in page.content.decode().split("<main")[0]
