"""How long things take on a simulated machine: data, with seeded jitter. Chosen by `Machines(profile=…)`."""

from __future__ import annotations

import random
from dataclasses import dataclass

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Profile:
    """Seconds, as (least, most). `bandwidth` is bytes a second; 0 means that pulls take no time."""

    name: str
    sandbox: Range
    resolve: Range
    bandwidth: float
    create: Range
    start: Range
    # From SIGTERM to the end of a process that heeds it.
    stop: Range
    # From a container's failure to the sync that shows the back-off (the kubelet's relist and requeue).
    resync: Range
    # From "running" to the first probe without an initial delay.
    first_probe: Range
    # From a request to its answer, beside the work itself.
    answer: Range
    # From a change of endpoints to the moment that a node's proxy routes by it.
    proxy: Range
    # What a server needs from start to listening is multiplied by this.
    warm_up: float


REALISTIC = Profile(
    name="realistic",
    sandbox=(0.25, 0.55),
    resolve=(0.35, 0.6),
    bandwidth=60_000_000.0,
    create=(0.03, 0.08),
    start=(0.06, 0.15),
    stop=(0.5, 1.1),
    resync=(0.8, 1.8),
    first_probe=(0.4, 1.0),
    answer=(0.001, 0.004),
    proxy=(0.1, 1.0),
    warm_up=1.0,
)
INSTANT = Profile(
    name="instant",
    sandbox=(0.0, 0.0),
    resolve=(0.0, 0.0),
    bandwidth=0.0,
    create=(0.0, 0.0),
    start=(0.0, 0.0),
    stop=(0.0, 0.0),
    resync=(0.0, 0.0),
    first_probe=(0.0, 0.0),
    answer=(0.0, 0.0),
    proxy=(0.0, 0.0),
    warm_up=0.0,
)
PROFILES = {profile.name: profile for profile in (REALISTIC, INSTANT)}


class Latency:
    """Picks durations out of ranges: the same seed, the same durations."""

    __slots__ = ("_random", "profile")

    def __init__(self, profile: Profile, seed: int | str) -> None:
        self.profile = profile
        self._random = random.Random(seed)

    def pick(self, span: Range) -> float:
        return span[1] and self._random.uniform(*span)

    def jitter(self, seconds: float, factor: float = 0.1) -> float:
        """`seconds` plus up to `factor` of it."""
        return seconds * (1.0 + factor * self._random.random())

    def transfer(self, size: int) -> float:
        """How long it takes to fetch and unpack so many bytes."""
        bandwidth = self.profile.bandwidth
        return size / bandwidth * self._random.uniform(0.9, 1.15) if bandwidth else 0.0
