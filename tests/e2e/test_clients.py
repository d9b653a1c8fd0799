"""Other clients that people bring, unchanged: kubectl's typed commands (protobuf bodies), helm 4, the Python client."""

from __future__ import annotations

import base64
import json
import threading

import kubernetes
import pytest
import yaml

from tests.support.kubectl import got
from tests.support.server import tool, wait_for


def test_kubectl_create_sends_protobuf(cluster):
    create = {
        ("deployment", "typed", "--image=nginx", "--replicas=2", "--port=80"): "deployment.apps/typed created\n",
        ("namespace", "typed"): "namespace/typed created\n",
        ("configmap", "typed", "--from-literal=a=b"): "configmap/typed created\n",
        ("secret", "generic", "typed", "--from-literal=p=q"): "secret/typed created\n",
        ("serviceaccount", "typed"): "serviceaccount/typed created\n",
        ("role", "typed", "--verb=get,list", "--resource=pods"): "role.rbac.authorization.k8s.io/typed created\n",
        ("service", "nodeport", "typed", "--tcp=80:http", "--node-port=30123"): "service/typed created\n",
        ("poddisruptionbudget", "typed", "--selector=app=typed", "--min-available=50%"): (
            "poddisruptionbudget.policy/typed created\n"
        ),
    }
    for arguments, answer in create.items():
        assert cluster.kubectl("create", *arguments) == answer
    cluster.kubectl("rollout", "status", "deployment/typed", "--timeout=60s")
    assert base64.b64decode(got(cluster, "secret", "typed")["data"]["p"]) == b"q"
    port = got(cluster, "service", "typed")["spec"]["ports"][0]
    assert (port["port"], port["targetPort"], port["nodePort"]) == (80, "http", 30123)
    assert got(cluster, "role", "typed")["rules"] == [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}
    ]
    assert got(cluster, "poddisruptionbudget", "typed")["spec"]["minAvailable"] == "50%"
    assert (
        cluster.kubectl("auth", "can-i", "list", "pods", "--as=system:serviceaccount:default:typed", check=False)
        == "no\n"
    )
    cluster.kubectl("create", "rolebinding", "typed", "--role=typed", "--serviceaccount=default:typed")
    assert cluster.kubectl("auth", "can-i", "list", "pods", "--as=system:serviceaccount:default:typed") == "yes\n"
    assert cluster.kubectl("create", "token", "typed").count(".") == 2
    out = cluster.kubectl("create", "configmap", "Not_A_Name", check=False)
    assert "a lowercase RFC 1123 subdomain must consist of" in out


CHART = {
    "Chart.yaml": "apiVersion: v2\nname: site\nversion: 0.1.0\n",
    "values.yaml": "replicas: 2\n",
    "templates/site.yaml": """
apiVersion: apps/v1
kind: Deployment
metadata: {name: "{{ .Release.Name }}"}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: "{{ .Release.Name }}"}}
  template:
    metadata: {labels: {app: "{{ .Release.Name }}"}}
    spec:
      containers: [{name: web, image: "nginx:1.27", ports: [{containerPort: 80}]}]
---
apiVersion: v1
kind: Service
metadata: {name: "{{ .Release.Name }}"}
spec: {selector: {app: "{{ .Release.Name }}"}, ports: [{port: 80}]}
""",
}


def test_helm(cluster, tmp_path):
    for name, text in CHART.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)

    def helm(*arguments):
        done = cluster.run(tool("helm"), *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "STATUS: deployed" in helm("install", "site", str(tmp_path), "--wait", "--timeout=60s")
    assert got(cluster, "deployment", "site")["status"]["readyReplicas"] == 2
    assert "STATUS: deployed" in helm("upgrade", "site", str(tmp_path), "--set=replicas=3", "--wait", "--timeout=60s")
    assert got(cluster, "deployment", "site")["status"]["readyReplicas"] == 3
    helm("rollback", "site", "1", "--wait", "--timeout=60s")
    assert got(cluster, "deployment", "site")["spec"]["replicas"] == 2
    assert [row["revision"] for row in json.loads(helm("history", "site", "-o", "json"))] == [1, 2, 3]
    helm("uninstall", "site", "--wait", "--timeout=60s")
    assert "NotFound" in cluster.kubectl("get", "deployment", "site", check=False)


@pytest.fixture
def python(cluster):
    api = kubernetes.config.new_client_from_config_dict(yaml.safe_load(cluster.kubeconfig.read_text()))
    with api:
        yield api


def test_python_client_creates_watches_and_deletes(python):
    core = kubernetes.client.CoreV1Api(python)
    seen: list[tuple[str, str]] = []
    done = threading.Event()

    def follow() -> None:
        watch = kubernetes.watch.Watch()
        for event in watch.stream(core.list_namespaced_pod, "default", label_selector="by=python", timeout_seconds=60):
            seen.append((event["type"], event["object"].status.phase))
            if event["type"] == "DELETED":
                done.set()
                return

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    pod = kubernetes.client.V1Pod(
        metadata=kubernetes.client.V1ObjectMeta(name="snake", labels={"by": "python"}),
        spec=kubernetes.client.V1PodSpec(
            containers=[kubernetes.client.V1Container(name="c", image="nginx")], termination_grace_period_seconds=0
        ),
    )
    core.create_namespaced_pod("default", pod)
    wait_for(lambda: core.read_namespaced_pod("snake", "default").status.phase == "Running", "the pod runs")
    core.patch_namespaced_pod("snake", "default", {"metadata": {"labels": {"seen": "yes"}}})
    assert core.read_namespaced_pod("snake", "default").metadata.labels == {"by": "python", "seen": "yes"}
    core.delete_namespaced_pod("snake", "default")
    assert done.wait(60), seen
    assert seen[0][0] == "ADDED" and seen[-1][0] == "DELETED" and ("MODIFIED", "Running") in seen


def test_python_client_hears_refusals(python):
    core = kubernetes.client.CoreV1Api(python)
    with pytest.raises(kubernetes.client.ApiException) as caught:
        core.read_namespaced_pod("nosuch", "default")
    assert caught.value.status == 404 and json.loads(caught.value.body)["reason"] == "NotFound"


def test_python_client_reads_what_nearly_allowed_it(cluster, python):
    cluster.kubectl("create", "namespace", "lab")
    cluster.kubectl("create", "rolebinding", "lab-view", "--clusterrole=view", "--user=lena", "-n", "lab")
    what = kubernetes.client.V1ResourceAttributes(verb="list", resource="pods", namespace="default")
    spec = kubernetes.client.V1SubjectAccessReviewSpec(user="lena", resource_attributes=what)
    reviews = kubernetes.client.AuthorizationV1Api(python)
    status = reviews.create_subject_access_review(kubernetes.client.V1SubjectAccessReview(spec=spec)).status
    assert (status.allowed, status.reason) == (
        False,
        "RBAC: RoleBinding lab-view would allow it, but it is in namespace lab, not default.",
    )
