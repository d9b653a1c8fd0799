"""One cluster for the tests of a file, with pods that start at once where nothing else is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.admission import Admission
from tests.support.baseline import Nodes
from tests.support.server import Cluster

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in Path(str(item.fspath)).parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    running = Cluster("--profile=instant", prepared=True).start()
    yield running
    running.close()


@pytest.fixture
def admission(cluster: Cluster) -> Iterator[Admission]:
    """Policies and webhooks for as long as the test runs, whatever becomes of it."""
    made = Admission(cluster)
    yield made
    made.close()


@pytest.fixture
def nodes(cluster: Cluster) -> Iterator[None]:
    """For tests that cordon nodes, label or taint them: afterwards they are as they were."""
    before = Nodes(cluster)
    yield
    before.restore()
