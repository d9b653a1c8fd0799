"""Settings for tests: databases, keys and caches of their own, never those of a running cluster."""

import os
import tempfile

import pytest

os.environ.setdefault("KUBEWEB_DATA_DIR", tempfile.mkdtemp(prefix="kubeweb-test-"))


@pytest.fixture(autouse=True)
def fresh_clock() -> None:
    """Every test has a loop of its own, and a clock that does not remember the loop of the one before."""
    from cluster.clock import clock

    clock.__init__()  # type: ignore[misc]
