"""The arithmetic of rollouts, by table and by property."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.controllers.policy.rollout import Limits, Size, new_size, proportional, resolve, shrink_old


@pytest.mark.parametrize(
    ("desired", "surge", "unavailable", "expected"),
    [
        (10, "25%", "25%", Limits(10, 3, 2)),
        (3, "25%", "25%", Limits(3, 1, 0)),
        (1, "25%", "25%", Limits(1, 1, 0)),
        (4, 0, 0, Limits(4, 0, 1)),
        (4, "0%", "10%", Limits(4, 0, 1)),
        (2, 5, 5, Limits(2, 5, 2)),
        (0, "25%", "25%", Limits(0, 0, 0)),
        (10, "100%", "100%", Limits(10, 10, 10)),
    ],
)
def test_percentages_are_resolved(desired: int, surge: int | str, unavailable: int | str, expected: Limits) -> None:
    assert resolve(desired, surge, unavailable) == expected


@pytest.mark.parametrize(
    ("limits", "new", "old", "expected"),
    [
        (Limits(10, 3, 2), 0, 10, 3),
        (Limits(10, 3, 2), 3, 8, 5),
        (Limits(10, 3, 2), 5, 8, 5),
        (Limits(10, 0, 2), 0, 10, 0),
        (Limits(10, 3, 2), 12, 0, 10),
        (Limits(3, 1, 0), 0, 0, 3),
    ],
)
def test_new_size(limits: Limits, new: int, old: int, expected: int) -> None:
    sizes = [Size("new", new), Size("old", old)]
    assert new_size(limits, sizes[0], sizes) == expected


OLD, OLDER = "2026-02-02T00:00:00Z", "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("limits", "new", "old", "expected"),
    [
        # Everything healthy: maxUnavailable may go at once.
        (Limits(10, 3, 2), Size("new", 3, 0), [Size("old", 10, 10)], {"old": 8}),
        # The new ones do not become available: nothing more goes.
        (Limits(10, 3, 2), Size("new", 5, 0), [Size("old", 8, 8)], {}),
        # A new template replaces a broken rollout: the broken pods go first.
        (Limits(10, 3, 2), Size("new", 0, 0), [Size("a", 8, 8, OLDER), Size("b", 5, 0, OLD)], {"b": 0}),
        # One unhealthy pod of an old revision is cleaned up, and one healthy spared.
        (Limits(10, 3, 2), Size("new", 3, 3), [Size("old", 10, 6)], {"old": 6 - 1}),
        # The oldest goes first.
        (Limits(4, 1, 0), Size("new", 1, 1), [Size("b", 2, 2, OLD), Size("a", 2, 2, OLDER)], {"a": 1}),
        (Limits(4, 1, 0), Size("new", 4, 4), [], {}),
    ],
)
def test_shrink_old(limits: Limits, new: Size, old: list[Size], expected: dict[str, int]) -> None:
    assert shrink_old(limits, new, old) == expected


@pytest.mark.parametrize(
    ("limits", "active", "expected"),
    [
        # 10 → 20 amid a rollout with surge 3: Kubernetes' own example shape, shares are kept.
        (Limits(20, 5, 5), [Size("new", 5, max_replicas=13), Size("old", 8, max_replicas=13)], {"old": 15, "new": 10}),
        (Limits(5, 2, 1), [Size("new", 5, max_replicas=13), Size("old", 8, max_replicas=13)], {"old": 4, "new": 3}),
        (Limits(0, 0, 0), [Size("new", 5, max_replicas=13), Size("old", 8, max_replicas=13)], {"old": 0, "new": 0}),
        (Limits(10, 3, 2), [Size("new", 5, max_replicas=13), Size("old", 8, max_replicas=13)], {"old": 8, "new": 5}),
        # Of equals, the newer one takes the rest when growing, the older one when shrinking.
        (
            Limits(7),
            [Size("a", 3, created=OLDER, max_replicas=6), Size("b", 3, created=OLD, max_replicas=6)],
            {"b": 4, "a": 3},
        ),
        (
            Limits(5),
            [Size("a", 3, created=OLDER, max_replicas=6), Size("b", 3, created=OLD, max_replicas=6)],
            {"a": 2, "b": 3},
        ),
    ],
)
def test_proportional_scaling(limits: Limits, active: list[Size], expected: dict[str, int]) -> None:
    assert proportional(limits, active, 13) == expected


counts = st.integers(0, 30)


@given(st.integers(0, 60), counts, counts, st.lists(st.tuples(counts, counts), max_size=4), st.tuples(counts, counts))
@settings(max_examples=500, deadline=None)
def test_a_plan_never_breaks_the_limits(
    desired: int, surge: int, unavailable: int, old: list[tuple[int, int]], new: tuple[int, int]
) -> None:
    limits = resolve(desired, surge, unavailable)
    olds = [Size(f"old{i}", max(pair), min(pair), str(i)) for i, pair in enumerate(old)]
    fresh = Size("new", max(new), min(new))
    everyone = [*olds, fresh]
    grown = new_size(limits, fresh, everyone)
    assert grown <= max(limits.desired, 0) or grown == fresh.replicas
    pods = sum(size.replicas for size in everyone)
    assert pods - fresh.replicas + grown <= max(limits.most, pods)
    plan = shrink_old(limits, fresh, olds)
    by_name = {size.name: size for size in olds}
    # ReplicaSets give up unavailable pods first, so this is what is certain to stay available.
    left = fresh.available + sum(min(plan.get(s.name, s.replicas), s.available) for s in olds)
    before = fresh.available + sum(size.available for size in olds)
    assert left >= min(limits.fewest, before)
    assert all(0 <= size < by_name[name].replicas for name, size in plan.items())


@given(st.integers(1, 40), counts, counts, st.lists(st.integers(1, 30), min_size=2, max_size=4), st.integers(1, 90))
@settings(max_examples=300, deadline=None)
def test_proportional_scaling_hits_the_total_exactly(
    desired: int, surge: int, unavailable: int, sizes: list[int], before: int
) -> None:
    limits = resolve(desired, surge, unavailable)
    plan = proportional(limits, [Size(f"s{i}", n, 0, str(i), before) for i, n in enumerate(sizes)], before)
    assert sum(plan.values()) == limits.most or 0 in plan.values()
    assert all(size >= 0 for size in plan.values())


@given(st.integers(1, 25), st.integers(0, 8), st.integers(0, 8), st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_a_rollout_of_random_speed_stays_within_limits_and_ends(
    desired: int, surge: int, unavailable: int, rng: random.Random
) -> None:
    limits = resolve(desired, surge, unavailable)
    old, new, available = desired, 0, 0
    for _ in range(500):
        size = new_size(limits, Size("new", new, available), [Size("new", new), Size("old", old)])
        if size != new:
            new = size
        else:
            old = shrink_old(limits, Size("new", new, available), [Size("old", old, old)]).get("old", old)
        assert old + available >= limits.fewest
        assert old + new <= limits.most
        if rng.random() < 0.5 and available < new:
            available += rng.randint(1, new - available)
        if old == 0 and available == desired:
            return
    raise AssertionError("the rollout never ended")
