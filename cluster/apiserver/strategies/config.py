"""Namespaces, nodes, accounts, configuration, limits, events and the other small kinds of the core and its neighbours."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping
from typing import Any, ClassVar

from cluster.apimachinery.errors import forbidden_field, invalid_value, not_supported, required, too_long
from cluster.apiserver.strategies import names
from cluster.apiserver.strategies.base import METADATA_FIELDS, Strategy
from cluster.apiserver.strategies.metadata import Found, check_selector, immutable

Obj = dict[str, Any]
MAX_DATA = 1024 * 1024


class NamespaceStrategy(Strategy):
    name_rule = staticmethod(names.label)
    namespaced = False
    has_status = True
    supported_field_labels = METADATA_FIELDS | {"status.phase", "name"}

    def default(self, obj: Obj) -> None:
        name = obj["metadata"].get("name")
        if name:
            obj["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = name

    def prepare_for_create(self, obj: Obj) -> None:
        finalizers = (obj.get("spec") or {}).get("finalizers") or []
        if "kubernetes" not in finalizers:
            finalizers = [*finalizers, "kubernetes"]
        obj["spec"] = {"finalizers": finalizers}
        obj["status"] = {"phase": "Active"}

    def prepare_for_update(self, obj: Obj, old: Obj) -> None:
        super().prepare_for_update(obj, old)
        obj["spec"] = old.get("spec") or {}


class NodeStrategy(Strategy):
    namespaced = False
    has_status = True
    supported_field_labels = METADATA_FIELDS | {"spec.unschedulable"}
    absent_fields: ClassVar[Mapping[str, str]] = {"spec.unschedulable": "false"}

    def default(self, obj: Obj) -> None:
        obj.setdefault("spec", {})

    def prepare_for_create(self, obj: Obj) -> None:
        # Unlike other kinds, a node may come with its status: that is how kubelets register.
        status = obj.get("status")
        if status and "allocatable" not in status and "capacity" in status:
            status["allocatable"] = dict(status["capacity"])

    def check(self, obj: Obj) -> Found:
        found: Found = []
        seen: set[tuple[str, str]] = set()
        for index, taint in enumerate((obj.get("spec") or {}).get("taints") or ()):
            here = f"spec.taints[{index}]"
            key, value, effect = taint.get("key") or "", taint.get("value") or "", taint.get("effect")
            if names.qualified(key):
                found.append(invalid_value(f"{here}.key", key, names.qualified(key)))
            if value and names.label_value(value):
                found.append(invalid_value(f"{here}.value", value, names.label_value(value)))
            if effect not in ("NoSchedule", "PreferNoSchedule", "NoExecute"):
                found.append(not_supported(f"{here}.effect", effect, ("NoSchedule", "PreferNoSchedule", "NoExecute")))
            if (key, str(effect)) in seen:
                found.append(invalid_value(here, taint, "taints must be unique by key and effect pair"))
            seen.add((key, str(effect)))
        return found

    def check_update(self, obj: Obj, old: Obj) -> Found:
        found = self.check(obj)
        before = (old.get("spec") or {}).get("providerID")
        if before and (obj.get("spec") or {}).get("providerID") != before:
            found.append(
                forbidden_field("spec.providerID", 'node updates may not change providerID except from "" to valid')
            )
        return found


class ServiceAccountStrategy(Strategy):
    allow_unconditional_update = False


def _check_data(obj: Obj, fields: tuple[str, ...], *, encoded: str = "") -> Found:
    found: Found = []
    size = 0
    seen: set[str] = set()
    for field in fields:
        for key, value in (obj.get(field) or {}).items():
            if names.config_key(key):
                found.append(invalid_value(f"{field}[{key}]", key, names.config_key(key)))
            if key in seen:
                found.append(invalid_value(f"{field}[{key}]", key, "duplicate of key present in data"))
            seen.add(key)
            size += len(value) * 3 // 4 if field == encoded else len(value.encode())
    if size > MAX_DATA:
        found.append(too_long("" if encoded != "data" else "data", MAX_DATA))
    return found


def _check_immutable(obj: Obj, old: Obj, fields: tuple[str, ...]) -> Found:
    if not old.get("immutable"):
        return []
    found: Found = []
    if not obj.get("immutable"):
        found.append(forbidden_field("immutable", "field is immutable when `immutable` is set"))
    for field in fields:
        if obj.get(field) != old.get(field):
            found.append(forbidden_field(field, "field is immutable when `immutable` is set"))
    return found


class ConfigMapStrategy(Strategy):
    def check(self, obj: Obj) -> Found:
        return _check_data(obj, ("data", "binaryData"), encoded="binaryData")

    def check_update(self, obj: Obj, old: Obj) -> Found:
        return [*_check_immutable(obj, old, ("data", "binaryData")), *self.check(obj)]


_REQUIRED_KEYS = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}


class SecretStrategy(Strategy):
    supported_field_labels = METADATA_FIELDS | {"type"}

    def default(self, obj: Obj) -> None:
        if not obj.get("type"):
            obj["type"] = "Opaque"
        plain = obj.pop("stringData", None)
        if plain:
            data = obj.setdefault("data", {})
            for key, value in plain.items():
                data[key] = base64.b64encode(value.encode()).decode()

    def check(self, obj: Obj) -> Found:
        found = _check_data(obj, ("data",), encoded="data")
        for key in _REQUIRED_KEYS.get(obj.get("type", ""), ()):
            if key not in (obj.get("data") or {}):
                found.append(required(f"data[{key}]"))
        named = (obj["metadata"].get("annotations") or {}).get("kubernetes.io/service-account.name")
        if obj.get("type") == "kubernetes.io/service-account-token" and not named:
            found.append(required("metadata.annotations[kubernetes.io/service-account.name]"))
        return found

    def check_update(self, obj: Obj, old: Obj) -> Found:
        return [*immutable(obj, old, "type", path=""), *_check_immutable(obj, old, ("data",)), *self.check(obj)]


class LimitRangeStrategy(Strategy):
    allow_create_on_update = True

    def default(self, obj: Obj) -> None:
        for limit in (obj.get("spec") or {}).get("limits") or ():
            if limit.get("type") != "Container":
                continue
            defaults = limit.get("default") or {}
            for name, value in (limit.get("max") or {}).items():
                defaults.setdefault(name, value)
            requests = limit.get("defaultRequest") or {}
            for source in (limit.get("default"), limit.get("min")):
                for name, value in (source or {}).items():
                    requests.setdefault(name, value)
            for name, value in defaults.items():
                requests.setdefault(name, value)
            if defaults:
                limit["default"] = defaults
            if requests:
                limit["defaultRequest"] = requests

    def check(self, obj: Obj) -> Found:
        found: Found = []
        for index, limit in enumerate((obj.get("spec") or {}).get("limits") or ()):
            if not limit.get("type"):
                found.append(required(f"spec.limits[{index}].type"))
        return found


class ResourceQuotaStrategy(Strategy):
    has_status = True

    def check(self, obj: Obj) -> Found:
        found: Found = []
        for name in (obj.get("spec") or {}).get("hard") or {}:
            if names.qualified(name):
                found.append(invalid_value(f"spec.hard[{name}]", name, names.qualified(name)))
        return found

    def check_update(self, obj: Obj, old: Obj) -> Found:
        return [*immutable(obj.get("spec") or {}, old.get("spec") or {}, "scopes"), *self.check(obj)]


class EventStrategy(Strategy):
    allow_create_on_update = True
    supported_field_labels = METADATA_FIELDS | {
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
        "regarding.kind",
        "regarding.namespace",
        "regarding.name",
        "regarding.uid",
        "reportingController",
    }
    # What events.k8s.io names otherwise; an event without a source comes from the controller that reported it.
    field_paths: ClassVar[Mapping[str, str]] = {
        **{f"regarding.{field}": f"involvedObject.{field}" for field in ("kind", "namespace", "name", "uid")},
        "reportingController": "reportingComponent",
        "source": "source.component|reportingComponent",
    }

    def default(self, obj: Obj) -> None:
        obj.setdefault("type", "Normal") if not obj.get("type") else None

    def check(self, obj: Obj) -> Found:
        involved = (obj.get("involvedObject") or {}).get("namespace") or ""
        namespace = obj["metadata"].get("namespace")
        if (involved and involved != namespace) or (not involved and namespace not in ("default", "kube-system")):
            return [invalid_value("involvedObject.namespace", involved, "does not match event.namespace")]
        return []

    def check_update(self, obj: Obj, old: Obj) -> Found:
        return self.check(obj)


class LeaseStrategy(Strategy):
    allow_create_on_update = True
    allow_unconditional_update = False

    def check(self, obj: Obj) -> Found:
        found: Found = []
        spec = obj.get("spec") or {}
        duration = spec.get("leaseDurationSeconds")
        if duration is not None and duration <= 0:
            found.append(invalid_value("spec.leaseDurationSeconds", duration, "must be greater than 0"))
        transitions = spec.get("leaseTransitions")
        if transitions is not None and transitions < 0:
            found.append(invalid_value("spec.leaseTransitions", transitions, "must be greater than or equal to 0"))
        return found


class PriorityClassStrategy(Strategy):
    namespaced = False
    has_generation = True

    def default(self, obj: Obj) -> None:
        obj.setdefault("preemptionPolicy", "PreemptLowerPriority")
        obj.setdefault("value", 0)

    def wanted(self, obj: Obj) -> Any:
        return None

    def check(self, obj: Obj) -> Found:
        name, value = obj["metadata"].get("name") or "", obj.get("value", 0)
        if name.startswith("system-") and name not in ("system-cluster-critical", "system-node-critical"):
            return [
                forbidden_field(
                    "metadata.name",
                    "priority class names with 'system-' prefix are reserved for system use only. error: "
                    f"{name} is not a known system priority class",
                )
            ]
        if value > 1000000000 and not name.startswith("system-"):
            return [forbidden_field("value", f"maximum allowed value of a user defined priority is {1000000000}")]
        return []

    def check_update(self, obj: Obj, old: Obj) -> Found:
        found: Found = []
        if obj.get("value") != old.get("value"):
            found.append(forbidden_field("value", "may not be changed in an update."))
        return [*found, *immutable(obj, old, "preemptionPolicy", path="")]


class PodDisruptionBudgetStrategy(Strategy):
    has_status = True
    has_generation = True
    allow_unconditional_update = False

    def check(self, obj: Obj) -> Found:
        spec = obj.get("spec") or {}
        found: Found = []
        if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
            found.append(invalid_value("spec", spec, "minAvailable and maxUnavailable cannot be both set"))
        for field in ("minAvailable", "maxUnavailable"):
            value = spec.get(field)
            if isinstance(value, int) and value < 0:
                found.append(invalid_value(f"spec.{field}", value, "must be greater than or equal to 0"))
        if spec.get("selector"):
            found.extend(check_selector(spec["selector"], "spec.selector"))
        return found


class RBACStrategy(Strategy):
    """Roles and bindings of both scopes."""

    name_rule = staticmethod(names.path_segment)
    allow_create_on_update = True

    def default(self, obj: Obj) -> None:
        reference = obj.get("roleRef")
        if reference is not None and not reference.get("apiGroup"):
            reference["apiGroup"] = "rbac.authorization.k8s.io"
        for subject in obj.get("subjects") or ():
            if not subject.get("apiGroup") and subject.get("kind") in ("User", "Group"):
                subject["apiGroup"] = "rbac.authorization.k8s.io"
        if obj.get("kind") in ("Role", "ClusterRole") and "aggregationRule" not in obj:
            obj.setdefault("rules", [])

    def check(self, obj: Obj) -> Found:
        found: Found = []
        cluster = obj["kind"] == "ClusterRole"
        for index, rule in enumerate(obj.get("rules") or ()):
            here = f"rules[{index}]"
            if not rule.get("verbs"):
                found.append(required(f"{here}.verbs", "verbs must contain at least one value"))
            paths = rule.get("nonResourceURLs")
            if paths:
                if not cluster:
                    found.append(
                        invalid_value(
                            f"{here}.nonResourceURLs", paths, "namespaced rules cannot apply to non-resource URLs"
                        )
                    )
                if rule.get("apiGroups") or rule.get("resources") or rule.get("resourceNames"):
                    found.append(
                        invalid_value(
                            f"{here}.nonResourceURLs",
                            paths,
                            "rules cannot apply to both regular resources and non-resource URLs",
                        )
                    )
                continue
            for field, word in (
                ("apiGroups", "resource rules must supply at least one api group"),
                ("resources", "resource rules must supply at least one resource"),
            ):
                if not rule.get(field):
                    found.append(required(f"{here}.{field}", word))
        if "roleRef" in obj or obj["kind"].endswith("Binding"):
            found.extend(self._check_binding(obj))
        return found

    @staticmethod
    def _check_binding(obj: Obj) -> Found:
        found: Found = []
        reference = obj.get("roleRef") or {}
        if reference.get("apiGroup") != "rbac.authorization.k8s.io":
            found.append(
                not_supported("roleRef.apiGroup", reference.get("apiGroup") or "", ["rbac.authorization.k8s.io"])
            )
        kinds = ("Role", "ClusterRole") if obj["kind"] == "RoleBinding" else ("ClusterRole",)
        if reference.get("kind") not in kinds:
            found.append(not_supported("roleRef.kind", reference.get("kind") or "", kinds))
        if not reference.get("name"):
            found.append(required("roleRef.name"))
        elif text := names.path_segment(reference["name"]):
            found.append(invalid_value("roleRef.name", reference["name"], text))
        for index, subject in enumerate(obj.get("subjects") or ()):
            here = f"subjects[{index}]"
            kind = subject.get("kind")
            if not subject.get("name"):
                found.append(required(f"{here}.name"))
            if kind == "ServiceAccount":
                if subject.get("name") and (text := names.subdomain(subject["name"])):
                    found.append(invalid_value(f"{here}.name", subject["name"], text))
                if not subject.get("namespace") and obj["kind"] == "ClusterRoleBinding":
                    found.append(required(f"{here}.namespace"))
                if subject.get("apiGroup"):
                    found.append(not_supported(f"{here}.apiGroup", subject["apiGroup"], [""]))
            elif kind in ("User", "Group"):
                if subject.get("apiGroup") != "rbac.authorization.k8s.io":
                    found.append(
                        not_supported(f"{here}.apiGroup", subject.get("apiGroup") or "", ["rbac.authorization.k8s.io"])
                    )
            else:
                found.append(not_supported(f"{here}.kind", kind or "", ["ServiceAccount", "User", "Group"]))
        return found

    def check_update(self, obj: Obj, old: Obj) -> Found:
        found = self.check(obj)
        if obj.get("roleRef") != old.get("roleRef"):
            found.append(invalid_value("roleRef", obj.get("roleRef"), "cannot change roleRef"))
        return found


class ClusterRBACStrategy(RBACStrategy):
    namespaced = False


class IPAddressStrategy(Strategy):
    namespaced = False

    def check(self, obj: Obj) -> Found:
        name = obj["metadata"].get("name") or ""
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return [
                invalid_value("metadata.name", name, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")
            ]
        return []
