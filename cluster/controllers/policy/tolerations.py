"""Which taints a pod's tolerations tolerate, and for how long (k8s.io/component-helpers, pkg/controller/tainteviction)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cluster.client.client import Obj


def tolerates(toleration: Obj, taint: Obj) -> bool:
    """An empty effect tolerates all effects; an empty key with Exists tolerates all taints."""
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    operator = toleration.get("operator") or "Equal"
    if operator == "Exists":
        return True
    return operator == "Equal" and (toleration.get("value") or "") == (taint.get("value") or "")


def tolerated_for(tolerations: Sequence[Obj], taints: Iterable[Obj]) -> float | None:
    """How many seconds a pod may stay on a node with these NoExecute taints: 0 not at all, None for ever."""
    seconds: list[float] = []
    for taint in taints:
        used = [toleration for toleration in tolerations if tolerates(toleration, taint)]
        if not used:
            return 0.0
        seconds += [max(t["tolerationSeconds"], 0) for t in used if t.get("tolerationSeconds") is not None]
    return min(seconds, default=None)
