"""Admission that people configure: policies in CEL, mutations, and webhooks that are really called."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.hooks import Hook
from tests.support.server import Cluster, wait_for

GROUP = "/apis/admissionregistration.k8s.io/v1"
CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"


def config_map(name: str, labels: dict[str, str] | None = None, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels or {}}, "data": data}


def deployment(name: str, replicas: int) -> dict[str, Any]:
    template = {"metadata": {"labels": {"a": name}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"a": name}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def rule(group: str, version: str, resource: str, *operations: str) -> dict[str, Any]:
    return {
        "apiGroups": [group],
        "apiVersions": [version],
        "resources": [resource],
        "operations": list(operations or ("CREATE", "UPDATE")),
    }


def put(cluster: Cluster, resource: str, name: str, body: dict[str, Any]) -> None:
    kinds = {
        "validatingadmissionpolicies": "ValidatingAdmissionPolicy",
        "validatingadmissionpolicybindings": "ValidatingAdmissionPolicyBinding",
        "mutatingadmissionpolicies": "MutatingAdmissionPolicy",
        "mutatingadmissionpolicybindings": "MutatingAdmissionPolicyBinding",
        "validatingwebhookconfigurations": "ValidatingWebhookConfiguration",
        "mutatingwebhookconfigurations": "MutatingWebhookConfiguration",
    }
    obj = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": kinds[resource], "metadata": {"name": name}, **body}
    status, answer = cluster.request("POST", f"{GROUP}/{resource}", obj)
    assert status == 201, answer


def drop(cluster: Cluster, resource: str, name: str) -> None:
    cluster.request("DELETE", f"{GROUP}/{resource}/{name}")


# -- policies ----------------------------------------------------------------------------------------------------------


def test_a_policy_denies_in_its_own_words(cluster: Cluster) -> None:
    spec = {
        "matchConstraints": {"resourceRules": [rule("apps", "v1", "deployments")]},
        "variables": [{"name": "limit", "expression": "5"}],
        "validations": [
            {"expression": "object.spec.replicas <= variables.limit"},
            {
                "expression": "object.metadata.name != 'ugly'",
                "messageExpression": "'the name ' + object.metadata.name + ' is ugly'",
                "reason": "Forbidden",
            },
        ],
    }
    put(cluster, "validatingadmissionpolicies", "few.example.com", {"spec": spec})
    put(
        cluster,
        "validatingadmissionpolicybindings",
        "few-binding",
        {"spec": {"policyName": "few.example.com", "validationActions": ["Deny"]}},
    )
    status, refused = cluster.request("POST", DEPLOYMENTS, deployment("many", 6))
    assert status == 422 and refused["reason"] == "Invalid"
    assert refused["message"] == (
        "deployments.apps \"many\" is forbidden: ValidatingAdmissionPolicy 'few.example.com' with binding 'few-binding' "
        "denied request: failed expression: object.spec.replicas <= variables.limit"
    )
    status, refused = cluster.request("POST", DEPLOYMENTS, deployment("ugly", 1))
    assert status == 403 and refused["message"].endswith("denied request: the name ugly is ugly")
    assert cluster.request("POST", DEPLOYMENTS, deployment("fine", 1))[0] == 201
    refused = cluster.kubectl("patch", "deployment/fine", "-p", '{"spec":{"replicas":9}}', check=False)
    assert "failed expression: object.spec.replicas <= variables.limit" in refused
    drop(cluster, "validatingadmissionpolicybindings", "few-binding")
    assert cluster.request("POST", DEPLOYMENTS, deployment("many", 6))[0] == 201


def test_parameters_conditions_and_warnings(cluster: Cluster) -> None:
    cluster.request("POST", CONFIGMAPS, config_map("limits", most="3"))
    spec = {
        "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
        "matchConstraints": {"resourceRules": [rule("", "v1", "configmaps")]},
        "matchConditions": [
            {"name": "labelled", "expression": "object.metadata.?labels.?checked.orValue('') == 'yes'"}
        ],
        "validations": [{"expression": "object.data.size() <= int(params.data.most)", "message": "too many keys"}],
    }
    put(cluster, "validatingadmissionpolicies", "keys.example.com", {"spec": spec})
    reference = {"name": "limits", "namespace": "default", "parameterNotFoundAction": "Deny"}
    put(
        cluster,
        "validatingadmissionpolicybindings",
        "keys",
        {"spec": {"policyName": "keys.example.com", "paramRef": reference, "validationActions": ["Warn"]}},
    )
    body = json.dumps(config_map("wide", {"checked": "yes"}, a="1", b="2", c="3", d="4"))
    told = cluster.kubectl("create", "-f", "-", stdin=body)
    assert (
        "Warning: Validation failed for ValidatingAdmissionPolicy 'keys.example.com' with binding 'keys': too many keys"
        in told
    )
    free = json.dumps(config_map("free", None, a="1", b="2", c="3", d="4"))
    assert "Warning" not in cluster.kubectl("create", "-f", "-", stdin=free)
    drop(cluster, "validatingadmissionpolicybindings", "keys")
    missing = {**reference, "name": "nowhere"}
    put(
        cluster,
        "validatingadmissionpolicybindings",
        "keys",
        {"spec": {"policyName": "keys.example.com", "paramRef": missing, "validationActions": ["Deny"]}},
    )
    status, refused = cluster.request("POST", CONFIGMAPS, config_map("late", {"checked": "yes"}))
    assert (
        status == 422 and "no params found for policy binding with `Deny` parameterNotFoundAction" in refused["message"]
    )
    drop(cluster, "validatingadmissionpolicybindings", "keys")


def test_expressions_are_checked_against_the_kinds_they_speak_of(cluster: Cluster) -> None:
    spec = {
        "matchConstraints": {"resourceRules": [rule("apps", "v1", "deployments")]},
        "validations": [{"expression": "object.spec.replicass > 1"}, {"expression": "object.spec.replicas > 1"}],
    }
    put(cluster, "validatingadmissionpolicies", "typo.example.com", {"spec": spec})
    path = f"{GROUP}/validatingadmissionpolicies/typo.example.com"
    status = wait_for(
        lambda: (
            (cluster.request("GET", path)[1].get("status") or {}).get("typeChecking")
            and cluster.request("GET", path)[1]["status"]
        )
    )
    (warning,) = status["typeChecking"]["expressionWarnings"]
    assert warning["fieldRef"] == "spec.validations[0].expression" and "apps/v1, Kind=Deployment" in warning["warning"]
    assert "undefined field 'replicass'" in warning["warning"] and status["observedGeneration"] == 1
    bad = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "bad"},
    }
    bad["spec"] = {**spec, "validations": [{"expression": "nothing > 1"}]}  # type: ignore[assignment]
    status, refused = cluster.request("POST", f"{GROUP}/validatingadmissionpolicies", bad)
    assert status == 422 and "undeclared reference to 'nothing'" in refused["message"]


def test_a_mutating_policy_changes_what_it_matches(cluster: Cluster) -> None:
    spec = {
        "matchConstraints": {
            "resourceRules": [rule("", "v1", "configmaps", "CREATE")],
            "objectSelector": {"matchLabels": {"mutate": "me"}},
        },
        "reinvocationPolicy": "Never",
        "failurePolicy": "Fail",
        "mutations": [
            {
                "patchType": "ApplyConfiguration",
                "applyConfiguration": {
                    "expression": "Object{metadata: Object.metadata{labels: Object.metadata.labels{added: 'x'}}}"
                },
            },
            {
                "patchType": "JSONPatch",
                "jsonPatch": {
                    "expression": "[JSONPatch{op: 'add', path: '/data/' + jsonpatch.escapeKey('a/b'), value: 'c'}]"
                },
            },
        ],
    }
    put(
        cluster,
        "mutatingadmissionpolicies",
        "label.example.com",
        {"spec": {**spec, "mutations": spec["mutations"][:1]}},
    )
    put(cluster, "mutatingadmissionpolicybindings", "label", {"spec": {"policyName": "label.example.com"}})
    made = cluster.request("POST", CONFIGMAPS, config_map("mutated", {"mutate": "me"}, k="v"))[1]
    assert made["metadata"]["labels"] == {"mutate": "me", "added": "x"}
    assert "labels" not in cluster.request("POST", CONFIGMAPS, config_map("plain", None, k="v"))[1]["metadata"]
    drop(cluster, "mutatingadmissionpolicybindings", "label")


# -- webhooks ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hook]:
    made = Hook(tmp_path_factory.mktemp("hook"))
    yield made
    made.close()


def webhook(client: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "webhooks": [
            {
                "name": "hook.example.com",
                "clientConfig": client,
                "rules": [rule("", "v1", "configmaps", "CREATE", "UPDATE", "DELETE")],
                "objectSelector": {"matchLabels": {"hooked": "yes"}},
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
                **more,
            }
        ]
    }


def test_a_validating_webhook_is_asked_and_may_refuse(cluster: Cluster, hook: Hook) -> None:
    put(cluster, "validatingwebhookconfigurations", "refuse", webhook(hook.client_config))
    hook.answer = lambda request: {
        "allowed": False,
        "status": {"message": "not today", "code": 403},
        "warnings": ["think again"],
    }
    status, refused = cluster.request("POST", CONFIGMAPS, config_map("asked", {"hooked": "yes"}, k="v"))
    assert status == 403
    assert refused["message"] == 'admission webhook "hook.example.com" denied the request: not today'
    asked = hook.asked[-1]
    assert asked["operation"] == "CREATE" and asked["object"]["data"] == {"k": "v"} and asked["oldObject"] is None
    assert asked["userInfo"]["username"] and asked["resource"] == {
        "group": "",
        "version": "v1",
        "resource": "configmaps",
    }
    assert "Warning: think again" in cluster.kubectl(
        "create", "-f", "-", stdin=json.dumps(config_map("asked", {"hooked": "yes"})), check=False
    )
    assert cluster.request("POST", CONFIGMAPS, config_map("unasked"))[0] == 201
    hook.answer = lambda request: {"allowed": True}
    assert cluster.request("POST", CONFIGMAPS, config_map("asked", {"hooked": "yes"}))[0] == 201
    hook.answer = lambda request: {"allowed": False}
    status, refused = cluster.request("DELETE", f"{CONFIGMAPS}/asked")
    assert status == 400 and refused["message"].endswith("denied the request without explanation")
    assert hook.asked[-1]["operation"] == "DELETE" and hook.asked[-1]["oldObject"]["metadata"]["name"] == "asked"
    drop(cluster, "validatingwebhookconfigurations", "refuse")


def test_a_mutating_webhook_patches(cluster: Cluster, hook: Hook) -> None:
    put(cluster, "mutatingwebhookconfigurations", "patch", webhook(hook.client_config))
    patch = base64.b64encode(json.dumps([{"op": "add", "path": "/data/added", "value": "yes"}]).encode()).decode()
    hook.answer = lambda request: {"allowed": True, "patchType": "JSONPatch", "patch": patch}
    made = cluster.request("POST", CONFIGMAPS, config_map("patched", {"hooked": "yes"}, k="v"))[1]
    assert made["data"] == {"k": "v", "added": "yes"}
    dry = cluster.request("POST", f"{CONFIGMAPS}?dryRun=All", config_map("dry", {"hooked": "yes"}, k="v"))[1]
    assert dry["data"]["added"] == "yes" and hook.asked[-1]["dryRun"] is True
    drop(cluster, "mutatingwebhookconfigurations", "patch")


def test_a_webhook_that_cannot_be_reached_fails_as_its_policy_says(cluster: Cluster, hook: Hook) -> None:
    service = {"service": {"name": "nowhere", "namespace": "default", "path": "/x"}}
    put(cluster, "validatingwebhookconfigurations", "away", webhook(service))
    status, refused = cluster.request("POST", CONFIGMAPS, config_map("hopeless", {"hooked": "yes"}))
    assert status == 500
    assert refused["message"] == (
        'Internal error occurred: failed calling webhook "hook.example.com": failed to call webhook: Post '
        '"https://nowhere.default.svc:443/x?timeout=10s": service "nowhere" not found'
    )
    drop(cluster, "validatingwebhookconfigurations", "away")
    put(cluster, "validatingwebhookconfigurations", "away", webhook(service, failurePolicy="Ignore"))
    assert cluster.request("POST", CONFIGMAPS, config_map("hopeful", {"hooked": "yes"}))[0] == 201
    drop(cluster, "validatingwebhookconfigurations", "away")
    wrong = {**hook.client_config, "caBundle": ""}
    put(cluster, "validatingwebhookconfigurations", "untrusted", webhook(wrong))
    status, refused = cluster.request("POST", CONFIGMAPS, config_map("distrust", {"hooked": "yes"}))
    assert status == 500 and "tls: failed to verify certificate: x509" in refused["message"]
    drop(cluster, "validatingwebhookconfigurations", "untrusted")


def test_a_slow_webhook_is_given_up_and_holds_nobody_up(cluster: Cluster, hook: Hook) -> None:
    release = threading.Event()

    def slow(request: dict[str, Any]) -> dict[str, Any]:
        release.wait(10)
        return {"allowed": True}

    hook.answer = slow
    put(cluster, "validatingwebhookconfigurations", "slow", webhook(hook.client_config, timeoutSeconds=1))
    answers: list[Any] = []
    waiting = threading.Thread(
        target=lambda: answers.append(cluster.request("POST", CONFIGMAPS, config_map("slow", {"hooked": "yes"})))
    )
    waiting.start()
    assert cluster.request("POST", CONFIGMAPS, config_map("quick"))[0] == 201
    waiting.join()
    release.set()
    status, refused = answers[0]
    assert status == 500 and "context deadline exceeded" in refused["message"]
    drop(cluster, "validatingwebhookconfigurations", "slow")


def test_configurations_are_judged(cluster: Cluster) -> None:
    body = webhook({"url": "http://example.com"}, name="short", sideEffects="Some", timeoutSeconds=60)
    obj = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "bad"},
        **body,
    }
    status, refused = cluster.request("POST", f"{GROUP}/validatingwebhookconfigurations", obj)
    assert status == 422
    fields = {one["field"] for one in refused["details"]["causes"]}
    assert fields == {
        "webhooks[0].name",
        "webhooks[0].sideEffects",
        "webhooks[0].timeoutSeconds",
        "webhooks[0].clientConfig.url",
    }


# -- agnhost's webhook, as Kubernetes' own tests deploy it --------------------------------------------------------------


@pytest.fixture(scope="module")
def sample(cluster: Cluster) -> Cluster:
    container = {
        "name": "sample-webhook",
        "image": "registry.k8s.io/e2e-test-images/agnhost:2.57",
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
    labels = {"app": "sample-webhook"}
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
    }
    cluster.request(
        "POST",
        DEPLOYMENTS,
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "sample-webhook"}, "spec": spec},
    )
    service = {"selector": labels, "ports": [{"port": 8443, "targetPort": 8444}]}
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


def test_a_webhook_in_the_cluster_refuses_pods_and_configmaps(sample: Cluster) -> None:
    body = webhook(at("/configmaps"), objectSelector={})
    second = {
        **body["webhooks"][0],
        "name": "pods.example.com",
        "clientConfig": at("/pods"),
        "rules": [rule("", "v1", "pods", "CREATE")],
    }
    put(sample, "validatingwebhookconfigurations", "e2e", {"webhooks": [body["webhooks"][0], second]})
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
    drop(sample, "validatingwebhookconfigurations", "e2e")


def test_webhooks_in_the_cluster_mutate_in_stages(sample: Cluster) -> None:
    body = webhook(at("/mutating-configmaps"), objectSelector={})
    first = {**body["webhooks"][0], "name": "adding-configmap-data-stage-1.k8s.io"}
    second = {**body["webhooks"][0], "name": "adding-configmap-data-stage-2.k8s.io"}
    put(sample, "mutatingwebhookconfigurations", "stages", {"webhooks": [first, second]})
    made = sample.request("POST", CONFIGMAPS, config_map("staged", None, **{"mutation-start": "yes"}))[1]
    assert made["data"] == {"mutation-start": "yes", "mutation-stage-1": "yes", "mutation-stage-2": "yes"}
    drop(sample, "mutatingwebhookconfigurations", "stages")


def test_a_webhook_may_forbid_to_attach(sample: Cluster) -> None:
    body = webhook(
        at("/pods/attach"),
        objectSelector={},
        rules=[rule("", "v1", "pods/attach", "CONNECT")],
        name="deny-attaching-pod.k8s.io",
    )
    put(sample, "validatingwebhookconfigurations", "attach", body)
    sample.kubectl("run", "to-be-attached-pod", "--image=nginx")
    sample.kubectl("wait", "--for=condition=Ready", "pod/to-be-attached-pod", "--timeout=30s")
    told = sample.kubectl("attach", "pod/to-be-attached-pod", "-i", "-c=to-be-attached-pod", check=False, timeout=30)
    assert "attaching to pod 'to-be-attached-pod' is not allowed" in told
    drop(sample, "validatingwebhookconfigurations", "attach")


def test_a_webhook_in_the_cluster_that_never_answers(sample: Cluster) -> None:
    put(
        sample,
        "validatingwebhookconfigurations",
        "delay",
        webhook(at("/always-allow-delay-5s"), objectSelector={}, timeoutSeconds=1),
    )
    status, refused = sample.request("POST", CONFIGMAPS, config_map("delayed"))
    assert status == 500 and "context deadline exceeded" in refused["message"]
    drop(sample, "validatingwebhookconfigurations", "delay")


def test_what_a_webhook_adds_against_the_schema_is_pruned(sample: Cluster) -> None:
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
    put(sample, "mutatingwebhookconfigurations", "pruning", {"webhooks": [body["webhooks"][0], second]})
    obj = {
        "apiVersion": "webhook.example.com/v1",
        "kind": "Pruned",
        "metadata": {"name": "one"},
        "data": {"mutation-start": "yes"},
    }
    status, made = sample.request("POST", f"{path}?fieldValidation=Strict", obj)
    assert status == 201 and made["data"] == {"mutation-start": "yes", "mutation-stage-1": "yes"}
    drop(sample, "mutatingwebhookconfigurations", "pruning")
