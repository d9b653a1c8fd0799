"""What stands around the objects that are diagnosed, found once for all of them: the pods of an owner or a node, events by their object.

A diagnosis asks a handful of such questions; a list of thousands of diagnoses would go through all pods for each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

Obj = dict[str, Any]


class View(Protocol):
    """Objects by storage key; what is returned is not changed."""

    def get(self, resource: str, namespace: str, name: str) -> Obj | None: ...

    def list(self, resource: str, namespace: str = "") -> Iterable[Obj]: ...

    def said(self, namespace: str) -> Callable[[str], Iterable[Obj]]:
        """Uid of an object → the events about it in a namespace."""
        ...


class Surroundings:
    """A view as of when each resource is first asked for. It is itself a view; for one answer, not to be kept."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._lists: dict[tuple[str, str], Sequence[Obj]] = {}
        self._controlled: dict[tuple[str, str], dict[str, list[Obj]]] = {}
        self._said: dict[str, Callable[[str], Iterable[Obj]]] = {}
        self._events: dict[tuple[str, str], list[Obj]] = {}
        self._nodes: dict[str, Obj] | None = None
        self._by_node: dict[str, list[Obj]] | None = None

    def get(self, resource: str, namespace: str, name: str) -> Obj | None:
        return self._view.get(resource, namespace, name)

    def list(self, resource: str, namespace: str = "") -> Sequence[Obj]:
        found = self._lists.get((resource, namespace))
        if found is None:
            found = self._lists[resource, namespace] = tuple(self._view.list(resource, namespace))
        return found

    def controlled_by(self, uid: str, resource: str, namespace: str) -> Sequence[Obj]:
        """The objects of a resource whose controlling owner has this uid."""
        index = self._controlled.get((resource, namespace))
        if index is None:
            index = self._controlled[resource, namespace] = {}
            for obj in self.list(resource, namespace):
                index.setdefault(owner_of(obj), []).append(obj)
        return index.get(uid, ())

    def on_node(self, name: str) -> Sequence[Obj]:
        """The pods that are bound to a node."""
        if self._by_node is None:
            self._by_node = {}
            for pod in self.list("pods"):
                self._by_node.setdefault(pod["spec"].get("nodeName") or "", []).append(pod)
        return self._by_node.get(name, ())

    @property
    def nodes(self) -> dict[str, Obj]:
        """All nodes by name."""
        if self._nodes is None:
            self._nodes = {node["metadata"]["name"]: node for node in self.list("nodes")}
        return self._nodes

    def events(self, namespace: str, uid: str) -> Sequence[Obj]:
        """What was said about an object, the oldest first; `namespace` is the object's, "" for cluster-wide ones."""
        found = self._events.get((namespace, uid))
        if found is None:
            if namespace not in self._said:
                self._said[namespace] = self._view.said(namespace or "default")
            found = self._events[namespace, uid] = sorted(map(_complete, self._said[namespace](uid)), key=said_at)
        return found


def surroundings_of(view: View | Surroundings) -> Surroundings:
    """Those of a view; of surroundings themselves, these."""
    return view if isinstance(view, Surroundings) else Surroundings(view)


def owner_of(obj: Obj) -> str:
    """The uid of the controlling owner."""
    for reference in obj["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            return str(reference["uid"])
    return ""


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
