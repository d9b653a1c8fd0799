"""Watch fan-out: how many events each kind of watcher has been handed since one last looked. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Beyond this many machines at once, they are told as a sum.
MOST_NODES = 40

_NODE, _LOOPS = "system:node:", ("system:serviceaccount:kube-system:", "system:kube-controller-manager")


def news(before: Mapping[str, int], now: Mapping[str, int]) -> dict[str, Any] | None:
    """{loops, scheduler, people: how many; nodes: {name: how many} or kubelets: how many}; None when nothing was handed out."""
    told: dict[str, Any] = {"loops": 0, "scheduler": 0, "people": 0}
    nodes: dict[str, int] = {}
    for user, count in now.items():
        fresh = count - before.get(user, 0)
        if fresh <= 0:
            continue
        if user.startswith(_NODE):
            nodes[user.removeprefix(_NODE)] = fresh
        elif user == "system:kube-scheduler":
            told["scheduler"] += fresh
        elif user.startswith(_LOOPS):
            told["loops"] += fresh
        else:
            told["people"] += fresh
    if not nodes and not any(told.values()):
        return None
    if len(nodes) > MOST_NODES:
        return {**told, "kubelets": sum(nodes.values())}
    return {**told, "nodes": nodes}
