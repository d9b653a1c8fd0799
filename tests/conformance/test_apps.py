"""[sig-apps]: what Kubernetes' conformance tests ask of the workload controllers."""

from __future__ import annotations

import pytest

from tests.conformance.api import Refused, pod_template, workload
from tests.support.server import wait_for


def owner(obj):
    return next((one for one in obj["metadata"].get("ownerReferences") or () if one.get("controller")), {})


def pods_of(ns, name):
    return sorted(ns.list("pods", f"app={name}"), key=lambda one: one["metadata"]["name"])


def available(ns, resource, name, count, field="readyReplicas"):
    wait_for(
        lambda: ns.get(resource, name)["status"].get(field, 0) == count, f"{resource} {name} has {count} {field}", 60
    )


# -- Deployment ----------------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("resource", ["deployments", "replicasets", "statefulsets", "replicationcontrollers"])
def test_should_have_a_working_scale_subresource(ns, resource):
    spec = workload("s", "pause")
    if resource == "statefulsets":
        spec["serviceName"] = "s"
    if resource == "replicationcontrollers":
        spec["selector"] = {"app": "s"}
    ns.create(resource, "s", spec)
    scale = ns.get(resource, "s/scale")
    assert (scale["kind"], scale["spec"]["replicas"]) == ("Scale", 1)
    scale["spec"]["replicas"] = 2
    del scale["metadata"]["resourceVersion"]
    assert ns.put(resource, "s/scale", scale)["spec"]["replicas"] == 2
    ns.patch(resource, "s/scale", {"spec": {"replicas": 4}})
    assert ns.get(resource, "s")["spec"]["replicas"] == 4


def test_replication_controller_lifecycle(ns):
    """Created, read, patched (spec and status), scaled, listed in all namespaces, deleted as a collection."""
    spec = {"replicas": 1, "selector": {"app": "lc"}, "template": pod_template({"app": "lc"}, "pause")}
    ns.create("replicationcontrollers", "lc", spec, metadata={"labels": {"test-rc-static": ns.name}})
    available(ns, "replicationcontrollers", "lc", 1)
    patched = ns.patch(
        "replicationcontrollers", "lc", {"metadata": {"labels": {"test-rc": "patched"}}, "spec": {"replicas": 2}}
    )
    assert patched["metadata"]["labels"]["test-rc"] == "patched"
    ns.patch("replicationcontrollers", "lc/status", {"status": {"readyReplicas": 0, "availableReplicas": 0}})
    available(ns, "replicationcontrollers", "lc", 2)
    found = ns.request("GET", f"/api/v1/replicationcontrollers?labelSelector=test-rc-static%3D{ns.name}")["items"]
    assert [one["metadata"]["name"] for one in found] == ["lc"]
    ns.delete("replicationcontrollers", query=f"?labelSelector=test-rc-static%3D{ns.name}")
    wait_for(lambda: ns.find("replicationcontrollers", "lc") is None, "gone")


def test_replicaset_replace_and_patch(ns):
    ns.create("replicasets", "rp", workload("rp", "pause", replicas=1))
    available(ns, "replicasets", "rp", 1)
    ns.patch("replicasets", "rp/scale", {"spec": {"replicas": 2}})
    available(ns, "replicasets", "rp", 2)
    change = {
        "metadata": {"labels": {"test-rs": "patched"}},
        "spec": {"replicas": 3, "template": {"spec": {"terminationGracePeriodSeconds": 0}}},
    }
    ns.patch("replicasets", "rp", change, "strategic")
    available(ns, "replicasets", "rp", 3)
    assert ns.get("replicasets", "rp")["metadata"]["labels"]["test-rs"] == "patched"


STATUS_OF = {
    "deployments": ("apps/v1", "Deployment"),
    "replicasets": ("apps/v1", "ReplicaSet"),
    "statefulsets": ("apps/v1", "StatefulSet"),
    "daemonsets": ("apps/v1", "DaemonSet"),
}


@pytest.mark.parametrize("resource", STATUS_OF)
def test_status_endpoints(ns, resource):
    spec = workload("x", "pause")
    if resource == "statefulsets":
        spec["serviceName"] = "x"
    ns.create(resource, "x", spec)
    condition = {"type": "StatusUpdate", "status": "True", "reason": "E2E", "message": "Set from e2e test"}

    def updated():
        obj = ns.get(resource, "x")
        obj["status"]["conditions"] = [*(obj["status"].get("conditions") or ()), condition]
        try:
            return ns.put(resource, "x/status", obj)
        except Refused as refused:
            assert refused.code == 409
            return None

    wait_for(updated, "the status is written")
    wait_for(lambda: ns.condition(resource, "x", "StatusUpdate")["reason"] == "E2E", "and read")
    ns.patch(resource, "x/status", {"status": {"conditions": [{"type": "StatusPatched", "status": "True"}]}})
    wait_for(lambda: ns.condition(resource, "x", "StatusPatched")["status"] == "True", "patched")


# -- ReplicaSet, ReplicationController ------------------------------------------------------------------------------------


@pytest.mark.parametrize("resource", ["replicasets", "replicationcontrollers"])
def test_should_adopt_matching_pods_on_creation_and_release_no_longer_matching_pods(ns, resource):
    ns.pod("adopt", "pause", metadata={"labels": {"app": "adopt"}})
    spec = workload("adopt", "pause", replicas=1)
    if resource == "replicationcontrollers":
        spec["selector"] = {"app": "adopt"}
    made = ns.create(resource, "adopt", spec)
    wait_for(lambda: owner(ns.get("pods", "adopt")).get("uid") == made["metadata"]["uid"], "the pod is adopted")
    ns.patch("pods", "adopt", {"metadata": {"labels": {"app": "other"}}})
    wait_for(lambda: not owner(ns.get("pods", "adopt")), "the pod is released")
    wait_for(lambda: len(pods_of(ns, "adopt")) == 1, "there is another")


def test_replication_controller_should_surface_a_failure_condition_on_exceeded_quota(ns):
    ns.create("resourcequotas", "q", {"hard": {"pods": "2"}})
    wait_for(lambda: ns.get("resourcequotas", "q")["status"].get("used"), "the quota counts")
    ns.create(
        "replicationcontrollers",
        "rc",
        {"replicas": 3, "selector": {"app": "rc"}, "template": pod_template({"app": "rc"}, "pause")},
    )
    wait_for(lambda: ns.condition("replicationcontrollers", "rc", "ReplicaFailure")["status"] == "True", "it says so")
    assert ns.condition("replicationcontrollers", "rc", "ReplicaFailure")["reason"] == "FailedCreate"
    ns.patch("replicationcontrollers", "rc", {"spec": {"replicas": 2}})
    wait_for(lambda: not ns.condition("replicationcontrollers", "rc", "ReplicaFailure")["status"], "and takes it back")


@pytest.mark.parametrize(
    "resource",
    [
        "deployments",
        "replicasets",
        "statefulsets",
        "daemonsets",
        "jobs",
        "cronjobs",
        "poddisruptionbudgets",
        "replicationcontrollers",
    ],
)
def test_should_list_and_delete_a_collection(ns, resource):
    for name in ("a", "b", "c"):
        spec = workload(name, "pause")
        if resource == "statefulsets":
            spec["serviceName"] = "x"
        if resource == "jobs":
            spec = {"template": pod_template({"app": name}, "pause", restartPolicy="Never")}
        if resource == "cronjobs":
            inner = {"template": pod_template({"app": name}, "pause", restartPolicy="Never")}
            spec = {"schedule": "*/1 * * * *", "suspend": True, "jobTemplate": {"spec": inner}}
        if resource == "poddisruptionbudgets":
            spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": name}}}
        if resource == "replicationcontrollers":
            spec["selector"] = {"app": name}
        ns.create(resource, name, spec, metadata={"labels": {"e2e": "yes"}})
    assert len(ns.list(resource, "e2e=yes")) == 3
    ns.delete(resource, query="?labelSelector=e2e%3Dyes&propagationPolicy=Background")
    wait_for(lambda: not ns.list(resource, "e2e=yes"), "all are gone")


# -- StatefulSet --------------------------------------------------------------------------------------------------------


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
    ns.exec(pod, "/bin/sh", "-c", "mv -v /usr/local/apache2/htdocs/index.html /tmp/ || true")


def mend_probe(ns, pod):
    ns.exec(pod, "/bin/sh", "-c", "mv -v /tmp/index.html /usr/local/apache2/htdocs/ || true")


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
    for at in (2, 1, 0):
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


# -- DaemonSet -----------------------------------------------------------------------------------------------------------


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


# -- Job, CronJob --------------------------------------------------------------------------------------------------------


def job(name, *command, **spec):
    template = pod_template(
        {"app": name},
        image="busybox:1.37",
        container={"command": list(command)},
        restartPolicy=spec.pop("restart", "Never"),
    )
    return {"template": template, **spec}


def test_job_should_adopt_matching_orphans_and_release_non_matching_pods(ns):
    ns.create("jobs", "j", job("j", "sleep", "100000", parallelism=2, completions=2))
    wait_for(lambda: ns.get("jobs", "j")["status"].get("active") == 2, "both run")
    pod = pods_of(ns, "j")[0]["metadata"]["name"]
    ns.patch("pods", pod, {"metadata": {"ownerReferences": None}})
    wait_for(lambda: owner(ns.get("pods", pod)).get("name") == "j", "it is adopted again")
    labels = dict.fromkeys(ns.get("pods", pod)["metadata"]["labels"])
    ns.patch("pods", pod, {"metadata": {"labels": labels}})
    wait_for(lambda: not owner(ns.get("pods", pod)), "it is released")


def test_job_should_apply_changes_to_a_job_status_and_manage_its_lifecycle(ns):
    ns.create("jobs", "s", job("s", "sleep", "100000", parallelism=2, completions=4, backoffLimit=0))
    wait_for(lambda: ns.get("jobs", "s")["status"].get("active") == 2, "both run")
    started = "2021-01-01T00:00:00Z"
    ns.patch(
        "jobs", "s/status", {"metadata": {"annotations": {"patchedstatus": "true"}}, "status": {"startTime": started}}
    )
    found = ns.get("jobs", "s")
    assert found["metadata"]["annotations"]["patchedstatus"] == "true"
    condition = {"type": "CustomConditionType", "status": "True"}
    ns.patch("jobs", "s/status", {"status": {"conditions": [condition]}})
    assert ns.condition("jobs", "s", "CustomConditionType")["status"] == "True"
    ns.patch("jobs", "s", {"spec": {"suspend": True}})
    wait_for(lambda: ns.get("jobs", "s")["status"].get("active", 0) == 0, "suspended")
    wait_for(lambda: ns.condition("jobs", "s", "Suspended")["status"] == "True", "it says so")
    ns.delete("jobs", "s", "?propagationPolicy=Foreground")
    wait_for(lambda: ns.find("jobs", "s") is None and not pods_of(ns, "s"), "gone with its pods")


def test_job_should_run_to_completion_when_tasks_sometimes_fail_and_are_locally_restarted(ns):
    script = "if [ -e /data/tried ]; then exit 0; fi; touch /data/tried; exit 1"
    spec = job("k", "sh", "-c", script, parallelism=2, completions=4, restart="OnFailure")
    spec["template"]["spec"]["volumes"] = [{"name": "data", "emptyDir": {}}]
    spec["template"]["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    ns.create("jobs", "k", spec)
    wait_for(lambda: ns.condition("jobs", "k", "Complete")["status"] == "True", "it completes", 90)
    assert ns.condition("jobs", "k", "SuccessCriteriaMet")["status"] == "True"
    assert all(one["status"]["containerStatuses"][0]["restartCount"] > 0 for one in pods_of(ns, "k"))


def test_job_should_create_pods_for_an_indexed_job(ns):
    ns.create(
        "jobs",
        "i",
        job("i", "sh", "-c", "echo $JOB_COMPLETION_INDEX", parallelism=2, completions=4, completionMode="Indexed"),
    )
    wait_for(lambda: ns.condition("jobs", "i", "Complete")["status"] == "True", "it completes", 60)
    assert ns.get("jobs", "i")["status"]["completedIndexes"] == "0-3"
    found = {one["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"] for one in pods_of(ns, "i")}
    assert found == {"0", "1", "2", "3"}
    assert all(one["spec"]["hostname"].startswith("i-") for one in pods_of(ns, "i"))


def cron(name, *command, **spec):
    return {"schedule": "*/1 * * * *", "jobTemplate": {"spec": job(name, *command)}, **spec}


def test_cronjob_should_replace_forbid_and_not_schedule_when_suspended(ns):
    ns.create("cronjobs", "replace", cron("replace", "sleep", "3000", concurrencyPolicy="Replace"))
    ns.create("cronjobs", "forbid", cron("forbid", "sleep", "3000", concurrencyPolicy="Forbid"))
    ns.create("cronjobs", "allow", cron("allow", "sleep", "3000", concurrencyPolicy="Allow"))
    ns.create("cronjobs", "never", cron("never", "sleep", "3000", suspend=True))

    def active(name):
        return [one["name"] for one in ns.get("cronjobs", name)["status"].get("active") or ()]

    first = wait_for(lambda: active("replace"), "the first run", 60)
    wait_for(lambda: len(active("allow")) >= 2, "two at once", 60)
    wait_for(lambda: len(active("replace")) == 1 and active("replace") != first, "replaced", 60)
    assert len(active("forbid")) == 1
    assert any("JobAlreadyActive" in one["reason"] for one in ns.list("events", fields="involvedObject.name=forbid"))
    assert not active("never")


# -- DisruptionController ------------------------------------------------------------------------------------------------


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
    status = ns.get("poddisruptionbudgets", "b")
    status["status"]["disruptedPods"] = {"p1": "2021-01-01T00:00:00Z"}

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


def test_controller_revision_should_manage_its_lifecycle(ns):
    ns.create("daemonsets", "cr", workload("cr", "pause"))
    found = wait_for(lambda: ns.list("controllerrevisions", "app=cr"), "it has a revision")[0]
    name = found["metadata"]["name"]
    ns.patch("controllerrevisions", name, {"metadata": {"labels": {name: "patched"}}})
    assert ns.get("controllerrevisions", name)["metadata"]["labels"][name] == "patched"
    body = {
        "metadata": {"name": "mine", "labels": {"app": "cr"}, "ownerReferences": found["metadata"]["ownerReferences"]},
        "data": found["data"],
        "revision": found["revision"] + 1,
    }
    ns.request("POST", ns.path("controllerrevisions"), body)
    ns.delete("controllerrevisions", "mine")
    assert ns.find("controllerrevisions", "mine") is None
    ns.delete("controllerrevisions", query="?labelSelector=app%3Dcr")
    wait_for(
        lambda: [
            one
            for one in ns.list("controllerrevisions", "app=cr")
            if one["metadata"]["uid"] != found["metadata"]["uid"]
        ],
        "the set makes it anew",
    )


def test_job_should_allow_to_use_a_pod_failure_policy_to_ignore_failure_matching_on_disruption_target(ns):
    """Each index leaves a marker on the host and runs on until it is evicted; what is started instead sees the marker and ends."""
    script = (
        "if [[ -f /data/$JOB_COMPLETION_INDEX ]]; then exit 0; fi; touch /data/$JOB_COMPLETION_INDEX; sleep 1000000"
    )
    rule = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    spec = job(
        "dis",
        *("sh", "-c", script),
        parallelism=2,
        completions=2,
        completionMode="Indexed",
        backoffLimit=0,
        podFailurePolicy={"rules": [rule]},
    )
    source = {"hostPath": {"path": f"/tmp/{ns.name}", "type": "DirectoryOrCreate"}}
    spec["template"]["spec"].update(nodeName="node-1", volumes=[{"name": "data", **source}])
    spec["template"]["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    ns.create("jobs", "dis", spec)
    wait_for(lambda: ns.get("jobs", "dis")["status"].get("ready") == 2, "both run")
    for pod in pods_of(ns, "dis"):
        name = pod["metadata"]["name"]
        wait_for(lambda one=name: "0" in ns.exec(one, "ls", "/data"), "the marker is there")
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
        ns.request("POST", ns.path("pods", f"{name}/eviction"), eviction)
    wait_for(lambda: ns.condition("jobs", "dis", "Complete")["status"] == "True", "it completes all the same", 60)


def test_job_should_allow_to_use_the_pod_failure_policy_on_exit_code_to_fail_the_job_early(ns):
    rule = {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}}
    spec = job(
        "early", "sh", "-c", "exit 42", parallelism=2, completions=4, backoffLimit=6, podFailurePolicy={"rules": [rule]}
    )
    ns.create("jobs", "early", spec)
    wait_for(lambda: ns.condition("jobs", "early", "Failed")["status"] == "True", "it fails")
    condition = ns.condition("jobs", "early", "Failed")
    assert condition["reason"] == "PodFailurePolicy"
    assert "failed with exit code 42 matching FailJob rule at index 0" in condition["message"]


@pytest.mark.parametrize("resource", ["replicasets", "replicationcontrollers"])
def test_should_serve_a_basic_image_on_each_replica(ns, resource):
    template = pod_template({"app": "serve"}, "serve-hostname")
    spec = workload("serve", template=template, replicas=2)
    if resource == "replicationcontrollers":
        spec["selector"] = {"app": "serve"}
    ns.create(resource, "serve", spec)
    available(ns, resource, "serve", 2)
    for pod in pods_of(ns, "serve"):
        name = pod["metadata"]["name"]
        assert ns.request("GET", f"/api/v1/namespaces/{ns.name}/pods/{name}:9376/proxy/").strip() == name
