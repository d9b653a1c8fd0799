"""The arithmetic of rollouts: how far each ReplicaSet of a Deployment may grow or must shrink (deployment/util, rolling.go).

Everything here is a function of numbers. `Size` is one ReplicaSet as the arithmetic sees it; plans are new sizes by name.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cluster.apimachinery.meta import scaled


@dataclass(frozen=True, slots=True)
class Size:
    """One ReplicaSet: the replicas it should have (spec), those available, and how old it is."""

    name: str
    replicas: int
    available: int = 0
    created: str = ""
    # The deployment.kubernetes.io/max-replicas annotation: what the Deployment allowed when this size was set.
    max_replicas: int | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """A Deployment's wishes, with surge and unavailable resolved to numbers of pods."""

    desired: int
    surge: int = 0
    unavailable: int = 0

    @property
    def most(self) -> int:
        """The most pods that may exist."""
        return self.desired + self.surge

    @property
    def fewest(self) -> int:
        """The fewest pods that must be available."""
        return self.desired - self.unavailable


def resolve(desired: int, surge: int | str, unavailable: int | str) -> Limits:
    """Percentages to numbers: surge rounds up, unavailable down; both zero would never move, so one may be missing."""
    most = scaled(surge, desired, round_up=True)
    fewest = scaled(unavailable, desired, round_up=False)
    if most == 0 and fewest == 0:
        fewest = 1
    return Limits(desired, most, 0 if desired == 0 else min(fewest, desired))


def total(sizes: Iterable[Size]) -> int:
    return sum(size.replicas for size in sizes)


def new_size(limits: Limits, new: Size, everyone: Sequence[Size]) -> int:
    """How large the new ReplicaSet may be now in a rolling update."""
    if new.replicas > limits.desired:
        return limits.desired
    room = limits.most - total(everyone)
    if room <= 0:
        return new.replicas
    return new.replicas + min(room, limits.desired - new.replicas)


def shrink_old(limits: Limits, new: Size, old: Sequence[Size]) -> dict[str, int]:
    """The old ReplicaSets that shrink now in a rolling update, and to what.

    First those of their pods that are not available anyway, then as many as the minimum of available pods allows. The new
    ReplicaSet's pods that are not available yet count as missing, so that a bad rollout stops by itself.
    """
    old = sorted((size for size in old if size.replicas > 0), key=lambda size: size.created)
    if not old:
        return {}
    most_down = total(old) + new.replicas - limits.fewest - (new.replicas - new.available)
    if most_down <= 0:
        return {}
    sizes = {size.name: size.replicas for size in old}
    cleaned = 0
    for size in old:
        if cleaned >= most_down:
            break
        unhealthy = min(most_down - cleaned, size.replicas - size.available)
        if unhealthy > 0:
            sizes[size.name] -= unhealthy
            cleaned += unhealthy
    spare = sum(size.available for size in old) + new.available - limits.fewest
    for size in old:
        if spare <= 0:
            break
        step = min(sizes[size.name], spare)
        sizes[size.name] -= step
        spare -= step
    return {size.name: sizes[size.name] for size in old if sizes[size.name] != size.replicas}


def _round(value: float) -> int:
    """To the nearest, halves away from zero (Go's integer.RoundToInt32)."""
    return math.floor(value + 0.5) if value >= 0 else math.ceil(value - 0.5)


def fraction(size: Size, limits: Limits, current_replicas: int) -> int:
    """By how much a ReplicaSet grows to keep its share when the Deployment's size changes."""
    if limits.desired == 0:
        return -size.replicas
    before = size.max_replicas or current_replicas
    if before <= 0:
        return 0
    return _round(size.replicas * limits.most / before) - size.replicas


def proportional(limits: Limits, active: Sequence[Size], current_replicas: int) -> dict[str, int]:
    """New sizes when a Deployment is scaled amid a rollout: all ReplicaSets keep their share, the largest takes the rest.

    `current_replicas` is the Deployment's status.replicas, for ReplicaSets that carry no max-replicas annotation.
    """
    allowed = limits.most if limits.desired > 0 else 0
    to_add = allowed - total(active)
    # Largest first; of equals the newer one when growing, the older one when shrinking.
    by_age = sorted(active, key=lambda size: size.created, reverse=to_add > 0)
    ordered = sorted(by_age, key=lambda size: -size.replicas)
    sizes, added = {}, 0
    for size in ordered:
        share = 0
        if to_add and to_add != added and size.replicas:
            share, left = fraction(size, limits, current_replicas), to_add - added
            share = min(share, left) if to_add > 0 else max(share, left)
        sizes[size.name] = size.replicas + share
        added += share
    if ordered and to_add:
        first = ordered[0].name
        sizes[first] = max(sizes[first] + to_add - added, 0)
    return sizes
