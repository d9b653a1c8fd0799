"""agnhost's webhook in the cluster, as Kubernetes' own tests deploy it."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.support.admission import CONFIGMAPS, DEPLOYMENTS, Admission, config_map, rule, webhook
from tests.support.manifests import deployment
from tests.support.server import Cluster, wait_for

AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.57"


@pytest.fixture(scope="module")
def sample(cluster: Cluster) -> Cluster:
    container = {
        "name": "sample-webhook",
        "args": [
            "webhook",
            "--tls-cert-file=/webhook.local.config/certificates/tls.crt",
            "--alsologtostderr",
            "-v=4",
            "--port=8444",
        ],
        "ports": [{"containerPort": 8444}],
        "readinessProbe": {"httpGet": {"scheme": "HTTPS", "port": 8444, "path": "/readyz"}, "periodSeconds": 1},
    }
    made = deployment("sample-webhook", 1, AGNHOST, container=container)
    assert cluster.request("POST", DEPLOYMENTS, made)[0] == 201
    service = {"selector": {"app": "sample-webhook"}, "ports": [{"port": 8443, "targetPort": 8444}]}
    cluster.request(
        "POST",
        "/api/v1/namespaces/default/services",
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "e2e-test-webhook"}, "spec": service},
    )
    cluster.kubectl("rollout", "status", "deployment/sample-webhook", "--timeout=30s")
    wait_for(lambda: _endpoints(cluster))
    return cluster


def _endpoints(cluster: Cluster) -> Any:
    found = cluster.request(
        "GET",
        "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io/service-name=e2e-test-webhook",
    )[1]
    return [
        one
        for piece in found["items"]
        for one in piece.get("endpoints") or ()
        if (one.get("conditions") or {}).get("ready")
    ]


def at(path: str) -> dict[str, Any]:
    return {
        "service": {"namespace": "default", "name": "e2e-test-webhook", "path": path, "port": 8443},
        "caBundle": base64.b64encode(b"any").decode(),
    }


def test_a_webhook_in_the_cluster_refuses_pods_and_configmaps(sample: Cluster, admission: Admission) -> None:
    body = webhook(at("/configmaps"), objectSelector={})
    second = {
        **body["webhooks"][0],
        "name": "pods.example.com",
        "clientConfig": at("/pods"),
        "rules": [rule("", "v1", "pods", "CREATE")],
    }
    admission.put("validatingwebhookconfigurations", "e2e", {"webhooks": [body["webhooks"][0], second]})
    status, refused = sample.request(
        "POST", CONFIGMAPS, config_map("unwanted", None, **{"webhook-e2e-test": "webhook-disallow"})
    )
    assert status == 400
    assert (
        refused["message"]
        == 'admission webhook "hook.example.com" denied the request: the configmap contains unwanted key and value'
    )
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "unwanted", "labels": {"webhook-e2e-test": "webhook-disallow"}},
        "spec": {"containers": [{"name": "webhook-disallow", "image": "nginx"}]},
    }
    refused = sample.request("POST", "/api/v1/namespaces/default/pods", pod)[1]
    assert "the pod contains unwanted label; the pod contains unwanted container name;" in refused["message"]


def test_webhooks_in_the_cluster_mutate_in_stages(sample: Cluster, admission: Admission) -> None:
    body = webhook(at("/mutating-configmaps"), objectSelector={})
    first = {**body["webhooks"][0], "name": "adding-configmap-data-stage-1.k8s.io"}
    second = {**body["webhooks"][0], "name": "adding-configmap-data-stage-2.k8s.io"}
    admission.put("mutatingwebhookconfigurations", "stages", {"webhooks": [first, second]})
    made = sample.request("POST", CONFIGMAPS, config_map("staged", None, **{"mutation-start": "yes"}))[1]
    assert made["data"] == {"mutation-start": "yes", "mutation-stage-1": "yes", "mutation-stage-2": "yes"}


def test_a_webhook_may_forbid_to_attach(sample: Cluster, admission: Admission) -> None:
    body = webhook(
        at("/pods/attach"),
        objectSelector={},
        rules=[rule("", "v1", "pods/attach", "CONNECT")],
        name="deny-attaching-pod.k8s.io",
    )
    admission.put("validatingwebhookconfigurations", "attach", body)
    sample.kubectl("run", "to-be-attached-pod", "--image=nginx")
    sample.kubectl("wait", "--for=condition=Ready", "pod/to-be-attached-pod", "--timeout=30s")
    told = sample.kubectl("attach", "pod/to-be-attached-pod", "-i", "-c=to-be-attached-pod", check=False, timeout=30)
    assert "attaching to pod 'to-be-attached-pod' is not allowed" in told


def test_a_webhook_in_the_cluster_that_never_answers(sample: Cluster, admission: Admission) -> None:
    admission.put(
        "validatingwebhookconfigurations",
        "delay",
        webhook(at("/always-allow-delay-5s"), objectSelector={}, timeoutSeconds=1),
    )
    status, refused = sample.request("POST", CONFIGMAPS, config_map("delayed"))
    assert status == 500 and "context deadline exceeded" in refused["message"]


def test_what_a_webhook_adds_against_the_schema_is_pruned(sample: Cluster, admission: Admission) -> None:
    """[sig-api-machinery] AdmissionWebhook should mutate custom resource with pruning."""
    text = {"type": "string"}
    data = {"type": "object", "properties": {"mutation-start": text, "mutation-stage-1": text}}
    versions = [
        {
            "name": "v1",
            "served": True,
            "storage": True,
            "schema": {"openAPIV3Schema": {"type": "object", "properties": {"data": data}}},
        }
    ]
    names = {"plural": "pruned", "kind": "Pruned"}
    spec = {"group": "webhook.example.com", "scope": "Namespaced", "names": names, "versions": versions}
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "pruned.webhook.example.com"},
        "spec": spec,
    }
    assert sample.request("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd)[0] == 201
    path = "/apis/webhook.example.com/v1/namespaces/default/pruned"
    wait_for(lambda: sample.request("GET", path)[0] == 200)
    body = webhook(
        at("/mutating-custom-resource"), objectSelector={}, rules=[rule("webhook.example.com", "v1", "pruned")]
    )
    second = {**body["webhooks"][0], "name": "second.example.com"}
    admission.put("mutatingwebhookconfigurations", "pruning", {"webhooks": [body["webhooks"][0], second]})
    obj = {
        "apiVersion": "webhook.example.com/v1",
        "kind": "Pruned",
        "metadata": {"name": "one"},
        "data": {"mutation-start": "yes"},
    }
    status, made = sample.request("POST", f"{path}?fieldValidation=Strict", obj)
    assert status == 201 and made["data"] == {"mutation-start": "yes", "mutation-stage-1": "yes"}
