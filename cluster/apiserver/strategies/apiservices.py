"""APIServices: who serves which group version (kube-aggregator/pkg/apis/apiregistration/validation)."""

from __future__ import annotations

from typing import Any

from cluster.apimachinery.errors import forbidden_field, invalid_value, required
from cluster.apiserver.strategies import names
from cluster.apiserver.strategies.base import Strategy
from cluster.apiserver.strategies.metadata import Found

Obj = dict[str, Any]


class APIServiceStrategy(Strategy):
    """APIService."""

    name_rule = staticmethod(names.path_segment)
    namespaced = False
    has_status = True

    def default(self, obj: Obj) -> None:
        service = obj.setdefault("spec", {}).get("service")
        if service is not None:
            service.setdefault("port", 443)

    def check(self, obj: Obj) -> Found:
        spec, found = obj.get("spec") or {}, []
        group, version = spec.get("group", ""), spec.get("version", "")
        wanted, name = f"{version}.{group}", obj["metadata"].get("name", "")
        if name != wanted:
            found.append(invalid_value("metadata.name", name, f'must be `spec.version+"."+spec.group`: "{wanted}"'))
        if group and names.subdomain(group):
            found.append(invalid_value("spec.group", group, names.subdomain(group)))
        if not version:
            found.append(required("spec.version"))
        elif names.label_1035(version):
            found.append(invalid_value("spec.version", version, names.label_1035(version)))
        for field, most in (("groupPriorityMinimum", 20000), ("versionPriority", 1000)):
            value = spec.get(field) or 0
            if not 0 < value <= most:
                found.append(invalid_value(f"spec.{field}", value, f"must be positive and less than {most}"))
        service = spec.get("service")
        if service is None:
            if spec.get("caBundle"):
                found.append(
                    invalid_value(
                        "spec.caBundle", f"{len(spec['caBundle'])} bytes", "local APIServices may not have a caBundle"
                    )
                )
            if spec.get("insecureSkipTLSVerify"):
                found.append(
                    invalid_value(
                        "spec.insecureSkipTLSVerify", True, "local APIServices may not have insecureSkipTLSVerify"
                    )
                )
            return found
        found.extend(required(f"spec.service.{field}") for field in ("namespace", "name") if not service.get(field))
        if not 1 <= service.get("port", 443) <= 65535:
            found.append(
                invalid_value(
                    "spec.service.port", service["port"], "port is not valid: must be between 1 and 65535, inclusive"
                )
            )
        if spec.get("insecureSkipTLSVerify") and spec.get("caBundle"):
            found.append(forbidden_field("spec.insecureSkipTLSVerify", "may not be true if caBundle is present"))
        return found
