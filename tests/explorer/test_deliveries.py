"""Watch fan-out, as the map draws it."""

from __future__ import annotations

from cluster.explorer.deliveries import MOST_NODES, news


def test_who_was_handed_what_since() -> None:
    before = {"system:kube-controller-manager": 10, "system:node:a": 3, "alice": 1}
    now = {
        "system:kube-controller-manager": 14,
        "system:node:a": 3,
        "system:node:b": 2,
        "system:kube-scheduler": 5,
        "system:serviceaccount:kube-system:job-controller": 1,
        "alice": 2,
    }
    assert news(before, now) == {"loops": 5, "scheduler": 5, "people": 1, "nodes": {"b": 2}}
    assert news(now, now) is None


def test_many_machines_are_told_as_a_sum() -> None:
    now = {f"system:node:{number}": 2 for number in range(MOST_NODES + 1)}
    assert news({}, now) == {"loops": 0, "scheduler": 0, "people": 0, "kubelets": 2 * (MOST_NODES + 1)}
