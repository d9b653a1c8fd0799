"""Diagnoses with kubectl: evidence down to the span, as far as the asker may see it."""

from __future__ import annotations

import json

import pytest

from tests.support.kubectl import apply, got
from tests.support.manifests import deployment
from tests.support.server import wait_for


def workload(name, *, kind="Deployment", replicas=1, spec=None, **container):
    """A workload of one container `c`; `container` over its defaults, `spec` over the pod's."""
    made = deployment(name, replicas, container=container, **{"terminationGracePeriodSeconds": 1, **(spec or {})})
    if kind == "DaemonSet":
        del made["spec"]["replicas"]
    return {**made, "kind": kind}


def findings(found):
    return {one["reason"]: one for step in found["checklist"] for one in step.get("findings", ())}


def traced(cluster, name, reason, *more):
    """The spans that the evidence of a finding names, once there are any: (component without node, stage, outcome)."""

    def look():
        finding = findings(got(cluster, "diagnosis", name, *more)).get(reason, {})
        named = [one["span"] for one in finding.get("evidence", ()) if one["field"] == "Span"]
        return named or None

    return wait_for(look, f"{reason} of {name} names its span", 60)


def short(spans):
    return [(one["component"].partition("/")[0], one["stage"], one["outcome"]) for one in spans]


@pytest.fixture(scope="module")
def sick(cluster):
    """A workload for each thing that may be wrong."""
    cluster.kubectl("create", "namespace", "tight")
    cluster.kubectl("create", "quota", "few", "-n", "tight", "--hard=pods=0")
    apply(cluster, workload("many"), workload("all", kind="DaemonSet"), namespace="tight")
    apply(
        cluster,
        workload("ssd", spec={"nodeSelector": {"disk": "ssd"}}),
        workload("typo", image="ngnix:1.27"),
        workload("crash", image="busybox", command=["sh", "-c", "exit 3"]),
        workload("shy", readinessProbe={"httpGet": {"path": "/", "port": 81}, "periodSeconds": 1}),
        workload("unset", envFrom=[{"configMapRef": {"name": "settings"}}]),
        workload("nobody", spec={"serviceAccountName": "robot"}),
    )
    return cluster


def test_every_step_of_the_checklist_names_the_span_that_bears_it_out(cluster, sick):
    assert short(traced(cluster, "deployment.ssd", "NodeSelectorMismatch")) == [("scheduler", "filter", "refused")]
    assert short(traced(cluster, "deployment.typo", "ImagePullBackOff")) == [("kubelet", "pull", "error")]
    assert ("kubelet", "exit", "error") in short(traced(cluster, "deployment.crash", "CrashLoopBackOff"))
    assert short(traced(cluster, "deployment.shy", "Unhealthy")) == [("kubelet", "probe", "error")]
    assert short(traced(cluster, "deployment.unset", "MissingConfigMap")) == [("kubelet", "create", "error")]
    made = [("replicaset", "act", "error"), ("apiserver", "admission", "refused")]
    assert short(traced(cluster, "deployment.nobody", "MissingServiceAccount")) == made
    refused = traced(cluster, "deployment.many", "QuotaExceeded", "-n", "tight")
    assert short(refused) == [("replicaset", "act", "error"), ("apiserver", "policy", "refused")]
    assert "exceeded quota: few" in refused[1]["detail"]
    refused = traced(cluster, "daemonset.all", "QuotaExceeded", "-n", "tight")
    assert short(refused) == [("daemonset", "act", "error"), ("apiserver", "policy", "refused")]


def test_describe_shows_the_span_and_the_journey_is_there_to_be_read(cluster, sick):
    span = traced(cluster, "deployment.typo", "ImagePullBackOff")[0]
    described = cluster.kubectl("describe", "diagnosis", "deployment.typo")
    assert span["id"] in described and "failed to pull" in described
    journey, number = span["id"].rsplit(":", 1)
    script = (
        "import asyncio; from cluster.journeys.store import JourneyStore; "
        f"tree = asyncio.run(JourneyStore().tree('{journey.partition('.')[0]}')); "
        f"print([one['spans'][{number}]['stage'] for one in tree if one['id'] == '{journey}'])"
    )
    wait_for(lambda: cluster.django(script) == "['pull']", "the journey is kept, and that span is its pull")


def test_what_the_loop_last_did_names_its_span(cluster, sick):
    gaps = {one["what"]: one for one in got(cluster, "diagnosis", "deployment.ssd")["desired"]}
    assert gaps["pods"]["lastSpan"]["stage"] == "act"
    assert (gaps["ready pods"]["closedBy"], gaps["ready pods"]["lastSpan"]["stage"]) == ("scheduler", "filter")


def test_a_denied_request_of_a_service_account_is_found_by_its_span(cluster, sick):
    token = cluster.kubectl("create", "token", "default").strip()
    denied = cluster.kubectl("--token", token, "get", "configmaps", check=False)
    assert "cannot list resource" in denied
    assert short(traced(cluster, "deployment.crash", "AccessDenied")) == [("apiserver", "authz", "refused")]
    # Once it may, nothing is said of it any more.
    cluster.kubectl("create", "rolebinding", "may", "--clusterrole=view", "--serviceaccount=default:default")

    def reasons():
        return set(findings(got(cluster, "diagnosis", "deployment.crash")))

    wait_for(lambda: "CrashLoopBackOff" in (now := reasons()) and "AccessDenied" not in now, "that is said no more")


def test_who_may_not_see_a_journey_learns_nothing_of_it(cluster, sick):
    cluster.kubectl("create", "clusterrolebinding", "viewers", "--clusterrole=view", "--user=alice")
    mine = got(cluster, "diagnosis", "deployment.typo")
    theirs = got(cluster, "diagnosis", "deployment.typo", "--as=alice")
    assert [one["reason"] for one in findings(theirs).values()] == [one["reason"] for one in findings(mine).values()]
    assert '"span"' not in json.dumps(theirs) and "lastSpan" not in json.dumps(theirs)
    assert '"span"' in json.dumps(mine)
    # What began with a request of one's own one may see, as at /explorer/journeys/.
    cluster.kubectl("create", "rolebinding", "editors", "--clusterrole=edit", "--user=alice")
    cluster.kubectl("apply", "--as=alice", "-f", "-", stdin=json.dumps(workload("hers", image="ngnix:1.27")))

    def span_of_hers():
        found = got(cluster, "diagnosis", "deployment.hers", "--as=alice")
        return "pull" in [
            one["span"]["stage"] for finding in findings(found).values() for one in finding["evidence"] if "span" in one
        ]

    wait_for(span_of_hers, "alice sees the span of her own journey", 60)


def test_a_list_names_no_spans(cluster, sick):
    found = got(cluster, "diagnoses")
    assert any(one["verdict"] == "Unhealthy" for one in found["items"])
    assert '"span"' not in json.dumps(found)


def test_a_service_is_as_well_as_what_answers(cluster):
    cluster.kubectl("create", "namespace", "serving")
    more = ("-n", "serving")
    probe = {"httpGet": {"path": "/", "port": 81}, "periodSeconds": 1}
    apply(cluster, workload("shy", readinessProbe=probe), workload("well", replicas=2), namespace="serving")
    for name in ("shy", "well"):
        cluster.kubectl("expose", "deployment", name, "--port=80", *more)
    cluster.kubectl("rollout", "status", "deployment/well", *more, "--timeout=60s")
    wait_for(lambda: got(cluster, "diagnosis", "service.well", *more)["verdict"] == "Healthy", "well is served", 60)
    # Nobody answers: the reasons are those of its pods.
    assert short(traced(cluster, "service.shy", "Unhealthy", *more)) == [("kubelet", "probe", "error")]
    gaps = {one["what"]: one for one in got(cluster, "diagnosis", "service.shy", *more)["desired"]}
    assert (gaps["ready endpoints"]["gap"], gaps["ready endpoints"]["closedBy"]) == (
        "1 of 1 pods get no requests",
        "kubelet",
    )
    # Where nobody is chosen the loop of the endpoints says what it found.
    cluster.kubectl("create", "service", "clusterip", "lonely", "--tcp=80", *more)
    assert short(traced(cluster, "service.lonely", "SelectorMatchesNothing", *more)) == [("endpointslice", "act", "ok")]
    # What has no selector stands in no list, and is told of by name.
    assert got(cluster, "diagnosis", "service.kubernetes")["verdict"] == "Healthy"
    listed = cluster.kubectl("get", "diagnoses", "-A", "-o", "name")
    assert "service.kubernetes" not in listed and "service.shy" in listed


def test_a_claim_tells_whom_it_waits_for(cluster):
    mode = {"provisioner": "sim.kubeweb.dev/disk", "volumeBindingMode": "WaitForFirstConsumer"}
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
        "storageClassName": "later",
    }
    apply(
        cluster,
        {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "later"}, **mode},
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": spec},
    )

    def phase():
        found = got(cluster, "diagnosis", "persistentvolumeclaim.data")
        return found["verdict"], found["desired"][0]["gap"]

    wait_for(lambda: phase() == ("Progressing", "it waits for a pod that uses it"), "it waits")
    volumes = {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]}
    apply(cluster, workload("user", spec={**volumes, "nodeSelector": {"disk": "none"}}))
    assert short(traced(cluster, "persistentvolumeclaim.data", "NodeSelectorMismatch")) == [
        ("scheduler", "filter", "refused")
    ]
    apply(cluster, workload("user", spec=volumes))
    cluster.kubectl("rollout", "status", "deployment/user", "--timeout=60s")
    wait_for(lambda: phase() == ("Healthy", ""), "it has its volume")
