"""Ingresses, network policies, addresses and autoscalers."""

from __future__ import annotations

import ipaddress
from typing import Any

from cluster.apimachinery.errors import invalid_value, not_supported, required
from cluster.apiserver.strategies import names
from cluster.apiserver.strategies.base import Strategy
from cluster.apiserver.strategies.metadata import Found, check_selector, immutable

Obj = dict[str, Any]
PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")


class IngressStrategy(Strategy):
    has_status = True
    has_generation = True

    def prepare_for_create(self, obj: Obj) -> None:
        super().prepare_for_create(obj)
        obj["status"] = {"loadBalancer": {}}

    def check(self, obj: Obj) -> Found:
        spec = obj.get("spec") or {}
        found: Found = []
        if not spec.get("rules") and not spec.get("defaultBackend"):
            found.append(invalid_value("spec", spec, "either `defaultBackend` or `rules` must be specified"))
        if spec.get("defaultBackend"):
            found.extend(_backend(spec["defaultBackend"], "spec.defaultBackend"))
        for index, rule in enumerate(spec.get("rules") or ()):
            host = rule.get("host") or ""
            if host and names.subdomain(host.removeprefix("*.")):
                found.append(invalid_value(f"spec.rules[{index}].host", host, names.subdomain(host.removeprefix("*."))))
            http = rule.get("http")
            if http is None:
                continue
            paths = http.get("paths") or []
            if not paths:
                found.append(required(f"spec.rules[{index}].http.paths"))
            for number, path in enumerate(paths):
                here = f"spec.rules[{index}].http.paths[{number}]"
                kind = path.get("pathType")
                if kind is None:
                    found.append(required(f"{here}.pathType", "pathType must be specified"))
                elif kind not in PATH_TYPES:
                    found.append(not_supported(f"{here}.pathType", kind, PATH_TYPES))
                if kind in ("Exact", "Prefix") and not (path.get("path") or "").startswith("/"):
                    found.append(invalid_value(f"{here}.path", path.get("path") or "", "must be an absolute path"))
                found.extend(_backend(path.get("backend") or {}, f"{here}.backend"))
        return found


def _backend(backend: Obj, here: str) -> Found:
    service, resource = backend.get("service"), backend.get("resource")
    if service is None and resource is None:
        return [required(here, "must specify either service or resource")] if not backend else []
    if service is None:
        return []
    found: Found = []
    if not service.get("name"):
        found.append(required(f"{here}.service.name"))
    port = service.get("port") or {}
    if not port.get("number") and not port.get("name"):
        found.append(required(here, "port name or number is required"))
    elif port.get("number") and names.port_number(port["number"]):
        found.append(invalid_value(f"{here}.service.port.number", port["number"], names.port_number(port["number"])))
    return found


class NetworkPolicyStrategy(Strategy):
    has_generation = True

    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        for direction in ("ingress", "egress"):
            for rule in spec.get(direction) or ():
                for port in rule.get("ports") or ():
                    port.setdefault("protocol", "TCP")
        if not spec.get("policyTypes"):
            spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]

    def check(self, obj: Obj) -> Found:
        spec = obj["spec"]
        found = check_selector(spec.get("podSelector") or {}, "spec.podSelector")
        for index, kind in enumerate(spec.get("policyTypes") or ()):
            if kind not in ("Ingress", "Egress"):
                found.append(not_supported(f"spec.policyTypes[{index}]", kind, ("Egress", "Ingress")))
        return found


class AutoscalerStrategy(Strategy):
    has_status = True

    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        if spec.get("minReplicas") is None:
            spec["minReplicas"] = 1
        if not spec.get("metrics"):
            target = {"type": "Utilization", "averageUtilization": 80}
            spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]

    def check(self, obj: Obj) -> Found:
        spec = obj["spec"]
        found: Found = []
        low, high = spec.get("minReplicas", 1), spec.get("maxReplicas", 0)
        if low < 1:
            found.append(invalid_value("spec.minReplicas", low, "must be greater than or equal to 1"))
        if high < 1:
            found.append(invalid_value("spec.maxReplicas", high, "must be greater than 0"))
        if high < low:
            found.append(invalid_value("spec.maxReplicas", high, "must be greater than or equal to `minReplicas`"))
        target = spec.get("scaleTargetRef") or {}
        for field in ("kind", "name"):
            if not target.get(field):
                found.append(required(f"spec.scaleTargetRef.{field}"))
        return found


class IngressClassStrategy(Strategy):
    namespaced = False
    has_generation = True

    def check(self, obj: Obj) -> Found:
        return [] if (obj.get("spec") or {}).get("controller") else [required("spec.controller")]

    def check_update(self, obj: Obj, old: Obj) -> Found:
        return [*immutable(obj.get("spec") or {}, old.get("spec") or {}, "controller"), *self.check(obj)]


class IPAddressStrategy(Strategy):
    namespaced = False

    def check(self, obj: Obj) -> Found:
        name = obj["metadata"].get("name") or ""
        found: Found = []
        try:
            ipaddress.ip_address(name)
        except ValueError:
            found.append(
                invalid_value("metadata.name", name, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")
            )
        parent = (obj.get("spec") or {}).get("parentRef")
        if parent is None:
            return [*found, required("spec.parentRef")]
        # The core group is the empty one.
        return [*found, *(required(f"spec.parentRef.{one}") for one in ("resource", "name") if not parent.get(one))]

    def check_update(self, obj: Obj, old: Obj) -> Found:
        return [*immutable(obj, old, "spec", path=""), *self.check(obj)]
