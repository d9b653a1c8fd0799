"""/metrics in Prometheus' text format, with the names that the real API server uses where the meaning is the same.

Counting is on every request's way: one look-up, one bisection. What it is counted under is bounded: resources that exist, the
methods there are.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

    from cluster.apiserver.context import Context
    from cluster.apiserver.server import APIServer

# Upper bounds in seconds, Kubernetes' own (endpoints/metrics.requestLatencies).
BUCKETS = (
    *(0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5),
    *(2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0),
)
_BOUNDS = (*(f"{bound:g}" for bound in BUCKETS), "+Inf")
LABELS = ("verb", "dry_run", "group", "version", "resource", "subresource", "scope", "component")
_VERBS = {"create": "POST", "update": "PUT"}
# What stays open is no latency.
_LONG = frozenset({"watch", "connect"})
_KNOWN = frozenset({*("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"), *_LONG})
_SCOPES = ("cluster", "namespace", "resource")


class Subject(NamedTuple):
    """What requests are counted by (without the code)."""

    verb: str
    dry_run: bool
    group: str
    version: str
    resource: str
    subresource: str
    scope: int

    def labels(self) -> list[str]:
        verb = _VERBS.get(self.verb) or self.verb.upper()
        dry_run = "All" if self.dry_run else ""
        scope = _SCOPES[self.scope] if self.resource else ""
        return [verb, dry_run, self.group, self.version, self.resource, self.subresource, scope, "apiserver"]


_PATH = Subject("get", False, "", "", "", "", 0)


class Requests:
    """How many requests there were, of what and with which answer, and how long they took."""

    def __init__(self) -> None:
        self.total = 0
        self.counts: Counter[tuple[Subject, int]] = Counter()
        # For each subject how many fell into each bucket, and the sum of their seconds.
        self.buckets: dict[Subject, list[int]] = {}
        self.seconds: dict[Subject, float] = {}

    def observe(self, context: Context, code: int, seconds: float) -> None:
        """Count a request that was answered."""
        self.total += 1
        info = context.info
        subject = _PATH
        if info.is_resource and context.resource is not None and context.problem is None:
            scope = 2 if info.name else 1 if info.namespace else 0
            verb = info.verb if info.verb in _KNOWN else "other"
            subject = Subject(verb, context.dry_run, info.group, info.version, info.resource, info.subresource, scope)
        self.counts[subject, code] += 1
        if subject.verb in _LONG:
            return
        buckets = self.buckets.get(subject)
        if buckets is None:
            buckets = self.buckets[subject] = [0] * len(_BOUNDS)
            self.seconds[subject] = 0.0
        buckets[bisect_left(BUCKETS, seconds)] += 1
        self.seconds[subject] += seconds

    def collect(self) -> Iterable[Metric]:
        total = CounterMetricFamily(
            "apiserver_request_total",
            "Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, "
            "component, and HTTP response code.",
            labels=[*LABELS, "code"],
        )
        for (subject, code), count in self.counts.items():
            total.add_metric([*subject.labels(), str(code)], count)
        yield total
        duration = HistogramMetricFamily(
            "apiserver_request_duration_seconds",
            "Response latency distribution in seconds for each verb, dry run value, group, version, resource, "
            "subresource, scope and component.",
            labels=LABELS,
        )
        for subject, buckets in self.buckets.items():
            duration.add_metric(
                subject.labels(), list(zip(_BOUNDS, accumulate(buckets), strict=True)), self.seconds[subject]
            )
        yield duration


class _Server(Collector):
    def __init__(self, server: APIServer) -> None:
        self.server = server

    def collect(self) -> Iterable[Metric]:
        yield from self.server.requests.collect()
        version = GaugeMetricFamily(
            "kubernetes_build_info", "What is running, as /version says.", labels=["major", "minor", "git_version"]
        )
        version.add_metric(["1", "37", "v1.37.0+kubeweb"], 1)
        yield version
        objects = GaugeMetricFamily("apiserver_resource_objects", "Objects stored, by resource.", labels=["resource"])
        for resource, count in self.server.storage.counts().items():
            objects.add_metric([resource], count)
        yield objects
        log = self.server.storage.log
        yield GaugeMetricFamily("kubeweb_log_revision", "The newest revision.", value=log.head)
        yield GaugeMetricFamily("kubeweb_log_compacted_revision", "The compacted revision.", value=log.compacted)
        for source in self.server.gauges:
            yield from source()


# (name, help, what the samples are labelled by, the samples)
Gauge = tuple[str, str, str, Mapping[str, float]]


def gauges(source: Callable[[], Iterable[Gauge]]) -> Callable[[], Iterable[Metric]]:
    """Figures of other components, as metrics. Names that end in `_total` are counters."""

    def collect() -> Iterable[Metric]:
        for name, text, label, samples in source():
            kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
            family = kind(name, text, labels=[label])
            for value, figure in samples.items():
                family.add_metric([value], figure)
            yield family

    return collect


def expose(server: APIServer) -> bytes:
    """All metrics as text."""
    registry = CollectorRegistry()
    registry.register(_Server(server))
    return generate_latest(registry)
