"""Filter and score all nodes for a pod, quickly: what was found for a template and a node holds until that node changes.

After a pod has been placed only one node is different; the next pod of the same template re-examines that one and reuses the
rest (Kubernetes calls it opportunistic batching). The result keeps every verdict, for the journey.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import nlargest
from itertools import islice
from typing import Any

from cluster.scheduler.nodeinfo import NodeInfo, PodShape
from cluster.scheduler.plugins import filters, scores
from cluster.scheduler.plugins.neighbours import UNRESOLVABLE
from cluster.scheduler.volumes import Around

# Templates whose verdicts are remembered.
MAX_REMEMBERED = 64


class _Seen:
    """What one template's pods meet on one node."""

    __slots__ = ("generation", "partial", "per_node", "plugin", "raw", "reasons", "static_generation")

    def __init__(self) -> None:
        self.generation = -1
        self.static_generation = -1
        self.plugin = ""
        self.reasons: tuple[str, ...] = ()
        self.per_node: tuple[int, ...] = ()
        self.raw: tuple[int, ...] = ()
        self.partial = 0


@dataclass(slots=True)
class Evaluation:
    """All verdicts for one pod. `feasible` and `totals` run in parallel; `columns` holds each plugin's scores.

    A daemon names its one node: that all the others are not named is said once (`passed_over`), not of each of them.
    """

    nodes: int
    passed_over: Sequence[NodeInfo] = ()
    refused: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)  # node → (plugin, reasons)
    feasible: list[NodeInfo] = field(default_factory=list)
    columns: dict[str, Sequence[int]] = field(default_factory=dict)
    totals: list[int] = field(default_factory=list)

    @property
    def looked_at(self) -> int:
        """How many nodes have a verdict."""
        return len(self.feasible) + len(self.refused) + len(self.passed_over)

    def refusals(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        """Every node that would not do, those passed over among them."""
        return {**{node.name: filters.NOT_NAMED for node in self.passed_over}, **self.refused}

    def refused_by(self) -> Counter[str]:
        """How many nodes each plugin turned away."""
        counts = Counter(plugin for plugin, _ in self.refused.values())
        if self.passed_over:
            counts[filters.NOT_NAMED[0]] += len(self.passed_over)
        return counts

    @property
    def best(self) -> NodeInfo | None:
        """The node with the highest total; the first of equals, whose order rotates from pod to pod."""
        if not self.totals:
            return None
        return self.feasible[self.totals.index(max(self.totals))]


def examine(shape: PodShape, node: NodeInfo, seen: _Seen) -> None:
    """Bring what is remembered of this template and node up to date."""
    if seen.static_generation != node.static_generation:
        seen.static_generation = node.static_generation
        seen.plugin, seen.reasons = "", ()
        for plugin, check in filters.STATIC:
            reasons = check(shape, node)
            if reasons:
                seen.plugin, seen.reasons = plugin, reasons
                break
        seen.raw = tuple(score(shape, node) for _, score, _, _ in scores.NORMALIZED)
    elif seen.plugin in _DYNAMIC_NAMES:
        seen.plugin, seen.reasons = "", ()
    seen.generation = node.generation
    if seen.reasons:
        return
    for plugin, check in filters.DYNAMIC:
        reasons = check(shape, node)
        if reasons:
            seen.plugin, seen.reasons = plugin, reasons
            return
    seen.per_node = tuple(score(shape, node) for _, score, _ in scores.PER_NODE)
    seen.partial = sum(value * weight for value, (_, _, weight) in zip(seen.per_node, scores.PER_NODE, strict=True))


_DYNAMIC_NAMES = frozenset(plugin for plugin, _ in filters.DYNAMIC)


class Evaluator:
    """Evaluates pods against nodes, remembering verdicts per template."""

    def __init__(self) -> None:
        self._remembered: dict[bytes, dict[str, _Seen]] = {}
        # Templates for which no node would do, as of which change of any node.
        self._futile: dict[bytes, tuple[int, int, Evaluation]] = {}

    def evaluate(
        self,
        shape: PodShape,
        owner: str,
        nodes: Sequence[NodeInfo],
        *,
        wanted: int,
        around: Around | None = None,
    ) -> Evaluation:
        """Filter until `wanted` feasible nodes are found (0: all), then score those. `around` has a say on each."""
        futile = self._futile.get(shape.signature) if around is None else None
        if futile is not None and futile[:2] == (NodeInfo.changes, len(nodes)):
            return futile[2]
        remembered = self._remembered.get(shape.signature)
        if remembered is None:
            if len(self._remembered) >= MAX_REMEMBERED:
                del self._remembered[next(iter(self._remembered))]
            remembered = self._remembered[shape.signature] = {}
        result = Evaluation(len(nodes))
        feasible, found = result.feasible, []
        if shape.pinned is not None:
            pinned = shape.pinned
            result.passed_over = [node for node in nodes if node.name not in pinned]
            nodes = [node for node in nodes if node.name in pinned]
        for node in nodes:
            seen = remembered.get(node.name)
            if seen is None:
                seen = remembered[node.name] = _Seen()
            if seen.generation != node.generation:
                examine(shape, node, seen)
            if seen.reasons:
                result.refused[node.name] = (seen.plugin, seen.reasons)
                continue
            refusal = None if around is None else around.refusal(node)
            if refusal is not None:
                result.refused[node.name] = refusal
                continue
            feasible.append(node)
            found.append(seen)
            if wanted and len(feasible) >= wanted:
                break
        if feasible:
            _score(owner, result, found, around)
        elif around is None:
            if len(self._futile) >= MAX_REMEMBERED:
                self._futile.clear()
            self._futile[shape.signature] = (NodeInfo.changes, result.nodes, result)
        return result


def _score(owner: str, result: Evaluation, found: list[_Seen], around: Around | None) -> None:
    totals = [seen.partial for seen in found]
    for position, (plugin, _, _) in enumerate(scores.PER_NODE):
        result.columns[plugin] = [seen.per_node[position] for seen in found]
    for position, (plugin, _, weight, reverse) in enumerate(scores.NORMALIZED):
        column = scores.normalized([seen.raw[position] for seen in found], reverse=reverse)
        result.columns[plugin] = column
        totals = [total + value * weight for total, value in zip(totals, column, strict=True)]
    if owner:
        column = scores.normalized([node.owners.get(owner, 0) for node in result.feasible], reverse=True)
        result.columns[scores.SPREAD] = column
        totals = [total + value * scores.SPREAD_WEIGHT for total, value in zip(totals, column, strict=True)]
    for plugin, weight, column in around.scores(result.feasible) if around is not None else ():
        if plugin in result.columns:
            # What the pod itself says of its spread counts instead of the default.
            totals = [
                total - value * scores.SPREAD_WEIGHT
                for total, value in zip(totals, result.columns[plugin], strict=True)
            ]
        result.columns[plugin] = column
        totals = [total + value * weight for total, value in zip(totals, column, strict=True)]
    result.totals = totals


def fit_error(shape: PodShape, result: Evaluation, by_name: dict[str, NodeInfo], *, policy: str) -> str:
    """Why no node would do (framework.FitError.Error), with what preemption would bring."""
    if not result.nodes:
        return "no nodes available to schedule pods"
    counts = Counter(reason for _, reasons in result.refused.values() for reason in reasons)
    for reason in filters.NOT_NAMED[1]:
        counts[reason] += len(result.passed_over)
    counts = +counts
    # Kubernetes sorts the texts with their counts in front.
    texts = sorted(f"{count} {reason}" for reason, count in counts.items())
    available = f"0/{result.nodes} nodes are available"
    helpless = result.nodes - len(helpable(shape, result, by_name))
    outcomes = []
    if policy == "Never":
        preemption = "not eligible due to preemptionPolicy=Never."
    else:
        if result.nodes - helpless:
            outcomes.append(f"{result.nodes - helpless} No preemption victims found for incoming pod")
        if helpless:
            outcomes.append(f"{helpless} Preemption is not helpful for scheduling")
        preemption = f"{available}: {', '.join(sorted(outcomes))}."
    return f"{available}: {', '.join(texts)}. no new claims to deallocate, preemption: {preemption}"


def helpable(shape: PodShape, result: Evaluation, by_name: dict[str, NodeInfo]) -> list[NodeInfo]:
    """The nodes that would do if other pods were not there."""
    return [
        by_name[name]
        for name, (plugin, reasons) in result.refusals().items()
        if name in by_name
        and not filters.beyond_help(shape, by_name[name], plugin)
        and not any(reason in UNRESOLVABLE for reason in reasons)
    ]


class Verdicts:
    """The filter and score tables as a journey's span shows them; rendered when somebody looks.

    With thousands of nodes, each of thousands of pods that wait would hold thousands of verdicts: only some are given by name.
    """

    __slots__ = ("_fell", "_many", "_passed", "_refused", "_result", "kind")

    # Hundreds of numbers for each node.
    large = True
    # With more nodes than this the table is given by columns instead of one object per node.
    ROWS = 20
    # Nodes named at the most of those that fell, and of those that passed (the best); the others are counted.
    NAMED = 100

    def __init__(self, kind: str, result: Evaluation) -> None:
        self.kind = kind
        # What falls for want of a name is only worth naming in a small cluster.
        refused = result.refusals() if len(result.passed_over) <= self.ROWS else result.refused
        self._refused = dict(islice(refused.items(), self.NAMED))
        self._fell = Counter(refused.values()) if len(refused) > self.NAMED else Counter(self._refused.values())
        if refused is result.refused and result.passed_over:
            self._fell[filters.NOT_NAMED] += len(result.passed_over)
        self._many = result.nodes
        self._passed = len(result.feasible)
        self._result = result if result.feasible else None

    def as_detail(self) -> dict[str, Any]:
        return self._filter() if self.kind == "filter" else self._score()

    def _filter(self) -> dict[str, Any]:
        passed = [node.name for node in self._best()]
        named = {name: ", ".join(reasons) for name, (_, reasons) in self._refused.items()}
        unnamed = self._fell - Counter(self._refused.values())
        plugins: Counter[str] = Counter()
        for (plugin, _), count in self._fell.items():
            plugins[plugin] += count
        return {
            "considered": self._many,
            "passed": self._passed,
            "refused_by": dict(plugins),
            # Which filter says what: several nodes fall for the same reason.
            "reasons": {", ".join(reasons): plugin for plugin, reasons in self._fell},
            "nodes": {**named, **(dict.fromkeys(passed, "ok") if self._passed <= self.ROWS else {})},
            **({"passed_nodes": passed} if self._passed > self.ROWS else {}),
            **(
                {"more": [[plugin, ", ".join(reasons), count] for (plugin, reasons), count in unnamed.items()]}
                if unnamed
                else {}
            ),
        }

    def _best(self) -> list[NodeInfo]:
        """The nodes that passed: all of them, or those with the most points, the chosen one first."""
        return [self._result.feasible[position] for position in self._places()] if self._result else []

    def _places(self) -> list[int]:
        assert self._result is not None
        totals = self._result.totals
        if len(totals) <= self.NAMED:
            return list(range(self._passed))
        return nlargest(self.NAMED, range(len(totals)), key=totals.__getitem__)

    def _score(self) -> dict[str, Any]:
        if self._result is None:
            return {}
        result, places = self._result, self._places()
        if self._passed <= self.ROWS:
            return {
                result.feasible[position].name: {
                    **{plugin: column[position] for plugin, column in result.columns.items()},
                    "total": result.totals[position],
                }
                for position in places
            }
        return {
            "nodes": [result.feasible[position].name for position in places],
            "columns": {key: [column[position] for position in places] for key, column in result.columns.items()},
            "total": [result.totals[position] for position in places],
        }
