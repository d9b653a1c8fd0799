"""The first start: an admin, a kubeconfig, and the command that prints one."""

from __future__ import annotations

import base64
import stat
from io import StringIO

import pytest
import yaml
from django.core.management import CommandError, call_command

from cluster.accounts.bootstrap import ensure_admin, ensure_admin_kubeconfig
from cluster.accounts.kubeconfig import kubeconfig_for, read_kubeconfig, server_url
from cluster.accounts.models import AccessToken, User, digest

pytestmark = pytest.mark.django_db
SERVER = "https://127.0.0.1:6443"


def test_the_admin_is_made_once_and_its_password_told_once(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    password = ensure_admin()
    admin = User.objects.get(username="admin")
    assert admin.is_superuser
    assert admin.password.startswith("argon2")
    assert admin.check_password(password)
    assert len(password) >= 16
    assert ensure_admin() is None
    assert User.objects.count() == 1


def test_the_password_from_the_environment(monkeypatch):
    monkeypatch.setenv("KUBEWEB_ADMIN_PASSWORD", "first-secret")
    assert ensure_admin() is None
    assert User.objects.get(username="admin").check_password("first-secret")
    monkeypatch.setenv("KUBEWEB_ADMIN_PASSWORD", "second-secret")
    assert ensure_admin() is None
    assert User.objects.get(username="admin").check_password("second-secret")


def test_another_superuser_is_enough():
    User.objects.create_superuser("root", password="x")
    assert ensure_admin() is None
    assert not User.objects.filter(username="admin").exists()


def test_the_admins_kubeconfig(data_dir):
    ensure_admin()
    path = ensure_admin_kubeconfig(data_dir, SERVER)
    assert path == data_dir / "kubeconfig"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    config = yaml.safe_load(path.read_text())
    cluster = config["clusters"][0]["cluster"]
    assert cluster["server"] == SERVER
    assert base64.b64decode(cluster["certificate-authority-data"]) == (data_dir / "pki" / "ca.crt").read_bytes()
    assert config["current-context"] == config["contexts"][0]["name"]
    token = AccessToken.objects.get()
    assert token.digest == digest(config["users"][0]["user"]["token"])
    assert token.user.username == "admin"


def test_it_is_rewritten_only_where_it_must_be(data_dir):
    ensure_admin()
    path = ensure_admin_kubeconfig(data_dir, SERVER)
    first = path.read_text()
    ensure_admin_kubeconfig(data_dir, SERVER)
    assert path.read_text() == first
    AccessToken.objects.all().revoke()
    ensure_admin_kubeconfig(data_dir, SERVER)
    second = path.read_text()
    assert second != first
    ensure_admin_kubeconfig(data_dir, "https://other:6443")
    assert read_kubeconfig(path.read_text())[0] == "https://other:6443"
    assert AccessToken.objects.valid().count() == 1
    path.write_text("not: [a kubeconfig")
    ensure_admin_kubeconfig(data_dir, SERVER)
    assert read_kubeconfig(path.read_text())[0] == SERVER
    (data_dir / "pki" / "ca.crt").unlink()
    before = path.read_text()
    ensure_admin_kubeconfig(data_dir, SERVER)
    assert path.read_text() != before


def test_without_an_admin_nobody_is_handed_a_key(data_dir):
    assert ensure_admin_kubeconfig(data_dir, SERVER) is None
    assert not (data_dir / "kubeconfig").exists()


def test_a_kubeconfig_by_certificate():
    config = yaml.safe_load(kubeconfig_for("jane", SERVER, b"CA", certificate=(b"CERT", b"KEY"), namespace="shop"))
    user = config["users"][0]["user"]
    assert base64.b64decode(user["client-certificate-data"]) == b"CERT"
    assert base64.b64decode(user["client-key-data"]) == b"KEY"
    assert config["contexts"][0]["context"]["namespace"] == "shop"
    plain = yaml.safe_load(kubeconfig_for("jane", "http://127.0.0.1:8000", b"CA", token="t"))
    assert plain["clusters"][0]["cluster"] == {"server": "http://127.0.0.1:8000"}


def test_where_the_server_is(data_dir, monkeypatch):
    assert server_url(data_dir) == SERVER
    ensure_admin()
    ensure_admin_kubeconfig(data_dir, "https://here:7443")
    assert server_url(data_dir) == "https://here:7443"
    monkeypatch.setenv("KUBEWEB_SERVER_URL", "https://there:443")
    assert server_url(data_dir) == "https://there:443"


def test_the_command(alice):
    out = StringIO()
    call_command("kubeconfig", "--user", "alice", "--server", "https://x:1", stdout=out)
    server, token, _ = read_kubeconfig(out.getvalue())
    assert server == "https://x:1"
    issued = AccessToken.objects.get(digest=digest(token))
    assert (issued.user, issued.name) == (alice, "kubeconfig")
    assert 364 <= (issued.expires - issued.created).days <= 365
    with pytest.raises(CommandError, match="no active user bob"):
        call_command("kubeconfig", "--user", "bob")
