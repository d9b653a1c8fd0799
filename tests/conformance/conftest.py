"""One cluster for all, and a namespace for each test: what Kubernetes' own conformance tests do, in small.

Tests undo what they do to the whole cluster; for one that fails before it could, that is done here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.api import Namespace
from tests.support.baseline import Baseline
from tests.support.outcome import has_failed
from tests.support.server import Cluster, wait_for

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in Path(str(item.fspath)).parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="package")
def cluster() -> Iterator[Cluster]:
    running = Cluster("--profile=instant", "--speed=5", prepared=True).start()
    yield running
    running.close()


@pytest.fixture(scope="package")
def baseline(cluster: Cluster) -> Iterator[Baseline]:
    """The cluster before any test; what tests that passed have left of themselves is told at the end."""
    made = Baseline(cluster)
    yield made
    wait_for(lambda: not made.left(), f"nothing is left: {made.left()}")


@pytest.fixture
def ns(cluster: Cluster, baseline: Baseline, request: pytest.FixtureRequest) -> Iterator[Namespace]:
    made = Namespace(cluster)
    yield made
    made.end()
    if has_failed(request.node):
        baseline.restore()
