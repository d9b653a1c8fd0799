"""[sig-apps] StatefulSet: ordered and burst scaling, rollouts, eviction."""

from __future__ import annotations

from tests.conformance.api import pod_template, workload
from tests.conformance.workloads import available, pods_of
from tests.support.server import wait_for


def stateful(ns, name, replicas=3, *, probe=True, **more):
    """A StatefulSet of webservers whose readiness hangs on a file, as in Kubernetes' tests."""
    check = {
        "httpGet": {"path": "/index.html", "port": 80},
        "periodSeconds": 1,
        "successThreshold": 1,
        "failureThreshold": 1,
    }
    container = {"readinessProbe": check} if probe else {}
    template = pod_template({"app": name}, image="httpd:2.4", container=container)
    ns.create("services", name, {"clusterIP": "None", "selector": {"app": name}, "ports": [{"port": 80}]})
    return ns.create(
        "statefulsets", name, workload(name, template=template, serviceName=name, replicas=replicas, **more)
    )


def break_probe(ns, pod):
    ns.exec(pod, "/bin/sh", "-c", "mv -v /usr/local/apache2/htdocs/index.html /tmp/")


def mend_probe(ns, pod):
    ns.exec(pod, "/bin/sh", "-c", "mv -v /tmp/index.html /usr/local/apache2/htdocs/")


def test_statefulset_should_perform_rolling_updates_and_roll_backs(ns):
    stateful(ns, "ss")
    available(ns, "statefulsets", "ss", 3)
    first = ns.get("statefulsets", "ss")["status"]["currentRevision"]
    break_probe(ns, "ss-1")
    wait_for(lambda: ns.condition("pods", "ss-1", "Ready")["status"] == "False", "ss-1 is unready")
    ns.patch(
        "statefulsets",
        "ss",
        {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "httpd:2.4.58"}]}}}},
        "strategic",
    )

    def revision(pod):
        found = ns.find("pods", pod)
        return found and found["metadata"]["labels"]["controller-revision-hash"]

    updated = wait_for(
        lambda: next((one for one in [ns.get("statefulsets", "ss")["status"]["updateRevision"]] if one != first), None),
        "a new revision",
    )
    mend_probe(ns, "ss-1")
    wait_for(lambda: {revision(f"ss-{at}") for at in range(3)} == {updated}, "all are", 60)
    wait_for(lambda: ns.get("statefulsets", "ss")["status"]["currentRevision"] == updated, "and it says so")
    ns.patch(
        "statefulsets",
        "ss",
        {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "httpd:2.4"}]}}}},
        "strategic",
    )
    wait_for(lambda: {revision(f"ss-{at}") for at in range(3)} == {first}, "rolled back to the first revision", 60)


def test_statefulset_should_perform_canary_updates_and_phased_rolling_updates(ns):
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 3}}
    stateful(ns, "ss2", updateStrategy=strategy)
    available(ns, "statefulsets", "ss2", 3)
    change = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "httpd:2.4.58"}]}}}}
    ns.patch("statefulsets", "ss2", change, "strategic")

    def images():
        found = [ns.find("pods", f"ss2-{at}") for at in range(3)]
        return [one and one["spec"]["containers"][0]["image"].partition(":")[2] for one in found]

    wait_for(
        lambda: (
            ns.get("statefulsets", "ss2")["status"]["updateRevision"]
            != ns.get("statefulsets", "ss2")["status"]["currentRevision"]
        ),
        "a new revision",
    )
    assert images() == ["2.4", "2.4", "2.4"]
    ns.patch("statefulsets", "ss2", {"spec": {"updateStrategy": {"rollingUpdate": {"partition": 2}}}})
    wait_for(lambda: images() == ["2.4", "2.4", "2.4.58"], "the canary")
    ns.ready("ss2-2")
    for name in ("ss2-0", "ss2-2"):
        ns.delete("pods", name)
    wait_for(lambda: images() == ["2.4", "2.4", "2.4.58"], "each comes back as it was", 60)
    ns.patch("statefulsets", "ss2", {"spec": {"updateStrategy": {"rollingUpdate": {"partition": 0}}}})
    wait_for(lambda: images() == ["2.4.58"] * 3, "all", 60)


def test_statefulset_scaling_should_happen_in_predictable_order_and_halt_if_any_pod_is_unhealthy(ns):
    stateful(ns, "ss3", 1)
    available(ns, "statefulsets", "ss3", 1)
    break_probe(ns, "ss3-0")
    wait_for(lambda: ns.condition("pods", "ss3-0", "Ready")["status"] == "False", "unready")
    ns.patch("statefulsets", "ss3", {"spec": {"replicas": 3}})
    wait_for(lambda: ns.get("statefulsets", "ss3")["status"]["observedGeneration"] == 2, "it has seen that")
    assert len(pods_of(ns, "ss3")) == 1
    mend_probe(ns, "ss3-0")
    available(ns, "statefulsets", "ss3", 3)
    born = [one["metadata"]["creationTimestamp"] for one in pods_of(ns, "ss3")]
    assert born == sorted(born)
    for at in range(3):
        break_probe(ns, f"ss3-{at}")
    available(ns, "statefulsets", "ss3", 0)
    ns.patch("statefulsets", "ss3", {"spec": {"replicas": 0}})
    wait_for(lambda: ns.get("statefulsets", "ss3")["status"]["observedGeneration"] == 3, "it has seen that")
    assert len([one for one in pods_of(ns, "ss3") if "deletionTimestamp" not in one["metadata"]]) == 3
    # The first unhealthy one, ss3-0, holds nobody up but the others: once they are gone it goes as it is.
    for at in (2, 1):
        mend_probe(ns, f"ss3-{at}")
    wait_for(lambda: not pods_of(ns, "ss3"), "all are gone", 60)


def test_statefulset_burst_scaling_should_run_to_completion_even_with_unhealthy_pods(ns):
    stateful(ns, "ss4", 1, podManagementPolicy="Parallel")
    available(ns, "statefulsets", "ss4", 1)
    break_probe(ns, "ss4-0")
    wait_for(lambda: ns.condition("pods", "ss4-0", "Ready")["status"] == "False", "unready")
    ns.patch("statefulsets", "ss4", {"spec": {"replicas": 3}})
    available(ns, "statefulsets", "ss4", 2)
    ns.patch("statefulsets", "ss4", {"spec": {"replicas": 0}})
    wait_for(lambda: not pods_of(ns, "ss4"), "all are gone")


def test_should_recreate_evicted_statefulset(ns):
    node = "node-1"
    port = {"ports": [{"containerPort": 21017, "hostPort": 21017}]}
    ns.pod("squatter", "pause", container=port, nodeName=node)
    ns.ready("squatter")
    template = pod_template({"app": "ev"}, "pause", container=port, nodeName=node)
    ns.create("statefulsets", "ev", workload("ev", template=template, serviceName="ev", replicas=1))
    uids = set()

    def tried():
        found = ns.find("pods", "ev-0")
        if found:
            uids.add(found["metadata"]["uid"])
        return len(uids) > 1

    wait_for(tried, "it fails and is made anew")
    ns.delete("pods", "squatter")
    wait_for(lambda: (ns.find("pods", "ev-0") or {"status": {}})["status"].get("phase") == "Running", "it runs", 60)
