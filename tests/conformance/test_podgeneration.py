"""[sig-node] Pod Generation, and Pod Lifecycle Sleep Action: what later versions of Kubernetes ask of pods."""

from __future__ import annotations

import pytest

from cluster import clock
from tests.conformance.api import Refused
from tests.support.server import wait_for


def test_generation_starts_at_one_and_increments_per_update(ns):
    made = ns.pod("one", "pause", metadata={"generation": 100})
    assert made["metadata"]["generation"] == 1
    ns.ready("one")

    def generation() -> tuple[int, int]:
        pod = ns.get("pods", "one")
        return pod["metadata"]["generation"], pod["status"].get("observedGeneration", 0)

    wait_for(lambda: generation() == (1, 1), "the kubelet has seen the first")
    toleration = {"key": "k", "operator": "Exists", "tolerationSeconds": 60, "effect": "NoExecute"}
    changes = [
        ({"spec": {"activeDeadlineSeconds": 5000}}, True),
        ({"spec": {"activeDeadlineSeconds": 5000}}, False),
        ({"spec": {"tolerations": [*ns.get("pods", "one")["spec"]["tolerations"], toleration]}}, True),
        ({"spec": {"containers": [{"name": "main", "image": "registry.k8s.io/pause:3.10"}]}}, True),
        ({"metadata": {"labels": {"a": "b"}}}, False),
        ({"metadata": {"annotations": {"a": "b"}}}, False),
    ]
    wanted = 1
    for change, counts in changes:
        kind = "strategic" if "containers" in change.get("spec", {}) else "merge"
        wanted += counts
        assert ns.patch("pods", "one", change, kind)["metadata"]["generation"] == wanted, change
    wait_for(lambda: generation() == (wanted, wanted), "the kubelet has seen the last", 60)
    condition = ns.condition("pods", "one", "Ready")
    assert condition["observedGeneration"] == wanted


def test_a_pod_that_ends_is_of_another_generation(ns):
    ns.pod("one", image="busybox", container={"command": ["sleep", "1000"]}, terminationGracePeriodSeconds=100)
    ns.ready("one")
    ns.patch("pods", "one", {"metadata": {"finalizers": ["example.com/kept"]}})
    ns.delete("pods", "one")
    assert ns.get("pods", "one")["metadata"]["generation"] == 2
    ns.patch("pods", "one", {"metadata": {"finalizers": None}})
    ns.delete("pods", "one", query="?gracePeriodSeconds=0")


def _hook(seconds: int) -> dict[str, object]:
    return {"lifecycle": {"preStop": {"sleep": {"seconds": seconds}}}}


@pytest.mark.parametrize("seconds", [5, 0])
def test_a_hook_that_sleeps_holds_the_pod_so_long(ns, seconds):
    ns.pod("sleeper", "pause", container=_hook(seconds), terminationGracePeriodSeconds=30)
    ns.ready("sleeper")
    ns.patch("pods", "sleeper", {"metadata": {"finalizers": ["example.com/kept"]}})
    ns.delete("pods", "sleeper")

    def ended():
        statuses = ns.get("pods", "sleeper")["status"].get("containerStatuses") or [{}]
        return (statuses[0].get("state") or {}).get("terminated")

    state = wait_for(ended, "it has ended", 60)
    wait_for(lambda: ns.get("pods", "sleeper")["metadata"]["deletionGracePeriodSeconds"] == 0, "the kubelet is through")
    asked = ns.get("pods", "sleeper")["metadata"]["deletionTimestamp"]
    # Of a pod whose containers have ended no grace is left: the time is when it was deleted.
    begun = clock.parse(asked)
    assert seconds - 1.5 <= clock.parse(state["finishedAt"]) - begun < seconds + 20
    ns.patch("pods", "sleeper", {"metadata": {"finalizers": None}})


def test_a_hook_that_sleeps_longer_than_the_pod_may_last_is_refused(ns):
    with pytest.raises(Refused) as refused:
        ns.pod("late", "pause", container=_hook(31), terminationGracePeriodSeconds=30)
    assert refused.value.code == 422
