"""Workloads, autoscaling and budgets: each kind's row as Kubernetes prints it (wide)."""

from __future__ import annotations

import orjson
import pytest

from tests.apiserver.printers.rows import (
    AGE,
    APP,
    HOUR_AGO,
    MINUTE_AGO,
    NONE,
    TEMPLATE,
    UNSET,
    cpu,
    cpu_now,
    hpa,
    job,
    made,
    numbered,
    shows,
    true,
)

ROWS = [
    # -- workloads
    (
        "apps/deployments",
        made(
            {"replicas": 3, "selector": APP, "template": TEMPLATE},
            {"readyReplicas": 2, "updatedReplicas": 3, "availableReplicas": 1},
        ),
        ["n", "2/3", 3, 1, AGE, "a,b", "x:1,y", "app=w"],
    ),
    (
        "apps/replicasets",
        made({"replicas": 3, "selector": APP, "template": TEMPLATE}, {"replicas": 2, "readyReplicas": 1}),
        ["n", 3, 2, 1, AGE, "a,b", "x:1,y", "app=w"],
    ),
    (
        "replicationcontrollers",
        made({"replicas": 1, "selector": {"a": "b"}, "template": TEMPLATE}, {"replicas": 1}),
        ["n", 1, 1, 0, AGE, "a,b", "x:1,y", "a=b"],
    ),
    (
        "apps/statefulsets",
        made({"replicas": 2, "template": TEMPLATE}, {"readyReplicas": 1}),
        ["n", "1/2", AGE, "a,b", "x:1,y"],
    ),
    (
        "apps/daemonsets",
        made(
            {"selector": APP, "template": {"spec": {**TEMPLATE["spec"], "nodeSelector": {"disk": "ssd"}}}},
            {
                "desiredNumberScheduled": 5,
                "currentNumberScheduled": 4,
                "numberReady": 3,
                "updatedNumberScheduled": 2,
                "numberAvailable": 1,
            },
        ),
        ["n", 5, 4, 3, 2, 1, "disk=ssd", AGE, "a,b", "x:1,y", "app=w"],
    ),
    (
        "apps/controllerrevisions",
        {
            "metadata": {
                "name": "n",
                "creationTimestamp": HOUR_AGO,
                "ownerReferences": [
                    {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "uid": "u", "controller": True}
                ],
            },
            "revision": 4,
        },
        ["n", "statefulset.apps/db", 4, AGE],
    ),
    ("apps/controllerrevisions", made(revision=1), ["n", NONE, 1, AGE]),
    (
        "batch/jobs",
        job({"startTime": HOUR_AGO, "succeeded": 1}),
        ["n", "Running", "1/3", "60m", AGE, "a,b", "x:1,y", "app=w"],
    ),
    (
        "batch/jobs",
        job(
            {
                "startTime": HOUR_AGO,
                "completionTime": "2026-06-01T11:02:05Z",
                "succeeded": 3,
                "conditions": true("SuccessCriteriaMet", "Complete"),
            }
        ),
        ["n", "Complete", "3/3", "2m5s", AGE, "a,b", "x:1,y", "app=w"],
    ),
    (
        "batch/jobs",
        job({"conditions": true("FailureTarget", "Failed")}),
        ["n", "Failed", "0/3", "", AGE, "a,b", "x:1,y", "app=w"],
    ),
    (
        "batch/jobs",
        job({"conditions": true("FailureTarget")}),
        ["n", "FailureTarget", "0/3", "", AGE, "a,b", "x:1,y", "app=w"],
    ),
    ("batch/jobs", job({"conditions": true("Suspended")}), ["n", "Suspended", "0/3", "", AGE, "a,b", "x:1,y", "app=w"]),
    (
        "batch/jobs",
        job({"conditions": true("Suspended")}, deleted=True),
        ["n", "Terminating", "0/3", "", AGE, "a,b", "x:1,y", "app=w"],
    ),
    (
        "batch/jobs",
        job({"conditions": true("Complete")}, deleted=True),
        ["n", "Complete", "0/3", "", AGE, "a,b", "x:1,y", "app=w"],
    ),
    ("batch/jobs", job(completions=None, parallelism=1), ["n", "Running", "0/1", "", AGE, "a,b", "x:1,y", "app=w"]),
    (
        "batch/jobs",
        job(completions=None, parallelism=4),
        ["n", "Running", "0/1 of 4", "", AGE, "a,b", "x:1,y", "app=w"],
    ),
    (
        "batch/cronjobs",
        made(
            {"schedule": "* * * * *", "suspend": False, "jobTemplate": {"spec": {"template": TEMPLATE}}},
            {"active": [{}, {}], "lastScheduleTime": MINUTE_AGO},
        ),
        ["n", "* * * * *", NONE, "False", 2, "60s", AGE, "a,b", "x:1,y", NONE],
    ),
    (
        "batch/cronjobs",
        made({"schedule": "@daily", "timeZone": "Etc/UTC", "suspend": True, "jobTemplate": {}}),
        ["n", "@daily", "Etc/UTC", "True", 0, NONE, AGE, "", "", NONE],
    ),
    # -- scaling
    ("autoscaling/horizontalpodautoscalers", hpa([]), ["n", "Deployment/web", NONE, "1", 9, 2, AGE]),
    (
        "autoscaling/horizontalpodautoscalers",
        hpa([cpu(averageUtilization=80)]),
        ["n", "Deployment/web", "cpu: <unknown>/80%", "1", 9, 2, AGE],
    ),
    (
        "autoscaling/horizontalpodautoscalers",
        hpa([cpu(averageUtilization=80)], [cpu_now(averageUtilization=55, averageValue="5m")]),
        ["n", "Deployment/web", "cpu: 55%/80%", "1", 9, 2, AGE],
    ),
    (
        "autoscaling/horizontalpodautoscalers",
        hpa(
            [
                cpu(averageValue="100m"),
                {"type": "Pods", "pods": {"target": {"averageValue": "10"}}},
                {"type": "External", "external": {"target": {"value": "1"}}},
            ],
            [cpu_now(averageValue="50m"), {"type": "Pods", "pods": {"current": {"averageValue": "7"}}}],
        ),
        ["n", "Deployment/web", "cpu: 50m/100m, 7/10 + 1 more...", "1", 9, 2, AGE],
    ),
    (
        "autoscaling/horizontalpodautoscalers",
        hpa(
            [
                {"type": "External", "external": {"target": {"averageValue": "5"}}},
                {"type": "Object", "object": {"target": {"value": "3"}}},
            ],
            [{}, {"type": "Object", "object": {"current": {"value": "2"}}}],
        ),
        ["n", "Deployment/web", "<unknown>/5 (avg), 2/3", "1", 9, 2, AGE],
    ),
    (
        "autoscaling/horizontalpodautoscalers",
        made(
            {
                "scaleTargetRef": {"kind": "Deployment", "name": "web"},
                "maxReplicas": 9,
                "targetCPUUtilizationPercentage": 70,
            },
            {"currentReplicas": 1, "currentCPUUtilizationPercentage": 20},
            annotations={
                "autoscaling.alpha.kubernetes.io/metrics": orjson.dumps([cpu(averageValue="1")]).decode(),
                "autoscaling.alpha.kubernetes.io/current-metrics": "nonsense",
            },
            apiVersion="autoscaling/v1",
        ),
        ["n", "Deployment/web", "cpu: 20%/70%, cpu: <unknown>/1", UNSET, 9, 1, AGE],
    ),
    (
        "policy/poddisruptionbudgets",
        made({"minAvailable": "50%"}, {"disruptionsAllowed": 1}),
        ["n", "50%", "N/A", 1, AGE],
    ),
    ("policy/poddisruptionbudgets", made({"maxUnavailable": 1}), ["n", "N/A", "1", 0, AGE]),
    ("Scale", made({"replicas": 3}, {"replicas": 2}), ["n", 3, 2, AGE]),
]


@pytest.mark.parametrize(("key", "obj", "cells"), ROWS, ids=numbered(ROWS))
def test_a_row(key, obj, cells):
    shows(key, obj, cells)
