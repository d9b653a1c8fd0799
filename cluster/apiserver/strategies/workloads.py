"""What the kinds that make pods share: selector and template, counts and percentages."""

from __future__ import annotations

from typing import Any

from cluster.apimachinery.errors import forbidden_field, invalid_value, not_supported, required
from cluster.apimachinery.labels import from_selector
from cluster.apiserver.strategies.base import Strategy
from cluster.apiserver.strategies.metadata import Found, check_selector, immutable
from cluster.apiserver.strategies.podspec import check_template
from cluster.apiserver.strategies.podspec_defaults import default_template

Obj = dict[str, Any]


def non_negative(spec: Obj, field: str, path: str = "spec") -> Found:
    value = spec.get(field)
    if value is not None and value < 0:
        return [invalid_value(f"{path}.{field}", value, "must be greater than or equal to 0")]
    return []


def percent(value: Any, path: str) -> Found:
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


def is_zero(value: Any) -> bool:
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
