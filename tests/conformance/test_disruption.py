"""[sig-apps] DisruptionController: evictions that a PodDisruptionBudget holds up."""

from __future__ import annotations

import pytest

from tests.conformance.api import Refused
from tests.support.server import wait_for


def test_disruption_controller_should_block_an_eviction_until_the_pdb_is_updated_to_allow_it(ns):
    for at in range(3):
        ns.pod(f"p{at}", "pause", metadata={"labels": {"app": "pdb"}})
    ns.ready("p0", "p1", "p2")
    ns.create("poddisruptionbudgets", "b", {"minAvailable": 3, "selector": {"matchLabels": {"app": "pdb"}}})
    wait_for(lambda: ns.get("poddisruptionbudgets", "b").get("status", {}).get("currentHealthy") == 3, "it counts")
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p0"}}
    with pytest.raises(Refused) as refused:
        ns.request("POST", ns.path("pods", "p0/eviction"), eviction)
    assert refused.value.code == 429
    assert refused.value.status["details"]["causes"][0]["reason"] == "DisruptionBudget"
    ns.patch("poddisruptionbudgets", "b", {"spec": {"minAvailable": 2}})
    wait_for(lambda: ns.get("poddisruptionbudgets", "b")["status"]["disruptionsAllowed"] == 1, "one may go")
    ns.request("POST", ns.path("pods", "p0/eviction"), eviction)
    wait_for(lambda: ns.find("pods", "p0") is None, "it goes")

    def written():
        obj = ns.get("poddisruptionbudgets", "b")
        obj["status"]["disruptedPods"] = {"p1": "2021-01-01T00:00:00Z"}
        try:
            return ns.put("poddisruptionbudgets", "b/status", obj)["status"]["disruptedPods"]
        except Refused as error:
            assert error.code == 409
            return None

    wait_for(written, "its status can be updated")
    assert (
        "disruptedPods"
        not in ns.patch("poddisruptionbudgets", "b/status", {"status": {"disruptedPods": None}})["status"]
    )
