"""Settings for tests: databases, keys and caches of their own, never those of a running cluster."""

import os
import shutil
import tempfile

import pytest

_made = "" if "KUBEWEB_DATA_DIR" in os.environ else tempfile.mkdtemp(prefix="kubeweb-test-")
if _made:
    os.environ["KUBEWEB_DATA_DIR"] = _made


def pytest_unconfigure() -> None:
    """What it left is nobody's any more."""
    if _made:
        shutil.rmtree(_made, ignore_errors=True)


@pytest.fixture(autouse=True)
def fresh_clock() -> None:
    """Every test has a loop of its own, and a clock that does not remember the loop of the one before."""
    from cluster.clock import clock

    clock.__init__()  # type: ignore[misc]
