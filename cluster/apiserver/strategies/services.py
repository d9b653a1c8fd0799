"""Services, Endpoints and EndpointSlices."""

from __future__ import annotations

from typing import Any

from cluster.apimachinery.errors import duplicate, forbidden_field, invalid_value, not_supported, required
from cluster.apiserver.strategies import names
from cluster.apiserver.strategies.base import METADATA_FIELDS, Strategy
from cluster.apiserver.strategies.metadata import Found, check_labels, immutable

Obj = dict[str, Any]
TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")


class ServiceStrategy(Strategy):
    name_rule = staticmethod(names.label_1035)
    has_status = True
    supported_field_labels = METADATA_FIELDS | {"spec.clusterIP", "spec.type"}

    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        spec.setdefault("sessionAffinity", "None")
        if spec["sessionAffinity"] == "ClientIP":
            spec.setdefault("sessionAffinityConfig", {}).setdefault("clientIP", {}).setdefault("timeoutSeconds", 10800)
        else:
            spec.pop("sessionAffinityConfig", None)
        kind = spec.setdefault("type", "ClusterIP")
        for port in spec.get("ports") or ():
            port.setdefault("protocol", "TCP")
            if port.get("targetPort") in (None, 0, ""):
                port["targetPort"] = port.get("port")
        if kind in ("NodePort", "LoadBalancer"):
            spec.setdefault("externalTrafficPolicy", "Cluster")
        else:
            spec.pop("externalTrafficPolicy", None)
        if kind == "LoadBalancer":
            spec.setdefault("allocateLoadBalancerNodePorts", True)
        if kind != "ExternalName":
            spec.setdefault("internalTrafficPolicy", "Cluster")
        obj.setdefault("status", {"loadBalancer": {}})

    def prepare_for_create(self, obj: Obj) -> None:
        obj["status"] = {"loadBalancer": {}}

    def check(self, obj: Obj) -> Found:
        spec = obj["spec"]
        found: Found = []
        kind, ports = spec.get("type"), spec.get("ports") or []
        if kind not in TYPES:
            found.append(not_supported("spec.type", kind, TYPES))
        headless = spec.get("clusterIP") == "None"
        if not ports and not headless and kind != "ExternalName":
            found.append(required("spec.ports"))
        if kind == "ExternalName":
            name = spec.get("externalName") or ""
            if not name:
                found.append(required("spec.externalName"))
            elif names.subdomain(name.rstrip(".")):
                found.append(invalid_value("spec.externalName", name, names.subdomain(name.rstrip("."))))
        if kind in ("NodePort", "LoadBalancer") and headless:
            found.append(invalid_value("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {kind} services"))
        if spec.get("selector"):
            found.extend(check_labels(spec["selector"], "spec.selector"))
        if spec.get("sessionAffinity") not in ("ClientIP", "None"):
            found.append(not_supported("spec.sessionAffinity", spec.get("sessionAffinity"), ("ClientIP", "None")))
        found.extend(self._ports(ports, kind))
        return found

    @staticmethod
    def _ports(ports: list[Obj], kind: Any) -> Found:
        found: Found = []
        seen_names: set[str] = set()
        seen_ports: set[tuple[Any, Any]] = set()
        for index, port in enumerate(ports):
            here = f"spec.ports[{index}]"
            name = port.get("name") or ""
            if len(ports) > 1 and not name:
                found.append(required(f"{here}.name"))
            elif name:
                if names.label(name):
                    found.append(invalid_value(f"{here}.name", name, names.label(name)))
                elif name in seen_names:
                    found.append(duplicate(f"{here}.name", name))
                seen_names.add(name)
            number = port.get("port", 0)
            if names.port_number(number):
                found.append(invalid_value(f"{here}.port", number, names.port_number(number)))
            if port.get("protocol") not in ("SCTP", "TCP", "UDP"):
                found.append(not_supported(f"{here}.protocol", port.get("protocol"), ("SCTP", "TCP", "UDP")))
            target = port.get("targetPort")
            if isinstance(target, int):
                if names.port_number(target):
                    found.append(invalid_value(f"{here}.targetPort", target, names.port_number(target)))
            elif isinstance(target, str) and names.port_name(target):
                found.append(invalid_value(f"{here}.targetPort", target, names.port_name(target)))
            if port.get("nodePort") and kind in ("ClusterIP", "ExternalName"):
                found.append(forbidden_field(f"{here}.nodePort", "may not be used when `type` is 'ClusterIP'"))
            key = (port.get("protocol"), number)
            if key in seen_ports:
                found.append(duplicate(here, {"port": number, "protocol": port.get("protocol")}))
            seen_ports.add(key)
        return found

    def check_update(self, obj: Obj, old: Obj) -> Found:
        spec, before = obj["spec"], old["spec"]
        found: Found = []
        had, has = before.get("clusterIPs") or [], spec.get("clusterIPs") or []
        if had and has and had[0] != has[0] and "ExternalName" not in (spec.get("type"), before.get("type")):
            found.append(invalid_value("spec.clusterIPs[0]", has, "may not change once set"))
        return [*found, *self.check(obj)]


class EndpointsStrategy(Strategy):
    allow_create_on_update = True

    def default(self, obj: Obj) -> None:
        for subset in obj.get("subsets") or ():
            for port in subset.get("ports") or ():
                port.setdefault("protocol", "TCP")

    def check(self, obj: Obj) -> Found:
        found: Found = []
        for index, subset in enumerate(obj.get("subsets") or ()):
            here = f"subsets[{index}]"
            if not subset.get("addresses") and not subset.get("notReadyAddresses"):
                found.append(required(here, "must specify `addresses` or `notReadyAddresses`"))
            for number, port in enumerate(subset.get("ports") or ()):
                if names.port_number(port.get("port", 0)):
                    found.append(
                        invalid_value(
                            f"{here}.ports[{number}].port", port.get("port", 0), names.port_number(port.get("port", 0))
                        )
                    )
        return found


class EndpointSliceStrategy(Strategy):
    has_generation = True

    def default(self, obj: Obj) -> None:
        for port in obj.get("ports") or ():
            port.setdefault("name", "")
            port.setdefault("protocol", "TCP")

    def wanted(self, obj: Obj) -> Any:
        return obj.get("endpoints"), obj.get("ports"), obj["metadata"].get("labels")

    def check(self, obj: Obj) -> Found:
        found: Found = []
        kind = obj.get("addressType")
        if not kind:
            found.append(required("addressType"))
        elif kind not in ("FQDN", "IPv4", "IPv6"):
            found.append(not_supported("addressType", kind, ("FQDN", "IPv4", "IPv6")))
        endpoints = obj.get("endpoints") or []
        if len(endpoints) > 1000:
            found.append(invalid_value("endpoints", len(endpoints), "must have at most 1000 items"))
        for index, endpoint in enumerate(endpoints):
            if not endpoint.get("addresses"):
                found.append(required(f"endpoints[{index}].addresses", "must contain at least 1 address"))
        return found

    def check_update(self, obj: Obj, old: Obj) -> Found:
        return [*immutable(obj, old, "addressType", path=""), *self.check(obj)]
