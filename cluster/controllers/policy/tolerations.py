"""Which taints a pod's tolerations tolerate, and for how long (k8s.io/component-helpers, pkg/controller/tainteviction)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cluster.apimachinery.placement import tolerates
from cluster.client.client import Obj


def tolerated_for(tolerations: Sequence[Obj], taints: Iterable[Obj]) -> float | None:
    """How many seconds a pod may stay on a node with these NoExecute taints: 0 not at all, None for ever."""
    seconds: list[float] = []
    for taint in taints:
        used = [toleration for toleration in tolerations if tolerates(toleration, taint)]
        if not used:
            return 0.0
        seconds += [max(t["tolerationSeconds"], 0) for t in used if t.get("tolerationSeconds") is not None]
    return min(seconds, default=None)
