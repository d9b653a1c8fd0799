"""What /metrics counts."""

from __future__ import annotations

from types import SimpleNamespace

from cluster.apiserver.metrics import Requests
from cluster.apiserver.request import RequestInfo


def asked(verb="get", resource="pods", name="x", problem=None):
    info = RequestInfo("/api/v1/…", verb, True, "", "v1", "default", resource, "", name)
    return SimpleNamespace(info=info, resource=object(), problem=problem, dry_run=False)


def samples(requests):
    return {
        (sample.name, sample.labels["verb"], sample.labels.get("code") or sample.labels.get("le", "")): sample.value
        for family in requests.collect()
        for sample in family.samples
    }


def test_requests_fall_into_buckets():
    requests = Requests()
    for seconds in (0.004, 0.03, 70.0):
        requests.observe(asked(), 200, seconds)
    found = samples(requests)
    assert found["apiserver_request_total", "GET", "200"] == 3
    name = "apiserver_request_duration_seconds_bucket"
    assert [found[name, "GET", bound] for bound in ("0.005", "0.025", "0.05", "60", "+Inf")] == [1, 1, 2, 2, 3]
    assert round(found["apiserver_request_duration_seconds_sum", "GET", ""], 3) == 70.034


def test_a_watch_has_no_latency():
    requests = Requests()
    requests.observe(asked("watch", name=""), 200, 0.1)
    assert samples(requests) == {("apiserver_request_total", "WATCH", "200"): 1}


def test_what_anybody_can_make_up_is_not_counted_under():
    requests = Requests()
    for number in range(50):
        requests.observe(asked(resource=f"things{number}", problem=object()), 404, 0.1)
        requests.observe(asked(verb=f"verb{number}"), 405, 0.1)
    assert len(requests.counts) == 2
    assert requests.total == 100
