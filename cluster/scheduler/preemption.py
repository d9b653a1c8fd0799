"""Preemption: which pods of lower priority would have to go, and where fewest and least (plugins/defaultpreemption)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cluster.scheduler.nodeinfo import NodeInfo, PodShape
from cluster.scheduler.peers import Peer, Peers
from cluster.scheduler.plugins import filters

Obj = dict[str, Any]
Refusal = Callable[[NodeInfo, set[str]], object]  # of the neighbours, with these pods gone


@dataclass(slots=True)
class Candidate:
    """A node, the pods that would go from it, and how many of them a disruption budget protects."""

    node: str
    victims: list[Peer]
    violations: int

    @property
    def rank(self) -> tuple[int, int, int, int, str]:
        """The smallest is best: budgets kept, then the mildest loss, the fewest pods, the youngest of the most important."""
        highest = max(peer.priority for peer in self.victims)
        newest = min(peer.started for peer in self.victims if peer.priority == highest)
        total = sum(peer.priority for peer in self.victims)
        return self.violations, highest, total, len(self.victims), _later_first(newest)


def _later_first(moment: str) -> str:
    return "".join(chr(0x10FF - ord(letter)) for letter in moment)


def _emptied(node: NodeInfo, gone: set[str]) -> NodeInfo:
    """The node as it would be without these pods."""
    result = NodeInfo(node.name)
    result.set_node(node.node)
    for uid, (shape, owner) in node.pods.items():
        if uid not in gone:
            result.add_pod(uid, shape, owner)
    return result


def _fits(shape: PodShape, node: NodeInfo, gone: set[str], refusal: Refusal) -> bool:
    emptied = _emptied(node, gone)
    return not any(check(shape, emptied) for _, check in filters.DYNAMIC) and refusal(node, gone) is None


def _victims(
    shape: PodShape,
    priority: int,
    node: NodeInfo,
    peers: Iterable[Peer],
    protected: Callable[[Peer], bool],
    refusal: Refusal,
) -> Candidate | None:
    lower = [peer for peer in peers if peer.priority < priority and not peer.terminating]
    gone = {peer.uid for peer in lower}
    if not lower or not _fits(shape, node, gone, refusal):
        return None
    victims: list[Peer] = []
    # Spare whom we can: first those that a budget protects, then the most important and the oldest.
    order = sorted(lower, key=lambda peer: (not protected(peer), -peer.priority, peer.started))
    for peer in order:
        spared = gone - {peer.uid}
        if _fits(shape, node, spared, refusal):
            gone = spared
        else:
            victims.append(peer)
    if not victims:
        return None
    return Candidate(node.name, victims, sum(map(protected, victims)))


def choose(
    shape: PodShape,
    priority: int,
    nodes: Sequence[NodeInfo],
    peers: Peers,
    protected: Callable[[Peer], bool],
    refusal: Refusal,
) -> Candidate | None:
    """The node where making room costs least, of those whose refusal other pods are to blame for."""
    found = []
    for node in nodes:
        there = peers.by_node.get(node.name, {}).values()
        candidate = _victims(shape, priority, node, there, protected, refusal)
        if candidate is not None:
            found.append(candidate)
    return min(found, key=lambda candidate: candidate.rank) if found else None
