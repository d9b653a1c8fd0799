"""The node authorizer: a kubelet reads what its own pods refer to, and writes its own node, lease and pod statuses.

`system:node:NAME` in the group `system:nodes` only. Relations (node ← pod ← secret, configmap, claim, service account;
claim ← volume) are an index over the watch cache. Limits that need the object itself (a node changes only its own Node, only
its own pods) are the NodeRestriction admission plugin's, as in Kubernetes (plugin/pkg/auth/authorizer/node).
"""

from __future__ import annotations

from cluster.apiserver.authz.bootstrap import node_rules
from cluster.apiserver.authz.node_references import Reference, references_of
from cluster.apiserver.authz.rbac import Decision
from cluster.apiserver.authz.rules import CompiledRule, compile_rules
from cluster.apiserver.request import Obj, Reader, RequestInfo, UserInfo

NODES = "system:nodes"
PREFIX = "system:node:"
_ALLOWED = Decision(True)
_NO_OPINION = Decision(False)
_ONE_OBJECT = ("get", "create", "update", "patch", "delete")


def node_name(user: UserInfo) -> str | None:
    """The node this user is; empty for a member of system:nodes without a name of its own, None for anybody else."""
    if NODES not in user.groups:
        return None
    return user.name[len(PREFIX) :] if user.name.startswith(PREFIX) else ""


class NodeAuthorizer:
    """No opinion about anyone but nodes; `Decision.allowed` False is no opinion, with a reason if there is one."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        # (resource, namespace, name) → node → how many of its pods refer to it
        self._referrers: dict[Reference, dict[str, int]] = {}
        self._pods: dict[tuple[str, str], tuple[str, tuple[Reference, ...]]] = {}
        self._claim_of_volume: dict[str, tuple[str, str]] = {}
        self._static: dict[tuple[str, str, str, str], bool] = {}
        self._rules: tuple[CompiledRule, ...] = compile_rules(node_rules())
        reader.on_change("pods", self._pod_changed)
        reader.on_change("persistentvolumes", self._volume_changed)

    def authorize(self, user: UserInfo, info: RequestInfo, field_selector: str = "") -> Decision:
        node = node_name(user)
        if node is None:
            return _NO_OPINION
        if not node:
            return Decision(False, f'unknown node for user "{user.name}"')
        if info.is_resource:
            decision = self._subdivided(node, info, field_selector)
            if decision is not None:
                return decision
        return _ALLOWED if self._allowed_for_all(info) else _NO_OPINION

    def might_allow(self, info: RequestInfo) -> bool:
        """Whether some node may do this to some object."""
        return self._allowed_for_all(info)

    def _allowed_for_all(self, info: RequestInfo) -> bool:
        """What every node may do alike, by the rules of system:node."""
        if not info.is_resource:
            return any(rule.allows(info) for rule in self._rules)
        key = (info.verb, info.group, info.resource, info.subresource)
        known = self._static.get(key)
        if known is None:
            known = any(rule.allows(info) for rule in self._rules)
            if len(self._static) < 4096:
                self._static[key] = known
        return known

    def _subdivided(self, node: str, info: RequestInfo, field_selector: str) -> Decision | None:
        """What is decided resource by resource; None: nothing special about this one."""
        resource = f"{info.group}/{info.resource}" if info.group else info.resource
        match resource:
            case "pods":
                return self._pod(node, info, field_selector)
            case "nodes":
                return self._node(node, info)
            case "coordination.k8s.io/leases":
                return _lease(node, info)
            case "secrets" | "configmaps":
                return self._read(node, info)
            case "persistentvolumeclaims" if info.subresource == "status":
                if info.verb not in ("update", "patch"):
                    return _deny("can only get/update/patch this type")
                return self._related(node, info)
            case "persistentvolumeclaims" | "persistentvolumes" | "resource.k8s.io/resourceclaims":
                return self._get(node, info)
            case "storage.k8s.io/volumeattachments":
                return self._get(node, info)
            case "serviceaccounts":
                return self._token(node, info)
            case "storage.k8s.io/csinodes":
                return _own(node, info, "CSINode", "a CSINode", "CSINode with the same name as the requesting node")
            case "resource.k8s.io/resourceslices":
                return self._slice(node, info, field_selector)
            case _:
                return None

    def _pod(self, node: str, info: RequestInfo, field_selector: str) -> Decision:
        verb = info.verb
        if info.subresource == "status":
            return _ALLOWED if verb in ("update", "patch") else _NO_OPINION
        if info.subresource == "eviction":
            return _ALLOWED if verb == "create" else _NO_OPINION
        if info.subresource:
            return _NO_OPINION
        if verb == "get":
            return self._related(node, info)
        if verb in ("list", "watch"):
            if f"spec.nodeName={node}" in field_selector.replace("==", "=").split(","):
                return _ALLOWED
            if info.name:
                return self._related(node, info)
            return _deny("can only list/watch pods with spec.nodeName field selector")
        return _ALLOWED if verb in ("create", "delete") else _NO_OPINION

    def _node(self, node: str, info: RequestInfo) -> Decision:
        if info.subresource == "status":
            return _ALLOWED if info.verb in ("update", "patch") else _NO_OPINION
        if info.subresource:
            return _NO_OPINION
        if info.verb in ("create", "update", "patch"):
            return _ALLOWED
        if info.verb in ("get", "list", "watch"):
            if info.name == node:
                return _ALLOWED
            if not info.name:
                return _deny(f"node '{node}' cannot read all nodes, only its own Node object")
            return _deny(f"node '{node}' cannot read '{info.name}', only its own Node object")
        return _NO_OPINION

    def _read(self, node: str, info: RequestInfo) -> Decision:
        if info.verb not in ("get", "list", "watch"):
            return _deny("can only read resources of this type")
        if info.subresource:
            return _deny("cannot read subresource")
        if not info.namespace:
            return _deny("can only read namespaced object of this type")
        return self._related(node, info)

    def _get(self, node: str, info: RequestInfo) -> Decision:
        if info.verb != "get":
            return _deny("can only get individual resources of this type")
        if info.subresource:
            return _deny("cannot get subresource")
        return self._related(node, info)

    def _token(self, node: str, info: RequestInfo) -> Decision:
        if info.verb == "get" and not info.subresource:
            return self._related(node, info)
        if info.verb != "create" or not info.name:
            return _deny("can only create tokens for individual service accounts")
        if info.subresource != "token":
            return _deny("can only create token subresource of serviceaccount")
        return self._related(node, info)

    def _slice(self, node: str, info: RequestInfo, field_selector: str) -> Decision:
        if info.subresource:
            return _deny("cannot authorize ResourceSlice subresources")
        if info.verb == "create":
            return _ALLOWED
        if info.verb in ("list", "watch", "deletecollection"):
            # Kubernetes accepts `=` and `==` alike.
            if f"nodeName={node}" in field_selector.replace("==", "=").split(","):
                return _ALLOWED
            return _deny("can only list/watch/deletecollection resourceslices with nodeName field selector")
        return self._related(node, info)

    def _related(self, node: str, info: RequestInfo) -> Decision:
        if not info.name:
            return _deny("No Object name found")
        if self._has_path(node, f"{info.group}/{info.resource}" if info.group else info.resource, info):
            return _ALLOWED
        return _deny(f"no relationship found between node '{node}' and this object")

    def _has_path(self, node: str, resource: str, info: RequestInfo) -> bool:
        if resource == "pods":
            pod = self._pods.get((info.namespace, info.name))
            return pod is not None and pod[0] == node
        if resource == "persistentvolumes":
            claim = self._claim_of_volume.get(info.name)
            return claim is not None and node in self._referrers.get(("persistentvolumeclaims", *claim), ())
        if resource in ("storage.k8s.io/volumeattachments", "resource.k8s.io/resourceslices"):
            obj = self._reader.get(resource, "", info.name)
            return obj is not None and (obj.get("spec") or {}).get("nodeName") == node
        return node in self._referrers.get((resource, info.namespace, info.name), ())

    def _pod_changed(self, old: Obj | None, new: Obj | None) -> None:
        """Keep the relations; a status report, by far the most frequent change, costs one comparison."""
        pod = new if new is not None else old
        if pod is None:
            return
        key = (str(pod["metadata"]["namespace"]), str(pod["metadata"]["name"]))
        node = pod["spec"].get("nodeName", "") if new is not None else ""
        before = self._pods.get(key)
        if before is not None:
            if before[0] == node and old is not None and _same_references(old, pod):
                return
            self._count(before[0], before[1], -1)
            del self._pods[key]
        if node:
            references = tuple(references_of(pod))
            self._pods[key] = (node, references)
            self._count(node, references, 1)

    def _count(self, node: str, references: tuple[Reference, ...], step: int) -> None:
        for reference in references:
            nodes = self._referrers.setdefault(reference, {})
            nodes[node] = nodes.get(node, 0) + step
            if nodes[node] <= 0:
                del nodes[node]
                if not nodes:
                    del self._referrers[reference]

    def _volume_changed(self, old: Obj | None, new: Obj | None) -> None:
        volume = new if new is not None else old
        if volume is None:
            return
        reference = (volume.get("spec") or {}).get("claimRef") if new is not None else None
        if reference:
            self._claim_of_volume[volume["metadata"]["name"]] = (reference["namespace"], reference["name"])
        else:
            self._claim_of_volume.pop(volume["metadata"]["name"], None)


def _same_references(old: Obj, new: Obj) -> bool:
    """Of one pod's references only those of ephemeral containers and generated claims can change."""
    return bool(
        old["metadata"].get("uid") == new["metadata"].get("uid")
        and len(old["spec"].get("ephemeralContainers") or ()) == len(new["spec"].get("ephemeralContainers") or ())
        and (old.get("status") or {}).get("resourceClaimStatuses")
        == (new.get("status") or {}).get("resourceClaimStatuses")
    )


def _lease(node: str, info: RequestInfo) -> Decision:
    if info.verb not in _ONE_OBJECT:
        return _deny("can only get, create, update, patch, or delete a node lease")
    if info.namespace != "kube-node-lease":
        return _deny('can only access leases in the "kube-node-lease" system namespace')
    if info.verb != "create" and info.name != node:
        return _deny("can only access node lease with the same name as the requesting node")
    return _ALLOWED


def _own(node: str, info: RequestInfo, kind: str, one: str, own: str) -> Decision:
    if info.verb not in _ONE_OBJECT:
        return _deny(f"can only get, create, update, patch, or delete {one}")
    if info.subresource:
        return _deny(f"cannot authorize {kind} subresources")
    if info.verb != "create" and info.name != node:
        return _deny(f"can only access {own}")
    return _ALLOWED


def _deny(reason: str) -> Decision:
    return Decision(False, reason)
