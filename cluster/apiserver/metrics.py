"""/metrics in Prometheus' text format, with the names that the real API server uses where the meaning is the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client.metrics_core import Metric

    from cluster.apiserver.server import APIServer


class _Server(Collector):
    def __init__(self, server: APIServer) -> None:
        self.server = server

    def collect(self) -> Iterable[Metric]:
        requests = CounterMetricFamily(
            "apiserver_request_total", "Requests by verb, resource and code.", labels=["verb", "resource", "code"]
        )
        for (verb, resource, code), count in self.server.requests.items():
            requests.add_metric([verb.upper(), resource, str(code)], count)
        yield requests
        objects = GaugeMetricFamily("apiserver_resource_objects", "Objects stored, by resource.", labels=["resource"])
        for resource, count in self.server.storage.counts().items():
            objects.add_metric([resource], count)
        yield objects
        log = self.server.storage.log
        yield GaugeMetricFamily("kubeweb_log_revision", "The newest revision.", value=log.head)
        yield GaugeMetricFamily("kubeweb_log_compacted_revision", "The compacted revision.", value=log.compacted)


def expose(server: APIServer) -> bytes:
    """All metrics as text."""
    registry = CollectorRegistry()
    registry.register(_Server(server))
    return generate_latest(registry)
