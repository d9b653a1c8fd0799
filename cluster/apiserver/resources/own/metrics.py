"""metrics.k8s.io: what nodes and containers use, as metrics-server serves it."""

from __future__ import annotations

from cluster.apiserver.resources.own.schema import METRICS, PACKAGES, QUANTITY, kind, mapped, moment, ref, several, text

_PACKAGE = f"{PACKAGES[METRICS]}.v1beta1"
_COMMON = {
    "timestamp": moment("The following fields define time interval from which metrics were collected."),
    "window": text("The interval, as a duration."),
}
_USAGE = mapped(ref(QUANTITY), "Memory usage is the working set, cpu usage the rate over the interval.")

DEFINITIONS = {
    **kind(
        "NodeMetrics",
        "NodeMetrics sets resource usage metrics of a node.",
        {**_COMMON, "usage": _USAGE},
        group=METRICS,
        version="v1beta1",
    ),
    **kind(
        "PodMetrics",
        "PodMetrics sets resource usage metrics of a pod.",
        {**_COMMON, "containers": several(ref(f"{_PACKAGE}.ContainerMetrics"), "Metrics for all containers.")},
        group=METRICS,
        version="v1beta1",
    ),
    f"{_PACKAGE}.ContainerMetrics": {
        "type": "object",
        "description": "ContainerMetrics sets resource usage metrics of a container.",
        "properties": {
            "name": text("Container name corresponding to the one from pod.spec.containers."),
            "usage": _USAGE,
        },
        "required": ["name", "usage"],
    },
}
