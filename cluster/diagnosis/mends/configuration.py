"""Mends of step 4: what is missing is made, and what was refused fits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal

from cluster.apimachinery.quantity import canonical, of_resource, parse
from cluster.diagnosis.checklist.findings import awaited, pods_wanted
from cluster.diagnosis.facts import TEMPLATED, Facts, Obj
from cluster.diagnosis.mends.common import MI, Mend, container_named, skeleton, with_pod_spec


def _create(facts: Facts, finding: Obj) -> Mend | None:
    kind = finding["reason"].removeprefix("Missing")
    name = next((one["value"] for one in finding["evidence"] if one["field"].startswith("spec.")), "")
    if not name:
        return None
    made: Obj = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": facts.namespace}}
    keys = sorted(set(_keys(facts.template, kind, name)))
    if kind == "ConfigMap" and keys:
        made["data"] = dict.fromkeys(keys, "")
    if kind == "Secret":
        made |= {"type": "Opaque", **({"stringData": dict.fromkeys(keys, "")} if keys else {})}
    with_keys = f" with empty {', '.join(keys)}: fill them in afterwards" if keys and kind != "ServiceAccount" else ""
    return f"Create {kind} {name}{with_keys}.", [made]


def _keys(spec: Obj, kind: str, name: str) -> Iterable[str]:
    """The keys that the pods name."""
    reference = {"ConfigMap": "configMapKeyRef", "Secret": "secretKeyRef"}.get(kind, "")
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        for variable in container.get("env") or ():
            source = (variable.get("valueFrom") or {}).get(reference) or {}
            if source.get("name") == name:
                yield source["key"]


# -- quotas and limits -------------------------------------------------------------------------------------------------


def _raise_quota(facts: Facts, finding: Obj) -> Mend | None:
    """As much as is in use, and what the pods that are missing need on top."""
    match = re.search(r"exceeded quota: (\S+), requested: (\S+), used: (\S+), limited: (\S+)", finding["message"])
    quota = match and facts.view.get("resourcequotas", facts.namespace, match.group(1))
    if match is None or not quota:
        return None
    hard, used = quota["spec"].get("hard") or {}, (quota.get("status") or {}).get("used") or {}
    short = max(pods_wanted(facts) - len(awaited(facts)), 1)
    # The quota's status follows a moment behind: what was in use when it refused is in use still, as far as anybody knows.
    refused_at = _amounts(match.group(3))
    wanted, told = {}, []
    for name, asked in _amounts(match.group(2)).items():
        if name not in hard:
            return None
        try:
            taken = max(parse(used.get(name, "0")), parse(refused_at.get(name, "0")))
            amount = taken + parse(asked) * short
            if amount > parse(hard[name]):
                wanted[name] = _shown(name, amount)
        except ValueError:
            # Anybody may write an event that reads like a quota's.
            return None
        if name in wanted:
            told.append(f"{name} from {hard[name]} to {wanted[name]}")
    if not wanted:
        return None
    changed = skeleton(quota, "ResourceQuota")
    changed["spec"] = {"hard": wanted}
    return f"Raise quota {match.group(1)}: {', '.join(told)}.", [changed]


def _amounts(text: str) -> dict[str, str]:
    """`pods=1,requests.cpu=500m`."""
    return dict(pair for one in text.split(",") if len(pair := one.partition("=")[::2]) == 2 and pair[1])


def _shown(name: str, amount: Decimal) -> str:
    if "memory" in name or "storage" in name:
        return canonical(f"{-(-int(amount) // MI)}Mi")
    return of_resource(name, amount)


def _name_resources(facts: Facts, finding: Obj) -> Mend | None:
    """Requests and limits that the quota counts: a little, and no more than it has left for the pods that are missing."""
    match = re.search(r"failed quota: ([^\s:]+): must specify (.+)", finding["message"])
    quota = match and facts.view.get("resourcequotas", facts.namespace, match.group(1))
    if match is None or not quota or facts.kind not in TEMPLATED:
        return None
    hard, used = quota["spec"].get("hard") or {}, (quota.get("status") or {}).get("used") or {}
    short = max(pods_wanted(facts) - len(awaited(facts)), 1)
    containers: dict[str, Obj] = {}
    for part in match.group(2).rstrip(".").split("; "):
        name, _, where = part.partition(" for: ")
        side, _, resource = name.rpartition(".")
        side, some = side or "requests", _MODEST.get(resource)
        names = [one for one in where.split(",") if one]
        if some is None or name not in hard or not names:
            return None
        share = (parse(hard[name]) - parse(used.get(name, "0"))) / (short * len(facts.template["containers"]))
        for one in names:
            container = container_named(facts.template, one)
            if container is None:
                return None
            # A limit is no lower than what is asked for.
            asked = ((container.get("resources") or {}).get("requests") or {}).get(resource, "0")
            amount = min(max(parse(some), parse(asked) if side == "limits" else Decimal(0)), share)
            text = f"{int(amount) // MI}Mi" if resource == "memory" else f"{int(amount * 1000)}m"
            if parse(text) <= 0 or (side == "limits" and amount < parse(asked)):
                return None
            resources = containers.setdefault(one, {"name": one, "resources": {}})["resources"]
            resources.setdefault(side, {})[resource] = text
    return f"Name what quota {match.group(1)} counts: modest requests and limits for {', '.join(containers)}.", [
        with_pod_spec(facts, {"containers": [*containers.values()]})
    ]


# What a container is given of a resource of which it says nothing.
_MODEST = {"cpu": "100m", "memory": "128Mi"}


def _within_limits(facts: Facts, finding: Obj) -> Mend | None:
    """Every container between the least and the most that the namespace's LimitRanges allow one."""
    if facts.kind not in TEMPLATED:
        return None
    changed = []
    for container in facts.template["containers"]:
        resources = container.get("resources") or {}
        sides = {side: dict(resources.get(side) or {}) for side in ("requests", "limits")}
        for limit in _limits(facts):
            _clamp(sides, limit)
        different = {
            side: {name: text for name, text in amounts.items() if (resources.get(side) or {}).get(name) != text}
            for side, amounts in sides.items()
        }
        different = {side: amounts for side, amounts in different.items() if amounts}
        if different:
            changed.append({"name": container["name"], "resources": different})
    if not changed:
        return None
    names = ", ".join(str(one["name"]) for one in changed)
    return f"Keep {names} within the namespace's LimitRange.", [with_pod_spec(facts, {"containers": changed})]


def _limits(facts: Facts) -> Iterable[Obj]:
    for limit_range in facts.view.list("limitranges", facts.namespace):
        for limit in limit_range["spec"].get("limits") or ():
            if limit.get("type") == "Container":
                yield limit


def _clamp(sides: dict[str, dict[str, str]], limit: Obj) -> None:
    requests, limits = sides["requests"], sides["limits"]
    for name, most in (limit.get("max") or {}).items():
        for amounts in (requests, limits):
            if name in amounts and parse(amounts[name]) > parse(most):
                amounts[name] = most
        if name not in limits and name not in (limit.get("default") or {}):
            limits[name] = most
    for name, least in (limit.get("min") or {}).items():
        for amounts in (requests, limits):
            if name in amounts and parse(amounts[name]) < parse(least):
                amounts[name] = least
        if name not in requests and name not in (limit.get("defaultRequest") or {}):
            requests[name] = least


# -- rights ------------------------------------------------------------------------------------------------------------


def _grant(facts: Facts, finding: Obj) -> Mend | None:
    """Exactly what was refused, in a Role of its own (for what has no namespace: a ClusterRole)."""
    request = finding.get("request")
    if not request:
        return None
    account, namespace = request["account"], request["namespace"]
    kind = "Role" if namespace else "ClusterRole"
    resource = "/".join(filter(None, (request["resource"], request["subresource"])))
    name = f"{facts.namespace}-{account}-{request['verb']}-{resource.replace('/', '-')}"
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    api = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": metadata}
    rule = {"apiGroups": [request["group"]], "resources": [resource], "verbs": [request["verb"]]}
    subject = {"kind": "ServiceAccount", "name": account, "namespace": facts.namespace}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}
    where = f" in {namespace}" if namespace else ""
    return f"Let ServiceAccount {account} {request['verb']} {resource}{where}.", [
        {**api, "kind": kind, "rules": [rule]},
        {**api, "kind": f"{kind}Binding", "roleRef": reference, "subjects": [subject]},
    ]


MENDS: dict[str, Callable[[Facts, Obj], Mend | None]] = {
    "MissingConfigMap": _create,
    "MissingSecret": _create,
    "MissingServiceAccount": _create,
    "QuotaExceeded": _raise_quota,
    "QuotaNeedsRequests": _name_resources,
    "LimitRange": _within_limits,
    "AccessDenied": _grant,
}
