"""ResourceQuota: what a namespace may use in sum (apiserver/plugin/resourcequota).

Usage is counted from the watch cache at the moment of the request, so that it is right even before any controller has noted it;
what other requests are writing at this moment counts, too, so that many at once do not get more than there is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from cluster import clock
from cluster.apimachinery.quantity import canonical, of_resource, parse
from cluster.apiserver.admission.plugin import Plugin, refuse
from cluster.apiserver.request import Attributes

Obj = dict[str, Any]
Usage = dict[str, Decimal]

_COMPUTE = ("cpu", "memory", "ephemeral-storage")
_COUNTED = {
    "pods": "pods",
    "services": "services",
    "secrets": "secrets",
    "configmaps": "configmaps",
    "persistentvolumeclaims": "persistentvolumeclaims",
    "replicationcontrollers": "replicationcontrollers",
    "resourcequotas": "resourcequotas",
}


def usage_of(storage_key: str, obj: Obj) -> Usage:
    """What one object counts for, by quota resource name."""
    group, _, plural = storage_key.rpartition("/")
    used: Usage = {f"count/{plural}.{group}" if group else f"count/{plural}": Decimal(1)}
    if storage_key in _COUNTED:
        used[_COUNTED[storage_key]] = Decimal(1)
    special = _SPECIAL.get(storage_key)
    if special is not None:
        special(obj, used)
    return used


def _pod_usage(pod: Obj, used: Usage) -> None:
    if _is_over(pod):
        used.pop("pods", None)
        return
    for name, total in pod_amounts(pod["spec"], "requests").items():
        used[f"requests.{name}"] = total
        if name in _COMPUTE or name.startswith("hugepages-"):
            used[name] = total
    for name, total in pod_amounts(pod["spec"], "limits").items():
        if name in _COMPUTE:
            used[f"limits.{name}"] = total


def _is_over(pod: Obj) -> bool:
    """Whether a pod counts no more: it has ended, or should be gone by now (its node may never tell)."""
    if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return True
    going, grace = pod["metadata"].get("deletionTimestamp"), pod["metadata"].get("deletionGracePeriodSeconds")
    # The timestamp names the end of the grace period already.
    return bool(going) and grace is not None and clock.now() > clock.parse(going)


def pod_amounts(spec: Obj, side: str) -> Usage:
    """What a pod asks for (side "requests") or may use at most ("limits"), by resource name.

    Init containers run one after the other, beside the sidecars that started before them; then all containers run at once.
    """
    running: Usage = {}
    peak: Usage = {}
    for container in spec.get("initContainers") or ():
        own = _amounts(container, side)
        if container.get("restartPolicy") == "Always":
            running = _sum(running, own)
            own = {}
        peak = _max(peak, _sum(running, own))
    for container in spec.get("containers") or ():
        running = _sum(running, _amounts(container, side))
    total = _max(peak, running)
    # What is said of the pod as a whole stands before what its containers say.
    total |= _amounts(spec, side)
    overhead = {name: parse(value) for name, value in (spec.get("overhead") or {}).items()}
    return _sum(total, {name: value for name, value in overhead.items() if side == "requests" or name in total})


def _amounts(part: Obj, side: str) -> Usage:
    return {name: parse(value) for name, value in ((part.get("resources") or {}).get(side) or {}).items()}


def _sum(one: Usage, other: Usage) -> Usage:
    return {name: one.get(name, Decimal(0)) + other.get(name, Decimal(0)) for name in (*one, *other)}


def _max(one: Usage, other: Usage) -> Usage:
    return {name: max(one.get(name, Decimal(0)), other.get(name, Decimal(0))) for name in (*one, *other)}


def _service_usage(service: Obj, used: Usage) -> None:
    kind = (service.get("spec") or {}).get("type")
    ports = (service.get("spec") or {}).get("ports") or ()
    if kind == "LoadBalancer":
        used["services.loadbalancers"] = Decimal(1)
        if service["spec"].get("allocateLoadBalancerNodePorts") is False:
            ports = [port for port in ports if port.get("nodePort")]
    if kind in ("NodePort", "LoadBalancer"):
        used["services.nodeports"] = Decimal(len(ports))


def _claim_usage(claim: Obj, used: Usage) -> None:
    spec = claim.get("spec") or {}
    size = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if size:
        used["requests.storage"] = parse(size)
    name = spec.get("storageClassName")
    if name:
        used[f"{name}.storageclass.storage.k8s.io/persistentvolumeclaims"] = Decimal(1)
        if size:
            used[f"{name}.storageclass.storage.k8s.io/requests.storage"] = parse(size)


_SPECIAL: dict[str, Callable[[Obj, Usage], None]] = {
    "pods": _pod_usage,
    "services": _service_usage,
    "persistentvolumeclaims": _claim_usage,
}


def _best_effort(pod: Obj) -> bool:
    """Whether nothing is promised to the pod: its QoS class is BestEffort."""
    parts = [pod["spec"], *(pod["spec"].get("initContainers") or ()), *(pod["spec"].get("containers") or ())]
    return not any(
        amount
        for part in parts
        for side in ("requests", "limits")
        for name, amount in _amounts(part, side).items()
        if name in ("cpu", "memory")
    )


def _crosses_namespaces(pod: Obj) -> bool:
    """Whether the pod wants to be near to, or far from, pods of other namespaces."""
    affinity = pod["spec"].get("affinity") or {}
    for kind in ("podAffinity", "podAntiAffinity"):
        rules = affinity.get(kind) or {}
        terms = list(rules.get("requiredDuringSchedulingIgnoredDuringExecution") or ())
        preferred = rules.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
        terms += [one["podAffinityTerm"] for one in preferred]
        if any(term.get("namespaces") or term.get("namespaceSelector") is not None for term in terms):
            return True
    return False


def _has_deadline(pod: Obj) -> bool:
    return pod["spec"].get("activeDeadlineSeconds") is not None


_SCOPES: dict[str, Callable[[Obj], bool]] = {
    "BestEffort": _best_effort,
    "NotBestEffort": lambda pod: not _best_effort(pod),
    "Terminating": _has_deadline,
    "NotTerminating": lambda pod: not _has_deadline(pod),
    "CrossNamespacePodAffinity": _crosses_namespaces,
}
# Scopes that compare a name: which resource has it, and where.
_NAMED: dict[str, tuple[str, str]] = {
    "PriorityClass": ("pods", "priorityClassName"),
    "VolumeAttributesClass": ("persistentvolumeclaims", "volumeAttributesClassName"),
}


def in_scope(quota: Obj, storage_key: str, obj: Obj) -> bool:
    """Whether a quota speaks of this object at all."""
    spec = quota.get("spec") or {}
    expressions = [{"scopeName": scope, "operator": "Exists"} for scope in spec.get("scopes") or ()]
    expressions += (spec.get("scopeSelector") or {}).get("matchExpressions") or ()
    return all(_matches(one, storage_key, obj) for one in expressions)


def _matches(expression: Obj, storage_key: str, obj: Obj) -> bool:
    scope, values = expression.get("scopeName", ""), expression.get("values") or ()
    if scope in _NAMED:
        resource, field = _NAMED[scope]
        name = (obj.get("spec") or {}).get(field) or ""
        fits = {"In": name in values, "NotIn": name not in values, "Exists": bool(name), "DoesNotExist": not name}
        return storage_key == resource and fits.get(expression.get("operator", ""), False)
    return storage_key == "pods" and scope in _SCOPES and _SCOPES[scope](obj)


def used_in(objects: Iterable[Obj], storage_key: str, quota: Obj) -> Usage:
    """The sum over all objects of one resource that the quota speaks of."""
    total: Usage = {}
    for obj in objects:
        if in_scope(quota, storage_key, obj):
            for name, amount in usage_of(storage_key, obj).items():
                total[name] = total.get(name, Decimal(0)) + amount
    return total


class ResourceQuota(Plugin):
    name = "ResourceQuota"
    operations = frozenset({"CREATE", "UPDATE"})

    def validate(self, attributes: Attributes) -> None:
        obj, key = attributes.obj, attributes.resource.storage_key
        quotas = attributes.reader.list("resourcequotas", attributes.namespace) if attributes.namespace else ()
        if obj is None or not quotas:
            return
        wanted = usage_of(key, obj)
        before = {} if attributes.old is None else usage_of(key, attributes.old)
        for quota in quotas:
            if in_scope(quota, key, obj):
                self._check(attributes, quota, wanted, before)

    @staticmethod
    def _check(attributes: Attributes, quota: Obj, wanted: Usage, before: Usage) -> None:
        hard = (quota.get("spec") or {}).get("hard") or {}
        key, name = attributes.resource.storage_key, quota["metadata"]["name"]
        if attributes.operation == "CREATE" and key == "pods":
            missing = _unspecified(attributes.obj, hard)
            if missing:
                raise refuse(attributes, f"failed quota: {name}: must specify {missing}")
        grows = {one: amount - before.get(one, Decimal(0)) for one, amount in wanted.items() if one in hard}
        grows = {one: amount for one, amount in grows.items() if amount > 0}
        if not grows:
            return
        used = _in_use(attributes, quota)
        exceeded = sorted(one for one in grows if used.get(one, Decimal(0)) + grows[one] > parse(hard[one]))
        if exceeded:
            asked = ",".join(f"{one}={of_resource(one, grows[one])}" for one in exceeded)
            have = ",".join(f"{one}={of_resource(one, used.get(one, Decimal(0)))}" for one in exceeded)
            limited = ",".join(f"{one}={canonical(hard[one])}" for one in exceeded)
            raise refuse(attributes, f"exceeded quota: {name}, requested: {asked}, used: {have}, limited: {limited}")


def _in_use(attributes: Attributes, quota: Obj) -> Usage:
    """What the namespace uses of the quota, and will in a moment."""
    key, namespace, reader = attributes.resource.storage_key, attributes.namespace, attributes.reader
    used = used_in(reader.list(key, namespace), key, quota)
    for obj in reader.underway(key, namespace):
        known = reader.get(key, namespace, obj["metadata"]["name"])
        if known is obj or not in_scope(quota, key, obj):
            continue
        before = {} if known is None else usage_of(key, known)
        for name, amount in usage_of(key, obj).items():
            used[name] = used.get(name, Decimal(0)) + max(amount - before.get(name, Decimal(0)), Decimal(0))
    return used


def _unspecified(pod: Obj | None, hard: Obj) -> str:
    """Which containers do not say what the quota counts, in Kubernetes' words; "" when all do."""
    assert pod is not None
    whole = pod["spec"].get("resources") or {}
    found = []
    for resource in sorted(hard):
        side, _, name = resource.rpartition(".")
        side = side or "requests"
        if name not in _COMPUTE or side not in ("requests", "limits") or name in (whole.get(side) or {}):
            continue
        containers = [*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]]
        silent = sorted(
            {one["name"] for one in containers if name not in ((one.get("resources") or {}).get(side) or {})}
        )
        if silent:
            found.append(f"{resource} for: {','.join(silent)}")
    return "; ".join(found)
