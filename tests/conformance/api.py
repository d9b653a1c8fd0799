"""Requests about objects of one namespace, with the words of the API: no client library stands between."""

from __future__ import annotations

import itertools
import json
from typing import Any

from tests.support.server import Cluster, wait_for

Obj = dict[str, Any]
AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.59"
GROUPS = {
    "deployments": "apis/apps/v1",
    "replicasets": "apis/apps/v1",
    "daemonsets": "apis/apps/v1",
    "statefulsets": "apis/apps/v1",
    "controllerrevisions": "apis/apps/v1",
    "jobs": "apis/batch/v1",
    "cronjobs": "apis/batch/v1",
    "poddisruptionbudgets": "apis/policy/v1",
    "endpointslices": "apis/discovery.k8s.io/v1",
    "leases": "apis/coordination.k8s.io/v1",
    "ingresses": "apis/networking.k8s.io/v1",
    "csistoragecapacities": "apis/storage.k8s.io/v1",
}
CLUSTER_WIDE = {
    "nodes": "api/v1",
    "persistentvolumes": "api/v1",
    "storageclasses": "apis/storage.k8s.io/v1",
    "volumeattachments": "apis/storage.k8s.io/v1",
    "csidrivers": "apis/storage.k8s.io/v1",
    "csinodes": "apis/storage.k8s.io/v1",
    "priorityclasses": "apis/scheduling.k8s.io/v1",
    "runtimeclasses": "apis/node.k8s.io/v1",
    "servicecidrs": "apis/networking.k8s.io/v1",
    "ipaddresses": "apis/networking.k8s.io/v1",
    "ingressclasses": "apis/networking.k8s.io/v1",
}
PATCHES = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}
_numbers = itertools.count(1)


class Refused(Exception):
    """An answer that is no success: its code and its Status."""

    def __init__(self, code: int, status: Any) -> None:
        super().__init__(f"{code} {status}")
        self.code = code
        self.status = status


class Namespace:
    """A namespace and what is asked in it. Resources go by their plural; a subresource stands behind the name."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.name = f"conf-{next(_numbers)}"
        self.request("POST", "/api/v1/namespaces", {"metadata": {"name": self.name}})
        wait_for(lambda: self.list("serviceaccounts"), "the namespace has its service account")

    def end(self) -> None:
        self.cluster.request("DELETE", f"/api/v1/namespaces/{self.name}")

    def request(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
        code, answer = self.cluster.request(method, path, body, {"Content-Type": kind})
        if code >= 400:
            raise Refused(code, answer)
        return answer

    def path(self, resource: str, name: str = "") -> str:
        if resource in CLUSTER_WIDE:
            base = f"/{CLUSTER_WIDE[resource]}/{resource}"
        else:
            base = f"/{GROUPS.get(resource, 'api/v1')}/namespaces/{self.name}/{resource}"
        return f"{base}/{name}" if name else base

    def create(self, resource: str, name: str, spec: Obj | None = None, **more: Any) -> Obj:
        metadata = {"name": name, **more.pop("metadata", {})}
        body = {"metadata": metadata, **({} if spec is None else {"spec": spec}), **more}
        return dict(self.request("POST", self.path(resource), body))

    def get(self, resource: str, name: str) -> Obj:
        return dict(self.request("GET", self.path(resource, name)))

    def find(self, resource: str, name: str) -> Obj | None:
        try:
            return self.get(resource, name)
        except Refused as refused:
            if refused.code == 404:
                return None
            raise

    def list(self, resource: str, labels: str = "", fields: str = "") -> list[Obj]:
        query = f"?labelSelector={labels}&fieldSelector={fields}"
        return list(self.request("GET", self.path(resource) + query)["items"])

    def put(self, resource: str, name: str, body: Obj) -> Obj:
        return dict(self.request("PUT", self.path(resource, name), body))

    def patch(self, resource: str, name: str, change: Any, kind: str = "merge", query: str = "") -> Obj:
        return dict(self.request("PATCH", self.path(resource, name) + query, change, PATCHES[kind]))

    def delete(self, resource: str, name: str = "", query: str = "") -> Obj:
        return dict(self.request("DELETE", self.path(resource, name) + query))

    # -- what many tests want ----------------------------------------------------------------------------------------

    def pod(self, name: str, *args: str, image: str = AGNHOST, **more: Any) -> Obj:
        """A pod with one container; `container` and `metadata` are merged in, the rest is its spec."""
        container = {"name": "main", "image": image, **more.pop("container", {})}
        if args:
            container["args"] = list(args)
        metadata = more.pop("metadata", {})
        spec = {"containers": [container], "terminationGracePeriodSeconds": 1, **more}
        return self.create("pods", name, spec, metadata=metadata)

    def shell(self, name: str, script: str, **more: Any) -> str:
        """What a pod printed that runs the script to its end."""
        command = {"command": ["sh", "-c", script], **more.pop("container", {})}
        self.pod(name, image="busybox:1.37", restartPolicy="Never", container=command, **more)
        self.phase(name, "Succeeded", "Failed")
        return self.log(name)

    def log(self, name: str, container: str = "") -> str:
        return str(self.request("GET", self.path("pods", f"{name}/log") + (f"?container={container}")))

    def phase(self, name: str, *wanted: str) -> Obj:
        def reached() -> Obj | None:
            found = self.get("pods", name)
            return found if found["status"]["phase"] in wanted else None

        return dict(wait_for(reached, f"{name} is {wanted}", 60))

    def condition(self, resource: str, name: str, kind: str) -> Obj:
        found = self.get(resource, name)["status"].get("conditions") or ()
        return next((one for one in found if one["type"] == kind), {"status": "", "reason": "", "message": ""})

    def ready(self, *names: str) -> list[Obj]:
        for name in names:
            wait_for(lambda one=name: self.condition("pods", one, "Ready")["status"] == "True", f"{name} is ready", 60)
        return [self.get("pods", name) for name in names]

    def restarts(self, pod: str) -> int:
        """How often the pod's first container was started again."""
        return int((self.get("pods", pod)["status"].get("containerStatuses") or [{}])[0].get("restartCount", 0))

    def said(self, name: str, reason: str) -> list[str]:
        fields = f"involvedObject.name={name},reason={reason}"
        return [one["message"] for one in self.list("events", fields=fields)]

    def exec(self, pod: str, *command: str, container: str = "", check: bool = True) -> str:
        chosen = ("-c", container) if container else ()
        return self.cluster.kubectl("exec", "-n", self.name, pod, *chosen, "--", *command, check=check)

    def kubectl(self, *arguments: str, **more: Any) -> str:
        return self.cluster.kubectl("-n", self.name, *arguments, **more)


def pod_template(labels: dict[str, str], *args: str, image: str = AGNHOST, **spec: Any) -> Obj:
    container = {"name": "main", "image": image, **spec.pop("container", {})}
    if args:
        container["args"] = list(args)
    return {
        "metadata": {"labels": labels},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 1, **spec},
    }


def workload(name: str, *args: str, template: Obj | None = None, **spec: Any) -> Obj:
    """The spec of something that makes pods labelled app=NAME."""
    labels = {"app": name}
    return {"selector": {"matchLabels": labels}, "template": template or pod_template(labels, *args), **spec}


def dumps(value: Any) -> str:
    return json.dumps(value)
