"""Nodes, configuration, events and access: each kind's row as Kubernetes prints it (wide)."""

from __future__ import annotations

import pytest

from tests.apiserver.printers.rows import (
    AGE,
    HOUR_AGO,
    MINUTE_AGO,
    NONE,
    RBAC,
    UNKNOWN,
    event,
    made,
    node,
    numbered,
    shows,
)

ROWS = [
    # -- the cluster
    ("namespaces", made(status={"phase": "Active"}), ["n", "Active", AGE]),
    (
        "nodes",
        node(
            {
                "conditions": [{"type": "MemoryPressure", "status": "False"}, {"type": "Ready", "status": "True"}],
                "addresses": [{"type": "Hostname", "address": "h"}, {"type": "InternalIP", "address": "10.1.0.1"}],
                "nodeInfo": {
                    "kubeletVersion": "v1.37.0",
                    "osImage": "Debian",
                    "kernelVersion": "6",
                    "containerRuntimeVersion": "sim://1",
                },
            },
            {
                "node-role.kubernetes.io/worker": "",
                "node-role.kubernetes.io/control-plane": "",
                "kubernetes.io/role": "edge",
            },
        ),
        ["n", "Ready", "control-plane,edge,worker", AGE, "v1.37.0", "10.1.0.1", NONE, "Debian", "6", "sim://1"],
    ),
    (
        "nodes",
        node({"conditions": [{"type": "Ready", "status": "Unknown"}]}, unschedulable=True),
        ["n", "NotReady,SchedulingDisabled", NONE, AGE, "", NONE, NONE, UNKNOWN, UNKNOWN, UNKNOWN],
    ),
    ("nodes", node(), ["n", "Unknown", NONE, AGE, "", NONE, NONE, UNKNOWN, UNKNOWN, UNKNOWN]),
    ("configmaps", made(data={"a": "1"}, binaryData={"b": ""}), ["n", 2, AGE]),
    ("secrets", made(type="Opaque", data={"a": ""}), ["n", "Opaque", 1, AGE]),
    ("serviceaccounts", made(secrets=[{"name": "s"}]), ["n", AGE]),
    (
        "resourcequotas",
        made(
            status={
                "hard": {"pods": "10", "limits.cpu": "4", "requests.cpu": "2", "limits.memory": "1Gi"},
                "used": {"pods": "3", "limits.cpu": "500m"},
            }
        ),
        ["n", "pods: 3/10, requests.cpu: 0/2", "limits.cpu: 500m/4, limits.memory: 0/1Gi", AGE],
    ),
    (
        "componentstatuses",
        made(conditions=[{"type": "Healthy", "status": "True", "message": "ok"}], name="etcd-0"),
        ["etcd-0", "Healthy", "ok", ""],
    ),
    (
        "componentstatuses",
        made(conditions=[{"type": "Healthy", "status": "False", "message": "m", "error": "e"}]),
        ["n", "Unhealthy", "m", "e"],
    ),
    ("componentstatuses", made(), ["n", "Unknown", "", ""]),
    ("coordination.k8s.io/leases", made({"holderIdentity": "me"}), ["n", "me", AGE]),
    (
        "scheduling.k8s.io/priorityclasses",
        made(value=1000, globalDefault=True, preemptionPolicy="Never"),
        ["n", 1000, True, AGE, "Never"],
    ),
    ("node.k8s.io/runtimeclasses", made(handler="gvisor"), ["n", "gvisor", AGE]),
    # -- events
    (
        "events",
        event(
            message="Pulled it\n",
            firstTimestamp=HOUR_AGO,
            lastTimestamp=MINUTE_AGO,
            count=4,
            source={"component": "kubelet", "host": "n1"},
        ),
        ["60s", "Normal", "Pulled", "pod/web", "spec.containers{c}", "kubelet, n1", "Pulled it", AGE, 4, "web.1"],
    ),
    (
        "events",
        event(
            message="m", eventTime="2026-06-01T11:00:00.000000Z", reportingComponent="sched", reportingInstance="s-1"
        ),
        [AGE, "Normal", "Pulled", "pod/web", "spec.containers{c}", "sched, s-1", "m", AGE, 1, "web.1"],
    ),
    (
        "events",
        event(message="m", eventTime=HOUR_AGO, series={"count": 7, "lastObservedTime": MINUTE_AGO}),
        ["60s", "Normal", "Pulled", "pod/web", "spec.containers{c}", "", "m", AGE, 7, "web.1"],
    ),
    (
        "events",
        {
            "metadata": {"name": "e"},
            "type": "Warning",
            "reason": "R",
            "regarding": {"kind": "Node"},
            "note": "new",
            "deprecatedFirstTimestamp": HOUR_AGO,
            "deprecatedLastTimestamp": MINUTE_AGO,
            "deprecatedCount": 2,
            "reportingController": "c",
        },
        ["60s", "Warning", "R", "node", "", "c", "new", AGE, 2, "e"],
    ),
    ("events", event(), [UNKNOWN, "Normal", "Pulled", "pod/web", "spec.containers{c}", "", "", UNKNOWN, 1, "web.1"]),
    # -- access
    (
        f"{RBAC}/rolebindings",
        made(
            roleRef={"kind": "Role", "name": "r"},
            subjects=[
                {"kind": "User", "name": "a"},
                {"kind": "User", "name": "b"},
                {"kind": "Group", "name": "g"},
                {"kind": "ServiceAccount", "name": "s", "namespace": "d"},
            ],
        ),
        ["n", "Role/r", AGE, "a, b", "g", "d/s"],
    ),
    (
        f"{RBAC}/clusterrolebindings",
        made(roleRef={"kind": "ClusterRole", "name": "r"}),
        ["n", "ClusterRole/r", AGE, "", "", ""],
    ),
    (f"{RBAC}/clusterroles", made(), ["n", HOUR_AGO]),
    (
        "certificates.k8s.io/certificatesigningrequests",
        made(
            {"signerName": "k/s", "username": "u", "expirationSeconds": 86400},
            {"conditions": [{"type": "Approved"}], "certificate": "abc"},
        ),
        ["n", AGE, "k/s", "u", "24h", "Approved,Issued"],
    ),
    (
        "certificates.k8s.io/certificatesigningrequests",
        made({}, {"conditions": [{"type": "Approved"}, {"type": "Denied"}, {"type": "Failed"}]}),
        ["n", AGE, NONE, "", NONE, "Denied,Failed"],
    ),
    ("certificates.k8s.io/certificatesigningrequests", made({"username": "u"}), ["n", AGE, NONE, "u", NONE, "Pending"]),
]


@pytest.mark.parametrize(("key", "obj", "cells"), ROWS, ids=numbered(ROWS))
def test_a_row(key, obj, cells):
    shows(key, obj, cells)
