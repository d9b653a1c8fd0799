"""The pod that a Job makes, for the completion index that it counts (pkg/controller/job)."""

from __future__ import annotations

from cluster.client.client import Obj
from cluster.controllers.lib.podcontrol import pod_from_template
from cluster.controllers.policy.job import FINALIZER, INDEX, INDEX_FAILURES


def job_pod(job: Obj, index: int | None, failures: int) -> Obj:
    """The template's pod, with its index where the Job counts indexes."""
    pod = pod_from_template(job["spec"]["template"], job)
    metadata = pod["metadata"]
    metadata["finalizers"] = [*(metadata.get("finalizers") or ()), FINALIZER]
    if index is None:
        return pod
    name = job["metadata"]["name"]
    metadata["generateName"] = f"{name}-{index}-"
    metadata["labels"] = {**(metadata.get("labels") or {}), INDEX: str(index)}
    metadata["annotations"] = {**(metadata.get("annotations") or {}), INDEX: str(index)}
    if job["spec"].get("backoffLimitPerIndex") is not None:
        metadata["annotations"][INDEX_FAILURES] = str(failures)
    spec = dict(pod["spec"])
    spec["hostname"] = f"{name}-{index}"
    source = {"fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.labels['{INDEX}']"}}
    variable = {"name": "JOB_COMPLETION_INDEX", "valueFrom": source}
    for group in ("initContainers", "containers"):
        if group in spec:
            spec[group] = [
                one
                if any(given["name"] == variable["name"] for given in one.get("env") or ())
                else {**one, "env": [*(one.get("env") or ()), variable]}
                for one in spec[group]
            ]
    pod["spec"] = spec
    return pod
