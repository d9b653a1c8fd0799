"""Logging in, who I am, my tokens."""

from __future__ import annotations

import pytest
import yaml
from django.contrib.auth.models import Group
from django.test import Client

from cluster.accounts import throttle
from cluster.accounts.models import AccessToken, User, digest

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("routes")]


def log_in(client, password="opensesame", name="alice", **data):
    return client.post("/login/", {"username": name, "password": password, **data})


def test_logging_in_and_out(client, alice):
    page = client.get("/login/")
    assert page.status_code == 200
    assert b"A Kubernetes you can see" in page.content
    assert b"csrfmiddlewaretoken" in page.content
    assert log_in(client).headers["Location"] == "/"
    assert client.get("/accounts/me/").json()["user"] == "alice"
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/").headers["Location"] == "/login/"
    assert client.get("/accounts/me/").status_code == 401


def test_after_logging_in_one_is_where_one_wanted_to_be(client, alice):
    assert log_in(client, next="/pods/").headers["Location"] == "/pods/"
    client.logout()
    assert log_in(client, next="https://evil.example/").headers["Location"] == "/"


def test_the_login_form_is_protected(alice):
    assert log_in(Client(enforce_csrf_checks=True)).status_code == 403


def test_a_wrong_password_is_said_plainly(client, alice):
    page = log_in(client, "wrong")
    assert page.status_code == 200
    assert 'role="alert"' in page.content.decode()
    assert 'value="alice"' in page.content.decode()


def test_guessing_is_slowed_down(client, alice, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(throttle.time, "time", lambda: now[0])
    for _ in range(5):
        assert log_in(client, "wrong").status_code == 200
    page = log_in(client)
    assert page.status_code == 429
    assert "Too many failed attempts. Wait 60 seconds, then try again." in page.content.decode()
    assert log_in(client, name="ALICE").status_code == 429
    User.objects.create_user("bob", password="opensesame")
    assert log_in(Client(), name="bob").status_code == 302
    elsewhere = Client(REMOTE_ADDR="192.0.2.1")
    assert log_in(elsewhere).status_code == 302
    now[0] += 59
    assert log_in(client).status_code == 429
    now[0] += 1
    assert log_in(client).status_code == 302


def test_trying_everybody_is_slowed_down_too(client, alice, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(throttle.time, "time", lambda: now[0])
    for number in range(50):
        assert log_in(client, "wrong", name=f"name-{number}").status_code == 200
    assert log_in(client).status_code == 429
    assert log_in(Client(REMOTE_ADDR="192.0.2.1")).status_code == 302
    now[0] += 60
    assert log_in(client).status_code == 302


def test_behind_a_proxy_it_is_the_clients_address_that_counts(client, alice, settings):
    settings.KUBEWEB_BEHIND_PROXY = True
    for _ in range(5):
        log_in(Client(HTTP_X_FORWARDED_FOR="made-up, 198.51.100.1"), "wrong")
    assert log_in(Client(HTTP_X_FORWARDED_FOR="198.51.100.1")).status_code == 429
    assert log_in(Client(HTTP_X_FORWARDED_FOR="198.51.100.1, 198.51.100.2")).status_code == 302


def test_success_forgives_failures(client, alice):
    for _ in range(4):
        log_in(client, "wrong")
    assert log_in(client).status_code == 302
    client.logout()
    for _ in range(4):
        assert log_in(client, "wrong").status_code == 200
    assert log_in(client).status_code == 302


def test_me(client, alice):
    alice.groups.add(Group.objects.create(name="devs"))
    client.force_login(alice)
    answer = client.get("/accounts/me/").json()
    assert answer["groups"] == ["devs", "system:authenticated"]
    assert answer["staff"] is False
    assert len(answer["csrf"]) == 64
    User.objects.filter(pk=alice.pk).update(is_superuser=True)
    assert "system:masters" in client.get("/accounts/me/").json()["groups"]
    stranger = Client().get("/accounts/me/")
    assert (stranger.status_code, stranger.json()["user"]) == (401, None)


def test_tokens_are_made_listed_and_revoked(client, alice):
    client.force_login(alice)
    made = client.post("/accounts/tokens/", {"name": "laptop", "days": 30}).json()
    token = AccessToken.objects.get()
    assert digest(made["token"]) == token.digest
    assert (token.expires - token.created).days in (29, 30)
    listed = client.get("/accounts/tokens/").json()
    assert [(one["name"], one["valid"]) for one in listed] == [("laptop", True)]
    assert "token" not in listed[0]
    assert made["token"] not in str(listed)
    assert client.delete(f"/accounts/tokens/{made['id']}/").status_code == 204
    assert client.get(f"/accounts/tokens/{made['id']}/").json()["valid"] is False
    assert not AccessToken.objects.valid().exists()


@pytest.mark.parametrize(
    "data", [{}, {"name": ""}, {"name": "x", "days": 0}, {"name": "x", "days": 99999}, {"name": "x" * 101}]
)
def test_bad_tokens_are_refused(client, alice, data):
    client.force_login(alice)
    assert client.post("/accounts/tokens/", data).status_code == 400
    assert not AccessToken.objects.exists()


def test_other_peoples_tokens_are_not_mine(client, alice):
    other, _ = AccessToken.objects.issue(User.objects.create(username="bob"), "his")
    client.force_login(alice)
    assert client.get("/accounts/tokens/").json() == []
    assert client.delete(f"/accounts/tokens/{other.pk}/").status_code == 404
    other.refresh_from_db()
    assert other.is_valid


def test_strangers_get_nothing(client):
    for path in ("/accounts/tokens/", "/accounts/kubeconfig/"):
        assert client.post(path, {"name": "x"}).status_code == 403
    assert client.get("/accounts/tokens/").status_code == 403


def test_forged_requests_are_refused(alice):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert client.post("/accounts/tokens/", {"name": "x"}).status_code == 403
    csrf = client.get("/accounts/me/").json()["csrf"]
    assert client.post("/accounts/tokens/", {"name": "x"}, headers={"x-csrftoken": csrf}).status_code == 201


def test_my_kubeconfig(client, alice):
    client.force_login(alice)
    answer = client.post("/accounts/kubeconfig/")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="kubeconfig"'
    assert answer.headers["Cache-Control"] == "no-store"
    token = yaml.safe_load(answer.content)["users"][0]["user"]["token"]
    assert AccessToken.objects.valid().get().digest == digest(token)
    assert client.get("/accounts/kubeconfig/").status_code == 405


@pytest.mark.urls("kubeweb.urls")
def test_the_admin_shows_people_and_tokens(client, settings, alice):
    settings.ROOT_URLCONF = "kubeweb.urls"
    client.force_login(User.objects.create_superuser("root", password="x"))
    token, secret = AccessToken.objects.issue(alice, "laptop")
    assert b"system:authenticated" in client.get("/admin/accounts/user/").content
    page = client.get("/admin/accounts/accesstoken/").content.decode()
    assert "laptop" in page
    assert secret not in page
    assert token.digest not in page
    assert client.get("/admin/accounts/accesstoken/add/").status_code == 403
    data = {"action": "revoke", "_selected_action": [token.pk]}
    client.post("/admin/accounts/accesstoken/", data)
    token.refresh_from_db()
    assert token.revoked is not None
    assert client.get("/admin/auth/group/").status_code == 200
