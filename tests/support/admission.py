"""What the tests of admission that people configure share: policies, bindings, configurations and what they match."""

from __future__ import annotations

from typing import Any

from tests.support.server import Cluster

GROUP = "/apis/admissionregistration.k8s.io/v1"


DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
CONFIGMAPS = "/api/v1/namespaces/default/configmaps"


def config_map(name: str, labels: dict[str, str] | None = None, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels or {}}, "data": data}


def rule(group: str, version: str, resource: str, *operations: str) -> dict[str, Any]:
    return {
        "apiGroups": [group],
        "apiVersions": [version],
        "resources": [resource],
        "operations": list(operations or ("CREATE", "UPDATE")),
    }


KINDS = {
    "validatingadmissionpolicies": "ValidatingAdmissionPolicy",
    "validatingadmissionpolicybindings": "ValidatingAdmissionPolicyBinding",
    "mutatingadmissionpolicies": "MutatingAdmissionPolicy",
    "mutatingadmissionpolicybindings": "MutatingAdmissionPolicyBinding",
    "validatingwebhookconfigurations": "ValidatingWebhookConfiguration",
    "mutatingwebhookconfigurations": "MutatingWebhookConfiguration",
}


class Admission:
    """What one test configures for everybody: `close()` takes back what it has not dropped itself."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._put: list[tuple[str, str]] = []

    def put(self, resource: str, name: str, body: dict[str, Any]) -> None:
        metadata = {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": KINDS[resource],
            "metadata": {"name": name},
        }
        status, answer = self.cluster.request("POST", f"{GROUP}/{resource}", {**metadata, **body})
        assert status == 201, answer
        self._put.append((resource, name))

    def drop(self, resource: str, name: str) -> None:
        self._put.remove((resource, name))
        status, answer = self.cluster.request("DELETE", f"{GROUP}/{resource}/{name}")
        assert status == 200, answer

    def close(self) -> None:
        for resource, name in reversed(self._put[:]):
            self.drop(resource, name)


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
