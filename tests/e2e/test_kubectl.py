"""Real kubectl 1.37 over HTTPS: columns, messages and exit codes as users know them."""

from __future__ import annotations

import json
import re

import pytest

from tests.support.server import ROOT, wait_for

WEB = str(ROOT / "examples" / "10-web.yaml")


@pytest.fixture(scope="module")
def web(cluster):
    assert cluster.kubectl("apply", "-f", WEB) == "deployment.apps/web created\n"
    out = cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    assert out.endswith('deployment "web" successfully rolled out\n')
    return cluster


def pods(cluster, *arguments):
    found = json.loads(cluster.kubectl("get", "pods", "-o", "json", *arguments))["items"]
    return [pod for pod in found if not pod["metadata"].get("deletionTimestamp")]


def test_nodes_are_there(cluster):
    lines = cluster.kubectl("get", "nodes").splitlines()
    assert lines[0].split() == ["NAME", "STATUS", "ROLES", "AGE", "VERSION"]
    assert [line.split()[:3] for line in lines[1:]] == [[f"node-{n}", "Ready", "<none>"] for n in (1, 2, 3)]


def test_apply_again_changes_nothing(web):
    assert web.kubectl("apply", "-f", WEB) == "deployment.apps/web unchanged\n"


def test_get_shows_kubernetes_columns(web):
    lines = web.kubectl("get", "deployments").splitlines()
    assert lines[0].split() == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    assert lines[1].split()[:4] == ["web", "3/3", "3", "3"]
    wide = web.kubectl("get", "pods", "-o", "wide").splitlines()
    assert wide[0].split()[:7] == ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE"]
    assert all(re.match(r"web-\w+-\w{5}\s+1/1\s+Running\s+0\s+\S+\s+10\.244\.", line) for line in wide[1:])


def test_describe_tells_the_story(web):
    name = pods(web)[0]["metadata"]["name"]
    out = web.kubectl("describe", "pod", name)
    assert "Controlled By:  ReplicaSet/web-" in out
    assert re.search(
        rf"Normal\s+Scheduled\s+\S+\s+default-scheduler\s+Successfully assigned default/{name} to node-\d", out
    )
    for reason in ("Pulled", "Created", "Started"):
        assert re.search(rf"Normal\s+{reason}\s+\S+\s+kubelet\s+", out), out
    out = web.kubectl("describe", "deployment", "web")
    assert "ScalingReplicaSet" in out and "Scaled up replica set" in out


def test_scale_and_delete_heal(web):
    assert web.kubectl("scale", "deployment/web", "--replicas=5") == "deployment.apps/web scaled\n"
    web.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    assert len(pods(web)) == 5
    victim = pods(web)[0]["metadata"]["name"]
    assert web.kubectl("delete", "pod", victim).startswith(f'pod "{victim}" deleted')
    wait_for(
        lambda: len([p for p in pods(web) if p["status"]["phase"] == "Running"]) == 5 and victim not in str(pods(web)),
        "the pod is replaced",
    )
    web.kubectl("scale", "deployment/web", "--replicas=3")
    wait_for(lambda: len(pods(web)) == 3, "three are left")


def test_rollout_history_and_undo(web):
    assert web.kubectl("set", "image", "deployment/web", "web=nginx:1.28") == "deployment.apps/web image updated\n"
    web.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    assert {pod["spec"]["containers"][0]["image"] for pod in pods(web)} == {"nginx:1.28"}
    history = web.kubectl("rollout", "history", "deployment/web")
    assert "REVISION  CHANGE-CAUSE" in history
    assert "deployment.apps/web rolled back" in web.kubectl("rollout", "undo", "deployment/web")
    web.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    assert {pod["spec"]["containers"][0]["image"] for pod in pods(web)} == {"nginx:1.27"}


def test_logs(web):
    name = pods(web)[0]["metadata"]["name"]
    assert "start worker processes" in web.kubectl("logs", name)
    assert len(web.kubectl("logs", name, "--tail=1").splitlines()) == 1


def test_get_watches(web):
    watching = web.run
    out = watching("timeout", "4", "sh", "-c", 'exec "$0" get pods -w', str(ROOT / ".tools" / "kubectl")).stdout
    assert out.count("Running") >= 3


def test_server_side_apply_and_conflict(cluster):
    manifest = json.dumps(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "owned", "namespace": "default"},
            "data": {"a": "1"},
        }
    )
    assert "configmap/owned serverside-applied" in cluster.kubectl(
        "apply", "--server-side", "--field-manager=one", "-f", "-", stdin=manifest
    )
    changed = manifest.replace('"1"', '"2"')
    out = cluster.kubectl("apply", "--server-side", "--field-manager=two", "-f", "-", stdin=changed, check=False)
    assert 'Apply failed with 1 conflict: conflict with "one": .data.a' in out
    assert "serverside-applied" in cluster.kubectl(
        "apply", "--server-side", "--field-manager=two", "--force-conflicts", "-f", "-", stdin=changed
    )


def test_refusals_are_worded_as_users_know_them(cluster):
    out = cluster.kubectl("get", "pod", "nosuch", check=False)
    assert out == 'Error from server (NotFound): pods "nosuch" not found\n'
    out = cluster.kubectl("apply", "-f", str(ROOT / "examples" / "70-invalid.yaml"), check=False)
    assert (
        "spec.template.metadata.labels: Invalid value" in out and "`selector` does not match template `labels`" in out
    )
    out = cluster.kubectl("get", "deployments", "--as=nobody", check=False)
    assert out == (
        'Error from server (Forbidden): deployments.apps is forbidden: User "nobody" cannot list resource "deployments" '
        'in API group "apps" in the namespace "default"\n'
    )
    typo = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: t}\ndatta: {a: "1"}\n'
    out = cluster.kubectl("apply", "-f", "-", stdin=typo, check=False)
    assert 'unknown field "datta"' in out


def test_explain_and_api_resources(cluster):
    assert "DeploymentStrategy" in cluster.kubectl("explain", "deployment.spec.strategy")
    out = cluster.kubectl("api-resources")
    assert re.search(r"^deployments\s+deploy\s+apps/v1\s+true\s+Deployment$", out, re.MULTILINE)
    assert "v1.37" in cluster.kubectl("version")


def test_a_namespace_goes_with_all_it_holds(cluster):
    cluster.kubectl("apply", "-f", str(ROOT / "examples" / "20-shop.yaml"))
    cluster.kubectl("rollout", "status", "deployment/api", "-n", "shop", "--timeout=60s")
    wait_for(lambda: "10.244." in cluster.kubectl("get", "endpointslices", "-n", "shop"), "the pods' addresses")
    cluster.kubectl("delete", "namespace", "shop", "--timeout=60s")
    assert "NotFound" in cluster.kubectl("get", "namespace", "shop", check=False)


def test_deleting_the_deployment_takes_its_pods(web):
    assert web.kubectl("delete", "deployment", "web", "--cascade=foreground", "--timeout=60s").startswith(
        'deployment.apps "web" deleted'
    )
    wait_for(lambda: "No resources found" in web.kubectl("get", "pods", "-l", "app=web"), "all pods are gone")


def test_every_example_is_what_it_says(cluster):
    for path in sorted((ROOT / "examples").glob("*.yaml")):
        out = cluster.kubectl("apply", "--dry-run=server", "-f", str(path), check=False)
        # A namespace that a dry run only pretends to make is not there for what follows.
        lines = [line for line in out.splitlines() if "NotFound): error when creating" not in line]
        problems = [line for line in lines if "rror" in line or "is invalid" in line]
        assert bool(problems) is (path.name == "70-invalid.yaml"), f"{path.name}:\n{out}"


def test_an_empty_list_that_is_applied_takes_away_what_others_said(cluster):
    cluster.kubectl("create", "deployment", "emptied", "--image=busybox", "--", "sleep", "3600")
    container = {"name": "busybox", "command": [], "args": []}
    spec = {"template": {"spec": {"containers": [container]}}}
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "emptied"}, "spec": spec}
    apply = ("apply", "--server-side", "--field-manager=two", "-f", "-")
    refused = cluster.kubectl(*apply, stdin=json.dumps(body), check=False)
    assert ".spec.template.spec.containers" in refused and ".command" in refused
    cluster.kubectl(*apply, "--force-conflicts", stdin=json.dumps(body))
    stored = json.loads(cluster.kubectl("get", "deployment", "emptied", "-o", "json"))
    assert not {"command", "args"} & set(stored["spec"]["template"]["spec"]["containers"][0])
    cluster.kubectl("delete", "deployment", "emptied")
