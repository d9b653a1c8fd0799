"""Staff who look after people do not come by what bindings give to people by name."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission

from cluster.accounts.models import User

NEW = "another-long-one"


@pytest.fixture
def clerk(transactional_db):
    user = User.objects.create_user("clerk", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="accounts"))
    return user


@pytest.fixture
def bound(backend):
    """`jane` may do everything, by name; there is also somebody of whom no binding knows."""
    backend.bind("jane-admin", "", "ClusterRole/cluster-admin", "User/jane")
    User.objects.create_user("nobody", password="x")
    return User.objects.create_user("jane", password="x")


def reset(client, user):
    form = {"usable_password": "true", "password1": NEW, "password2": NEW}
    return client.post(f"/admin/accounts/user/{user.pk}/password/", form).status_code


def test_they_cannot_take_over_somebody_whom_a_binding_names(client, backend, clerk, bound):
    client.force_login(clerk)
    assert reset(client, bound) == 403
    assert client.post(f"/admin/accounts/user/{bound.pk}/delete/", {"post": "yes"}).status_code == 403
    assert reset(client, User.objects.get(username="nobody")) == 302
    # Whoever may act as somebody may have their password, too.
    backend.role("acting", "", {"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"]})
    backend.bind("acting", "", "ClusterRole/acting", "User/clerk")
    assert reset(client, bound) == 302


def test_nor_become_them_by_name(client, clerk, bound):
    bound.delete()
    client.force_login(clerk)
    form = {"username": "jane", "usable_password": "true", "password1": NEW, "password2": NEW}
    assert client.post("/admin/accounts/user/add/", form).status_code == 403
    assert client.post("/admin/accounts/user/add/", {**form, "username": "june"}).status_code == 302
    nobody = User.objects.get(username="nobody")
    client.post(f"/admin/accounts/user/{nobody.pk}/change/", {"username": "jane", "is_active": "on"})
    assert not User.objects.filter(username="jane").exists()


def test_nor_take_over_staff_with_more_permissions(client, clerk, backend):
    other = User.objects.create_user("other", password="x", is_staff=True)
    other.user_permissions.set(Permission.objects.filter(content_type__app_label="auth"))
    client.force_login(clerk)
    assert reset(client, other) == 403
