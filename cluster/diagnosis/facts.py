"""What belongs to an object that is diagnosed: its pods, their nodes, what was said about them."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from functools import cached_property
from typing import Any, Protocol

from cluster.apimachinery.meta import get_condition
from cluster.apimachinery.volumes import claims_used_by
from cluster.diagnosis.inside import Inside, Unseen
from cluster.diagnosis.spans import Traces, Untold

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


class View(Protocol):
    """Objects by storage key; what is returned is not changed."""

    def get(self, resource: str, namespace: str, name: str) -> Obj | None: ...

    def list(self, resource: str, namespace: str = "") -> Iterable[Obj]: ...


def owner_of(obj: Obj) -> str:
    """The uid of the controlling owner."""
    for reference in obj["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            return str(reference["uid"])
    return ""


class Facts:
    """One object and what is known around it."""

    def __init__(
        self,
        view: View,
        resource: str,
        obj: Obj,
        now: float,
        traces: Traces | None = None,
        inside: Inside | None = None,
    ) -> None:
        self.view = view
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
    def owners(self) -> dict[str, str]:
        """uid → name of the object itself and of the ReplicaSets between it and its pods."""
        metadata = self.obj["metadata"]
        found = {metadata["uid"]: f"{self.kind.lower()}/{metadata['name']}"}
        if self.kind == "Deployment":
            for one in self.view.list("apps/replicasets", self.namespace):
                if owner_of(one) == metadata["uid"]:
                    found[one["metadata"]["uid"]] = f"replicaset/{one['metadata']['name']}"
        return found

    @cached_property
    def pods(self) -> list[Obj]:
        """The pods that belong to it, in order of their names: made by it, chosen by a Service, on a node, using a claim."""
        if self.kind == "Pod":
            return [self.obj]
        if self.kind == "Node":
            name = self.obj["metadata"]["name"]
            found = [pod for pod in self.view.list("pods") if pod["spec"].get("nodeName") == name]
        elif self.kind == "Service":
            found = self._selected()
        elif self.kind == "PersistentVolumeClaim":
            key = f"{self.namespace}/{self.obj['metadata']['name']}"
            found = [pod for pod in self.view.list("pods", self.namespace) if key in claims_used_by(pod)]
        else:
            found = [pod for pod in self.view.list("pods", self.namespace) if owner_of(pod) in self.owners]
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

    @cached_property
    def nodes(self) -> dict[str, Obj]:
        """All nodes by name."""
        return {node["metadata"]["name"]: node for node in self.view.list("nodes")}

    @cached_property
    def _events(self) -> dict[str, list[Obj]]:
        """Events by the uid of what they are about, the oldest first."""
        found: dict[str, list[Obj]] = {}
        for event in self.view.list("events", self.namespace or "default"):
            event = _complete(event)
            found.setdefault(event["involvedObject"]["uid"], []).append(event)
        for events in found.values():
            events.sort(key=said_at)
        return found

    def events(self, uid: str, *reasons: str) -> list[Obj]:
        """What was said about an object, of these reasons (none: any)."""
        return [one for one in self._events.get(uid, ()) if not reasons or one.get("reason") in reasons]

    def last_action(self, uids: Iterable[str], component: str) -> Obj | None:
        """The latest event that a component wrote about any of these objects."""
        said = [one for uid in uids for one in self._events.get(uid, ()) if component in one["source"]["component"]]
        return max(said, key=said_at, default=None)


def _complete(event: Obj) -> Obj:
    """An event with all that is read of it: Kubernetes requires none of these, and anybody may write one."""
    about, source = event.get("involvedObject") or {}, event.get("source") or {}
    return {
        **event,
        "reason": event.get("reason") or "",
        "message": event.get("message") or "",
        "source": {**source, "component": source.get("component") or ""},
        "involvedObject": {**about, **{field: about.get(field) or "" for field in ("kind", "name", "uid")}},
    }


# What an event recorder writes before the latest of many that differ a little (client-go's EventAggregator).
COMBINED = "(combined from similar events): "


def said_in(event: Obj) -> str:
    """What an event says."""
    return str(event["message"]).removeprefix(COMBINED)


def said_at(event: Obj) -> str:
    """When an event was said last, as text that sorts."""
    series = event.get("series") or {}
    return str(
        series.get("lastObservedTime")
        or event.get("lastTimestamp")
        or event.get("eventTime")
        or event["metadata"].get("creationTimestamp")
        or ""
    )


def is_ready(pod: Obj) -> bool:
    condition = get_condition(pod, "Ready")
    return condition is not None and condition["status"] == "True"


def is_over(pod: Obj) -> bool:
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def node_is_ready(node: Obj) -> bool:
    condition = get_condition(node, "Ready")
    return condition is not None and condition["status"] == "True"
