"""Defaults of pods and of every template that holds one (pkg/apis/core/v1/defaults.go)."""

from __future__ import annotations

from typing import Any

Obj = dict[str, Any]

# A projected or configured file's mode: 0644.
FILE_MODE = 0o644
_PROBES = (
    ("timeoutSeconds", 1),
    ("periodSeconds", 10),
    ("successThreshold", 1),
    ("failureThreshold", 3),
)
_MODES = ("secret", "configMap", "downwardAPI", "projected")


def default_pod(pod: Obj) -> None:
    spec = pod.setdefault("spec", {})
    # A list that is not there is an empty one, as Go reads it: admission looks at it before validation asks for more.
    if spec.get("containers") is None:
        spec["containers"] = []
    default_pod_spec(spec)
    if "enableServiceLinks" not in spec:
        spec["enableServiceLinks"] = True
    if spec.get("hostNetwork"):
        _host_ports(spec)
    for container in _containers(spec):
        _requests_from_limits(container)


def default_template(template: Obj) -> None:
    """A PodTemplateSpec."""
    spec = template.setdefault("spec", {})
    default_pod_spec(spec)
    if spec.get("hostNetwork"):
        _host_ports(spec)


def _containers(spec: Obj) -> list[Obj]:
    return [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]


def default_pod_spec(spec: Obj) -> None:
    if not spec.get("restartPolicy"):
        spec["restartPolicy"] = "Always"
    if spec.get("terminationGracePeriodSeconds") is None:
        spec["terminationGracePeriodSeconds"] = 30
    if not spec.get("dnsPolicy"):
        spec["dnsPolicy"] = "ClusterFirst"
    if spec.get("securityContext") is None:
        spec["securityContext"] = {}
    if not spec.get("schedulerName"):
        spec["schedulerName"] = "default-scheduler"
    # Two names for one thing, kept alike.
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    for container in _containers(spec):
        _default_container(container)
    for container in spec.get("ephemeralContainers") or ():
        _default_container(container)
    for volume in spec.get("volumes") or ():
        _default_volume(volume)
    for constraint in spec.get("topologySpreadConstraints") or ():
        constraint.setdefault("nodeAffinityPolicy", "Honor")
        constraint.setdefault("nodeTaintsPolicy", "Ignore")


def _default_container(container: Obj) -> None:
    if not container.get("imagePullPolicy"):
        container["imagePullPolicy"] = pull_policy(container.get("image") or "")
    if not container.get("terminationMessagePath"):
        container["terminationMessagePath"] = "/dev/termination-log"
    if not container.get("terminationMessagePolicy"):
        container["terminationMessagePolicy"] = "File"
    if "resources" not in container:
        container["resources"] = {}
    for port in container.get("ports") or ():
        if not port.get("protocol"):
            port["protocol"] = "TCP"
    for variable in container.get("env") or ():
        reference = (variable.get("valueFrom") or {}).get("fieldRef")
        if reference is not None and not reference.get("apiVersion"):
            reference["apiVersion"] = "v1"
        resource = (variable.get("valueFrom") or {}).get("resourceFieldRef")
        if resource is not None and "divisor" not in resource:
            resource["divisor"] = "0"
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if name in container:
            _default_probe(container[name])
    for hook in (container.get("lifecycle") or {}).values():
        if isinstance(hook, dict) and "httpGet" in hook:
            _default_http(hook["httpGet"])


def pull_policy(image: str) -> str:
    """Always for `latest` (said or meant), else IfNotPresent."""
    if "@" in image:
        return "IfNotPresent"
    tag = image.rpartition("/")[2].partition(":")[2]
    return "Always" if tag in ("", "latest") else "IfNotPresent"


def _default_probe(probe: Obj) -> None:
    for name, value in _PROBES:
        if not probe.get(name):
            probe[name] = value
    if "httpGet" in probe:
        _default_http(probe["httpGet"])
    if "grpc" in probe and "service" not in probe["grpc"]:
        probe["grpc"]["service"] = ""


def _default_http(action: Obj) -> None:
    if not action.get("path"):
        action["path"] = "/"
    if not action.get("scheme"):
        action["scheme"] = "HTTP"


def _default_volume(volume: Obj) -> None:
    if len(volume) == 1:
        volume["emptyDir"] = {}
    for name in _MODES:
        source = volume.get(name)
        if isinstance(source, dict):
            source.setdefault("defaultMode", FILE_MODE)
    if isinstance(volume.get("hostPath"), dict):
        volume["hostPath"].setdefault("type", "")
    for item in (volume.get("downwardAPI") or {}).get("items") or ():
        _default_field(item)
    for source in (volume.get("projected") or {}).get("sources") or ():
        if "serviceAccountToken" in source:
            source["serviceAccountToken"].setdefault("expirationSeconds", 3600)
        for item in (source.get("downwardAPI") or {}).get("items") or ():
            _default_field(item)
    template = (volume.get("ephemeral") or {}).get("volumeClaimTemplate")
    if template is not None:
        template.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")


def _default_field(item: Obj) -> None:
    reference = item.get("fieldRef")
    if reference is not None and not reference.get("apiVersion"):
        reference["apiVersion"] = "v1"


def _host_ports(spec: Obj) -> None:
    for container in _containers(spec):
        for port in container.get("ports") or ():
            if not port.get("hostPort") and port.get("containerPort"):
                port["hostPort"] = port["containerPort"]


def _requests_from_limits(container: Obj) -> None:
    """A container that names a limit but no request asks for its limit."""
    resources = container.get("resources") or {}
    limits = resources.get("limits")
    if not limits:
        return
    requests = dict(resources.get("requests") or {})
    for name, value in limits.items():
        requests.setdefault(name, value)
    resources["requests"] = requests


def qos_class(spec: Obj) -> str:
    """Guaranteed, Burstable or BestEffort (v1helper/qos)."""
    any_asked, guaranteed = False, True
    for container in _containers(spec):
        resources = container.get("resources") or {}
        requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
        for name in ("cpu", "memory"):
            request, limit = requests.get(name), limits.get(name)
            any_asked = any_asked or bool(request) or bool(limit)
            if not limit or (request or limit) != limit:
                guaranteed = False
    if not any_asked:
        return "BestEffort"
    return "Guaranteed" if guaranteed else "Burstable"
