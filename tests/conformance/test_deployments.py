"""[sig-apps] Deployment: recreation, rollover, proportional scaling."""

from __future__ import annotations

from tests.conformance.api import pod_template, workload
from tests.conformance.workloads import available, pods_of
from tests.support.server import wait_for


def test_recreate_deployment_should_delete_old_pods_and_create_new_ones(ns):
    ns.create("deployments", "r", workload("r", "pause", strategy={"type": "Recreate"}, replicas=2))
    available(ns, "deployments", "r", 2)
    ns.patch("deployments", "r", {"spec": {"template": {"metadata": {"labels": {"v": "2"}}}}})
    seen = set()

    def done():
        alive = [one for one in pods_of(ns, "r") if "deletionTimestamp" not in one["metadata"]]
        versions = {one["metadata"]["labels"].get("v") for one in alive}
        seen.add(frozenset(versions))
        return versions == {"2"} and len(alive) == 2

    wait_for(done, "only new pods")
    assert frozenset({None, "2"}) not in seen


def test_deployment_should_delete_old_replica_sets(ns):
    ns.create("deployments", "c", workload("c", "pause", revisionHistoryLimit=0))
    for version in ("1", "2"):
        available(ns, "deployments", "c", 1)
        ns.patch("deployments", "c", {"spec": {"template": {"metadata": {"labels": {"v": version}}}}})
    wait_for(
        lambda: [one["metadata"]["labels"].get("v") for one in ns.list("replicasets", "app=c")] == ["2"], "one is left"
    )


def test_deployment_should_support_rollover(ns):
    broken = pod_template({"app": "o"}, image="nonexistent.invalid/x:1")
    ns.create(
        "deployments",
        "o",
        workload("o", template=broken, strategy={"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}),
    )
    wait_for(lambda: pods_of(ns, "o"), "a pod that cannot start")
    ns.patch(
        "deployments",
        "o",
        {
            "spec": {
                "template": pod_template({"app": "o"}, "pause")["spec"]
                and {"spec": pod_template({"app": "o"}, "pause")["spec"]}
            }
        },
    )
    available(ns, "deployments", "o", 1, "updatedReplicas")
    available(ns, "deployments", "o", 1)
    wait_for(
        lambda: {one["spec"]["replicas"] for one in ns.list("replicasets", "app=o")} == {0, 1}, "the old set is empty"
    )


def test_deployment_should_support_proportional_scaling(ns):
    strategy = {"rollingUpdate": {"maxSurge": 3, "maxUnavailable": 2}}
    ns.create("deployments", "p", workload("p", "pause", replicas=10, strategy=strategy))
    available(ns, "deployments", "p", 10)
    ns.patch(
        "deployments",
        "p",
        {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "webserver:404"}]}}}},
    )

    def sizes():
        return sorted(one["spec"]["replicas"] for one in ns.list("replicasets", "app=p"))

    wait_for(lambda: sizes() == [5, 8], "the rollout is stuck in the middle")
    ns.patch("deployments", "p", {"spec": {"replicas": 30}})
    wait_for(lambda: sizes() == [13, 20], "both have grown")
