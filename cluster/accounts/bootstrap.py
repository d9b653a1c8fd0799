"""What a first start needs of people: an admin who can log in, and a kubeconfig for kubectl. Synchronous; `up` calls it."""

from __future__ import annotations

import base64
import os
import secrets
from datetime import timedelta
from pathlib import Path

from django.utils import timezone

from cluster.accounts import pki
from cluster.accounts.kubeconfig import kubeconfig_for, read_kubeconfig
from cluster.accounts.models import AccessToken, User, digest

ADMIN = "admin"
PASSWORD_VARIABLE = "KUBEWEB_ADMIN_PASSWORD"  # noqa: S105 - the name of an environment variable
KUBECONFIG_LIFE = timedelta(days=365)


def ensure_admin() -> str | None:
    """Create the superuser `admin` where there is no superuser yet. The password, if it was made up here: show it once.

    KUBEWEB_ADMIN_PASSWORD sets the password instead, at every start.
    """
    wanted = os.environ.get(PASSWORD_VARIABLE, "")
    admin = User.objects.filter(username=ADMIN).first()
    if admin is not None:
        if wanted and not admin.check_password(wanted):
            admin.set_password(wanted)
            admin.save(update_fields=["password"])
        return None
    if not wanted and User.objects.filter(is_superuser=True, is_active=True).exists():
        return None
    password = wanted or secrets.token_urlsafe(12)
    User.objects.create_superuser(ADMIN, password=password)
    return None if wanted else password


def issue_kubeconfig(user: User, server_url: str, ca_pem: bytes, name: str = "kubeconfig") -> str:
    """A kubeconfig with a new access token, good for a year."""
    _, secret = AccessToken.objects.issue(user, name, timezone.now() + KUBECONFIG_LIFE)
    return kubeconfig_for(user.get_username(), server_url, ca_pem, token=secret)


def ensure_admin_kubeconfig(data_dir: Path, server_url: str) -> Path | None:
    """DATA_DIR/kubeconfig for the admin, rewritten when its token, the server or the CA is no longer right.

    None when there is no user `admin`, or it has been switched off: then nobody is handed a key.
    """
    path = data_dir / "kubeconfig"
    admin = User.objects.filter(username=ADMIN, is_active=True).first()
    if admin is None:
        return None
    ca_pem = pki.CertificateAuthority(data_dir / "pki").pem
    if path.exists():
        server, token, authority = read_kubeconfig(path.read_text())
        soon = timezone.now() + timedelta(days=7)
        if (
            server == server_url
            and (not server_url.startswith("https:") or authority == base64.b64encode(ca_pem).decode())
            and AccessToken.objects.valid(soon).filter(user=admin, digest=digest(token)).exists()
        ):
            path.chmod(0o600)
            return path
        AccessToken.objects.filter(user=admin, digest=digest(token)).revoke()
    pki.write_private(path, issue_kubeconfig(admin, server_url, ca_pem, "DATA_DIR/kubeconfig").encode())
    return path
