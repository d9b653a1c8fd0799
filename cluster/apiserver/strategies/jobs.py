"""Jobs and CronJobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from cluster.apimachinery.errors import FieldError, invalid_value, not_supported, required
from cluster.apiserver.strategies.base import METADATA_FIELDS, Strategy
from cluster.apiserver.strategies.metadata import IMMUTABLE, Found, immutable
from cluster.apiserver.strategies.podspec import check_template
from cluster.apiserver.strategies.podspec_defaults import default_template
from cluster.apiserver.strategies.schedules import trouble_with, trouble_with_zone
from cluster.apiserver.strategies.workloads import check_selected_template, non_negative

Obj = dict[str, Any]


class JobStrategy(Strategy):
    orphans_by_default = True
    orphaning_warning = (
        "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or "
        "set propagationPolicy=Orphan to suppress this warning"
    )
    has_status = True
    has_generation = True
    supported_field_labels = METADATA_FIELDS | {"status.successful"}
    absent_fields: ClassVar[Mapping[str, str]] = {"status.successful": "0"}

    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        default_job_spec(spec)
        labels = (spec["template"].get("metadata") or {}).get("labels")
        if labels and not obj["metadata"].get("labels"):
            obj["metadata"]["labels"] = dict(labels)

    def prepare_for_create(self, obj: Obj) -> None:
        super().prepare_for_create(obj)
        spec = obj["spec"]
        if spec.get("manualSelector"):
            return
        # The job's own pods, and no others: selected by the uid that only now exists.
        uid, name = obj["metadata"]["uid"], obj["metadata"].get("name", "")
        metadata = spec["template"].setdefault("metadata", {})
        metadata["labels"] = {
            **(metadata.get("labels") or {}),
            "batch.kubernetes.io/controller-uid": uid,
            "batch.kubernetes.io/job-name": name,
            "controller-uid": uid,
            "job-name": name,
        }
        spec.setdefault("selector", {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}})

    def check(self, obj: Obj) -> Found:
        found = check_job_spec(obj["spec"], "spec")
        found.extend(check_selected_template(obj["spec"], restart=("OnFailure", "Never")))
        return found

    def check_update(self, obj: Obj, old: Obj) -> Found:
        spec, before = obj["spec"], old["spec"]
        fixed = ["selector", "completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy"]
        if spec.get("completionMode") != "Indexed":
            fixed.append("completions")
        found = immutable(spec, before, *fixed)
        if spec.get("template") != before.get("template") and not (spec.get("suspend") or before.get("suspend")):
            found.append(invalid_value("spec.template", spec.get("template"), IMMUTABLE))
        return [*found, *check_job_spec(spec, "spec")]


def default_job_spec(spec: Obj) -> None:
    default_template(spec.setdefault("template", {}))
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
    if spec.get("parallelism") is None:
        spec["parallelism"] = 1
    if spec.get("backoffLimit") is None:
        spec["backoffLimit"] = 6 if spec.get("backoffLimitPerIndex") is None else 2**31 - 1
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    spec.setdefault("manualSelector", False) if "manualSelector" in spec else None
    spec.setdefault("podReplacementPolicy", "Failed" if spec.get("podFailurePolicy") else "TerminatingOrFailed")


def check_job_spec(spec: Obj, path: str) -> Found:
    found: Found = []
    for field in ("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished"):
        found.extend(non_negative(spec, field, path))
    mode = spec.get("completionMode")
    if mode not in ("NonIndexed", "Indexed"):
        found.append(not_supported(f"{path}.completionMode", mode, ("Indexed", "NonIndexed")))
    if mode == "Indexed" and spec.get("completions") is None:
        found.append(required(f"{path}.completions", "when completion mode is Indexed"))
    return found


class CronJobStrategy(Strategy):
    has_status = True
    has_generation = True

    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        spec.setdefault("concurrencyPolicy", "Allow")
        spec.setdefault("suspend", False)
        spec.setdefault("successfulJobsHistoryLimit", 3)
        spec.setdefault("failedJobsHistoryLimit", 1)
        job = spec.setdefault("jobTemplate", {}).setdefault("spec", {})
        default_template(job.setdefault("template", {}))

    def check(self, obj: Obj) -> Found:
        spec = obj["spec"]
        found: Found = []
        name = obj["metadata"].get("name") or ""
        if len(name) > 52:
            found.append(invalid_value("metadata.name", name, "must be no more than 52 characters"))
        schedule = spec.get("schedule") or ""
        if not schedule:
            found.append(required("spec.schedule"))
        else:
            trouble = trouble_with(schedule)
            found += [invalid_value("spec.schedule", schedule, trouble)] if trouble else []
        if spec.get("timeZone") is not None:
            trouble = trouble_with_zone(spec["timeZone"])
            found += [invalid_value("spec.timeZone", spec["timeZone"], trouble)] if trouble else []
        if spec.get("concurrencyPolicy") not in ("Allow", "Forbid", "Replace"):
            found.append(
                not_supported("spec.concurrencyPolicy", spec.get("concurrencyPolicy"), ("Allow", "Forbid", "Replace"))
            )
        for field in ("startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
            found.extend(non_negative(spec, field))
        template = spec["jobTemplate"]["spec"]
        found.extend(
            FieldError(one.type, one.field.replace("spec.", "spec.jobTemplate.spec.", 1), one.detail, one.value)
            for one in check_template(template["template"], "spec.template")
        )
        policy = template["template"]["spec"].get("restartPolicy")
        if policy not in ("OnFailure", "Never"):
            found.append(
                not_supported("spec.jobTemplate.spec.template.spec.restartPolicy", policy, ("OnFailure", "Never"))
            )
        return found
