"""An API server behind the aggregator: what kubectl sees of a group that somebody else serves."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.server import Cluster, tool, wait_for

SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
NAME, GROUP = "v1alpha1.wardle.example.com", "wardle.example.com"
FLUNDERS = f"/apis/{GROUP}/v1alpha1/namespaces/default/flunders"
SERVER = """
apiVersion: v1
kind: Pod
metadata: {name: sample-apiserver, labels: {app: sample-apiserver}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {name: sample-apiserver, image: "registry.k8s.io/e2e-test-images/sample-apiserver:1.29.2"}
---
apiVersion: v1
kind: Service
metadata: {name: sample-api}
spec: {selector: {app: sample-apiserver}, ports: [{port: 7443, targetPort: 443}]}
"""


def api_service(**spec: Any) -> dict[str, Any]:
    reference = {"name": "sample-api", "namespace": "default", "port": 7443}
    known = {"group": GROUP, "version": "v1alpha1", "groupPriorityMinimum": 2000, "versionPriority": 200}
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": NAME},
        "spec": {**known, "service": reference, **spec},
    }


def available(cluster: Cluster) -> dict[str, Any]:
    conditions = (cluster.request("GET", f"{SERVICES}/{NAME}")[1].get("status") or {}).get("conditions") or [{}]
    found: dict[str, Any] = next((one for one in conditions if one.get("type") == "Available"), {})
    return found


@pytest.fixture
def aggregated(cluster: Cluster) -> Iterator[Cluster]:
    cluster.kubectl("apply", "-f", "-", stdin=SERVER)
    assert cluster.request("POST", SERVICES, api_service(caBundle=base64.b64encode(b"ours").decode()))[0] == 201
    wait_for(lambda: available(cluster).get("status") == "True", "the APIService to be available")
    yield cluster
    cluster.request("DELETE", f"{SERVICES}/{NAME}")
    cluster.kubectl("delete", "-f", "-", "--ignore-not-found", stdin=SERVER)


def test_kubectl_works_with_what_another_server_serves(aggregated: Cluster) -> None:
    assert available(aggregated)["reason"] == "Passed"
    assert "flunders" in aggregated.kubectl("api-resources", f"--api-group={GROUP}")
    flunder = {"apiVersion": f"{GROUP}/v1alpha1", "kind": "Flunder", "metadata": {"name": "sole"}}
    aggregated.kubectl("create", "--validate=ignore", "-f", "-", stdin=json.dumps(flunder))
    assert aggregated.kubectl("get", "flunders", "-o", "name") == f"flunder.{GROUP}/sole\n"
    assert aggregated.request("POST", FLUNDERS, flunder)[0] == 409
    refused = aggregated.run(tool("kubectl"), "get", "flunders", "--as=nobody")
    assert refused.returncode == 1 and "flunders.wardle.example.com is forbidden" in refused.stderr
    aggregated.kubectl("delete", "flunder", "sole")
    assert aggregated.request("GET", FLUNDERS)[1]["items"] == []
    assert aggregated.request("GET", f"{FLUNDERS}/sole")[0] == 404


def test_discovery_tells_of_it_in_both_forms(aggregated: Cluster) -> None:
    groups = {one["name"]: one for one in aggregated.request("GET", "/apis")[1]["groups"]}
    assert groups[GROUP]["preferredVersion"]["version"] == "v1alpha1"
    listed = aggregated.request("GET", f"/apis/{GROUP}/v1alpha1")[1]
    assert {one["name"] for one in listed["resources"]} == {"flunders", "fischers"}
    assert aggregated.request("GET", f"/apis/{GROUP}")[1]["kind"] == "APIGroup"


def test_it_is_away_while_its_pods_are(aggregated: Cluster) -> None:
    aggregated.kubectl("delete", "pod", "sample-apiserver")
    wait_for(lambda: available(aggregated).get("status") == "False", "the APIService to be unavailable")
    assert available(aggregated)["reason"] == "MissingEndpoints"
    assert aggregated.request("GET", FLUNDERS)[0] == 503
    # Others' conditions on the object are left alone.
    other = {"type": "Looked", "status": "True", "reason": "Done", "message": "by a test"}
    current = aggregated.request("GET", f"{SERVICES}/{NAME}")[1]
    current["status"]["conditions"].append(other)
    assert aggregated.request("PUT", f"{SERVICES}/{NAME}/status", current)[0] == 200
    aggregated.kubectl("apply", "-f", "-", stdin=SERVER)
    wait_for(lambda: available(aggregated).get("status") == "True", "the APIService to be available again")
    kinds = {one["type"] for one in aggregated.request("GET", f"{SERVICES}/{NAME}")[1]["status"]["conditions"]}
    assert kinds == {"Available", "Looked"}


def test_one_that_nobody_vouches_for_is_not_asked(cluster: Cluster) -> None:
    cluster.kubectl("apply", "-f", "-", stdin=SERVER)
    cluster.kubectl("wait", "--for=condition=Ready", "pod/sample-apiserver")
    assert cluster.request("POST", SERVICES, api_service())[0] == 201
    wait_for(lambda: available(cluster).get("reason") == "FailedDiscoveryCheck", "the check to fail")
    assert "signed by unknown authority" in available(cluster)["message"]
    cluster.request("DELETE", f"{SERVICES}/{NAME}")
    cluster.kubectl("delete", "-f", "-", stdin=SERVER)
