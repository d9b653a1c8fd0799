"""An operator, written with the official client as people write them: watch, finalizer, owned objects, status, events."""

from __future__ import annotations

import json
import threading
from typing import Any

from kubernetes import client, config, watch
from kubernetes.client.exceptions import ApiException

from tests.support.server import Cluster, wait_for

GROUP, VERSION, PLURAL = "example.com", "v1", "sites"
FINALIZER = "example.com/operator"
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": f"{PLURAL}.{GROUP}"},
    "spec": {
        "group": GROUP,
        "scope": "Namespaced",
        "names": {"plural": PLURAL, "kind": "Site", "singular": "site"},
        "versions": [
            {
                "name": VERSION,
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "additionalPrinterColumns": [{"name": "Phase", "type": "string", "jsonPath": ".status.phase"}],
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "properties": {
                                    "replicas": {"type": "integer", "default": 2},
                                    "image": {"type": "string"},
                                },
                                "required": ["image"],
                            },
                            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                        },
                    }
                },
            }
        ],
    },
}


class Operator:
    """Keeps a Deployment for each Site, and says in the Site's status how it is."""

    def __init__(self, api: client.ApiClient) -> None:
        self.sites, self.apps = client.CustomObjectsApi(api), client.AppsV1Api(api)
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self) -> None:
        version = ""
        while not self.stopped.is_set():
            try:
                stream = watch.Watch().stream(
                    self.sites.list_cluster_custom_object,
                    GROUP,
                    VERSION,
                    PLURAL,
                    resource_version=version,
                    timeout_seconds=2,
                )
                for event in stream:
                    version = event["object"]["metadata"]["resourceVersion"]
                    if event["type"] in ("ADDED", "MODIFIED"):
                        self.reconcile(event["object"])
            except ApiException as error:
                if error.status == 410:
                    version = ""

    def reconcile(self, site: dict[str, Any]) -> None:
        metadata, spec = site["metadata"], site["spec"]
        name, namespace = metadata["name"], metadata["namespace"]
        if metadata.get("deletionTimestamp"):
            if FINALIZER in metadata.get("finalizers", []):
                self.patch(namespace, name, {"metadata": {"finalizers": None}})
            return
        if FINALIZER not in metadata.get("finalizers", []):
            self.patch(namespace, name, {"metadata": {"finalizers": [FINALIZER]}})
        owner = {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": "Site",
            "name": name,
            "uid": metadata["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
        labels = {"site": name}
        deployment = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": namespace, "ownerReferences": [owner]},
            "spec": {
                "replicas": spec["replicas"],
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {"containers": [{"name": "site", "image": spec["image"]}]},
                },
            },
        }
        self.apps.patch_namespaced_deployment(
            name,
            namespace,
            deployment,
            field_manager="operator",
            force=True,
            _content_type="application/apply-patch+yaml",
        )
        status = {"status": {"phase": "Deployed", "observedGeneration": metadata["generation"]}}
        self.sites.patch_namespaced_custom_object_status(GROUP, VERSION, namespace, PLURAL, name, status)

    def patch(self, namespace: str, name: str, body: dict[str, Any]) -> None:
        self.sites.patch_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL, name, body)


def test_an_operator_runs_its_resources(cluster: Cluster) -> None:
    api = config.new_client_from_config(str(cluster.kubeconfig))
    client.ApiextensionsV1Api(api).create_custom_resource_definition(DEFINITION)
    cluster.kubectl("wait", "--for=condition=Established", f"crd/{PLURAL}.{GROUP}", "--timeout=10s")
    operator = Operator(api)
    operator.thread.start()
    try:
        site = {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": "Site",
            "metadata": {"name": "shop"},
            "spec": {"image": "nginx"},
        }
        cluster.kubectl("apply", "-f", "-", stdin=json.dumps(site))
        cluster.kubectl("wait", "--for=jsonpath={.status.phase}=Deployed", "site/shop", "--timeout=20s")
        wait_for(lambda: operator.apps.read_namespaced_deployment("shop", "default").status.ready_replicas == 2)
        cluster.kubectl("patch", "site/shop", "--type=merge", "-p", '{"spec":{"replicas":3}}')
        wait_for(lambda: operator.apps.read_namespaced_deployment("shop", "default").spec.replicas == 3)
        assert "Deployed" in cluster.kubectl("get", "sites")
        found = json.loads(cluster.kubectl("get", "site/shop", "-o", "json"))
        assert found["metadata"]["generation"] == 2 and found["metadata"]["finalizers"] == [FINALIZER]
        cluster.kubectl("delete", "site/shop", "--timeout=20s")
        wait_for(lambda: cluster.request("GET", "/apis/apps/v1/namespaces/default/deployments/shop")[0] == 404)
    finally:
        operator.stopped.set()
        operator.thread.join(timeout=10)
