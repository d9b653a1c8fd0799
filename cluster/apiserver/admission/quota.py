"""ResourceQuota: what a namespace may use in sum (apiserver/plugin/resourcequota).

Usage is counted from the watch cache at the moment of the request, so that it is right even before any controller has noted it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from cluster.apimachinery.quantity import canonical, parse
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
    if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        used.pop("pods", None)
        return
    for side in ("requests", "limits"):
        totals: Usage = {}
        for container in pod["spec"].get("containers") or ():
            for name, value in ((container.get("resources") or {}).get(side) or {}).items():
                totals[name] = totals.get(name, Decimal(0)) + parse(value)
        for container in pod["spec"].get("initContainers") or ():
            for name, value in ((container.get("resources") or {}).get(side) or {}).items():
                totals[name] = max(totals.get(name, Decimal(0)), parse(value))
        for name, total in totals.items():
            used[f"{side}.{name}"] = total
            if side == "requests" and name in _COMPUTE:
                used[name] = total


def _service_usage(service: Obj, used: Usage) -> None:
    kind = (service.get("spec") or {}).get("type")
    if kind == "LoadBalancer":
        used["services.loadbalancers"] = Decimal(1)
    if kind in ("NodePort", "LoadBalancer"):
        used["services.nodeports"] = Decimal(len(service["spec"].get("ports") or ()))


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
    return not any((container.get("resources") or {}) for container in pod["spec"].get("containers") or ())


def _any(pod: Obj) -> bool:
    return True


_SCOPES: dict[str, Callable[[Obj], bool]] = {
    "BestEffort": _best_effort,
    "NotBestEffort": lambda pod: not _best_effort(pod),
    "Terminating": lambda pod: (pod["spec"].get("activeDeadlineSeconds") or -1) >= 0,
    "NotTerminating": lambda pod: (pod["spec"].get("activeDeadlineSeconds") or -1) < 0,
    "CrossNamespacePodAffinity": lambda pod: False,
}


def in_scope(quota: Obj, storage_key: str, obj: Obj) -> bool:
    """Whether a quota speaks of this object at all."""
    spec = quota.get("spec") or {}
    scopes = list(spec.get("scopes") or ())
    expressions = (spec.get("scopeSelector") or {}).get("matchExpressions") or ()
    if not scopes and not expressions:
        return True
    if storage_key != "pods":
        return False
    if not all(_SCOPES.get(scope, _any)(obj) for scope in scopes):
        return False
    for one in expressions:
        if one.get("scopeName") == "PriorityClass":
            name, values = obj["spec"].get("priorityClassName") or "", one.get("values") or ()
            fits = {"In": name in values, "NotIn": name not in values, "Exists": bool(name), "DoesNotExist": not name}
            if not fits.get(one.get("operator"), False):
                return False
        elif not _SCOPES.get(one.get("scopeName", ""), _any)(obj):
            return False
    return True


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
            missing = sorted(
                resource
                for resource in hard
                if resource not in wanted
                and (resource in _COMPUTE or resource.startswith(("requests.", "limits.")))
                and resource.rpartition(".")[2] in _COMPUTE
            )
            if missing:
                raise refuse(
                    attributes, f"failed quota: {name}: must specify {_for_containers(attributes.obj, missing)}"
                )
        grows = {one: amount - before.get(one, Decimal(0)) for one, amount in wanted.items() if one in hard}
        grows = {one: amount for one, amount in grows.items() if amount > 0}
        if not grows:
            return
        used = used_in(attributes.reader.list(key, attributes.namespace), key, quota)
        exceeded = sorted(one for one in grows if used.get(one, Decimal(0)) + grows[one] > parse(hard[one]))
        if exceeded:
            asked = ",".join(f"{one}={_show(grows[one])}" for one in exceeded)
            have = ",".join(f"{one}={_show(used.get(one, Decimal(0)))}" for one in exceeded)
            limited = ",".join(f"{one}={canonical(hard[one])}" for one in exceeded)
            raise refuse(attributes, f"exceeded quota: {name}, requested: {asked}, used: {have}, limited: {limited}")


def _for_containers(pod: Obj | None, missing: list[str]) -> str:
    assert pod is not None
    names = ",".join(sorted(container["name"] for container in pod["spec"]["containers"]))
    return "; ".join(f"{one} for: {names}" for one in missing)


def _show(amount: Decimal) -> str:
    return canonical(format(amount.normalize(), "f"))
