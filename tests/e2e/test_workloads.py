"""Real kubectl and the other workloads: Jobs, CronJobs, StatefulSets with claims, budgets and drains, quotas."""

from __future__ import annotations

import json

import pytest

from tests.support.kubectl import got
from tests.support.server import wait_for

INDEXED = """
apiVersion: batch/v1
kind: Job
metadata: {name: indexed}
spec:
  completions: 4
  parallelism: 2
  completionMode: Indexed
  template:
    spec:
      restartPolicy: Never
      containers: [{name: c, image: busybox, command: [sh, -c, "echo index $JOB_COMPLETION_INDEX"]}]
"""


def test_jobs(cluster):
    assert cluster.kubectl("create", "job", "once", "--image=busybox", "--", "echo", "hi") == "job.batch/once created\n"
    cluster.kubectl("apply", "-f", "-", stdin=INDEXED)
    out = cluster.kubectl("wait", "--for=condition=complete", "job/once", "job/indexed", "--timeout=60s")
    assert out == "job.batch/once condition met\njob.batch/indexed condition met\n"
    assert cluster.kubectl("logs", "job/once") == "hi\n"
    out = cluster.kubectl("logs", "-l", "batch.kubernetes.io/job-name=indexed", "--max-log-requests=9")
    assert sorted(out.splitlines()) == [f"index {number}" for number in range(4)]
    lines = cluster.kubectl("get", "jobs").splitlines()
    assert lines[0].split() == ["NAME", "STATUS", "COMPLETIONS", "DURATION", "AGE"]
    assert lines[1].split()[:3] == ["indexed", "Complete", "4/4"]
    assert "Completed" in cluster.kubectl("describe", "job", "indexed")
    cluster.kubectl("delete", "job", "once", "indexed")
    wait_for(lambda: "No resources found" in cluster.kubectl("get", "pods", "-l", "job-name"), "their pods go")


def test_a_cron_job_by_hand(cluster):
    cluster.kubectl("create", "cronjob", "tick", "--image=busybox", "--schedule=0 0 1 1 *", "--", "date")
    assert "tick" in cluster.kubectl("get", "cronjobs")
    assert cluster.kubectl("create", "job", "now", "--from=cronjob/tick") == "job.batch/now created\n"
    cluster.kubectl("wait", "--for=condition=complete", "job/now", "--timeout=60s")
    cluster.kubectl("delete", "cronjob", "tick")
    wait_for(lambda: "No resources found" in cluster.kubectl("get", "jobs"), "its job goes with it")


STATEFUL = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 2
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: c, image: "redis:7", volumeMounts: [{name: data, mountPath: /data}]}]
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: db}
spec: {minAvailable: 2, selector: {matchLabels: {app: db}}}
"""


@pytest.fixture(scope="module")
def db(cluster):
    cluster.kubectl("apply", "-f", "-", stdin=STATEFUL)
    cluster.kubectl("rollout", "status", "statefulset/db", "--timeout=60s")
    return cluster


def test_a_stateful_set_and_its_claims(db):
    lines = db.kubectl("get", "pvc").splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [["data-db-0", "Bound"], ["data-db-1", "Bound"]]
    assert "default/data-db-0" in db.kubectl("get", "pv")
    uid = got(db, "pvc", "data-db-1")["metadata"]["uid"]
    db.kubectl("scale", "statefulset/db", "--replicas=1")
    wait_for(lambda: "NotFound" in db.kubectl("get", "pod", "db-1", check=False), "db-1 goes")
    db.kubectl("scale", "statefulset/db", "--replicas=2")
    db.kubectl("rollout", "status", "statefulset/db", "--timeout=60s")
    assert got(db, "pvc", "data-db-1")["metadata"]["uid"] == uid


def test_drain_waits_for_the_budget(db, nodes):
    wait_for(lambda: got(db, "pdb", "db")["status"]["currentHealthy"] == 2, "the budget has counted")
    node = got(db, "pod", "db-0")["spec"]["nodeName"]
    out = db.kubectl("drain", node, "--ignore-daemonsets", "--timeout=2s", check=False)
    assert "Cannot evict pod as it would violate the pod's disruption budget." in out
    db.kubectl("delete", "pdb", "db")
    assert f"node/{node} drained" in db.kubectl("drain", node, "--ignore-daemonsets", "--timeout=60s")
    db.kubectl("rollout", "status", "statefulset/db", "--timeout=60s")
    assert got(db, "pod", "db-0")["spec"]["nodeName"] != node


def test_quota_is_counted_and_kept(cluster):
    cluster.kubectl("create", "namespace", "small")
    cluster.kubectl("create", "quota", "few", "--hard=pods=1,configmaps=2", "-n", "small")
    cluster.kubectl("run", "one", "--image=nginx", "-n", "small")
    wait_for(lambda: got(cluster, "quota", "few", "-n", "small")["status"]["used"]["pods"] == "1", "it is counted")
    out = cluster.kubectl("run", "two", "--image=nginx", "-n", "small", check=False)
    assert 'pods "two" is forbidden: exceeded quota: few, requested: pods=1, used: pods=1, limited: pods=1' in out


def test_a_load_balancer_comes_and_goes(cluster):
    cluster.kubectl("create", "service", "loadbalancer", "front", "--tcp=80:80")
    service = wait_for(
        lambda: (
            (found := got(cluster, "service", "front")) and found["status"]["loadBalancer"].get("ingress") and found
        ),
        "it has an address",
    )
    assert service["status"]["loadBalancer"]["ingress"][0]["ip"].startswith("192.0.2.")
    assert service["metadata"]["finalizers"] == ["service.kubernetes.io/load-balancer-cleanup"]
    cluster.kubectl("delete", "service", "front", "--timeout=30s")
    assert "NotFound" in cluster.kubectl("get", "service", "front", check=False)


def test_a_status_may_come_with_annotations(cluster):
    cluster.kubectl("create", "job", "noted", "--image=busybox", "--", "sleep", "600")
    patch = '{"metadata":{"annotations":{"patchedstatus":"true"}},"status":{"startTime":"2026-01-01T00:00:00Z"}}'
    cluster.kubectl("patch", "job", "noted", "--subresource=status", "--type=merge", "-p", patch)
    assert got(cluster, "job", "noted")["metadata"]["annotations"]["patchedstatus"] == "true"
    cluster.kubectl("delete", "job", "noted")


def test_a_daemon_set_counts_the_generations_of_its_template(cluster):
    body = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "counted"},
        "spec": {
            "selector": {"matchLabels": {"app": "counted"}},
            "template": {
                "metadata": {"labels": {"app": "counted"}},
                "spec": {"containers": [{"name": "c", "image": "nginx"}], "terminationGracePeriodSeconds": 0},
            },
        },
    }
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(body))
    cluster.kubectl("rollout", "status", "ds/counted", "--timeout=60s")
    cluster.kubectl("label", "ds", "counted", "x=y")
    annotation = "deprecated.daemonset.template.generation"
    assert got(cluster, "ds", "counted")["metadata"]["annotations"][annotation] == "1"
    cluster.kubectl("set", "image", "ds/counted", "c=nginx:1.28")
    cluster.kubectl("rollout", "status", "ds/counted", "--timeout=60s")
    assert got(cluster, "ds", "counted")["metadata"]["annotations"][annotation] == "2"
    pods = got(cluster, "pods", "-l", "app=counted,pod-template-generation=2")["items"]
    assert len(pods) == 3
    cluster.kubectl("delete", "ds", "counted")
