"""Containers: names, images, ports, variables, mounts, probes, resources (pkg/apis/core/validation/validation.go)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cluster.apimachinery.errors import FieldError, duplicate, forbidden_field, invalid_value, not_supported, required
from cluster.apimachinery.quantity import milli, parse
from cluster.apiserver.strategies import names

Obj = dict[str, Any]
Found = list[FieldError]

PULL_POLICIES = ("Always", "IfNotPresent", "Never")
PROTOCOLS = ("SCTP", "TCP", "UDP")
_NATIVE = ("cpu", "memory", "ephemeral-storage")
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")


def check_containers(containers: list[Obj], volumes: set[str], path: str) -> Found:
    """The ordinary containers of a pod."""
    if not containers:
        return [required(path)]
    found: Found = []
    seen: set[str] = set()
    host_ports: set[tuple[str, str, int]] = set()
    for index, container in enumerate(containers):
        here = f"{path}[{index}]"
        _name(container, here, seen, found)
        check_container(container, volumes, here, found)
        for number, port in enumerate(container.get("ports") or ()):
            if port.get("hostPort"):
                key = (port.get("hostIP", ""), port.get("protocol", "TCP"), port["hostPort"])
                if key in host_ports:
                    shown = f"{key[1]}/{key[0]}/{key[2]}" if key[0] else f"{key[1]}//{key[2]}"
                    found.append(duplicate(f"{here}.ports[{number}].hostPort", shown))
                host_ports.add(key)
    return found


def check_init_containers(containers: list[Obj], others: list[Obj], volumes: set[str], path: str) -> Found:
    found: Found = []
    seen = {container.get("name", "") for container in others}
    for index, container in enumerate(containers):
        here = f"{path}[{index}]"
        _name(container, here, seen, found)
        check_container(container, volumes, here, found)
        if container.get("restartPolicy") not in (None, "Always", "Never", "OnFailure"):
            found.append(
                not_supported(f"{here}.restartPolicy", container["restartPolicy"], ("Always", "Never", "OnFailure"))
            )
        if container.get("restartPolicy") != "Always":
            for field in ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe"):
                if container.get(field):
                    found.append(
                        forbidden_field(
                            f"{here}.{field}", "may not be set for init containers without restartPolicy=Always"
                        )
                    )
    return found


def _name(container: Obj, here: str, seen: set[str], found: Found) -> None:
    name = container.get("name")
    if not name:
        found.append(required(f"{here}.name"))
    elif names.label(name):
        found.append(invalid_value(f"{here}.name", name, names.label(name)))
    elif name in seen:
        found.append(duplicate(f"{here}.name", name))
    if name:
        seen.add(name)


def check_container(container: Obj, volumes: set[str], here: str, found: Found) -> None:
    image = container.get("image")
    if not image:
        found.append(required(f"{here}.image"))
    elif image != image.strip():
        found.append(invalid_value(f"{here}.image", image, "must not have leading or trailing whitespace"))
    policy = container.get("imagePullPolicy")
    if policy not in PULL_POLICIES:
        found.append(not_supported(f"{here}.imagePullPolicy", policy, PULL_POLICIES))
    termination = container.get("terminationMessagePolicy")
    if termination not in ("File", "FallbackToLogsOnError"):
        found.append(not_supported(f"{here}.terminationMessagePolicy", termination, ("FallbackToLogsOnError", "File")))
    if container.get("ports"):
        _ports(container["ports"], f"{here}.ports", found)
    if container.get("env"):
        _env(container["env"], f"{here}.env", found)
    for index, source in enumerate(container.get("envFrom") or ()):
        _env_from(source, f"{here}.envFrom[{index}]", found)
    if container.get("volumeMounts"):
        _mounts(container["volumeMounts"], volumes, f"{here}.volumeMounts", found)
    if container.get("resources"):
        check_resources(container["resources"], f"{here}.resources", found)
    for field in ("livenessProbe", "readinessProbe", "startupProbe"):
        if field in container:
            _probe(container[field], f"{here}.{field}", field != "readinessProbe", found)
    for field in ("postStart", "preStop"):
        hook = (container.get("lifecycle") or {}).get(field)
        if hook is not None:
            _handler(hook, f"{here}.lifecycle.{field}", ("exec", "httpGet", "tcpSocket", "sleep"), found)
    context = container.get("securityContext")
    if context:
        _security(context, f"{here}.securityContext", found)


def _ports(ports: list[Obj], path: str, found: Found) -> None:
    seen: set[str] = set()
    for index, port in enumerate(ports):
        here = f"{path}[{index}]"
        name = port.get("name")
        if name:
            if names.port_name(name):
                found.append(invalid_value(f"{here}.name", name, names.port_name(name)))
            elif name in seen:
                found.append(duplicate(f"{here}.name", name))
            seen.add(name)
        number = port.get("containerPort", 0)
        if number == 0:
            found.append(required(f"{here}.containerPort"))
        elif names.port_number(number):
            found.append(invalid_value(f"{here}.containerPort", number, names.port_number(number)))
        host = port.get("hostPort", 0)
        if host and names.port_number(host):
            found.append(invalid_value(f"{here}.hostPort", host, names.port_number(host)))
        if port.get("protocol") not in PROTOCOLS:
            found.append(not_supported(f"{here}.protocol", port.get("protocol"), PROTOCOLS))


_FIELDS = frozenset(
    {
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
        "spec.nodeName",
        "spec.serviceAccountName",
        "status.hostIP",
        "status.hostIPs",
        "status.podIP",
        "status.podIPs",
    }
)


def _env(variables: list[Obj], path: str, found: Found) -> None:
    for index, variable in enumerate(variables):
        here = f"{path}[{index}]"
        name = variable.get("name")
        if not name:
            found.append(required(f"{here}.name"))
        elif names.env_name(name):
            found.append(invalid_value(f"{here}.name", name, names.env_name(name)))
        source = variable.get("valueFrom")
        if source is None:
            continue
        named = [key for key in source if source[key] is not None]
        if not named:
            found.append(
                invalid_value(
                    f"{here}.valueFrom",
                    "",
                    "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, "
                    "`secretKeyRef` or `fileKeyRef`",
                )
            )
        elif variable.get("value"):
            found.append(invalid_value(f"{here}.valueFrom", "", "may not be specified when `value` is not empty"))
        elif len(named) > 1:
            found.append(invalid_value(f"{here}.valueFrom", "", "may not have more than one field specified at a time"))
        reference = source.get("fieldRef")
        if reference is not None:
            field = reference.get("fieldPath", "")
            if not field:
                found.append(required(f"{here}.valueFrom.fieldRef.fieldPath"))
            elif field not in _FIELDS and not field.startswith(("metadata.labels['", "metadata.annotations['")):
                found.append(not_supported(f"{here}.valueFrom.fieldRef.fieldPath", field, sorted(_FIELDS)))
        for kind in ("configMapKeyRef", "secretKeyRef"):
            reference = source.get(kind)
            if reference is not None:
                key = reference.get("key", "")
                if not key:
                    found.append(required(f"{here}.valueFrom.{kind}.key"))
                elif names.config_key(key):
                    found.append(invalid_value(f"{here}.valueFrom.{kind}.key", key, names.config_key(key)))


def _env_from(source: Obj, here: str, found: Found) -> None:
    named = [kind for kind in ("configMapRef", "secretRef") if source.get(kind) is not None]
    if not named:
        found.append(invalid_value(here, "", "must specify one of: `configMapRef` or `secretRef`"))
    elif len(named) > 1:
        found.append(invalid_value(here, "", "may not have more than one field specified at a time"))
    for kind in named:
        if not source[kind].get("name"):
            found.append(required(f"{here}.{kind}.name"))


def _mounts(mounts: list[Obj], volumes: set[str], path: str, found: Found) -> None:
    seen: set[str] = set()
    for index, mount in enumerate(mounts):
        here = f"{path}[{index}]"
        name, where = mount.get("name"), mount.get("mountPath")
        if not name:
            found.append(required(f"{here}.name"))
        elif name not in volumes:
            found.append(FieldError("FieldValueNotFound", f"{here}.name", "", name))
        if not where:
            found.append(required(f"{here}.mountPath"))
        elif where in seen:
            found.append(invalid_value(f"{here}.mountPath", where, "must be unique"))
        seen.add(where or "")
        sub = mount.get("subPath") or ""
        if sub.startswith("/"):
            found.append(invalid_value(f"{here}.subPath", sub, "must be a relative path"))
        if ".." in sub.split("/"):
            found.append(invalid_value(f"{here}.subPath", sub, "must not contain '..'"))


def check_resources(resources: Obj, here: str, found: Found) -> None:
    requests: Mapping[str, str] = resources.get("requests") or {}
    limits: Mapping[str, str] = resources.get("limits") or {}
    for side, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in amounts.items():
            path = f"{here}.{side}[{name}]" if "." in name or "/" in name else f"{here}.{side}.{name}"
            if parse(amount) < 0:
                found.append(invalid_value(path, amount, "must be greater than or equal to 0"))
            if "/" not in name and name not in _NATIVE and not name.startswith("hugepages-"):
                found.append(invalid_value(path, name, "must be a standard resource type or fully qualified"))
            elif "/" in name and parse(amount) != parse(amount).to_integral_value():
                found.append(invalid_value(path, amount, "must be an integer"))
    for name, amount in requests.items():
        limit = limits.get(name)
        if limit is not None and milli(amount) > milli(limit):
            found.append(
                invalid_value(f"{here}.requests", amount, f"must be less than or equal to {name} limit of {limit}")
            )


def _probe(probe: Obj, here: str, once: bool, found: Found) -> None:
    _handler(probe, here, _HANDLERS, found)
    for field in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"):
        value = probe.get(field, 0)
        if value < 0:
            found.append(invalid_value(f"{here}.{field}", value, "must be greater than or equal to 0"))
    if once and probe.get("successThreshold", 1) != 1:
        found.append(invalid_value(f"{here}.successThreshold", probe["successThreshold"], "must be 1"))
    grace = probe.get("terminationGracePeriodSeconds")
    if grace is not None and grace <= 0:
        found.append(invalid_value(f"{here}.terminationGracePeriodSeconds", grace, "must be greater than 0"))


def _handler(hook: Obj, here: str, kinds: tuple[str, ...], found: Found) -> None:
    named = [kind for kind in kinds if hook.get(kind) is not None]
    if not named:
        found.append(required(here, "must specify a handler type"))
    for extra in named[1:]:
        found.append(forbidden_field(f"{here}.{extra}", "may not specify more than 1 handler type"))
    if "exec" in named and not hook["exec"].get("command"):
        found.append(required(f"{here}.exec.command"))
    for kind in ("httpGet", "tcpSocket"):
        if kind in named:
            _port(hook[kind].get("port"), f"{here}.{kind}.port", found)
    if "httpGet" in named:
        scheme = hook["httpGet"].get("scheme", "HTTP")
        if scheme not in ("HTTP", "HTTPS"):
            found.append(not_supported(f"{here}.httpGet.scheme", scheme, ("HTTP", "HTTPS")))


def _port(port: Any, path: str, found: Found) -> None:
    if isinstance(port, int):
        if names.port_number(port):
            found.append(invalid_value(path, port, names.port_number(port)))
    elif names.port_name(port or ""):
        found.append(invalid_value(path, port or "", names.port_name(port or "")))


def _security(context: Obj, here: str, found: Found) -> None:
    for field in ("runAsUser", "runAsGroup"):
        value = context.get(field)
        if value is not None and value < 0:
            found.append(invalid_value(f"{here}.{field}", value, "must be between 0 and 2147483647, inclusive"))
    if context.get("privileged") and context.get("allowPrivilegeEscalation") is False:
        found.append(invalid_value(here, "", "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"))
