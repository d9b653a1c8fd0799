"""Samples of what the cluster did in a second."""

from __future__ import annotations

import math

from cluster.explorer.rates import KEPT, TOGETHER, Rates, latencies, percentile
from cluster.journeys.store import JourneyStore
from cluster.journeys.trace import Journey


def request(verb: str, milliseconds: float, code: int = 200, kind: str = "request") -> Journey:
    journey = Journey(kind, "apiserver")
    journey.verb, journey.code = verb, code
    journey.start, journey.end = 100.0, 100.0 + milliseconds / 1000
    return journey


def test_percentiles():
    assert percentile([], 0.5) is None
    assert percentile([1.0], 0.99) == 1.0
    assert percentile([float(n) for n in range(1, 101)], 0.5) == 51.0
    assert percentile([float(n) for n in range(1, 101)], 0.99) == 100.0


def test_reads_and_writes_are_told_apart_and_watches_are_left_out():
    found = latencies(
        [
            request("get", 1),
            request("list", 3),
            request("create", 10),
            request("delete", 20, code=403),
            request("watch", 60_000),
            request("", 5, kind="reconcile"),
        ]
    )
    assert found["refused"] == 1
    assert found["read"]["n"] == 2
    assert round(found["read"]["p99"], 3) == 3
    assert found["write"]["n"] == 2
    assert round(found["write"]["p50"], 3) == 20


def test_a_sample_is_the_difference_of_two_moments():
    store = JourneyStore(persist=False)
    now = {"requests": 10, "revision": 100, "reconciles": {"job": 1}, "queues": {"job": 0}, "watchers": 3, "pods": 0}
    rates = Rates(store, lambda: {**now, "reconciles": dict(now["reconciles"]), "queues": dict(now["queues"])})
    rates.sample(1000.0)
    assert rates.since(0) == []
    now.update(requests=30, revision=104, pods=2)
    now["reconciles"]["job"], now["queues"]["job"] = 9, 5
    store.record(request("get", 2))
    rates.sample(1002.0)
    (sample,) = rates.since(0)
    assert sample["requests"] == 10.0
    assert sample["revisions"] == 2.0
    assert sample["reconciles"] == {"job": 4.0}
    assert sample["queues"] == {"job": 5}
    assert sample["latency"]["read"]["n"] == 1
    rates.sample(1003.0)
    assert rates.since(1002.0)[0]["latency"]["read"]["n"] == 0, "a journey is counted once"


def test_only_the_last_minutes_are_kept():
    stats = {"requests": 0, "revision": 0, "reconciles": {}, "queues": {}, "watchers": 0, "pods": 0}
    rates = Rates(JourneyStore(persist=False), lambda: stats)
    for second in range(KEPT + 50):
        rates.sample(float(second))
    assert len(rates.samples) == KEPT


def test_what_is_older_than_minutes_is_kept_by_the_minute():
    stats = {"requests": 0, "revision": 0, "reconciles": {}, "queues": {}, "watchers": 0, "pods": 0}
    rates = Rates(JourneyStore(persist=False), lambda: {**stats, "queues": dict(stats["queues"])})
    assert rates.oldest() is None
    for second in range(1, KEPT + 10 * TOGETHER + 2):
        stats["requests"] += 2
        stats["queues"] = {"job": second}
        rates.sample(float(second))
    first = rates.since(0.0, until=5.0 * TOGETHER + 1)
    assert [one["t"] for one in first] == [1.0 + TOGETHER * minute for minute in range(1, 6)]
    assert (first[0]["requests"], first[0]["queues"]) == (2.0, {"job": TOGETHER + 1})
    # Where there are seconds, there are seconds: nothing is told twice.
    found = [one["t"] for one in rates.since(0.0)]
    assert found == sorted(set(found))
    assert len(found) == KEPT + 10
    assert [one["t"] for one in rates.since(found[-3], until=math.inf)] == found[-2:]
    assert rates.oldest() == 1.0 + TOGETHER
