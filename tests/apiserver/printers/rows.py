"""What the tables' tests share: objects of an hour's age, and how a row is looked at."""

from __future__ import annotations

import orjson

from cluster import clock
from cluster.apiserver.printers.tables import table

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


def shows(key, obj, cells):
    """One object's row, wide; printing changes nothing."""
    before = orjson.dumps(obj)
    shown = table(key, [obj], now=NOW)
    assert shown["rows"][0]["cells"] == cells
    assert orjson.dumps(obj) == before, "objects are shared"
    # Kubernetes itself fills one cell too many for IP addresses.
    extra = 1 if key == f"{NETWORK}/ipaddresses" else 0
    assert len(shown["columnDefinitions"]) + extra == len(cells)


def numbered(rows):
    """The rows' names in the report."""
    return [f"{index}-{row[0]}" for index, row in enumerate(rows)]
