"""[sig-apps] Job and CronJob."""

from __future__ import annotations

import pytest

from tests.conformance.api import pod_template
from tests.conformance.workloads import job, owner, pods_of
from tests.support.server import wait_for


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
    restarts = [one["status"]["containerStatuses"][0]["restartCount"] for one in pods_of(ns, "k")]
    assert len(restarts) == 4 and all(restarts)


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


@pytest.mark.parametrize(
    ("query", "left"), [("", True), ("?propagationPolicy=Background", False), ("?orphanDependents=true", True)]
)
def test_a_job_that_is_deleted_without_a_word_leaves_its_pods(ns, query, left):
    """Kept for back compatibility in batch/v1, as for ReplicationControllers in v1; a warning says so."""
    pods = pod_template({"app": "left"}, "pause", restartPolicy="Never")
    ns.create("jobs", "left", {"parallelism": 2, "completions": 2, "template": pods})
    wait_for(lambda: len(ns.list("pods")) == 2, "its pods are there")
    ns.delete("jobs", "left", query)
    wait_for(lambda: ns.find("jobs", "left") is None, "the job is gone")
    if left:
        assert all("ownerReferences" not in one["metadata"] for one in ns.list("pods")) and len(ns.list("pods")) == 2
    else:
        wait_for(lambda: not ns.list("pods"), "its pods go with it")


def test_who_deletes_a_job_without_a_word_is_warned(ns):
    ns.create("jobs", "warned", {"template": pod_template({"app": "warned"}, "pause", restartPolicy="Never")})
    told = ns.kubectl("delete", "--raw", ns.path("jobs", "warned"))
    assert "child pods are preserved by default when jobs are deleted" in told


def test_cronjob_should_support_cronjob_api_operations(ns):
    spec = {
        "schedule": "*/1 * * * *",
        "suspend": True,
        "concurrencyPolicy": "Allow",
        "jobTemplate": {"spec": {"template": pod_template({"app": "c"}, "pause", restartPolicy="OnFailure")}},
    }
    label = {"special-label": ns.name}
    for name in ("one", "two", "three"):
        ns.create("cronjobs", name, spec, metadata={"labels": label})
    version = ns.get("cronjobs", "one")["metadata"]["resourceVersion"]
    everywhere = ns.request("GET", f"/apis/batch/v1/cronjobs?labelSelector=special-label%3D{ns.name}")["items"]
    assert len(everywhere) == 3
    patched = ns.patch("cronjobs", "one", {"metadata": {"annotations": {"patched": "true"}}}, "merge")
    assert patched["metadata"]["annotations"]["patched"] == "true"
    assert patched["metadata"]["resourceVersion"] != version
    current = ns.get("cronjobs", "one")
    current["metadata"]["annotations"]["updated"] = "true"
    assert ns.put("cronjobs", "one", current)["metadata"]["annotations"]["updated"] == "true"
    moment = "2026-01-01T00:00:00Z"
    answered = ns.patch(
        "cronjobs",
        "one/status",
        {"metadata": {"annotations": {"patchedstatus": "true"}}, "status": {"lastScheduleTime": moment}},
    )
    assert answered["status"]["lastScheduleTime"] == moment
    assert answered["metadata"]["annotations"]["patchedstatus"] == "true"
    answered["status"]["lastScheduleTime"] = "2026-01-01T00:01:00Z"
    assert ns.put("cronjobs", "one/status", answered)["status"]["lastScheduleTime"] == "2026-01-01T00:01:00Z"
    assert ns.get("cronjobs", "one/status")["kind"] == "CronJob"
    ns.delete("cronjobs", "one")
    assert ns.find("cronjobs", "one") is None
    ns.delete("cronjobs", query=f"?labelSelector=special-label%3D{ns.name}")
    wait_for(lambda: ns.list("cronjobs") == [], "they are gone")
