"""Deployments, ReplicaSets, StatefulSets, DaemonSets, ReplicationControllers, ControllerRevisions, Jobs and CronJobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from cluster.apimachinery.errors import FieldError, forbidden_field, invalid_value, not_supported, required
from cluster.apimachinery.labels import from_map, from_selector
from cluster.apiserver.strategies.base import METADATA_FIELDS, Strategy
from cluster.apiserver.strategies.metadata import IMMUTABLE, Found, check_selector, immutable
from cluster.apiserver.strategies.podspec import check_template
from cluster.apiserver.strategies.podspec_defaults import default_template
from cluster.apiserver.strategies.schedules import trouble_with, trouble_with_zone

Obj = dict[str, Any]


def _non_negative(spec: Obj, field: str, path: str = "spec") -> Found:
    value = spec.get(field)
    if value is not None and value < 0:
        return [invalid_value(f"{path}.{field}", value, "must be greater than or equal to 0")]
    return []


def _percent(value: Any, path: str) -> Found:
    """An IntOrString that counts pods: not negative, or a percentage."""
    if isinstance(value, int):
        return [invalid_value(path, value, "must be greater than or equal to 0")] if value < 0 else []
    if not (value.endswith("%") and value[:-1].isdecimal()):
        return [
            invalid_value(
                path,
                value,
                "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', "
                "regex used for validation is '[0-9]+%')",
            )
        ]
    return []


def _zero(value: Any) -> bool:
    return value in (0, "0%")


def check_selected_template(
    spec: Obj, *, restart: tuple[str, ...] = ("Always",), volumes: tuple[str, ...] = ()
) -> Found:
    """Selector and template of a workload: both there, and the one selects the other.

    `volumes` are the names of those that the controller will add to each pod.
    """
    found: Found = []
    selector, template = spec.get("selector"), spec.get("template") or {}
    if selector is None:
        found.append(required("spec.selector"))
    else:
        found.extend(check_selector(selector, "spec.selector"))
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            found.append(invalid_value("spec.selector", selector, "empty selector is invalid for deployment"))
    if not found and selector is not None:
        labels = (template.get("metadata") or {}).get("labels") or {}
        if not from_selector(selector).matches(labels):
            found.append(
                invalid_value(
                    "spec.template.metadata.labels", labels or None, "`selector` does not match template `labels`"
                )
            )
    given = template
    if volumes:
        body = template.get("spec") or {}
        kept = [one for one in body.get("volumes") or () if one.get("name") not in volumes]
        added = [{"name": name, "emptyDir": {}} for name in volumes]
        given = {**template, "spec": {**body, "volumes": [*kept, *added]}}
    found.extend(check_template(given, "spec.template"))
    policy = (template.get("spec") or {}).get("restartPolicy")
    if policy in ("Always", "OnFailure", "Never") and policy not in restart:
        found.append(not_supported("spec.template.spec.restartPolicy", policy, restart))
    if "Always" in restart and (template.get("spec") or {}).get("activeDeadlineSeconds") is not None:
        found.append(
            forbidden_field(
                "spec.template.spec.activeDeadlineSeconds", "activeDeadlineSeconds in ReplicaSet is not Supported"
            )
        )
    return found


class Workload(Strategy):
    """What the kinds that make pods share."""

    has_status = True
    has_generation = True

    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        default_template(spec.setdefault("template", {}))
        if spec.get("replicas") is None:
            spec["replicas"] = 1

    def check_update(self, obj: Obj, old: Obj) -> Found:
        return [*immutable(obj["spec"], old["spec"], "selector"), *self.check(obj)]


class DeploymentStrategy(Workload):
    status_keeps = ("labels",)

    def default(self, obj: Obj) -> None:
        super().default(obj)
        spec = obj["spec"]
        strategy = spec.setdefault("strategy", {})
        if not strategy.get("type"):
            strategy["type"] = "RollingUpdate"
        if strategy["type"] == "RollingUpdate":
            rolling = strategy.setdefault("rollingUpdate", {})
            rolling.setdefault("maxUnavailable", "25%")
            rolling.setdefault("maxSurge", "25%")
        if spec.get("revisionHistoryLimit") is None:
            spec["revisionHistoryLimit"] = 10
        if spec.get("progressDeadlineSeconds") is None:
            spec["progressDeadlineSeconds"] = 600

    def check(self, obj: Obj) -> Found:
        spec = obj["spec"]
        found = _non_negative(spec, "replicas")
        found.extend(check_selected_template(spec))
        strategy = spec.get("strategy") or {}
        kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
        if kind == "Recreate":
            if rolling is not None:
                found.append(
                    forbidden_field(
                        "spec.strategy.rollingUpdate",
                        "may not be specified when strategy `type` is 'Recreate'",
                    )
                )
        elif kind != "RollingUpdate":
            found.append(not_supported("spec.strategy.type", kind, ("Recreate", "RollingUpdate")))
        elif rolling:
            path = "spec.strategy.rollingUpdate"
            for field in ("maxUnavailable", "maxSurge"):
                found.extend(_percent(rolling[field], f"{path}.{field}"))
            if _zero(rolling["maxUnavailable"]) and _zero(rolling["maxSurge"]):
                found.append(
                    invalid_value(
                        f"{path}.maxUnavailable", rolling["maxUnavailable"], "may not be 0 when `maxSurge` is 0"
                    )
                )
            unavailable = rolling["maxUnavailable"]
            if isinstance(unavailable, str) and unavailable[:-1].isdecimal() and int(unavailable[:-1]) > 100:
                found.append(invalid_value(f"{path}.maxUnavailable", unavailable, "must not be greater than 100%"))
        for field in ("minReadySeconds", "revisionHistoryLimit"):
            found.extend(_non_negative(spec, field))
        deadline = spec.get("progressDeadlineSeconds")
        if deadline is not None and deadline <= spec.get("minReadySeconds", 0):
            found.append(
                invalid_value("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")
            )
        return found


class ReplicaSetStrategy(Workload):
    supported_field_labels = METADATA_FIELDS | {"status.replicas"}
    absent_fields: ClassVar[Mapping[str, str]] = {"status.replicas": "0"}

    def check(self, obj: Obj) -> Found:
        spec = obj["spec"]
        return [
            *_non_negative(spec, "replicas"),
            *_non_negative(spec, "minReadySeconds"),
            *check_selected_template(spec),
        ]


class ReplicationControllerStrategy(Workload):
    supported_field_labels = METADATA_FIELDS | {"status.replicas"}
    absent_fields: ClassVar[Mapping[str, str]] = {"status.replicas": "0"}

    def default(self, obj: Obj) -> None:
        super().default(obj)
        spec = obj["spec"]
        labels = (spec["template"].get("metadata") or {}).get("labels")
        if labels:
            if not spec.get("selector"):
                spec["selector"] = dict(labels)
            if not obj["metadata"].get("labels"):
                obj["metadata"]["labels"] = dict(labels)

    def check(self, obj: Obj) -> Found:
        spec = obj["spec"]
        found = _non_negative(spec, "replicas")
        selector = spec.get("selector")
        if not selector:
            found.append(required("spec.selector"))
        labels = (spec["template"].get("metadata") or {}).get("labels") or {}
        if selector and not from_map(selector).matches(labels):
            found.append(
                invalid_value(
                    "spec.template.metadata.labels", labels or None, "`selector` does not match template `labels`"
                )
            )
        found.extend(check_template(spec["template"], "spec.template"))
        return found

    def check_update(self, obj: Obj, old: Obj) -> Found:
        return self.check(obj)


class StatefulSetStrategy(Workload):
    _MUTABLE = frozenset(
        {
            "replicas",
            "ordinals",
            "template",
            "updateStrategy",
            "revisionHistoryLimit",
            "persistentVolumeClaimRetentionPolicy",
            "minReadySeconds",
        }
    )

    def default(self, obj: Obj) -> None:
        super().default(obj)
        spec = obj["spec"]
        spec.setdefault("podManagementPolicy", "OrderedReady")
        strategy = spec.setdefault("updateStrategy", {})
        strategy.setdefault("type", "RollingUpdate")
        if strategy["type"] == "RollingUpdate":
            strategy.setdefault("rollingUpdate", {}).setdefault("partition", 0)
        spec.setdefault("persistentVolumeClaimRetentionPolicy", {"whenDeleted": "Retain", "whenScaled": "Retain"})
        if spec.get("revisionHistoryLimit") is None:
            spec["revisionHistoryLimit"] = 10
        for claim in spec.get("volumeClaimTemplates") or ():
            claim.setdefault("apiVersion", "v1")
            claim.setdefault("kind", "PersistentVolumeClaim")
            claim.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")
            claim.setdefault("status", {"phase": "Pending"})

    def check(self, obj: Obj) -> Found:
        spec = obj["spec"]
        claims = tuple((one.get("metadata") or {}).get("name") or "" for one in spec.get("volumeClaimTemplates") or ())
        found = [*_non_negative(spec, "replicas"), *check_selected_template(spec, volumes=claims)]
        if spec.get("podManagementPolicy") not in ("OrderedReady", "Parallel"):
            found.append(
                invalid_value(
                    "spec.podManagementPolicy",
                    spec.get("podManagementPolicy"),
                    "must be 'OrderedReady' or 'Parallel'",
                )
            )
        kind = spec["updateStrategy"].get("type")
        if kind not in ("RollingUpdate", "OnDelete"):
            found.append(
                invalid_value("spec.updateStrategy", spec["updateStrategy"], "must be 'RollingUpdate' or 'OnDelete'")
            )
        return found

    def check_update(self, obj: Obj, old: Obj) -> Found:
        found: Found = []
        kept = [{k: v for k, v in one["spec"].items() if k not in self._MUTABLE} for one in (obj, old)]
        if kept[0] != kept[1]:
            found.append(
                forbidden_field(
                    "spec",
                    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
                    "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
                    "'minReadySeconds' are forbidden",
                )
            )
        return [*found, *self.check(obj)]


# Where apps/v1 keeps what was spec.templateGeneration in older versions.
TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"


def _annotate(obj: Obj, name: str, value: str) -> None:
    obj["metadata"]["annotations"] = {**(obj["metadata"].get("annotations") or {}), name: value}


class DaemonSetStrategy(Workload):
    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        default_template(spec.setdefault("template", {}))
        strategy = spec.setdefault("updateStrategy", {})
        strategy.setdefault("type", "RollingUpdate")
        if strategy["type"] == "RollingUpdate":
            rolling = strategy.setdefault("rollingUpdate", {})
            rolling.setdefault("maxUnavailable", 1)
            rolling.setdefault("maxSurge", 0)
        if spec.get("revisionHistoryLimit") is None:
            spec["revisionHistoryLimit"] = 10

    def prepare_for_create(self, obj: Obj) -> None:
        super().prepare_for_create(obj)
        _annotate(obj, TEMPLATE_GENERATION, "1")

    def prepare_for_update(self, obj: Obj, old: Obj) -> None:
        """The template has a generation of its own, which only its changes move."""
        super().prepare_for_update(obj, old)
        before = (old["metadata"].get("annotations") or {}).get(TEMPLATE_GENERATION, "")
        # Annotations may come with a status: what is written there is not always ours.
        before = before if before.isdecimal() else "1"
        moved = obj["spec"].get("template") != old["spec"].get("template")
        _annotate(obj, TEMPLATE_GENERATION, str(int(before) + 1) if moved else before)

    def check(self, obj: Obj) -> Found:
        spec = obj["spec"]
        found = check_selected_template(spec)
        strategy = spec["updateStrategy"]
        if strategy["type"] == "RollingUpdate":
            rolling = strategy["rollingUpdate"]
            path = "spec.updateStrategy.rollingUpdate"
            for field in ("maxUnavailable", "maxSurge"):
                found.extend(_percent(rolling[field], f"{path}.{field}"))
            if _zero(rolling["maxUnavailable"]) and _zero(rolling["maxSurge"]):
                found.append(required(f"{path}.maxUnavailable", "cannot be 0 when maxSurge is 0"))
        elif strategy["type"] != "OnDelete":
            found.append(not_supported("spec.updateStrategy", strategy["type"], ("OnDelete", "RollingUpdate")))
        return [*found, *_non_negative(spec, "minReadySeconds")]


class ControllerRevisionStrategy(Strategy):
    def check(self, obj: Obj) -> Found:
        revision = obj.get("revision", 0)
        return [invalid_value("revision", revision, "must be greater than or equal to 0")] if revision < 0 else []

    def check_update(self, obj: Obj, old: Obj) -> Found:
        return [*immutable(obj, old, "data", path=""), *self.check(obj)]


class JobStrategy(Strategy):
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
        found.extend(_non_negative(spec, field, path))
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
            found.extend(_non_negative(spec, field))
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
