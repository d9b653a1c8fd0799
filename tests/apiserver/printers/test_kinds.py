"""One row of every kind that has columns of its own, as Kubernetes prints it (wide)."""

from __future__ import annotations

import orjson
import pytest

from cluster import clock
from cluster.apiserver.printers.tables import table
from cluster.apiserver.resources.registry import Registry

NOW = clock.parse("2026-06-01T12:00:00Z")
HOUR_AGO, MINUTE_AGO = "2026-06-01T11:00:00Z", "2026-06-01T11:59:00Z"
TEMPLATE = {"spec": {"containers": [{"name": "a", "image": "x:1"}, {"name": "b", "image": "y"}]}}
APP = {"matchLabels": {"app": "w"}}


def made(spec=None, status=None, *, name="n", annotations=None, labels=None, deleted=False, **more):
    obj = {"metadata": {"name": name, "creationTimestamp": HOUR_AGO}, **more}
    for key, value in (("annotations", annotations), ("labels", labels)):
        if value:
            obj["metadata"][key] = value
    if deleted:
        obj["metadata"]["deletionTimestamp"] = MINUTE_AGO
    if spec is not None:
        obj["spec"] = spec
    if status is not None:
        obj["status"] = status
    return obj


def true(*kinds):
    return [{"type": kind, "status": "True"} for kind in kinds]


def service(kind, status=None, **spec):
    return made({"type": kind, "clusterIP": "10.96.0.1", "clusterIPs": ["10.96.0.1"], **spec}, status)


def node(status=None, labels=None, **spec):
    return made(spec, status, labels=labels)


def hpa(metrics, current=(), **more):
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "minReplicas": 1, "maxReplicas": 9}
    return made({**spec, "metrics": metrics}, {"currentReplicas": 2, "currentMetrics": list(current)}, **more)


def cpu(**target):
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def cpu_now(**current):
    return {"type": "Resource", "resource": {"name": "cpu", "current": current}}


def job(status=None, *, deleted=False, **spec):
    return made({"completions": 3, "template": TEMPLATE, "selector": APP, **spec}, status or {}, deleted=deleted)


def event(**more):
    return {
        "metadata": {"name": "web.1"},
        "type": "Normal",
        "reason": "Pulled",
        "involvedObject": {"kind": "Pod", "name": "web", "fieldPath": "spec.containers{c}"},
        **more,
    }


def volume(**spec):
    return {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteMany", "ReadWriteOnce"], **spec}


NONE, UNSET, UNKNOWN = "<none>", "<unset>", "<unknown>"
AGE = "60m"
ADMISSION, FLOW = "admissionregistration.k8s.io", "flowcontrol.apiserver.k8s.io"
RBAC, STORAGE, NETWORK, DEVICES = "rbac.authorization.k8s.io", "storage.k8s.io", "networking.k8s.io", "resource.k8s.io"

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
    # -- network
    (
        "services",
        service(
            "ClusterIP", ports=[{"port": 80, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}], selector={"a": "b"}
        ),
        ["n", "ClusterIP", "10.96.0.1", NONE, "80/TCP,53/UDP", AGE, "a=b"],
    ),
    (
        "services",
        service(
            "NodePort", ports=[{"port": 80, "nodePort": 30080, "protocol": "TCP"}], externalIPs=["1.1.1.1", "2.2.2.2"]
        ),
        ["n", "NodePort", "10.96.0.1", "1.1.1.1,2.2.2.2", "80:30080/TCP", AGE, NONE],
    ),
    ("services", service("LoadBalancer"), ["n", "LoadBalancer", "10.96.0.1", "<pending>", NONE, AGE, NONE]),
    (
        "services",
        service(
            "LoadBalancer",
            {"loadBalancer": {"ingress": [{"hostname": "z.example"}, {"ip": "9.9.9.9"}]}},
            externalIPs=["1.1.1.1"],
        ),
        ["n", "LoadBalancer", "10.96.0.1", "9.9.9.9,z.example,1.1.1.1", NONE, AGE, NONE],
    ),
    (
        "services",
        made({"type": "ExternalName", "externalName": "db.example"}),
        ["n", "ExternalName", NONE, "db.example", NONE, AGE, NONE],
    ),
    ("endpoints", made(), ["n", NONE, AGE]),
    (
        "endpoints",
        made(
            subsets=[
                {"addresses": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}], "ports": [{"port": 80}, {"port": 81}]},
                {"addresses": [{"ip": "10.0.0.3"}]},
            ]
        ),
        ["n", "10.0.0.1:80,[fd00::1]:80,10.0.0.1:81 + 2 more...", AGE],
    ),
    (
        "discovery.k8s.io/endpointslices",
        made(
            addressType="IPv4",
            ports=[{"port": 80}, {"name": "any"}, {}],
            endpoints=[{"addresses": ["a"]}, {"addresses": ["b", "c"]}, {"addresses": ["d"]}],
        ),
        ["n", "IPv4", "80,any,*", "a,b,c + 1 more...", AGE],
    ),
    ("discovery.k8s.io/endpointslices", made(addressType="IPv4"), ["n", "IPv4", UNSET, UNSET, AGE]),
    (
        f"{NETWORK}/ingresses",
        made(
            {
                "ingressClassName": "nginx",
                "tls": [{}],
                "rules": [{"host": "a"}, {}, {"host": "b"}, {"host": "c"}, {"host": "d"}],
            },
            {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}},
        ),
        ["n", "nginx", "a,b,c + 2 more...", "1.2.3.4", "80, 443", AGE],
    ),
    (f"{NETWORK}/ingresses", made({"rules": [{}]}), ["n", NONE, "*", "", "80", AGE]),
    (
        f"{NETWORK}/ingressclasses",
        made({"controller": "x/y", "parameters": {"apiGroup": "g", "kind": "K", "name": "p"}}),
        ["n", "x/y", "K.g/p", AGE],
    ),
    (f"{NETWORK}/networkpolicies", made({"podSelector": {}}), ["n", NONE, AGE]),
    (f"{NETWORK}/networkpolicies", made({"podSelector": APP}), ["n", "app=w", AGE]),
    (f"{NETWORK}/servicecidrs", made({"cidrs": ["10.96.0.0/16", "fd00::/108"]}), ["n", "10.96.0.0/16,fd00::/108", AGE]),
    (
        f"{NETWORK}/ipaddresses",
        made({"parentRef": {"group": "", "resource": "services", "namespace": "d", "name": "s"}}, name="10.96.0.1"),
        ["10.96.0.1", "services/d/s", AGE],
    ),
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
    # -- storage
    (
        "persistentvolumes",
        made(
            volume(
                persistentVolumeReclaimPolicy="Retain",
                claimRef={"namespace": "d", "name": "c"},
                storageClassName="fast",
                volumeMode="Filesystem",
                volumeAttributesClassName="gold",
            ),
            {"phase": "Bound", "reason": "why"},
        ),
        ["n", "1Gi", "RWO,RWX", "Retain", "Bound", "d/c", "fast", "gold", "why", AGE, "Filesystem"],
    ),
    (
        "persistentvolumes",
        made({}, {"phase": "Available"}, deleted=True, annotations={"volume.beta.kubernetes.io/storage-class": "old"}),
        ["n", "0", "", "", "Terminating", "", "old", UNSET, "", AGE, UNSET],
    ),
    (
        "persistentvolumeclaims",
        made(
            {"volumeName": "v", "storageClassName": "fast", "volumeMode": "Block"},
            {"phase": "Bound", "capacity": {"storage": "2Gi"}, "accessModes": ["ReadWriteOncePod"]},
        ),
        ["n", "Bound", "v", "2Gi", "RWOP", "fast", UNSET, AGE, "Block"],
    ),
    (
        "persistentvolumeclaims",
        made({"storageClassName": "fast"}, {"phase": "Pending"}),
        ["n", "Pending", "", "", "", "fast", UNSET, AGE, UNSET],
    ),
    (
        f"{STORAGE}/storageclasses",
        made(provisioner="p", annotations={"storageclass.kubernetes.io/is-default-class": "true"}),
        ["n (default)", "p", "Delete", "Immediate", False, AGE],
    ),
    (
        f"{STORAGE}/storageclasses",
        made(
            provisioner="p", reclaimPolicy="Retain", volumeBindingMode="WaitForFirstConsumer", allowVolumeExpansion=True
        ),
        ["n", "p", "Retain", "WaitForFirstConsumer", True, AGE],
    ),
    (f"{STORAGE}/volumeattributesclasses", made(driverName="d"), ["n", "d", AGE]),
    (
        f"{STORAGE}/volumeattachments",
        made({"attacher": "a", "source": {"persistentVolumeName": "v"}, "nodeName": "n1"}, {"attached": True}),
        ["n", "a", "v", "n1", True, AGE],
    ),
    (f"{STORAGE}/csidrivers", made({}), ["n", True, False, False, UNSET, False, NONE, AGE]),
    (
        f"{STORAGE}/csidrivers",
        made(
            {
                "attachRequired": False,
                "podInfoOnMount": True,
                "storageCapacity": True,
                "tokenRequests": [{"audience": "a"}, {"audience": "b"}],
                "requiresRepublish": True,
                "volumeLifecycleModes": ["Persistent", "Ephemeral"],
            }
        ),
        ["n", False, True, True, "a,b", True, "Persistent,Ephemeral", AGE],
    ),
    (f"{STORAGE}/csinodes", made({"drivers": [{}, {}]}), ["n", 2, AGE]),
    (f"{STORAGE}/csistoragecapacities", made(storageClassName="fast", capacity="5Gi"), ["n", "fast", "5Gi"]),
    (f"{STORAGE}/csistoragecapacities", made(storageClassName="fast"), ["n", "fast", UNSET]),
    # -- what extends or guards the API
    (f"{ADMISSION}/mutatingwebhookconfigurations", made(webhooks=[{}, {}]), ["n", 2, AGE]),
    (f"{ADMISSION}/validatingwebhookconfigurations", made(), ["n", 0, AGE]),
    (
        f"{ADMISSION}/validatingadmissionpolicies",
        made({"validations": [{}], "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}}),
        ["n", 1, "v1/ConfigMap", AGE],
    ),
    (f"{ADMISSION}/mutatingadmissionpolicies", made({"mutations": [{}, {}]}), ["n", 2, UNSET, AGE]),
    (f"{ADMISSION}/validatingadmissionpolicybindings", made({"policyName": "p"}), ["n", "p", UNSET, AGE]),
    (
        f"{ADMISSION}/validatingadmissionpolicybindings",
        made({"policyName": "p", "paramRef": {"name": "x", "namespace": "d"}}),
        ["n", "p", "d/x", AGE],
    ),
    (
        f"{ADMISSION}/mutatingadmissionpolicybindings",
        made({"policyName": "p", "paramRef": {"name": "x"}}),
        ["n", "p", "*/x", AGE],
    ),
    (
        f"{ADMISSION}/mutatingadmissionpolicybindings",
        made(
            {
                "policyName": "p",
                "paramRef": {
                    "selector": {**APP, "matchExpressions": [{"key": "k", "operator": "In", "values": ["a", "b"]}]}
                },
            }
        ),
        [
            "n",
            "p",
            "&LabelSelector{MatchLabels:map[string]string{app: w,},MatchExpressions:[]LabelSelectorRequirement{"
            "LabelSelectorRequirement{Key:k,Operator:In,Values:[a b],},},}",
            AGE,
        ],
    ),
    ("apiregistration.k8s.io/apiservices", made({}, {"conditions": true("Available")}), ["n", "Local", "True", AGE]),
    (
        "apiregistration.k8s.io/apiservices",
        made(
            {"service": {"namespace": "d", "name": "s"}},
            {"conditions": [{"type": "Available", "status": "False", "reason": "MissingEndpoints"}]},
        ),
        ["n", "d/s", "False (MissingEndpoints)", AGE],
    ),
    ("apiregistration.k8s.io/apiservices", made({}), ["n", "Local", "Unknown", AGE]),
    ("apiextensions.k8s.io/customresourcedefinitions", made(), ["n", HOUR_AGO]),
    (
        f"{FLOW}/flowschemas",
        made(
            {
                "priorityLevelConfiguration": {"name": "p"},
                "matchingPrecedence": 9,
                "distinguisherMethod": {"type": "ByUser"},
            },
            {"conditions": [{"type": "Dangling", "status": "False"}]},
        ),
        ["n", "p", 9, "ByUser", AGE, "False"],
    ),
    (f"{FLOW}/flowschemas", made({}), ["n", "", 0, NONE, AGE, "?"]),
    (
        f"{FLOW}/prioritylevelconfigurations",
        made(
            {
                "type": "Limited",
                "limited": {
                    "nominalConcurrencyShares": 30,
                    "limitResponse": {"queuing": {"queues": 64, "handSize": 6, "queueLengthLimit": 50}},
                },
            }
        ),
        ["n", "Limited", 30, 64, 6, 50, AGE],
    ),
    (f"{FLOW}/prioritylevelconfigurations", made({"type": "Exempt"}), ["n", "Exempt", NONE, NONE, NONE, NONE, AGE]),
    # -- devices
    (f"{DEVICES}/deviceclasses", made(), ["n", AGE]),
    (f"{DEVICES}/resourceclaims", made(), ["n", "pending", AGE]),
    (
        f"{DEVICES}/resourceclaims",
        made(status={"allocation": {}, "reservedFor": [{}]}),
        ["n", "allocated,reserved", AGE],
    ),
    (f"{DEVICES}/resourceclaims", made(status={"allocation": {}}, deleted=True), ["n", "deleted,allocated", AGE]),
    (f"{DEVICES}/resourceclaims", made(deleted=True), ["n", "deleted", AGE]),
    (
        f"{DEVICES}/resourceslices",
        made({"nodeName": "n1", "driver": "d", "pool": {"name": "p"}}),
        ["n", "n1", "d", "p", AGE],
    ),
]


@pytest.mark.parametrize(("key", "obj", "cells"), ROWS, ids=[f"{index}-{row[0]}" for index, row in enumerate(ROWS)])
def test_a_row(key, obj, cells):
    before = orjson.dumps(obj)
    shown = table(key, [obj], now=NOW)
    assert shown["rows"][0]["cells"] == cells
    assert orjson.dumps(obj) == before, "objects are shared"
    # Kubernetes itself fills one cell too many for IP addresses.
    extra = 1 if key == f"{NETWORK}/ipaddresses" else 0
    assert len(shown["columnDefinitions"]) + extra == len(cells)


@pytest.mark.parametrize("resource", [one for one in Registry().all() if not one.virtual], ids=lambda one: one.path)
def test_every_kind_prints_an_object_with_nothing_in_it(resource):
    bare = {"metadata": {"name": "n", "creationTimestamp": HOUR_AGO}}
    if resource.plural.endswith("rolebindings"):
        bare["roleRef"] = {"kind": "Role", "name": "r"}
    shown = table(resource.storage_key, [bare], now=NOW)
    assert "n" in shown["rows"][0]["cells"]
    named = [column for column in shown["columnDefinitions"] if column["format"] == "name"]
    assert named[0]["name"] == "Name"
