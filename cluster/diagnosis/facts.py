"""What belongs to an object that is diagnosed: its pods, their nodes, what was said about them."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from functools import cached_property
from typing import Any

from cluster.apimachinery.meta import get_condition
from cluster.apimachinery.placement import DaemonPlacement
from cluster.apimachinery.volumes import claims_used_by
from cluster.diagnosis.inside import Inside, Unseen
from cluster.diagnosis.spans import Traces, Untold
from cluster.diagnosis.surroundings import Surroundings, View, said_at, surroundings_of

Obj = dict[str, Any]

# Storage key → kind, of what can be diagnosed.
KINDS = {
    "apps/deployments": "Deployment",
    "apps/daemonsets": "DaemonSet",
    "apps/statefulsets": "StatefulSet",
    "apps/replicasets": "ReplicaSet",
    "batch/jobs": "Job",
    "replicationcontrollers": "ReplicationController",
    "services": "Service",
    "persistentvolumeclaims": "PersistentVolumeClaim",
    "pods": "Pod",
    "nodes": "Node",
}


# Kinds whose pods are made from spec.template and made anew when that changes.
TEMPLATED = frozenset({"Deployment", "DaemonSet", "StatefulSet"})


class Facts:
    """One object and what is known around it."""

    def __init__(
        self,
        view: View | Surroundings,
        resource: str,
        obj: Obj,
        now: float,
        traces: Traces | None = None,
        inside: Inside | None = None,
    ) -> None:
        self.view = surroundings_of(view)
        # Cluster time of what the view shows: things are as old as they were then.
        self.now = now
        self.traces = traces or Untold()
        self.inside = inside or Unseen()
        self.resource = resource
        self.kind = KINDS[resource]
        self.obj = obj
        self.namespace: str = obj["metadata"].get("namespace", "")

    def quiet(self) -> Facts:
        """The same, which asks for no spans and looks into no pods."""
        found = copy(self)
        found.traces, found.inside = Untold(), Unseen()
        return found

    @property
    def spec(self) -> Obj:
        found: Obj = self.obj.get("spec") or {}
        return found

    @property
    def status(self) -> Obj:
        found: Obj = self.obj.get("status") or {}
        return found

    @property
    def template(self) -> Obj:
        """The spec of the pods that are wanted."""
        if self.kind == "Pod":
            return self.spec
        found: Obj = (self.spec.get("template") or {}).get("spec") or {}
        return found

    @cached_property
    def placement(self) -> DaemonPlacement:
        """On which nodes a daemon of this template belongs."""
        return DaemonPlacement(self.template)

    @cached_property
    def owners(self) -> dict[str, str]:
        """uid → name of the object itself and of the ReplicaSets between it and its pods."""
        metadata = self.obj["metadata"]
        found = {metadata["uid"]: f"{self.kind.lower()}/{metadata['name']}"}
        if self.kind == "Deployment":
            for one in self.view.controlled_by(metadata["uid"], "apps/replicasets", self.namespace):
                found[one["metadata"]["uid"]] = f"replicaset/{one['metadata']['name']}"
        return found

    @cached_property
    def pods(self) -> list[Obj]:
        """The pods that belong to it, in order of their names: made by it, chosen by a Service, on a node, using a claim."""
        if self.kind == "Pod":
            return [self.obj]
        if self.kind == "Node":
            found = list(self.view.on_node(self.obj["metadata"]["name"]))
        elif self.kind == "Service":
            found = self._selected()
        elif self.kind == "PersistentVolumeClaim":
            key = f"{self.namespace}/{self.obj['metadata']['name']}"
            found = [pod for pod in self.view.list("pods", self.namespace) if key in claims_used_by(pod)]
        else:
            found = [pod for uid in self.owners for pod in self.view.controlled_by(uid, "pods", self.namespace)]
        return sorted(found, key=lambda pod: pod["metadata"]["name"])

    def _selected(self) -> list[Obj]:
        """The pods that a Service chooses."""
        selector = self.spec.get("selector")
        if not selector:
            return []
        return [
            pod
            for pod in self.view.list("pods", self.namespace)
            if selector.items() <= (pod["metadata"].get("labels") or {}).items()
        ]

    @cached_property
    def slices(self) -> list[Obj]:
        """The EndpointSlices of a Service."""
        name = self.obj["metadata"]["name"]
        return [
            one
            for one in self.view.list("discovery.k8s.io/endpointslices", self.namespace)
            if (one["metadata"].get("labels") or {}).get("kubernetes.io/service-name") == name
        ]

    @property
    def endpoints(self) -> set[str]:
        """The addresses to which a Service leads now: those of ready endpoints."""
        return {
            address
            for one in self.slices
            for endpoint in one.get("endpoints") or ()
            if (endpoint.get("conditions") or {}).get("ready", True)
            for address in endpoint.get("addresses") or ()
        }

    @property
    def nodes(self) -> dict[str, Obj]:
        """All nodes by name."""
        return self.view.nodes

    def events(self, uid: str, *reasons: str) -> list[Obj]:
        """What was said about an object, of these reasons (none: any), the oldest first."""
        said = self.view.events(self.namespace, uid)
        return [one for one in said if not reasons or one["reason"] in reasons]

    def last_action(self, uids: Iterable[str], component: str) -> Obj | None:
        """The latest event that a component wrote about any of these objects."""
        said = [one for uid in uids for one in self.events(uid) if component in one["source"]["component"]]
        return max(said, key=said_at, default=None)


def is_ready(pod: Obj) -> bool:
    condition = get_condition(pod, "Ready")
    return condition is not None and condition["status"] == "True"


def is_over(pod: Obj) -> bool:
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def node_is_ready(node: Obj) -> bool:
    condition = get_condition(node, "Ready")
    return condition is not None and condition["status"] == "True"
