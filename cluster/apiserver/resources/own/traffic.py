"""Traffic: simulated clients of a Service, and what they felt."""

from __future__ import annotations

from cluster.apiserver.resources.own.schema import (
    INTEGER,
    boolean,
    integer,
    kind,
    mapped,
    moment,
    number,
    ref,
    struct,
    text,
)

DEFINITIONS = {
    **kind(
        "Traffic",
        "Traffic is simulated clients that send requests to a Service, and what they felt of it.",
        {"spec": ref("TrafficSpec"), "status": ref("TrafficStatus")},
    ),
    **struct(
        "TrafficSpec",
        "TrafficSpec says who asks what, and how often.",
        {
            "service": text("The Service that is asked, in the namespace of this object."),
            "port": {
                "$ref": "#/$defs/io.k8s.apimachinery.pkg.util.intstr.IntOrString",
                "description": "The Service's port by number or name; without it the first.",
            },
            "path": text("The path that is asked for. Defaults to /."),
            "requestsPerSecond": number(
                "How many requests are sent a second of cluster time, up to 1000. Defaults to 10."
            ),
            "timeoutSeconds": number("How long a client waits for an answer. Defaults to 1."),
            "node": text("The node whose clients they are; without it all nodes in turn."),
            "paused": boolean("True while nothing is sent."),
        },
        "service",
    ),
    **struct(
        "TrafficStatus",
        "TrafficStatus counts what the clients felt.",
        {
            "startTime": moment("When the first request was sent."),
            "requests": integer("Requests that were sent and have come to an end."),
            "succeeded": integer("Answered with a status below 500."),
            "failed": integer("Not answered, or with a status of 500 and more."),
            "failures": mapped(INTEGER, "Failures by their reason."),
            "lastFailure": text("What the latest failure said."),
            "lastFailureTime": moment("When it was."),
            "successPercent": text("Share of the requests that succeeded since the beginning."),
            "recentSuccessPercent": text("Share of the requests that succeeded within the last ten seconds."),
            "latencyMilliseconds": number("Mean time to an answer within the last ten seconds."),
            "pods": mapped(INTEGER, "Answers by pod, the busiest twenty."),
        },
    ),
}
