"""What the checks of the workload controllers share."""

from __future__ import annotations

from tests.conformance.api import pod_template
from tests.support.server import wait_for


def owner(obj):
    return next((one for one in obj["metadata"].get("ownerReferences") or () if one.get("controller")), {})


def pods_of(ns, name):
    return sorted(ns.list("pods", f"app={name}"), key=lambda one: one["metadata"]["name"])


def available(ns, resource, name, count, field="readyReplicas"):
    wait_for(
        lambda: ns.get(resource, name)["status"].get(field, 0) == count, f"{resource} {name} has {count} {field}", 60
    )


def job(name, *command, **spec):
    template = pod_template(
        {"app": name},
        image="busybox:1.37",
        container={"command": list(command)},
        restartPolicy=spec.pop("restart", "Never"),
    )
    return {"template": template, **spec}
