"""What a container gets from other objects: variables out of ConfigMaps, Secrets and the pod itself (the files are in `projection`).

What is missing is told in the kubelet's words: `Missing` for variables (CreateContainerConfigError) and for volumes (FailedMount).
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Any

from cluster.apimachinery.errors import StatusError
from cluster.apimachinery.quantity import milli, parse, value
from cluster.client.client import Client, Obj

_REFERENCE = re.compile(r"\$\$|\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")


class Missing(Exception):
    """Something that a container needs is not there."""


def expand(text: str, variables: dict[str, str]) -> str:
    """`$(NAME)` replaced where NAME is known; `$$` is a dollar sign."""
    if "$" not in text:
        return text
    return _REFERENCE.sub(
        lambda match: "$" if match[0] == "$$" else variables.get(match[1], match[0]) if match[1] else match[0], text
    )


async def fetch(client: Client, resource: str, word: str, name: str, namespace: str, optional: bool) -> Obj | None:
    try:
        return await client.get(resource, name, namespace)
    except StatusError as error:
        if error.code != 404:
            raise Missing(error.message) from error
        if optional:
            return None
        raise Missing(f'{word} "{name}" not found') from error


def config_data(obj: Obj) -> dict[str, bytes]:
    found = {key: text.encode() for key, text in (obj.get("data") or {}).items()}
    found.update({key: base64.b64decode(text) for key, text in (obj.get("binaryData") or {}).items()})
    return found


def secret_data(obj: Obj) -> dict[str, bytes]:
    return {key: base64.b64decode(text) for key, text in (obj.get("data") or {}).items()}


_SOURCES = {
    "configMapKeyRef": ("v1/configmaps", "configmap", config_data),
    "configMapRef": ("v1/configmaps", "configmap", config_data),
    "secretKeyRef": ("v1/secrets", "secret", secret_data),
    "secretRef": ("v1/secrets", "secret", secret_data),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a pod stands: its address, the node's, and what the node has to give."""

    ip: str
    host_ip: str
    allocatable: Obj


async def variables(client: Client, pod: Obj, container: Obj, place: Place, services: dict[str, str]) -> dict[str, str]:
    """The environment of a container; Missing when a source is not there. `services` name what can be reached."""
    found: dict[str, str] = {}
    namespace = pod["metadata"]["namespace"]
    for source in container.get("envFrom") or ():
        for kind in ("configMapRef", "secretRef"):
            reference = source.get(kind)
            if reference is None:
                continue
            resource, word, read = _SOURCES[kind]
            obj = await fetch(client, resource, word, reference["name"], namespace, reference.get("optional", False))
            if obj is not None:
                prefix = source.get("prefix", "")
                found.update({prefix + key: data.decode("utf-8", "replace") for key, data in read(obj).items()})
    for variable in container.get("env") or ():
        source = variable.get("valueFrom")
        if source is None:
            found[variable["name"]] = expand(variable.get("value", ""), {**services, **found})
            continue
        text = await _from_source(client, pod, container, source, place)
        if text is not None:
            found[variable["name"]] = text
    # What the pod sets itself is not overridden.
    return {**services, **found}


async def _from_source(client: Client, pod: Obj, container: Obj, source: Obj, place: Place) -> str | None:
    namespace = pod["metadata"]["namespace"]
    for kind in ("configMapKeyRef", "secretKeyRef"):
        reference = source.get(kind)
        if reference is None:
            continue
        resource, word, read = _SOURCES[kind]
        optional = reference.get("optional", False)
        obj = await fetch(client, resource, word, reference["name"], namespace, optional)
        data = read(obj) if obj is not None else {}
        if reference["key"] in data:
            return data[reference["key"]].decode("utf-8", "replace")
        if optional:
            return None
        shown = "ConfigMap" if word == "configmap" else "Secret"
        raise Missing(f"couldn't find key {reference['key']} in {shown} {namespace}/{reference['name']}")
    if source.get("fieldRef") is not None:
        return field(pod, source["fieldRef"]["fieldPath"], place)
    if source.get("resourceFieldRef") is not None:
        return resource_field(pod, container, source["resourceFieldRef"], place.allocatable)
    return ""


def field(pod: Obj, path: str, place: Place) -> str:
    """The downward API's fields."""
    ip, host_ip = place.ip, place.host_ip
    special = {
        "status.podIP": ip,
        "status.podIPs": ip,
        "status.hostIP": host_ip,
        "status.hostIPs": host_ip,
        "spec.serviceAccountName": pod["spec"].get("serviceAccountName") or "default",
    }
    if path in special:
        return special[path]
    match = re.fullmatch(r"metadata\.(labels|annotations)\['([^']+)'\]", path)
    if match:
        return str((pod["metadata"].get(match[1]) or {}).get(match[2], ""))
    if path in ("metadata.labels", "metadata.annotations"):
        entries = pod["metadata"].get(path.partition(".")[2]) or {}
        return "\n".join(f"{key}={_quoted(text)}" for key, text in sorted(entries.items()))
    here: Any = pod
    for step in path.split("."):
        here = (here or {}).get(step)
    return "" if here is None else str(here)


def _quoted(text: str) -> str:
    """As Go's %q: tabs, newlines and quotes escaped."""
    escaped = (
        text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    )
    return f'"{escaped}"'


def resource_field(pod: Obj, container: Obj, reference: Obj, allocatable: Obj) -> str:
    """`limits.cpu` and its like, divided and rounded up; without a limit, what the node has to give."""
    name = reference.get("containerName")
    holder = container
    for candidate in (*pod["spec"]["containers"], *(pod["spec"].get("initContainers") or ())) if name else ():
        if candidate["name"] == name:
            holder = candidate
    side, _, resource = reference["resource"].partition(".")
    resources = holder.get("resources") or {}
    amount = (resources.get(side) or {}).get(resource)
    if not amount:
        amount = allocatable.get(resource, "0") if side == "limits" else "0"
    divisor = reference.get("divisor") or "1"
    if parse(divisor) == 0:
        divisor = "1"
    if resource == "cpu":
        return str(-(-milli(amount) // milli(divisor)))
    return str(-(-value(amount) // value(divisor)))
