"""The pods that stand on nodes, as plugins that look beyond one node see them, and what is asked of their neighbourhood.

A topology domain is all nodes with the same value of a label (`topologyKey`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cluster.apimachinery.labels import Requirement, Selector, from_selector
from cluster.scheduler.nodeinfo import PodShape

Obj = dict[str, Any]
Namespaces = Callable[[str], Mapping[str, str]]  # name → labels
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


@dataclass(slots=True)
class Term:
    """One PodAffinityTerm, ready to be asked."""

    topology_key: str
    selector: Selector
    namespaces: frozenset[str]
    namespace_selector: Selector | None
    weight: int = 0

    def matches(self, namespace: str, labels: Mapping[str, str], namespaces: Namespaces) -> bool:
        here = namespace in self.namespaces or (
            self.namespace_selector is not None and self.namespace_selector.matches(namespaces(namespace))
        )
        return here and self.selector.matches(labels)


def with_label_keys(selector: Selector, spec: Mapping[str, Any], labels: Mapping[str, str]) -> Selector:
    """The selector with `matchLabelKeys` and `mismatchLabelKeys`, filled in from the pod's own labels."""
    added = [
        Requirement(key, operator, (labels[key],))
        for field, operator in (("matchLabelKeys", "In"), ("mismatchLabelKeys", "NotIn"))
        for key in spec.get(field) or ()
        if key in labels
    ]
    return Selector([*selector.requirements, *added]) if added else selector


def terms(spec: Mapping[str, Any], kind: str, strength: str, namespace: str, labels: Mapping[str, str]) -> list[Term]:
    """The terms of podAffinity or podAntiAffinity (`kind`), required or preferred."""
    found = []
    for given in ((spec.get("affinity") or {}).get(kind) or {}).get(strength) or ():
        term = given.get("podAffinityTerm", given)
        chosen = term.get("namespaceSelector")
        named = frozenset(term.get("namespaces") or ())
        if not named and chosen is None:
            named = frozenset({namespace})
        found.append(
            Term(
                term["topologyKey"],
                with_label_keys(from_selector(term.get("labelSelector")), term, labels),
                named,
                None if chosen is None else from_selector(chosen),
                int(given.get("weight", 0)),
            )
        )
    return found


@dataclass(slots=True)
class Peer:
    """A pod on a node."""

    uid: str
    key: str
    namespace: str
    labels: Mapping[str, str]
    priority: int
    started: str
    node: str
    shape: PodShape
    anti: list[Term]
    terminating: bool


def peer_of(pod: Obj, node: str, shape: PodShape) -> Peer:
    metadata, spec = pod["metadata"], pod["spec"]
    labels = metadata.get("labels") or {}
    anti = terms(spec, "podAntiAffinity", REQUIRED, metadata["namespace"], labels) if spec.get("affinity") else []
    return Peer(
        metadata["uid"],
        f"{metadata['namespace']}/{metadata['name']}",
        metadata["namespace"],
        labels,
        spec.get("priority") or 0,
        (pod.get("status") or {}).get("startTime") or metadata.get("creationTimestamp", ""),
        node,
        shape,
        anti,
        "deletionTimestamp" in metadata,
    )


class Peers:
    """All of them, by uid and by node."""

    def __init__(self) -> None:
        self.by_uid: dict[str, Peer] = {}
        self.by_node: dict[str, dict[str, Peer]] = {}
        self.exclusive: dict[str, Peer] = {}  # those with required anti-affinity

    def put(self, peer: Peer) -> None:
        self.remove(peer.uid)
        self.by_uid[peer.uid] = peer
        self.by_node.setdefault(peer.node, {})[peer.uid] = peer
        if peer.anti:
            self.exclusive[peer.uid] = peer

    def remove(self, uid: str) -> None:
        peer = self.by_uid.pop(uid, None)
        if peer is not None:
            there = self.by_node[peer.node]
            del there[uid]
            if not there:
                del self.by_node[peer.node]
            self.exclusive.pop(uid, None)

    def all(self, without: Iterable[str] = ()) -> list[Peer]:
        gone = set(without)
        return [peer for uid, peer in self.by_uid.items() if uid not in gone]
