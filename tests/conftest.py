"""For all tests: passwords are hashed quickly, for they keep nobody out here."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Real servers and a real browser on two shared cores are starved for seconds now and then: such a test is tried once more, and
    the run says so (R). What runs on virtual time has no such excuse."""
    for item in items:
        folders = Path(str(item.fspath)).relative_to(HERE).parts
        if folders[0] in ("e2e", "conformance"):
            item.add_marker(pytest.mark.flaky(reruns=1, reruns_delay=2))
