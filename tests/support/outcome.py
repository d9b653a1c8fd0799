"""How the test went that a fixture is taken down after."""

from __future__ import annotations

import pytest

_FAILED = pytest.StashKey[bool]()


def note(item: pytest.Item, report: pytest.TestReport) -> None:
    """Called for each phase of each test (tests/conftest.py)."""
    if report.when == "setup":
        item.stash[_FAILED] = False
    item.stash[_FAILED] = item.stash.get(_FAILED, False) or report.failed


def has_failed(item: pytest.Item) -> bool:
    """Whether the test, or what was set up for it, has failed."""
    return item.stash.get(_FAILED, False)
