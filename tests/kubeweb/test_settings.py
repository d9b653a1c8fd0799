"""The settings for the open internet are what Django's own check asks for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def manage(tmp_path, *arguments, **environment):
    wanted = {**os.environ, "KUBEWEB_DATA_DIR": str(tmp_path), **environment}
    # The browser tests set it for their own process; no deployment has it.
    wanted.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    return subprocess.run(command, env=wanted, cwd=ROOT, capture_output=True, text=True, check=False)


def test_check_deploy_is_clean_with_the_production_settings(tmp_path):
    done = manage(tmp_path, "check", "--deploy", "--fail-level=WARNING", KUBEWEB_PRODUCTION="1")
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_without_them_it_says_what_is_missing(tmp_path):
    done = manage(tmp_path, "check", "--deploy", "--fail-level=WARNING", KUBEWEB_PRODUCTION="")
    assert done.returncode != 0
    assert "SESSION_COOKIE_SECURE" in done.stderr


def test_the_secret_key_is_made_once_and_is_private(tmp_path):
    for _ in range(2):
        assert manage(tmp_path, "check").returncode == 0
    path = tmp_path / "secret-key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(path.read_text()) > 50
