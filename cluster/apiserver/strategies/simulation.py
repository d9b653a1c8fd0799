"""The simulated world as objects (sim.kubeweb.dev): faults, traffic, images, the clock."""

from __future__ import annotations

from typing import Any

from cluster.apimachinery.errors import forbidden_field, invalid_value, not_supported, required
from cluster.apiserver.resources.own.faults import FAULTS, PROBES
from cluster.apiserver.strategies import names
from cluster.apiserver.strategies.base import Strategy
from cluster.apiserver.strategies.metadata import Found, immutable

Obj = dict[str, Any]
SANDBOX_ROLES = ("admin", "edit", "view")
LONGEST_SANDBOX = 63 - len("sandbox-")


class FaultStrategy(Strategy):
    namespaced = False
    has_status = True
    has_generation = True

    def check(self, obj: Obj) -> Found:
        spec = obj.get("spec") or {}
        kind = spec.get("type") or ""
        if kind not in FAULTS:
            return [not_supported("spec.type", kind, tuple(sorted(FAULTS)))]
        wanted = FAULTS[kind]
        found = [
            required(f"spec.{field}", f"for a fault of type {kind}") for field in wanted.needs if not spec.get(field)
        ]
        found += [
            forbidden_field(f"spec.{field}", f"a fault of type {kind} has none")
            for field in spec
            if field not in ("type", "durationSeconds", *wanted.needs, *wanted.takes)
        ]
        if spec.get("probe") and spec["probe"] not in PROBES:
            found.append(not_supported("spec.probe", spec["probe"], PROBES))
        if "percent" in spec and not 1 <= spec["percent"] <= 100:
            found.append(invalid_value("spec.percent", spec["percent"], "must be between 1 and 100"))
        if "delaySeconds" in spec and not 0 < spec["delaySeconds"] <= 600:
            found.append(invalid_value("spec.delaySeconds", spec["delaySeconds"], "must be between 0 and 600"))
        duration = spec.get("durationSeconds")
        if duration is not None and duration < 0:
            found.append(invalid_value("spec.durationSeconds", duration, "must be greater than or equal to 0"))
        return found

    def check_update(self, obj: Obj, old: Obj) -> Found:
        return [*immutable(obj, old, "spec", path=""), *self.check(obj)]


class SandboxStrategy(Strategy):
    # Its namespace is called sandbox-NAME.
    name_rule = staticmethod(names.label)
    namespaced = False
    has_status = True

    def default(self, obj: Obj) -> None:
        obj.setdefault("spec", {}).setdefault("role", "admin")

    def check(self, obj: Obj) -> Found:
        found: Found = []
        if obj["spec"].get("role") not in SANDBOX_ROLES:
            found.append(not_supported("spec.role", obj["spec"].get("role"), SANDBOX_ROLES))
        if len(obj["metadata"].get("name") or "") > LONGEST_SANDBOX:
            text = f"must be no more than {LONGEST_SANDBOX} characters"
            found.append(invalid_value("metadata.name", obj["metadata"]["name"], text))
        return found

    def check_update(self, obj: Obj, old: Obj) -> Found:
        return [*immutable(obj, old, "spec", path=""), *self.check(obj)]


class TrafficStrategy(Strategy):
    has_status = True
    has_generation = True

    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        spec.setdefault("path", "/")
        spec.setdefault("requestsPerSecond", 10)
        spec.setdefault("timeoutSeconds", 1)

    def check(self, obj: Obj) -> Found:
        spec = obj["spec"]
        found = [required("spec.service", "")] if not spec.get("service") else []
        if not 0 < spec["requestsPerSecond"] <= 1000:
            text = "must be greater than 0 and at most 1000"
            found.append(invalid_value("spec.requestsPerSecond", spec["requestsPerSecond"], text))
        if not 0 < spec["timeoutSeconds"] <= 300:
            found.append(
                invalid_value("spec.timeoutSeconds", spec["timeoutSeconds"], "must be greater than 0 and at most 300")
            )
        if not spec["path"].startswith("/"):
            found.append(invalid_value("spec.path", spec["path"], "must begin with a slash"))
        return found


class ContainerImageStrategy(Strategy):
    namespaced = False
    has_generation = True

    def default(self, obj: Obj) -> None:
        obj.setdefault("spec", {}).setdefault("type", "Server")

    def check(self, obj: Obj) -> Found:
        spec = obj["spec"]
        found = [required("spec.image", "")] if not spec.get("image") else []
        if spec["type"] not in IMAGE_TYPES:
            found.append(not_supported("spec.type", spec["type"], IMAGE_TYPES))
        for index, port in enumerate(spec.get("ports") or ()):
            if not 1 <= port <= 65535:
                found.append(invalid_value(f"spec.ports[{index}]", port, "must be between 1 and 65535, inclusive"))
        for name in ("startSeconds", "cpuSecondsPerRequest"):
            if spec.get(name, 0) < 0:
                found.append(invalid_value(f"spec.{name}", spec[name], "must be greater than or equal to 0"))
        if not 0 <= spec.get("exitCodeOnTerm", 0) <= 255:
            found.append(invalid_value("spec.exitCodeOnTerm", spec["exitCodeOnTerm"], "must be between 0 and 255"))
        return found


IMAGE_TYPES = ("Once", "Server", "Shell")


class ClockStrategy(Strategy):
    namespaced = False
    has_status = True
    has_generation = True

    def default(self, obj: Obj) -> None:
        obj.setdefault("spec", {}).setdefault("speed", 1)

    def check(self, obj: Obj) -> Found:
        spec = obj["spec"]
        found: Found = []
        if obj["metadata"].get("name") != "cluster":
            found.append(
                invalid_value("metadata.name", obj["metadata"].get("name"), 'there is one clock, named "cluster"')
            )
        if not 0.1 <= spec["speed"] <= 100:
            found.append(invalid_value("spec.speed", spec["speed"], "must be between 0.1 and 100"))
        if spec.get("step", 0) < 0:
            found.append(invalid_value("spec.step", spec["step"], "must be greater than or equal to 0"))
        return found
