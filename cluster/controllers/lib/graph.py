"""The graph of owners and dependents, by uid, fed by informers (pkg/controller/garbagecollector/graph_builder.go).

It knows nothing of the API: it stores who references whom and answers which owners have to be looked at after a change.
An owner may be referenced without ever having been seen.
"""

from __future__ import annotations

from collections.abc import Iterable

from cluster.client.client import Obj
from cluster.controllers.lib.resources import ResourceInfo

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"


class Node:
    """One object as the graph sees it; `obj` is the informer's copy."""

    __slots__ = ("obj", "owners", "resource")

    def __init__(self, resource: ResourceInfo, obj: Obj) -> None:
        self.resource = resource
        self.obj = obj
        # uid of each owner → whether this object blocks its (foreground) deletion
        self.owners: dict[str, bool] = _owners(obj)

    @property
    def uid(self) -> str:
        return str(self.obj["metadata"]["uid"])

    @property
    def name(self) -> str:
        return str(self.obj["metadata"]["name"])

    @property
    def namespace(self) -> str:
        return str(self.obj["metadata"].get("namespace", ""))

    @property
    def deleting(self) -> bool:
        return "deletionTimestamp" in self.obj["metadata"]

    @property
    def waiting(self) -> bool:
        """Is it being deleted, and something has to be done with its dependents first?"""
        return self.waits_with(FOREGROUND) or self.waits_with(ORPHAN)

    def may_own(self, other: Node) -> bool:
        """Owners live in the same namespace or in none."""
        return self.namespace in ("", other.namespace)

    def waits_with(self, finalizer: str) -> bool:
        """Is it being deleted, and waits for its dependents in this way?"""
        return self.deleting and finalizer in (self.obj["metadata"].get("finalizers") or ())


def _owners(obj: Obj) -> dict[str, bool]:
    references = obj["metadata"].get("ownerReferences")
    if not references:
        return {}
    return {reference["uid"]: bool(reference.get("blockOwnerDeletion")) for reference in references}


class Graph:
    """Nodes by uid and dependents by owner's uid."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self._dependents: dict[str, dict[str, Node]] = {}

    def dependents(self, uid: str) -> list[Node]:
        """Who references this uid as an owner."""
        return list(self._dependents.get(uid, {}).values())

    def has_dependents(self, uid: str) -> bool:
        return uid in self._dependents

    def blocking(self, uid: str) -> bool:
        """Does any dependent block the owner's foreground deletion?"""
        return any(node.owners.get(uid) for node in self._dependents.get(uid, {}).values())

    def in_circle(self, uid: str) -> bool:
        """Does the object wait, over others that wait, for itself?"""
        pending, seen = [uid], set()
        while pending:
            for node in self.dependents(pending.pop()):
                if node.uid == uid:
                    return True
                if node.uid not in seen and node.waits_with(FOREGROUND):
                    seen.add(node.uid)
                    pending.append(node.uid)
        return False

    def observe(self, resource: ResourceInfo, old: Obj | None, new: Obj | None) -> Iterable[str]:
        """Take in one informer event; returns the uids of the owners whose dependents need a look."""
        if new is None:
            return self._removed(old["metadata"]["uid"]) if old is not None else ()
        uid = new["metadata"]["uid"]
        dirty: set[str] = set()
        if old is not None and old["metadata"]["uid"] != uid:
            # Deleted and created again between two looks of the informer.
            dirty.update(self._removed(old["metadata"]["uid"]))
        node = self.nodes.get(uid)
        if node is None:
            node = self.nodes[uid] = Node(resource, new)
            for owner in node.owners:
                self._dependents.setdefault(owner, {})[uid] = node
                known = self.nodes.get(owner)
                if known is None or known.deleting or not known.may_own(node):
                    dirty.add(owner)
            if node.waiting or not all(map(node.may_own, self.dependents(uid))):
                dirty.add(uid)
            return dirty
        was_waiting = node.waiting
        before = node.obj["metadata"].get("ownerReferences")
        node.obj = new
        if before != new["metadata"].get("ownerReferences"):
            dirty.update(self._owners_changed(node))
        if node.waiting and not was_waiting:
            dirty.add(uid)
        return dirty

    def _owners_changed(self, node: Node) -> set[str]:
        before, node.owners = node.owners, _owners(node.obj)
        for owner in before.keys() - node.owners.keys():
            self._unlink(owner, node.uid)
        for owner in node.owners.keys() - before.keys():
            self._dependents.setdefault(owner, {})[node.uid] = node
        changed = before.items() ^ node.owners.items()
        return {owner for owner, _ in changed if owner not in self.nodes or self.nodes[owner].deleting}

    def _removed(self, uid: str) -> set[str]:
        node = self.nodes.pop(uid, None)
        dirty: set[str] = set()
        if node is not None:
            for owner in node.owners:
                self._unlink(owner, uid)
                if self._waiting(owner):
                    dirty.add(owner)
        if uid in self._dependents:
            dirty.add(uid)
        return dirty

    def _waiting(self, uid: str) -> bool:
        node = self.nodes.get(uid)
        return node is not None and node.waits_with(FOREGROUND)

    def _unlink(self, owner: str, uid: str) -> None:
        dependents = self._dependents.get(owner)
        if dependents is not None:
            dependents.pop(uid, None)
            if not dependents:
                del self._dependents[owner]
