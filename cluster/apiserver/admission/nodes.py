"""Nodes: a new one is tainted until it is ready, and a kubelet touches only what is its own."""

from __future__ import annotations

from cluster.apiserver.admission.plugin import Plugin, refuse
from cluster.apiserver.request import Attributes

NODE_USER = "system:node:"
NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}


class TaintNodesByCondition(Plugin):
    """A Node starts with the not-ready taint; the node controller takes it away (plugin/nodetaint)."""

    name = "TaintNodesByCondition"
    resources = frozenset({"nodes"})

    def admit(self, attributes: Attributes) -> str | None:
        assert attributes.obj is not None
        spec = attributes.obj.setdefault("spec", {})
        taints = spec.get("taints") or []
        if any(taint.get("key") == NOT_READY["key"] and taint.get("effect") == "NoSchedule" for taint in taints):
            return None
        spec["taints"] = [*taints, dict(NOT_READY)]
        return "tainted not-ready until the node controller finds it ready"


class NodeRestriction(Plugin):
    """A kubelet may change its own Node and the pods bound to it (plugin/noderestriction)."""

    name = "NodeRestriction"
    resources = frozenset({"nodes", "pods", "coordination.k8s.io/leases"})
    operations = frozenset({"CREATE", "UPDATE", "DELETE"})
    subresources = frozenset({"", "status", "eviction"})

    def validate(self, attributes: Attributes) -> None:
        if not attributes.user.name.startswith(NODE_USER):
            return
        node = attributes.user.name.removeprefix(NODE_USER)
        key = attributes.resource.storage_key
        if key == "nodes":
            if attributes.name != node:
                raise refuse(attributes, f'node "{node}" is not allowed to modify node "{attributes.name}"')
            if attributes.operation == "DELETE":
                raise refuse(attributes, f'node "{node}" is not allowed to delete node "{attributes.name}"')
        elif key == "pods":
            self._pod(attributes, node)
        elif attributes.namespace != "kube-node-lease" or attributes.name != node:
            raise refuse(attributes, "can only access node lease with the same name as the requesting node")

    @staticmethod
    def _pod(attributes: Attributes, node: str) -> None:
        pod = attributes.old if attributes.old is not None else attributes.obj
        if pod is None:
            return
        mirror = "kubernetes.io/config.mirror" in (pod["metadata"].get("annotations") or {})
        if attributes.operation == "CREATE" and attributes.subresource == "" and not mirror:
            raise refuse(
                attributes,
                f'pod does not have "kubernetes.io/config.mirror" annotation, node "{node}" can only create mirror pods',
            )
        if (pod.get("spec") or {}).get("nodeName") != node:
            verb = {"UPDATE": "update status for", "DELETE": "delete"}.get(attributes.operation, "create")
            raise refuse(attributes, f'node "{node}" can only {verb} pods with spec.nodeName set to itself')
