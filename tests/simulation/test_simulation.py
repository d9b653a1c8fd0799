"""Hours of cluster time in seconds: random faults and people from a seed, and what must hold all the while and at the end.

A seed that fails here fails by hand in the same way: `PYTHONHASHSEED=0 python -m tests.simulation.play --seed N --hours H`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.support.server import ROOT


def play(seed: int, hours: float) -> dict[str, Any]:
    """One simulation, in a process of its own as it owns the clock, all randomness and the event loop."""
    command = [sys.executable, "-m", "tests.simulation.play", f"--seed={seed}", f"--hours={hours}"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize(("seed", "hours"), [(1, 6), (2, 6), (3, 4), (7, 4)])
def test_whatever_breaks_the_cluster_comes_right(seed: int, hours: float) -> None:
    result = play(seed, hours)
    assert result["broken"] == []
    # It was no quiet day, and the rules were put to the test.
    assert sum(result["done"].values()) > 20
    assert result["judged"] > 15


def test_a_seed_replays_identically() -> None:
    first, again = play(4, 2), play(4, 2)
    assert first["revisions"] > 5000
    assert (first["digest"], first["done"]) == (again["digest"], again["done"])
    assert play(5, 0.2)["digest"] != play(6, 0.2)["digest"]
