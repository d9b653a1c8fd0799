"""What a container gets from other objects: variables and files out of ConfigMaps, Secrets and the pod itself.

What is missing is told in the kubelet's words: `Missing` for variables (CreateContainerConfigError) and for volumes (FailedMount).
"""

from __future__ import annotations

import base64
import re
from typing import Any

from cluster.apimachinery.errors import StatusError
from cluster.apimachinery.quantity import milli, parse, value
from cluster.client.client import Client, Obj

_REFERENCE = re.compile(r"\$\$|\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")
API_SERVICE = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}


class Missing(Exception):
    """Something that a container needs is not there."""


def expand(text: str, variables: dict[str, str]) -> str:
    """`$(NAME)` replaced where NAME is known; `$$` is a dollar sign."""
    if "$" not in text:
        return text
    return _REFERENCE.sub(
        lambda match: "$" if match[0] == "$$" else variables.get(match[1], match[0]) if match[1] else match[0], text
    )


async def _fetch(client: Client, resource: str, word: str, name: str, namespace: str, optional: bool) -> Obj | None:
    try:
        return await client.get(resource, name, namespace)
    except StatusError as error:
        if error.code != 404:
            raise Missing(error.message) from error
        if optional:
            return None
        raise Missing(f'{word} "{name}" not found') from error


def _config(obj: Obj) -> dict[str, bytes]:
    found = {key: text.encode() for key, text in (obj.get("data") or {}).items()}
    found.update({key: base64.b64decode(text) for key, text in (obj.get("binaryData") or {}).items()})
    return found


def _secret(obj: Obj) -> dict[str, bytes]:
    return {key: base64.b64decode(text) for key, text in (obj.get("data") or {}).items()}


_SOURCES = {
    "configMapKeyRef": ("v1/configmaps", "configmap", _config),
    "configMapRef": ("v1/configmaps", "configmap", _config),
    "secretKeyRef": ("v1/secrets", "secret", _secret),
    "secretRef": ("v1/secrets", "secret", _secret),
}


async def variables(client: Client, pod: Obj, container: Obj, ip: str, host_ip: str) -> dict[str, str]:
    """The environment of a container; Missing when a source is not there."""
    found = dict(API_SERVICE) if pod["spec"].get("enableServiceLinks", True) else {}
    namespace = pod["metadata"]["namespace"]
    for source in container.get("envFrom") or ():
        for kind in ("configMapRef", "secretRef"):
            reference = source.get(kind)
            if reference is None:
                continue
            resource, word, read = _SOURCES[kind]
            obj = await _fetch(client, resource, word, reference["name"], namespace, reference.get("optional", False))
            if obj is not None:
                prefix = source.get("prefix", "")
                found.update({prefix + key: data.decode("utf-8", "replace") for key, data in read(obj).items()})
    for variable in container.get("env") or ():
        source = variable.get("valueFrom")
        if source is None:
            found[variable["name"]] = expand(variable.get("value", ""), found)
            continue
        text = await _from_source(client, pod, container, source, ip, host_ip)
        if text is not None:
            found[variable["name"]] = text
    return found


async def _from_source(client: Client, pod: Obj, container: Obj, source: Obj, ip: str, host_ip: str) -> str | None:
    namespace = pod["metadata"]["namespace"]
    for kind in ("configMapKeyRef", "secretKeyRef"):
        reference = source.get(kind)
        if reference is None:
            continue
        resource, word, read = _SOURCES[kind]
        optional = reference.get("optional", False)
        obj = await _fetch(client, resource, word, reference["name"], namespace, optional)
        data = read(obj) if obj is not None else {}
        if reference["key"] in data:
            return data[reference["key"]].decode("utf-8", "replace")
        if optional:
            return None
        shown = "ConfigMap" if word == "configmap" else "Secret"
        raise Missing(f"couldn't find key {reference['key']} in {shown} {namespace}/{reference['name']}")
    if source.get("fieldRef") is not None:
        return field(pod, source["fieldRef"]["fieldPath"], ip, host_ip)
    if source.get("resourceFieldRef") is not None:
        return resource_field(pod, container, source["resourceFieldRef"])
    return ""


def field(pod: Obj, path: str, ip: str, host_ip: str) -> str:
    """The downward API's fields."""
    special = {"status.podIP": ip, "status.podIPs": ip, "status.hostIP": host_ip, "status.hostIPs": host_ip}
    if path in special:
        return special[path]
    match = re.fullmatch(r"metadata\.(labels|annotations)\['([^']+)'\]", path)
    if match:
        return str((pod["metadata"].get(match[1]) or {}).get(match[2], ""))
    if path in ("metadata.labels", "metadata.annotations"):
        entries = pod["metadata"].get(path.partition(".")[2]) or {}
        return "\n".join(f'{key}="{text}"' for key, text in sorted(entries.items()))
    here: Any = pod
    for step in path.split("."):
        here = (here or {}).get(step)
    return "" if here is None else str(here)


def resource_field(pod: Obj, container: Obj, reference: Obj) -> str:
    """`limits.cpu` and its like, divided and rounded up."""
    name = reference.get("containerName")
    holder = container
    for candidate in pod["spec"]["containers"] if name else ():
        if candidate["name"] == name:
            holder = candidate
    side, _, resource = reference["resource"].partition(".")
    resources = holder.get("resources") or {}
    amount = (resources.get(side) or {}).get(resource) or (resources.get("limits") or {}).get(resource) or "0"
    divisor = reference.get("divisor") or "1"
    if parse(divisor) == 0:
        divisor = "1"
    if resource == "cpu":
        return str(-(-milli(amount) // milli(divisor)))
    return str(-(-value(amount) // value(divisor)))


async def volume_files(client: Client, pod: Obj, volume: Obj, ip: str, host_ip: str) -> dict[str, bytes]:
    """The files that a volume brings; Missing in the words of a failed mount."""
    namespace = pod["metadata"]["namespace"]
    for kind, word, name_key, resource, read in (
        ("configMap", "configmap", "name", "v1/configmaps", _config),
        ("secret", "secret", "secretName", "v1/secrets", _secret),
    ):
        source = volume.get(kind)
        if source is not None:
            return await _items(client, resource, word, read, source, source[name_key], namespace, volume["name"])
    if "downwardAPI" in volume:
        return _downward(pod, volume["downwardAPI"], ip, host_ip)
    files: dict[str, bytes] = {}
    for source in (volume.get("projected") or {}).get("sources") or ():
        for kind, word, resource, read in (
            ("configMap", "configmap", "v1/configmaps", _config),
            ("secret", "secret", "v1/secrets", _secret),
        ):
            if kind in source:
                inner = source[kind]
                files.update(
                    await _items(client, resource, word, read, inner, inner["name"], namespace, volume["name"])
                )
        if "serviceAccountToken" in source:
            files[source["serviceAccountToken"]["path"]] = await _token(
                client, pod, source["serviceAccountToken"], volume
            )
        if "downwardAPI" in source:
            files.update(_downward(pod, source["downwardAPI"], ip, host_ip))
    return files


async def _token(client: Client, pod: Obj, source: Obj, volume: Obj) -> bytes:
    """A token of the pod's ServiceAccount, bound to the pod (TokenRequest)."""
    metadata, account = pod["metadata"], pod["spec"].get("serviceAccountName") or "default"
    request = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "metadata": {},
        "spec": {
            "audiences": [source["audience"]] if source.get("audience") else [],
            "expirationSeconds": source.get("expirationSeconds", 3600),
            "boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": metadata["name"], "uid": metadata["uid"]},
        },
    }
    try:
        answer = await client.create(
            "v1/serviceaccounts", request, metadata["namespace"], name=account, subresource="token"
        )
    except StatusError as error:
        raise Missing(
            f'MountVolume.SetUp failed for volume "{volume["name"]}" : failed to fetch token: {error.message}'
        ) from error
    return str(answer["status"]["token"]).encode()


async def _items(
    client: Client, resource: str, word: str, read: Any, source: Obj, name: str, namespace: str, volume: str
) -> dict[str, bytes]:
    try:
        obj = await _fetch(client, resource, word, name, namespace, source.get("optional", False))
    except Missing as missing:
        raise Missing(f'MountVolume.SetUp failed for volume "{volume}" : {missing}') from missing
    data: dict[str, bytes] = read(obj) if obj is not None else {}
    if not source.get("items"):
        return data
    chosen = {}
    for item in source["items"]:
        if item["key"] in data:
            chosen[item["path"]] = data[item["key"]]
        elif not source.get("optional"):
            raise Missing(
                f'MountVolume.SetUp failed for volume "{volume}" : references non-existent {word} key: {item["key"]}'
            )
    return chosen


def _downward(pod: Obj, source: Obj, ip: str, host_ip: str) -> dict[str, bytes]:
    files = {}
    for item in source.get("items") or ():
        if item.get("fieldRef"):
            files[item["path"]] = field(pod, item["fieldRef"]["fieldPath"], ip, host_ip).encode()
    return files
