"""Admission that people configure: webhooks that are really called."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.admission import CONFIGMAPS, GROUP, Admission, config_map, webhook
from tests.support.hooks import Hook
from tests.support.server import Cluster


@pytest.fixture(scope="module")
def hook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hook]:
    made = Hook(tmp_path_factory.mktemp("hook"))
    yield made
    made.close()


def test_a_validating_webhook_is_asked_and_may_refuse(cluster: Cluster, hook: Hook, admission: Admission) -> None:
    admission.put("validatingwebhookconfigurations", "refuse", webhook(hook.client_config))
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


def test_a_mutating_webhook_patches(cluster: Cluster, hook: Hook, admission: Admission) -> None:
    admission.put("mutatingwebhookconfigurations", "patch", webhook(hook.client_config))
    patch = base64.b64encode(json.dumps([{"op": "add", "path": "/data/added", "value": "yes"}]).encode()).decode()
    hook.answer = lambda request: {"allowed": True, "patchType": "JSONPatch", "patch": patch}
    made = cluster.request("POST", CONFIGMAPS, config_map("patched", {"hooked": "yes"}, k="v"))[1]
    assert made["data"] == {"k": "v", "added": "yes"}
    dry = cluster.request("POST", f"{CONFIGMAPS}?dryRun=All", config_map("dry", {"hooked": "yes"}, k="v"))[1]
    assert dry["data"]["added"] == "yes" and hook.asked[-1]["dryRun"] is True


def test_a_webhook_that_cannot_be_reached_fails_as_its_policy_says(
    cluster: Cluster, hook: Hook, admission: Admission
) -> None:
    service = {"service": {"name": "nowhere", "namespace": "default", "path": "/x"}}
    admission.put("validatingwebhookconfigurations", "away", webhook(service))
    status, refused = cluster.request("POST", CONFIGMAPS, config_map("hopeless", {"hooked": "yes"}))
    assert status == 500
    assert refused["message"] == (
        'Internal error occurred: failed calling webhook "hook.example.com": failed to call webhook: Post '
        '"https://nowhere.default.svc:443/x?timeout=10s": service "nowhere" not found'
    )
    admission.drop("validatingwebhookconfigurations", "away")
    admission.put("validatingwebhookconfigurations", "away", webhook(service, failurePolicy="Ignore"))
    assert cluster.request("POST", CONFIGMAPS, config_map("hopeful", {"hooked": "yes"}))[0] == 201
    admission.drop("validatingwebhookconfigurations", "away")
    wrong = {**hook.client_config, "caBundle": ""}
    admission.put("validatingwebhookconfigurations", "untrusted", webhook(wrong))
    status, refused = cluster.request("POST", CONFIGMAPS, config_map("distrust", {"hooked": "yes"}))
    assert status == 500 and "tls: failed to verify certificate: x509" in refused["message"]


def test_a_slow_webhook_is_given_up_and_holds_nobody_up(cluster: Cluster, hook: Hook, admission: Admission) -> None:
    release = threading.Event()

    def slow(request: dict[str, Any]) -> dict[str, Any]:
        release.wait(10)
        return {"allowed": True}

    hook.answer = slow
    admission.put("validatingwebhookconfigurations", "slow", webhook(hook.client_config, timeoutSeconds=1))
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
