"""Each test has a data directory, and a cache, of its own."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from cluster.accounts.models import User


@pytest.fixture(autouse=True)
def data_dir(settings, tmp_path, monkeypatch):
    settings.DATA_DIR = tmp_path
    monkeypatch.delenv("KUBEWEB_ADMIN_PASSWORD", raising=False)
    monkeypatch.delenv("KUBEWEB_SERVER_URL", raising=False)
    cache.clear()
    return tmp_path


@pytest.fixture
def routes(settings):
    settings.ROOT_URLCONF = "cluster.accounts.urls"


@pytest.fixture
def alice(db):
    return User.objects.create_user("alice", password="opensesame")
