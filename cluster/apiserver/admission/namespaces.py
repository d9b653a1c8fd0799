"""NamespaceLifecycle: nothing is created where there is no namespace, or where one is going (plugin/namespace/lifecycle)."""

from __future__ import annotations

from cluster.apimachinery import errors
from cluster.apiserver.admission.plugin import Plugin
from cluster.apiserver.request import Attributes

IMMORTAL = frozenset({"default", "kube-system", "kube-public"})
# Reviews are questions; they may be asked in a namespace that is not there.
_EXEMPT = frozenset({"authorization.k8s.io/localsubjectaccessreviews"})


class NamespaceLifecycle(Plugin):
    name = "NamespaceLifecycle"
    operations = frozenset({"CREATE", "DELETE"})

    def admit(self, attributes: Attributes) -> str | None:
        resource = attributes.resource
        if attributes.operation == "DELETE":
            if resource.storage_key == "namespaces" and attributes.name in IMMORTAL:
                raise errors.forbidden("namespaces", "", attributes.name, "this namespace may not be deleted")
            return None
        if not resource.namespaced or resource.storage_key in _EXEMPT:
            return None
        namespace = attributes.reader.get("namespaces", "", attributes.namespace)
        if namespace is None:
            raise errors.not_found("namespaces", "", attributes.namespace)
        if (namespace.get("status") or {}).get("phase") == "Terminating" or namespace["metadata"].get(
            "deletionTimestamp"
        ):
            refusal = errors.forbidden(
                resource.plural,
                resource.group,
                attributes.name,
                f"unable to create new content in namespace {attributes.namespace} because it is being terminated",
            )
            refusal.details["causes"] = [
                {
                    "reason": "NamespaceTerminating",
                    "message": f"namespace {attributes.namespace} is being terminated",
                    "field": "metadata.namespace",
                }
            ]
            raise refusal
        return None
