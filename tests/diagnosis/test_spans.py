"""Spans as evidence: from what was written back to the work that noted it, the stage that says why, and nothing that may not be seen."""

from __future__ import annotations

import pytest

from cluster import clock
from cluster.diagnosis import diagnose, diagnose_node, spans
from tests.diagnosis.test_checklist import node, pod, waits
from tests.diagnosis.test_mends import View


def span(stage, outcome="ok", **detail):
    return {"stage": stage, "start": 10.0, "end": 11.0, "outcome": outcome, "detail": detail or None}


def journey(id_, kind, name, *recorded, causes=(), start=1.0, component="c", outcome="ok", **more):
    return {
        "id": id_,
        "root": "r",
        "kind": kind,
        "component": component,
        "causes": list(causes),
        "namespace": "shop",
        "name": name,
        "start": start,
        "outcome": outcome,
        "reason": "",
        "spans": list(recorded),
        **more,
    }


class Traces:
    """`wrote`: which journey wrote an object, by its uid or name; `tree`: all that is known."""

    def __init__(self, wrote, *tree, refused=()):
        self.wrote, self.tree, self.refused = wrote, tree, refused

    def of(self, written):
        metadata = written["metadata"]
        found = self.wrote.get(metadata.get("uid") or metadata.get("name"), "")
        return (found, self.tree) if found else ("", ())

    def refusals(self, user):
        return self.refused if user == "system:serviceaccount:shop:default" else ()


def event(uid, reason, message="m", component="kubelet", name="web", **about):
    reference = {"kind": "Pod", "namespace": "shop", "name": name, "uid": uid, **about}
    return {
        "metadata": {"name": "e"},
        "reason": reason,
        "message": message,
        "involvedObject": reference,
        "source": {"component": component},
        "lastTimestamp": "2026-01-01T00:00:00Z",
    }


def named(found):
    """(step, reason, component, stage, outcome) of all spans that findings name."""
    return [
        (step["step"], finding["reason"], one["span"]["component"], one["span"]["stage"], one["span"]["outcome"])
        for step in found["checklist"]
        for finding in step.get("findings", ())
        for one in finding["evidence"]
        if one["field"] == "Span"
    ]


def looked(obj, traces, resource="pods", **objects):
    return diagnose(View(**{"nodes": [node()], **objects}), resource, obj, clock.now(), traces)


def with_metadata(obj):
    obj["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
    return obj


def test_the_schedulers_attempt_tells_its_verdict_by_filter():
    waiting = with_metadata(pod(placed="", message="m", nodeSelector={"disk": "ssd"}))
    attempt = journey(
        "r.2",
        "schedule",
        "web",
        span("queue"),
        span("filter", "refused", considered=3, passed=0, refused_by={"NodeAffinity": 3}),
        component="scheduler",
    )
    request = journey("r.3", "request", "e", span("etcd"), causes=["r.2"])
    traces = Traces({"e": "r.3"}, attempt, request)
    found = looked(waiting, traces, events=[event("pod", "FailedScheduling", component="default-scheduler")])
    assert named(found) == [(1, "NodeSelectorMismatch", "scheduler", "filter", "refused")]
    evidence = found["checklist"][0]["findings"][0]["evidence"][-1]
    assert evidence["span"] == {
        "journey": "r.2",
        "id": "r.2:1",
        "component": "scheduler",
        "stage": "filter",
        "outcome": "refused",
        "time": "1970-01-01T00:00:10.000000Z",
        "detail": "0 of 3 nodes passed; refused by NodeAffinity 3",
    }
    assert evidence["value"] == "scheduler, filter refused: 0 of 3 nodes passed; refused by NodeAffinity 3"


def test_what_the_responsible_loop_last_did_names_its_span():
    waiting = with_metadata(pod(placed="", message="m"))
    attempt = journey("r.2", "schedule", "web", span("filter", "refused", considered=0), component="scheduler")
    traces = Traces({"e": "r.3"}, attempt, journey("r.3", "request", "e", causes=["r.2"]))
    found = looked(waiting, traces, events=[event("pod", "FailedScheduling", component="default-scheduler")])
    gap = next(one for one in found["desired"] if one["what"] == "node")
    assert (gap["lastAction"], gap["lastSpan"]["id"]) == ("FailedScheduling: m", "r.2:0")


@pytest.mark.parametrize(
    ("container", "stages", "said", "expected"),
    [
        (waits("ImagePullBackOff"), [span("pull", "error", message="no")], "BackOff", [("pull", "error")]),
        (
            waits("CrashLoopBackOff", exitCode=3),
            [span("exit", "error", exit_code=3), span("back-off", "wait", seconds=10)],
            "BackOff",
            [("exit", "error"), ("back-off", "wait")],
        ),
        (
            waits("CrashLoopBackOff", exitCode=137, reason="OOMKilled"),
            [span("exit", "error")],
            "BackOff",
            [("exit", "error")],
        ),
        (
            {"state": {"running": {}}, "ready": False},
            [span("probe", "error", message="404")],
            "Unhealthy",
            [("probe", "error")],
        ),
        (
            waits("RunContainerError", exitCode=128),
            [span("create"), span("start", "error", error="no")],
            "Failed",
            [("start", "error")],
        ),
    ],
)
def test_the_kubelets_work_at_a_container(container, stages, said, expected):
    traces = Traces(
        {"e": "r.3"}, journey("r.2", "sync", "web", *stages), journey("r.3", "request", "e", causes=["r.2"])
    )
    happened = event("pod", said, fieldPath="spec.containers{web}")
    found = looked(with_metadata(pod(container)), traces, events=[happened])
    assert [(stage, outcome) for _, _, _, stage, outcome in named(found)] == expected


def test_another_containers_span_is_not_its():
    other = journey("r.2", "sync", "web", span("pull", "error", container="other"))
    traces = Traces({"pod": "r.2"}, other)
    assert named(looked(with_metadata(pod(waits("ErrImagePull"))), traces)) == []


def test_a_refused_pod_names_the_loop_that_tried_and_the_stage_that_refused():
    daemons = {
        "kind": "DaemonSet",
        "metadata": {"name": "d", "namespace": "shop", "uid": "ds", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"template": {"spec": {"containers": []}}},
    }
    message = 'pods "d-1" is forbidden: exceeded quota: small'
    tried = journey("r.2", "reconcile", "d", span("decide"), span("act", "error", error=message), component="daemonset")
    refused = journey(
        "r.3",
        "request",
        "",
        span("authz"),
        span("policy", "refused", message=message),
        causes=["r.2"],
        outcome="refused",
        component="apiserver",
        verb="create",
        resource="pods",
    )
    traces = Traces({"e": "r.4"}, tried, refused, journey("r.4", "request", "e", causes=["r.2"]))
    said = event("ds", "FailedCreate", f"Error creating: {message}", "daemonset-controller", "d", kind="DaemonSet")
    found = looked(daemons, traces, "apps/daemonsets", events=[said])
    assert named(found) == [
        (4, "QuotaExceeded", "daemonset", "act", "error"),
        (4, "QuotaExceeded", "apiserver", "policy", "refused"),
    ]


def test_a_denied_request_of_the_pods_is_told_by_its_authz_span_alone():
    denied = journey(
        "d",
        "request",
        "",
        span("authn"),
        span("authz", "refused", message="may not"),
        outcome="refused",
        component="apiserver",
        verb="list",
        group="",
        resource="configmaps",
        subresource="",
        actor="system:serviceaccount:shop:default",
        reason="configmaps is forbidden",
    )
    crashing = with_metadata(pod(waits("CrashLoopBackOff", exitCode=1)))
    found = looked(crashing, Traces({}, refused=[denied]))
    assert named(found) == [(4, "AccessDenied", "apiserver", "authz", "refused")]
    assert found["checklist"][3]["findings"][0]["message"] == "configmaps is forbidden"
    ready = {"state": {"running": {}}, "ready": True}
    well = with_metadata(pod(ready))
    well["status"]["conditions"] = [{"type": "Ready", "status": "True"}]
    assert looked(well, Traces({}, refused=[denied]))["verdict"] == "Healthy"


def test_a_node_names_the_loop_that_found_it_silent():
    silent = with_metadata(node(ready="Unknown"))
    act = journey(
        "r.2", "reconcile", "n1", span("compare"), span("act", conditions="Unknown"), component="node", namespace=""
    )
    found = diagnose_node(View(nodes=[silent]), silent, clock.now(), Traces({"n1": "r.2"}, act))
    assert named(found) == [(2, "NodeNotReady", "node", "act", "ok")]


def test_what_is_not_known_is_no_evidence():
    crashing = with_metadata(pod(waits("CrashLoopBackOff", exitCode=1)))
    for traces in (None, Traces({})):
        found = looked(crashing, traces)
        assert named(found) == []
        assert found["verdict"] == "Unhealthy"


def test_a_line_says_what_matters_and_is_bounded():
    assert spans.line_of(span("act", "error", created=0, error="forbidden")) == "forbidden"
    assert spans.line_of(span("start", container="c", restarts=0)) == "container c, restarts 0"
    assert spans.line_of(span("observe")) == ""
    assert len(spans.line_of(span("pull", "error", message="x" * 5000))) == spans.LINE
