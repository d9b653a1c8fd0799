"""[sig-apps] DaemonSet: where its pods run, rollouts and rollbacks."""

from __future__ import annotations

from tests.conformance.api import pod_template, workload
from tests.conformance.workloads import available, pods_of
from tests.support.server import wait_for


def daemons(ns, name):
    return [one for one in pods_of(ns, name) if "deletionTimestamp" not in one["metadata"]]


def test_daemonset_should_run_and_stop_complex_daemon(ns):
    ns.create(
        "daemonsets", "d", workload("d", template=pod_template({"app": "d"}, "pause", nodeSelector={"colour": ns.name}))
    )
    wait_for(lambda: "desiredNumberScheduled" in ns.get("daemonsets", "d")["status"], "it has looked")
    assert not daemons(ns, "d")
    ns.patch("nodes", "node-1", {"metadata": {"labels": {"colour": ns.name}}})
    available(ns, "daemonsets", "d", 1, "numberReady")
    ns.patch("nodes", "node-1", {"metadata": {"labels": {"colour": "green"}}})
    wait_for(lambda: not daemons(ns, "d"), "nowhere")
    ns.patch(
        "daemonsets",
        "d",
        {
            "spec": {
                "template": {"spec": {"nodeSelector": {"colour": "green"}}},
                "updateStrategy": {"type": "RollingUpdate"},
            }
        },
    )
    available(ns, "daemonsets", "d", 1, "numberReady")
    ns.patch("nodes", "node-1", {"metadata": {"labels": {"colour": None}}})


def test_daemonset_should_retry_creating_failed_daemon_pods(ns):
    ns.create("daemonsets", "f", workload("f", "pause"))
    available(ns, "daemonsets", "f", 3, "numberReady")
    victim = daemons(ns, "f")[0]
    victim["status"]["phase"] = "Failed"
    ns.patch("pods", f"{victim['metadata']['name']}/status", {"status": {"phase": "Failed"}})
    wait_for(lambda: ns.find("pods", victim["metadata"]["name"]) is None, "the failed one is removed", 60)
    wait_for(
        lambda: {one["status"].get("phase") for one in daemons(ns, "f")} == {"Running"} and len(daemons(ns, "f")) == 3,
        "another",
    )


def test_daemonset_should_rollback_without_unnecessary_restarts(ns):
    ns.create("daemonsets", "b", workload("b", "pause"))
    available(ns, "daemonsets", "b", 3, "numberReady")
    before = {one["metadata"]["name"] for one in daemons(ns, "b")}
    ns.patch(
        "daemonsets",
        "b",
        {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "foo:non-existent"}]}}}},
        "strategic",
    )
    wait_for(
        lambda: any(one["spec"]["containers"][0]["image"] == "foo:non-existent" for one in daemons(ns, "b")),
        "one is new",
    )
    ns.kubectl("rollout", "undo", "ds/b")
    wait_for(
        lambda: (
            ns.get("daemonsets", "b")["status"].get("numberReady") == 3
            and ns.get("daemonsets", "b")["status"].get("updatedNumberScheduled") == 3
        ),
        "rolled back",
        60,
    )
    assert len(before & {one["metadata"]["name"] for one in daemons(ns, "b")}) >= 2


def test_daemonset_should_update_pod_when_spec_was_updated(ns):
    ns.create("daemonsets", "u", workload("u", "pause"))
    available(ns, "daemonsets", "u", 3, "numberReady")
    ns.patch(
        "daemonsets",
        "u",
        {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "httpd:2.4"}]}}}},
        "strategic",
    )
    available(ns, "daemonsets", "u", 3, "updatedNumberScheduled")
    revisions = sorted(ns.list("controllerrevisions", "app=u"), key=lambda one: one["revision"])
    assert [one["revision"] for one in revisions] == [1, 2]
    assert {one["metadata"]["labels"]["controller-revision-hash"] for one in daemons(ns, "u")} <= {
        one["metadata"]["labels"]["controller-revision-hash"] for one in revisions
    }
