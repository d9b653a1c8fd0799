"""The root CA publisher: ConfigMap `kube-root-ca.crt` in every namespace (pkg/controller/certificates/rootcacertpublisher).

The certificate is the setting `ca.crt` (PEM) of the loop's context.
"""

from __future__ import annotations

from cluster.apimachinery.errors import StatusError, is_already_exists, namespace_terminating
from cluster.client.client import Obj
from cluster.client.loop import ControlLoop
from cluster.journeys.trace import step

CONFIGMAPS, NAMESPACES = "v1/configmaps", "v1/namespaces"
NAME = "kube-root-ca.crt"
DESCRIPTION = {
    "kubernetes.io/description": (
        "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
        "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of "
        "Kubernetes clusters."
    )
}


class RootCAController(ControlLoop):
    """Publishes the cluster's certificate authority as a ConfigMap in every namespace."""

    name = "rootca"
    title = "root CA"
    account = "root-ca-cert-publisher"
    workers = 1

    def setup(self) -> None:
        self.namespaces = self.watch(NAMESPACES)
        self.configmaps = self.watch(CONFIGMAPS, self._configmap_changed)

    def _configmap_changed(self, old: Obj | None, new: Obj | None) -> None:
        obj = new or old
        if obj is not None and obj["metadata"]["name"] == NAME:
            self.queue.add(obj["metadata"]["namespace"])

    async def reconcile(self, key: str) -> float | None:
        namespace = self.namespaces.get(key)
        if namespace is None or (namespace.get("status") or {}).get("phase") == "Terminating":
            return None
        data = {"ca.crt": self.context.settings["ca.crt"]}
        with step("compare") as span:
            known = self.configmaps.get(f"{key}/{NAME}")
            noted = (known["metadata"].get("annotations") or {}) if known is not None else {}
            current = known is not None and known.get("data") == data and DESCRIPTION.items() <= noted.items()
            span.detail = {"published": current}
        if current:
            return None
        with step("act", {"publish": NAME}):
            if known is not None:
                metadata = {**known["metadata"], "annotations": {**noted, **DESCRIPTION}}
                await self.client.update(CONFIGMAPS, {**known, "metadata": metadata, "data": data})
                return None
            configmap = {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": NAME, "namespace": key, "annotations": DESCRIPTION},
                "data": data,
            }
            try:
                await self.client.create(CONFIGMAPS, configmap, key)
            except StatusError as error:
                if not is_already_exists(error) and not namespace_terminating(error):
                    raise
        return None
