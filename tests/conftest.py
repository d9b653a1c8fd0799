"""For all tests: passwords are hashed quickly, for they keep nobody out here."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.support import outcome

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A real browser and its server on two shared cores are starved for seconds now and then, and what is to be seen for a moment is
    missed: such a test is tried once more, and the run says so (R). Nothing else has that excuse."""
    for item in items:
        folders = Path(str(item.fspath)).relative_to(HERE).parts
        if folders[:2] == ("e2e", "browser"):
            item.add_marker(pytest.mark.flaky(reruns=1, reruns_delay=2))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    outcome.note(item, report)
    return report
