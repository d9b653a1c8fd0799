"""Probes and requests for the cluster map: single ones while they can be told apart, flows when there are many."""

from __future__ import annotations

from collections import Counter
from typing import Any

from cluster.journeys.signals import Ear

# Single signals in one message; a person cannot tell more apart within a twentieth of a second.
SINGLE = 60


def message_of(ear: Ear, namespaces: frozenset[str] | None = None) -> dict[str, Any] | None:
    """What to send of what was heard of these namespaces (None: of all).

    Failures first and single, then as many others as can be looked at, the rest as counts.
    """
    signals, missed = ear.take()
    if namespaces is not None:
        signals = [one for one in signals if one.namespace in namespaces]
    if not signals and not missed:
        return None
    ranked = sorted(signals, key=lambda signal: signal.ok)
    single = ranked[:SINGLE]
    single.sort(key=lambda signal: signal.at)
    flows = Counter((one.kind, one.node, one.namespace, one.service, one.ok) for one in ranked[SINGLE:])
    return {
        "op": "signals",
        "signals": [
            {
                "kind": one.kind,
                "at": one.at,
                "node": one.node,
                "namespace": one.namespace,
                "pod": one.pod,
                "ok": one.ok,
                "said": one.said[:300],
                "service": one.service,
                "client": one.client,
            }
            for one in single
        ],
        "flows": [
            {"kind": kind, "node": node, "namespace": namespace, "service": service, "ok": ok, "n": count}
            for (kind, node, namespace, service, ok), count in flows.items()
        ],
        "missed": missed,
    }
