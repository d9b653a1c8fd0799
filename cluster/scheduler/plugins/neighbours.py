"""InterPodAffinity and PodTopologySpread: what a pod asks of the pods around it, and they of it.

A `Neighbourhood` is worked out once for a pod and then asked about each node; pods that ask nothing, in a cluster where nobody
excludes anybody, need none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cluster.apimachinery.labels import from_selector
from cluster.apimachinery.placement import untolerated
from cluster.scheduler.nodeinfo import NodeInfo, PodShape
from cluster.scheduler.peers import PREFERRED, REQUIRED, Namespaces, Peer, Peers, Term, terms, with_label_keys
from cluster.scheduler.plugins.filters import node_affinity

Obj = dict[str, Any]
AFFINITY, SPREAD = "InterPodAffinity", "PodTopologySpread"
UNMATCHED = "node(s) didn't match pod affinity rules"
EXCLUDED = "node(s) didn't match pod anti-affinity rules"
UNWELCOME = "node(s) didn't satisfy existing pods anti-affinity rules"
SKEWED = "node(s) didn't match pod topology spread constraints"
UNLABELED = f"{SKEWED} (missing required label)"
# Refusals that no other pod's going would mend.
UNRESOLVABLE = frozenset({UNMATCHED, UNLABELED})
AFFINITY_WEIGHT, SPREAD_WEIGHT = 2, 2
Domains = dict[str, set[str]]  # topology key → values


@dataclass(slots=True)
class Constraint:
    """One topologySpreadConstraint with what is counted for it."""

    key: str
    max_skew: int
    own: int  # 1 when the pod itself would be counted
    counts: Counter[str]
    least: int

    def skew(self, value: str) -> int:
        return self.counts[value] + self.own - self.least


class Neighbourhood:
    """What all other pods mean for one pod."""

    def __init__(
        self,
        pod: Obj,
        shape: PodShape,
        nodes: Mapping[str, NodeInfo],
        peers: Sequence[Peer],
        exclusive: Iterable[Peer],
        namespaces: Namespaces,
    ) -> None:
        metadata, spec = pod["metadata"], pod["spec"]
        self.namespace: str = metadata["namespace"]
        self.labels: Mapping[str, str] = metadata.get("labels") or {}
        self.shape = shape
        self.nodes = nodes
        self.peers = peers
        self.namespaces = namespaces
        self.unwelcome: Domains = {}
        for peer in exclusive:
            for term in peer.anti:
                if term.matches(self.namespace, self.labels, namespaces):
                    self._note(self.unwelcome, term, peer)
        self.excluded: Domains = {}
        for term in self._terms(spec, "podAntiAffinity", REQUIRED):
            for peer in self._matching(term):
                self._note(self.excluded, term, peer)
        self.required = [(term, self._domains(term)) for term in self._terms(spec, "podAffinity", REQUIRED)]
        # The first of a group that wants to be together may stand anywhere.
        self.first = not any(domains for _, domains in self.required) and all(
            term.matches(self.namespace, self.labels, namespaces) for term, _ in self.required
        )
        constraints = spec.get("topologySpreadConstraints") or ()
        self.hard = [self._constraint(one) for one in constraints if one["whenUnsatisfiable"] == "DoNotSchedule"]
        self.soft = [self._constraint(one) for one in constraints if one["whenUnsatisfiable"] != "DoNotSchedule"]
        self.attraction: Counter[tuple[str, str]] = Counter()
        for kind, sign in (("podAffinity", 1), ("podAntiAffinity", -1)):
            for term in self._terms(spec, kind, PREFERRED):
                for peer in self._matching(term):
                    value = self._value(peer.node, term.topology_key)
                    if value is not None:
                        self.attraction[term.topology_key, value] += sign * term.weight

    def _terms(self, spec: Obj, kind: str, strength: str) -> list[Term]:
        return terms(spec, kind, strength, self.namespace, self.labels)

    def _matching(self, term: Term) -> Iterable[Peer]:
        return (peer for peer in self.peers if term.matches(peer.namespace, peer.labels, self.namespaces))

    def _value(self, node: str, key: str) -> str | None:
        info = self.nodes.get(node)
        return None if info is None else info.labels.get(key)

    def _note(self, domains: Domains, term: Term, peer: Peer) -> None:
        value = self._value(peer.node, term.topology_key)
        if value is not None:
            domains.setdefault(term.topology_key, set()).add(value)

    def _domains(self, term: Term) -> set[str]:
        found = (self._value(peer.node, term.topology_key) for peer in self._matching(term))
        return {value for value in found if value is not None}

    def _constraint(self, given: Obj) -> Constraint:
        key = given["topologyKey"]
        selector = with_label_keys(from_selector(given.get("labelSelector")), given, self.labels)
        counts: Counter[str] = Counter()
        eligible = set()
        for node in self.nodes.values():
            if node.node is None or key not in node.labels or not self._eligible(given, node):
                continue
            eligible.add(node.name)
            counts[node.labels[key]] += 0
        for peer in self.peers:
            if (
                peer.node in eligible
                and not peer.terminating
                and peer.namespace == self.namespace
                and selector.matches(peer.labels)
            ):
                counts[self.nodes[peer.node].labels[key]] += 1
        least = min(counts.values(), default=0)
        if len(counts) < given.get("minDomains", 1):
            least = 0
        return Constraint(key, given["maxSkew"], int(selector.matches(self.labels)), counts, least)

    def _eligible(self, given: Obj, node: NodeInfo) -> bool:
        """nodeAffinityPolicy (Honor unless said otherwise) and nodeTaintsPolicy (Ignore unless said otherwise)."""
        if given.get("nodeAffinityPolicy", "Honor") == "Honor" and node_affinity(self.shape, node):
            return False
        honor = given.get("nodeTaintsPolicy", "Ignore") == "Honor"
        return not honor or untolerated(self.shape.tolerations, node.taints, ("NoSchedule", "NoExecute")) is None

    # -- asked about each node ---------------------------------------------------------------------------------------

    def refusal(self, node: NodeInfo) -> tuple[str, tuple[str, ...]] | None:
        """(plugin, reasons) when the pod may not stand here."""
        labels = node.labels
        for constraint in self.hard:
            value = labels.get(constraint.key)
            if value is None:
                return SPREAD, (UNLABELED,)
            if constraint.skew(value) > constraint.max_skew:
                return SPREAD, (SKEWED,)
        for term, domains in self.required:
            value = labels.get(term.topology_key)
            if value is None or (value not in domains and not self.first):
                return AFFINITY, (UNMATCHED,)
        if any(labels.get(key) in values for key, values in self.excluded.items()):
            return AFFINITY, (EXCLUDED,)
        if any(labels.get(key) in values for key, values in self.unwelcome.items()):
            return AFFINITY, (UNWELCOME,)
        return None

    def scores(self, feasible: Sequence[NodeInfo]) -> list[tuple[str, int, list[int]]]:
        """(plugin, weight, 0–100 per node) of what the pod would rather have."""
        found = []
        if self.attraction:
            raw = [
                sum(amount for (key, value), amount in self.attraction.items() if node.labels.get(key) == value)
                for node in feasible
            ]
            found.append((AFFINITY, AFFINITY_WEIGHT, _stretched(raw)))
        if self.soft:
            crowd = [sum(one.counts[node.labels.get(one.key, "")] for one in self.soft) for node in feasible]
            found.append((SPREAD, SPREAD_WEIGHT, [100 - value for value in _stretched(crowd)]))
        return found


def _stretched(raw: list[int]) -> list[int]:
    """From the lowest, 0, to the highest, 100."""
    low, high = min(raw), max(raw)
    return [(value - low) * 100 // (high - low) if high > low else 0 for value in raw]


def neighbourhood(
    pod: Obj,
    shape: PodShape,
    nodes: Mapping[str, NodeInfo],
    peers: Peers,
    namespaces: Namespaces,
    without: Iterable[str] = (),
) -> Neighbourhood | None:
    """None when the pod asks nothing of its neighbours and nobody excludes anybody. `without`: pods taken as gone."""
    spec = pod["spec"]
    affinity = spec.get("affinity") or {}
    asks = affinity.get("podAffinity") or affinity.get("podAntiAffinity") or spec.get("topologySpreadConstraints")
    if not asks and not peers.exclusive:
        return None
    gone = set(without)
    exclusive = [peer for uid, peer in peers.exclusive.items() if uid not in gone]
    return Neighbourhood(pod, shape, nodes, peers.all(gone) if asks else (), exclusive, namespaces)
