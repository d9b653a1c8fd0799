"""Pods (pkg/registry/core/pod/strategy.go)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from cluster.apimachinery.errors import forbidden_field, invalid_value
from cluster.apiserver.strategies.base import METADATA_FIELDS, Strategy
from cluster.apiserver.strategies.metadata import Found
from cluster.apiserver.strategies.podspec import check_pod_spec
from cluster.apiserver.strategies.podspec_defaults import default_pod, qos_class

Obj = dict[str, Any]

_MAY_CHANGE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


class PodStrategy(Strategy):
    has_generation = True
    has_status = True
    status_keeps = ("ownerReferences",)
    supported_field_labels = METADATA_FIELDS | {
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.podIPs",
        "status.nominatedNodeName",
    }
    absent_fields: ClassVar[Mapping[str, str]] = {"spec.hostNetwork": "false"}

    def default(self, obj: Obj) -> None:
        default_pod(obj)

    def prepare_for_create(self, obj: Obj) -> None:
        super().prepare_for_create(obj)
        spec = obj["spec"]
        obj["status"] = {"phase": "Pending", "qosClass": qos_class(spec)}
        if spec.get("schedulingGates"):
            obj["status"]["conditions"] = [
                {
                    "type": "PodScheduled",
                    "status": "False",
                    "reason": "SchedulingGated",
                    "message": "Scheduling is blocked due to non-empty scheduling gates",
                    "lastTransitionTime": obj["metadata"]["creationTimestamp"],
                }
            ]

    def check(self, obj: Obj) -> Found:
        return check_pod_spec(obj["spec"], "spec")

    def check_update(self, obj: Obj, old: Obj) -> Found:
        spec, before = obj["spec"], old["spec"]
        if spec == before:
            return []
        if _frozen(spec, before) != _frozen(before, before):
            return [forbidden_field("spec", f"{_MAY_CHANGE}\n{_difference(spec, before)}")]
        found: Found = []
        tolerations, had = spec.get("tolerations") or [], before.get("tolerations") or []
        if any(one not in tolerations for one in had):
            found.append(
                forbidden_field(
                    "spec.tolerations", "existing toleration can not be modified except its tolerationSeconds"
                )
            )
        deadline, old_deadline = spec.get("activeDeadlineSeconds"), before.get("activeDeadlineSeconds")
        if old_deadline is not None and (deadline is None or deadline > old_deadline):
            found.append(
                invalid_value(
                    "spec.activeDeadlineSeconds",
                    deadline,
                    "must be less than or equal to previous value"
                    if deadline is not None
                    else "must not update from a positive integer to nil value",
                )
            )
        found.extend(check_pod_spec(spec, "spec"))
        return found

    def check_status(self, obj: Obj, old: Obj) -> Found:
        node, before = obj["spec"].get("nodeName"), old["spec"].get("nodeName")
        if node != before:
            return [forbidden_field("status.nodeName", "may not be changed directly")]
        return []

    def prepare_for_status_update(self, obj: Obj, old: Obj) -> None:
        super().prepare_for_status_update(obj, old)
        status = obj.setdefault("status", {})
        # Decided once, at creation.
        before = (old.get("status") or {}).get("qosClass")
        if before and not status.get("qosClass"):
            status["qosClass"] = before

    def warnings(self, obj: Obj, old: Obj | None) -> list[str]:
        if old is not None:
            return []
        found = []
        for index, container in enumerate(obj["spec"].get("containers") or ()):
            seen: set[tuple[Any, Any]] = set()
            for number, port in enumerate(container.get("ports") or ()):
                key = (port.get("containerPort"), port.get("protocol"))
                if key in seen:
                    found.append(
                        f"spec.containers[{index}].ports[{number}]: duplicate port definition with "
                        f"spec.containers[{index}].ports[0]"
                    )
                seen.add(key)
            variables: set[str] = set()
            for number, variable in enumerate(container.get("env") or ()):
                if variable["name"] in variables:
                    found.append(
                        f"spec.containers[{index}].env[{number}]: hides previous definition of "
                        f'"{variable["name"]}", which may be dropped when using apply'
                    )
                variables.add(variable["name"])
        return found

    def graceful_delete(self, obj: Obj, options: Obj) -> int | None:
        wanted = options.get("gracePeriodSeconds")
        period: int = wanted if wanted is not None else obj["spec"].get("terminationGracePeriodSeconds", 30)
        if not obj["spec"].get("nodeName"):
            return 0
        if (obj.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
            return 0
        return 1 if period < 0 else period


def _frozen(spec: Obj, before: Obj) -> Obj:
    """The spec with everything that may change as it was."""
    result = {**spec}
    for field in ("activeDeadlineSeconds", "tolerations"):
        result.pop(field, None)
    if before.get("terminationGracePeriodSeconds", 0) < 0 and spec.get("terminationGracePeriodSeconds") == 1:
        result["terminationGracePeriodSeconds"] = before["terminationGracePeriodSeconds"]
    for field in ("containers", "initContainers"):
        if field in spec:
            result[field] = [{**container, "image": ""} for container in spec[field]]
    # Gates may be lifted, never added.
    gates = spec.get("schedulingGates") or []
    if all(gate in (before.get("schedulingGates") or []) for gate in gates):
        result.pop("schedulingGates", None)
    return result


def _difference(spec: Obj, before: Obj) -> str:
    """Which fields differ, one a line, as a reader of a diff would mark them."""
    lines = []
    now, was = _frozen(spec, before), _frozen(before, before)
    for field in sorted({*now, *was}):
        if now.get(field) != was.get(field):
            lines.append(f"-\t{field}: {was.get(field)!r}")
            lines.append(f"+\t{field}: {now.get(field)!r}")
    return "\n".join(lines)


class PodTemplateStrategy(Strategy):
    has_generation = True

    def default(self, obj: Obj) -> None:
        from cluster.apiserver.strategies.podspec_defaults import default_template

        default_template(obj.setdefault("template", {}))
