"""One cluster for all, and a namespace for each test: what Kubernetes' own conformance tests do, in small."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.api import Namespace
from tests.support.server import Cluster

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


@pytest.fixture
def ns(cluster: Cluster) -> Iterator[Namespace]:
    made = Namespace(cluster)
    yield made
    made.end()
