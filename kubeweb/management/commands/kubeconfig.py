"""`manage.py kubeconfig [--user NAME] [--server URL]`: print a kubeconfig with a new access token."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from cluster.accounts import pki
from cluster.accounts.bootstrap import ADMIN, issue_kubeconfig
from cluster.accounts.kubeconfig import DEFAULT_SERVER, server_url
from cluster.accounts.models import User


class Command(BaseCommand):
    help = "Print a kubeconfig for a user, with an access token that is good for a year."
    # The file is the output; checks of the whole project would only delay it.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", default=ADMIN, help="the user's name (default: admin)")
        parser.add_argument(
            "--server",
            default="",
            help=f"the API server's URL (default: that of DATA_DIR/kubeconfig, or {DEFAULT_SERVER})",
        )
        parser.add_argument("--data-dir", default="", help="the data directory (default: KUBEWEB_DATA_DIR, or ./data)")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["user"], is_active=True).first()
        if user is None:
            raise CommandError(f"there is no active user {options['user']}")
        server = options["server"] or server_url(settings.DATA_DIR)
        ca_pem = pki.CertificateAuthority(settings.DATA_DIR / "pki").pem
        self.stdout.write(issue_kubeconfig(user, server, ca_pem), ending="")
