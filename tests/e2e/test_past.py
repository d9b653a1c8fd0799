"""The cluster at a past revision: diagnoses, rights, causes and ends are worked out from what there was then, for whoever may see it now."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.person import Person
from tests.support.server import Cluster, wait_for

PASSWORD = "a-long-enough-one"
SIM = "/apis/sim.kubeweb.dev/v1alpha1"
DIAGNOSES = f"{SIM}/namespaces/default/diagnoses"
DEPLOYMENT = "/apis/apps/v1/namespaces/default/deployments/web"


def revision(cluster: Cluster) -> int:
    return int(cluster.request("GET", "/api/v1/nodes?limit=1")[1]["metadata"]["resourceVersion"])


def exactly(at: int) -> str:
    return f"resourceVersion={at}&resourceVersionMatch=Exact"


def diagnosis(cluster: Cluster, name: str, at: int | None = None) -> dict[str, Any]:
    """One Diagnosis, now or as of a revision."""
    past = f"&{exactly(at)}" if at else ""
    found = cluster.request("GET", f"{DIAGNOSES}?fieldSelector=metadata.name%3D{name}{past}")[1]["items"]
    return dict(found[0]) if found else {}


@pytest.fixture(scope="module")
def moments(cluster: Cluster) -> dict[str, int]:
    """A Deployment that was well, then broken, and is well again."""
    found = {"before": revision(cluster)}
    cluster.kubectl("create", "deployment", "web", "--image=nginx:1.27", "--replicas=2")

    def is_(verdict: str) -> int:
        return revision(cluster) if diagnosis(cluster, "deployment.web")["verdict"] == verdict else 0

    found["well"] = wait_for(lambda: is_("Healthy"), "a healthy Deployment", 60)
    cluster.kubectl("set", "image", "deployment/web", "nginx=nonsense:1")
    found["broken"] = wait_for(lambda: is_("Unhealthy"), "a broken one", 60)
    cluster.kubectl("set", "image", "deployment/web", "nginx=nginx:1.27")
    found["mended"] = wait_for(lambda: is_("Healthy"), "a mended one", 60)
    return found


def test_a_diagnosis_is_what_it_would_have_been_then(cluster, moments):
    assert diagnosis(cluster, "deployment.web", moments["before"]) == {}
    assert diagnosis(cluster, "deployment.web", moments["well"])["verdict"] == "Healthy"
    broken = diagnosis(cluster, "deployment.web", moments["broken"])
    assert broken["verdict"] == "Unhealthy"
    assert "ImagePull" in str(broken["checklist"]) and "nonsense" in str(broken)
    assert diagnosis(cluster, "deployment.web")["verdict"] == "Healthy"
    listed = cluster.request("GET", f"{DIAGNOSES}?{exactly(moments['broken'])}")[1]
    assert listed["metadata"]["resourceVersion"] == str(moments["broken"])


def test_the_matrix_of_a_daemonset_has_the_nodes_of_then(cluster):
    manifest = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {containers: [{name: c, image: nginx}]}
"""
    cluster.kubectl("apply", "-f", "-", stdin=manifest)

    def ready() -> set[str]:
        return {one["node"] for one in diagnosis(cluster, "daemonset.agent").get("nodes", ()) if one["ready"]}

    wait_for(lambda: len(ready()) == 3, "an agent on each node", 60)
    then = revision(cluster)
    node = '{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "late"}}'
    cluster.kubectl("create", "-f", "-", stdin=node)
    wait_for(lambda: "late" in ready(), "an agent on the new one", 60)
    past = {one["node"]: one["ready"] for one in diagnosis(cluster, "daemonset.agent", then)["nodes"]}
    assert past == {"node-1": True, "node-2": True, "node-3": True}
    nodes = cluster.request("GET", f"{SIM}/nodediagnoses?{exactly(then)}")[1]["items"]
    assert {one["metadata"]["name"] for one in nodes} == set(past)
    cluster.kubectl("delete", "daemonset", "agent")
    cluster.kubectl("delete", "node", "late")


def test_what_is_measured_is_not_kept_and_that_is_said(cluster, moments):
    code, answer = cluster.request("GET", f"/apis/metrics.k8s.io/v1beta1/nodes?{exactly(moments['well'])}")
    assert (code, answer["reason"]) == (410, "Expired")
    assert answer["message"].endswith(f"kept nowhere: there are none of revision {moments['well']}")
    assert cluster.request("GET", "/apis/metrics.k8s.io/v1beta1/nodes")[0] == 200


def test_a_revision_that_is_not_there_yet_or_makes_no_sense(cluster, moments):
    ahead = revision(cluster) + 100_000
    assert cluster.request("GET", f"{DIAGNOSES}?{exactly(ahead)}")[0] == 504
    assert cluster.request("GET", f"{DIAGNOSES}?resourceVersion=x&resourceVersionMatch=Exact")[0] == 400
    assert cluster.request("GET", f"{DIAGNOSES}?resourceVersionMatch=Exact")[0] == 422


def ask(cluster: Cluster, kind: str, plural: str, spec: dict[str, Any]) -> tuple[int, Any]:
    return cluster.request(
        "POST", f"{SIM}/{plural}", {"apiVersion": "sim.kubeweb.dev/v1alpha1", "kind": kind, "spec": spec}
    )


@pytest.fixture(scope="module")
def rights(cluster: Cluster) -> dict[str, int]:
    """When dora could do nothing, something, and nothing again."""
    found = {"nothing": revision(cluster)}
    cluster.kubectl("create", "role", "keeper", "--verb=delete", "--resource=pods")
    cluster.kubectl("create", "rolebinding", "dora", "--role=keeper", "--user=dora")
    found["something"] = revision(cluster)
    cluster.kubectl("delete", "rolebinding", "dora")
    found["taken"] = revision(cluster)
    return found


def test_who_could_do_what_is_told_by_the_rules_of_then(cluster, rights):
    asked = {"verb": "delete", "resource": "pods", "namespace": "default"}

    def at(moment: str) -> dict[str, Any]:
        spec = {"user": "dora", "resourceAttributes": asked, "revision": rights[moment]}
        return dict(ask(cluster, "AccessExplanation", "accessexplanations", spec)[1]["status"])

    assert [at(moment)["allowed"] for moment in rights] == [False, True, False]
    assert at("something")["grant"]["binding"] == "RoleBinding/default/dora"
    assert at("something")["revision"] == rights["something"]
    # What was refused then cannot be mended there.
    assert "suggestions" not in at("taken")
    now = ask(cluster, "AccessExplanation", "accessexplanations", {"user": "dora", "resourceAttributes": asked})[1]
    assert now["status"]["suggestions"] and "revision" not in now["status"]

    def who(moment: str) -> set[str]:
        report = ask(cluster, "AccessReport", "accessreports", {**asked, "revision": rights[moment]})[1]
        return {one["name"] for one in report["status"]["subjects"]}

    assert ["dora" in who(moment) for moment in rights] == [False, True, False]

    def cells(moment: str) -> list[str]:
        spec = {"user": "dora", "namespace": "default", "revision": rights[moment]}
        matrix = ask(cluster, "AccessMatrix", "accessmatrices", spec)[1]["status"]
        row = next(one for one in matrix["rows"] if (one["group"], one["resource"]) == ("", "pods"))
        return [cell["verb"] for cell in row["cells"] if cell["allowed"]]

    assert [cells(moment) for moment in rights] == [[], ["delete"], []]


def test_what_a_node_could_do_is_told_by_its_pods_of_then(cluster):
    spec = {"containers": [{"name": "c", "image": "nginx"}], "nodeName": "node-1"}
    spec["volumes"] = [{"name": "v", "secret": {"secretName": "key", "optional": True}}]
    before = revision(cluster)
    pod = {"metadata": {"name": "holder"}, "spec": spec}
    assert cluster.request("POST", "/api/v1/namespaces/default/pods", pod)[0] == 201
    there = revision(cluster)
    question = {
        "user": "system:node:node-1",
        "groups": ["system:nodes"],
        "resourceAttributes": {"verb": "get", "resource": "secrets", "namespace": "default", "name": "key"},
    }
    answers = [
        ask(cluster, "AccessExplanation", "accessexplanations", {**question, "revision": at})[1]["status"]["allowed"]
        for at in (before, there)
    ]
    assert answers == [False, True]


@pytest.mark.parametrize("at", [0, -1, 10**12])
def test_nonsense_for_a_revision_is_refused(cluster, at):
    spec = {"user": "dora", "namespace": "default", "revision": at}
    code, answer = ask(cluster, "AccessMatrix", "accessmatrices", spec)
    assert (code, answer["details"]["causes"][0]["field"]) == (422, "spec.revision")


def test_whoever_may_not_see_it_now_may_not_see_it_as_it_was(cluster, moments, rights):
    cluster.django(f"from cluster.accounts.models import User\nUser.objects.create_user('erin', password='{PASSWORD}')")
    erin = Person(cluster, "erin", PASSWORD).sign_in()
    cluster.kubectl("create", "rolebinding", "erin", "--clusterrole=admin", "--user=erin")
    past = f"{DIAGNOSES}?{exactly(moments['broken'])}"
    why = f"/explorer/why/?resource=apps/v1/deployments&namespace=default&name=web&at={moments['broken']}"
    access = {"user": "dora", "namespace": "default", "revision": rights["something"]}
    question = {"apiVersion": "sim.kubeweb.dev/v1alpha1", "kind": "AccessMatrix", "spec": access}
    at = revision(cluster)
    for path in (past, why):
        assert erin.ask("GET", path)[0] == 200
    assert erin.ask("POST", f"{SIM}/accessmatrices", question)[0] == 201
    cluster.kubectl("delete", "rolebinding", "erin")
    # They could at that revision; what counts is that they may not now.
    for path in (past, f"{DIAGNOSES}?{exactly(at)}", why):
        assert erin.ask("GET", path)[0] == 403
    assert erin.ask("POST", f"{SIM}/accessmatrices", question)[0] == 403


def explorer(cluster: Cluster) -> Person:
    return Person(cluster).sign_in()


def test_why_tells_of_nothing_that_came_after(cluster, moments):
    admin = explorer(cluster)
    path = "/explorer/why/?resource=apps/v1/deployments&namespace=default&name=web"

    def told(moment: str) -> dict[str, Any]:
        return dict(admin.ask("GET", f"{path}&at={moments[moment]}")[1])

    now = admin.ask("GET", path)[1]
    for moment in ("well", "broken"):
        then = told(moment)
        assert then["object"]["exists"]
        assert 0 < len(then["changes"]) < len(now["changes"])
        assert all(one["revision"] <= moments[moment] for one in then["changes"])
        assert all(one["revision"] <= moments[moment] for one in then["since"])
    assert "nonsense" not in str(told("well")) and "nonsense" in str(told("broken"))
    assert admin.ask("GET", f"{path}&at={moments['before']}")[0] == 404
    assert admin.ask("GET", f"{path}&at=x")[0] == 400


def test_the_end_of_a_pod_is_told_as_far_as_it_had_come(cluster):
    admin = explorer(cluster)
    spec = {
        "containers": [
            {
                "name": "c",
                "image": "nginx",
                "lifecycle": {"preStop": {"sleep": {"seconds": 2}}},
            }
        ],
        "terminationGracePeriodSeconds": 20,
    }
    cluster.request("POST", "/api/v1/namespaces/default/pods", {"metadata": {"name": "goner"}, "spec": spec})
    pod = "/api/v1/namespaces/default/pods/goner"
    wait_for(lambda: cluster.request("GET", pod)[1]["status"].get("phase") == "Running", "a running pod", 30)
    standing = revision(cluster)
    cluster.request("DELETE", pod)
    ending = revision(cluster)
    wait_for(lambda: cluster.request("GET", pod)[0] == 404, "its end", 60)
    # Something has to be written, and noted, after it.
    cluster.kubectl("create", "configmap", "after")

    def told(at: int | None) -> dict[str, Any]:
        past = f"&at={at}" if at else ""
        return dict(admin.ask("GET", f"/explorer/termination/?namespace=default&name=goner{past}")[1])

    whole = told(None)
    assert whole["gone"] and whole["kept"] and whole["until"] is None
    before = told(standing)
    assert (before["deleting"], before["bars"]) == (False, [])
    under_way = told(ending)
    assert (under_way["deleting"], under_way["gone"]) == (True, False)
    assert under_way["bars"]
    assert all(bar["start"] <= under_way["until"] for bar in under_way["bars"] if not bar["revision"])
    assert {bar["what"] for bar in under_way["bars"]} < {bar["what"] for bar in whole["bars"]}
    assert "remove" not in {bar["what"] for bar in under_way["bars"]}
