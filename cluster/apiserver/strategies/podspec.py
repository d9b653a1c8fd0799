"""Pod specs: the rules for pods and for every template that holds one (validation.ValidatePodSpec)."""

from __future__ import annotations

from typing import Any

from cluster.apimachinery.errors import FieldError, duplicate, forbidden_field, invalid_value, not_supported, required
from cluster.apiserver.strategies import names
from cluster.apiserver.strategies.containers import check_containers, check_init_containers, check_resources
from cluster.apiserver.strategies.metadata import check_annotations, check_labels, check_selector
from cluster.apiserver.strategies.podsecurity import check_pod_security

Obj = dict[str, Any]
Found = list[FieldError]

RESTART_POLICIES = ("Always", "OnFailure", "Never")
DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_NODE_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")


def check_template(template: Obj, path: str) -> Found:
    """A PodTemplateSpec."""
    metadata = template.get("metadata") or {}
    found: Found = []
    if metadata.get("labels"):
        found.extend(check_labels(metadata["labels"], f"{path}.labels"))
    if metadata.get("annotations"):
        found.extend(check_annotations(metadata["annotations"], f"{path}.annotations"))
    found.extend(check_pod_spec(template.get("spec") or {}, f"{path}.spec"))
    return found


def _check_sleeps(spec: Obj, path: str) -> Found:
    """A hook that sleeps may not sleep longer than the pod may last."""
    found: Found = []
    grace = spec.get("terminationGracePeriodSeconds") or 0
    for kind in ("initContainers", "containers"):
        for at, container in enumerate(spec.get(kind) or ()):
            for field, hook in (container.get("lifecycle") or {}).items():
                seconds = ((hook.get("sleep") or {}).get("seconds") or 0) if isinstance(hook, dict) else 0
                if not 0 <= seconds <= grace:
                    where = f"{path}.{kind}[{at}].lifecycle.{field}.sleep"
                    text = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
                    found.append(invalid_value(where, seconds, text))
    return found


def check_pod_spec(spec: Obj, path: str) -> Found:
    found: Found = []
    volumes = _volumes(spec.get("volumes") or (), f"{path}.volumes", found)
    containers = spec.get("containers") or []
    found.extend(check_containers(containers, volumes, f"{path}.containers"))
    if spec.get("initContainers"):
        found.extend(check_init_containers(spec["initContainers"], containers, volumes, f"{path}.initContainers"))
    found.extend(_check_sleeps(spec, path))
    if spec.get("restartPolicy") not in RESTART_POLICIES:
        found.append(not_supported(f"{path}.restartPolicy", spec.get("restartPolicy"), RESTART_POLICIES))
    if spec.get("dnsPolicy") not in DNS_POLICIES:
        found.append(not_supported(f"{path}.dnsPolicy", spec.get("dnsPolicy"), DNS_POLICIES))
    grace = spec.get("terminationGracePeriodSeconds")
    if grace is not None and grace < 0:
        found.append(
            invalid_value(f"{path}.terminationGracePeriodSeconds", grace, "must be greater than or equal to 0")
        )
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= 2**31 - 1:
        found.append(
            invalid_value(f"{path}.activeDeadlineSeconds", deadline, "must be between 1 and 2147483647, inclusive")
        )
    for field in ("serviceAccountName", "nodeName", "priorityClassName", "runtimeClassName"):
        value = spec.get(field)
        if value and names.subdomain(value):
            found.append(invalid_value(f"{path}.{field}", value, names.subdomain(value)))
    for field in ("hostname", "subdomain"):
        value = spec.get(field)
        if value and names.label(value):
            found.append(invalid_value(f"{path}.{field}", value, names.label(value)))
    if spec.get("nodeSelector"):
        found.extend(check_labels(spec["nodeSelector"], f"{path}.nodeSelector"))
    if spec.get("tolerations"):
        _tolerations(spec["tolerations"], f"{path}.tolerations", found)
    if spec.get("affinity"):
        _affinity(spec["affinity"], f"{path}.affinity", found)
    if spec.get("topologySpreadConstraints"):
        _spread(spec["topologySpreadConstraints"], f"{path}.topologySpreadConstraints", found)
    if spec.get("resources"):
        check_resources(spec["resources"], f"{path}.resources", found)
    if spec.get("securityContext"):
        found.extend(check_pod_security(spec, f"{path}.securityContext"))
    if spec.get("hostNetwork"):
        _host_network(spec, path, found)
    return found


def _host_network(spec: Obj, path: str, found: Found) -> None:
    for index, container in enumerate(spec.get("containers") or ()):
        for number, port in enumerate(container.get("ports") or ()):
            if port.get("hostPort") != port.get("containerPort"):
                found.append(
                    invalid_value(
                        f"{path}.containers[{index}].ports[{number}].containerPort",
                        port.get("containerPort"),
                        "must match `hostPort` when `hostNetwork` is true",
                    )
                )


def _volumes(volumes: Any, path: str, found: Found) -> set[str]:
    seen: set[str] = set()
    for index, volume in enumerate(volumes):
        here = f"{path}[{index}]"
        name = volume.get("name")
        if not name:
            found.append(required(f"{here}.name"))
        elif names.label(name):
            found.append(invalid_value(f"{here}.name", name, names.label(name)))
        elif name in seen:
            found.append(duplicate(f"{here}.name", name))
        if name:
            seen.add(name)
        sources = [key for key in volume if key != "name"]
        if not sources:
            found.append(required(here, "must specify a volume type"))
        for extra in sources[1:]:
            found.append(forbidden_field(f"{here}.{extra}", "may not specify more than 1 volume type"))
        for kind, field in (
            ("secret", "secretName"),
            ("configMap", "name"),
            ("persistentVolumeClaim", "claimName"),
            ("hostPath", "path"),
        ):
            source = volume.get(kind)
            if source is not None and not source.get(field):
                found.append(required(f"{here}.{kind}.{field}"))
    return seen


def _tolerations(tolerations: list[Obj], path: str, found: Found) -> None:
    for index, one in enumerate(tolerations):
        here = f"{path}[{index}]"
        key, operator = one.get("key") or "", one.get("operator") or "Equal"
        if key and names.qualified(key):
            found.append(invalid_value(f"{here}.key", key, names.qualified(key)))
        if not key and operator != "Exists":
            found.append(
                invalid_value(
                    f"{here}.operator",
                    operator,
                    'operator must be Exists when `key` is empty, which means "match all values and all keys"',
                )
            )
        if operator not in ("Equal", "Exists", "Lt", "Gt"):
            found.append(not_supported(f"{here}.operator", operator, ("Equal", "Exists")))
        if operator == "Exists" and one.get("value"):
            found.append(invalid_value(f"{here}.operator", one, "value must be empty when `operator` is 'Exists'"))
        effect = one.get("effect") or ""
        if effect and effect not in EFFECTS:
            found.append(not_supported(f"{here}.effect", effect, EFFECTS))
        if one.get("tolerationSeconds") is not None and effect != "NoExecute":
            found.append(
                invalid_value(f"{here}.effect", effect, "effect must be 'NoExecute' when `tolerationSeconds` is set")
            )


def _affinity(affinity: Obj, path: str, found: Found) -> None:
    node = affinity.get("nodeAffinity") or {}
    needed = node.get("requiredDuringSchedulingIgnoredDuringExecution")
    if needed is not None:
        here = f"{path}.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"
        terms = needed.get("nodeSelectorTerms") or []
        if not terms:
            found.append(required(here, "must have at least one node selector term"))
        for index, term in enumerate(terms):
            _node_term(term, f"{here}[{index}]", found)
    for index, one in enumerate(node.get("preferredDuringSchedulingIgnoredDuringExecution") or ()):
        here = f"{path}.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[{index}]"
        _weight(one, here, found)
        _node_term(one.get("preference") or {}, f"{here}.preference", found)
    for kind in ("podAffinity", "podAntiAffinity"):
        rules = affinity.get(kind) or {}
        for index, term in enumerate(rules.get("requiredDuringSchedulingIgnoredDuringExecution") or ()):
            _pod_term(term, f"{path}.{kind}.requiredDuringSchedulingIgnoredDuringExecution[{index}]", found)
        for index, one in enumerate(rules.get("preferredDuringSchedulingIgnoredDuringExecution") or ()):
            here = f"{path}.{kind}.preferredDuringSchedulingIgnoredDuringExecution[{index}]"
            _weight(one, here, found)
            _pod_term(one.get("podAffinityTerm") or {}, f"{here}.podAffinityTerm", found)


def _weight(one: Obj, here: str, found: Found) -> None:
    weight = one.get("weight", 0)
    if not 1 <= weight <= 100:
        found.append(invalid_value(f"{here}.weight", weight, "must be in the range 1-100"))


def _node_term(term: Obj, path: str, found: Found) -> None:
    for field in ("matchExpressions", "matchFields"):
        for index, one in enumerate(term.get(field) or ()):
            here = f"{path}.{field}[{index}]"
            operator, values = one.get("operator"), one.get("values") or []
            if operator in ("In", "NotIn") and not values:
                found.append(required(f"{here}.values", "must be specified when `operator` is 'In' or 'NotIn'"))
            elif operator in ("Exists", "DoesNotExist") and values:
                found.append(
                    forbidden_field(
                        f"{here}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
                    )
                )
            elif operator in ("Gt", "Lt") and len(values) != 1:
                found.append(
                    required(f"{here}.values", "must be specified single value when `operator` is 'Lt' or 'Gt'")
                )
            elif operator not in _NODE_OPERATORS:
                found.append(invalid_value(f"{here}.operator", operator, "not a valid selector operator"))
            if field == "matchExpressions" and names.qualified(one.get("key") or ""):
                found.append(invalid_value(f"{here}.key", one.get("key") or "", names.qualified(one.get("key") or "")))


def _pod_term(term: Obj, here: str, found: Found) -> None:
    if not term.get("topologyKey"):
        found.append(required(f"{here}.topologyKey", "can not be empty"))
    for field in ("labelSelector", "namespaceSelector"):
        if term.get(field):
            found.extend(check_selector(term[field], f"{here}.{field}"))


def _spread(constraints: list[Obj], path: str, found: Found) -> None:
    for index, one in enumerate(constraints):
        here = f"{path}[{index}]"
        if one.get("maxSkew", 0) <= 0:
            found.append(invalid_value(f"{here}.maxSkew", one.get("maxSkew", 0), "must be greater than zero"))
        if not one.get("topologyKey"):
            found.append(required(f"{here}.topologyKey", "can not be empty"))
        if one.get("whenUnsatisfiable") not in ("DoNotSchedule", "ScheduleAnyway"):
            found.append(
                not_supported(
                    f"{here}.whenUnsatisfiable", one.get("whenUnsatisfiable", ""), ("DoNotSchedule", "ScheduleAnyway")
                )
            )
        if one.get("labelSelector"):
            found.extend(check_selector(one["labelSelector"], f"{here}.labelSelector"))
