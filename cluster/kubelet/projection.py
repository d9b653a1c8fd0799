"""The files that a volume brings out of API objects: ConfigMaps, Secrets, the pod's own fields, tokens (pkg/volume/{configmap,projected}).

`Missing` is told in the words of a failed mount.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cluster import clock
from cluster.apimachinery.errors import StatusError
from cluster.client.client import Client, Obj
from cluster.kubelet.references import Missing, Place, config_data, fetch, field, resource_field, secret_data
from cluster.kubelet.runtime.tree import Attributes, Tree

DEFAULT_MODE = 0o644
# What the kubelet takes over where a volume belongs to a group: readable for it.
GROUP_READ = 0o440
# A token is fetched anew when this share of its life is over.
TOKEN_SHARE = 0.8
# By path: the token and when it was fetched.
Tokens = dict[str, tuple[bytes, float]]
_SOURCES: tuple[tuple[str, str, str, str, Callable[[Obj], dict[str, bytes]]], ...] = (
    ("configMap", "configmap", "name", "v1/configmaps", config_data),
    ("secret", "secret", "secretName", "v1/secrets", secret_data),
)


@dataclass(frozen=True, slots=True)
class Owners:
    """Whose the files are: the user that all containers run as (None: several), and the pod's fsGroup."""

    user: int | None = None
    group: int | None = None


def owners_of(pod: Obj) -> Owners:
    spec = pod["spec"]
    security = spec.get("securityContext") or {}
    users = {
        (container.get("securityContext") or {}).get("runAsUser", security.get("runAsUser"))
        for container in (*spec["containers"], *(spec.get("initContainers") or ()))
    }
    return Owners(users.pop() if len(users) == 1 else None, security.get("fsGroup"))


class _Writer:
    """Collects files with their modes."""

    def __init__(self, owners: Owners, mode: int, medium: str) -> None:
        self.owners = owners
        self.mode = mode
        root = 0o1777 if owners.group is None else 0o3777
        self.tree = Tree(mode=root, gid=owners.group or 0, medium=medium)

    def put(self, path: str, content: bytes, mode: int | None, uid: int = 0) -> None:
        mode, group = self.mode if mode is None else mode, self.owners.group
        if group is not None:
            mode |= GROUP_READ
        self.tree[path] = content
        self.tree.attributes[path] = Attributes(mode, uid, group or 0)


def published(payload: Tree, moment: float) -> Tree:
    """The files as the kubelet's atomic writer lays them out, so that all of them change at once (pkg/volume/util.AtomicWriter).

    They stand in a directory named after the moment, `..data` points to it, and each name of the volume to its entry behind `..data`.
    """
    stamp = time.strftime("..%Y_%m_%d_%H_%M_%S", time.gmtime(moment)) + f".{random.randrange(10**9):09d}"
    root = payload.attributes[""]
    tree = Tree(mode=root.mode, gid=root.gid, medium=payload.medium)
    tree.directories.add(stamp)
    tree.links["..data"] = stamp
    for name, content in payload.items():
        tree[f"{stamp}/{name}"] = content
        tree.attributes[f"{stamp}/{name}"] = payload.attributes_of(name)
        first = name.partition("/")[0]
        tree.links[first] = f"..data/{first}"
    return tree


async def volume_files(client: Client, pod: Obj, volume: Obj, place: Place, tokens: Tokens) -> Tree:
    """The files by their names in the volume, as of now; Missing when something is not there. `tokens`: those that were fetched before, kept up to date."""
    namespace, owners = pod["metadata"]["namespace"], owners_of(pod)
    for kind, word, name_key, resource, read in _SOURCES:
        source = volume.get(kind)
        if source is not None:
            medium = "tmpfs" if kind == "secret" else "ext2/ext3"
            writer = _Writer(owners, source.get("defaultMode", DEFAULT_MODE), medium)
            await _items(client, (resource, word, read), source, source[name_key], namespace, volume["name"], writer)
            return writer.tree
    source = volume.get("downwardAPI")
    if source is not None:
        writer = _Writer(owners, source.get("defaultMode", DEFAULT_MODE), "tmpfs")
        _downward(pod, source, place, writer)
        return writer.tree
    projected = volume.get("projected") or {}
    writer = _Writer(owners, projected.get("defaultMode", DEFAULT_MODE), "tmpfs")
    for source in projected.get("sources") or ():
        for kind, word, _, resource, read in _SOURCES:
            if kind in source:
                inner = source[kind]
                await _items(client, (resource, word, read), inner, inner["name"], namespace, volume["name"], writer)
        if "serviceAccountToken" in source:
            # Nobody else may read a token where it is known who should.
            mode = None if owners.user is None and owners.group is None else 0o600
            wanted = source["serviceAccountToken"]
            token, fetched_at = tokens.get(wanted["path"], (b"", 0.0))
            if clock.now() - fetched_at >= wanted.get("expirationSeconds", 3600) * TOKEN_SHARE:
                token = await _token(client, pod, wanted, volume)
                tokens[wanted["path"]] = token, clock.now()
            writer.put(wanted["path"], token, mode, owners.user or 0)
        if "downwardAPI" in source:
            _downward(pod, source["downwardAPI"], place, writer)
    return writer.tree


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
    client: Client,
    kind: tuple[str, str, Callable[[Obj], dict[str, bytes]]],
    source: Obj,
    name: str,
    namespace: str,
    volume: str,
    writer: _Writer,
) -> None:
    resource, word, read = kind
    try:
        obj = await fetch(client, resource, word, name, namespace, source.get("optional", False))
    except Missing as missing:
        raise Missing(f'MountVolume.SetUp failed for volume "{volume}" : {missing}') from missing
    data = read(obj) if obj is not None else {}
    if not source.get("items"):
        for key, content in data.items():
            writer.put(key, content, None)
        return
    for item in source["items"]:
        if item["key"] in data:
            writer.put(item["path"], data[item["key"]], item.get("mode"))
        elif not source.get("optional"):
            raise Missing(
                f'MountVolume.SetUp failed for volume "{volume}" : references non-existent {_key_word(word)} key: {item["key"]}'
            )


def _key_word(word: str) -> str:
    return "config" if word == "configmap" else word


def _downward(pod: Obj, source: Obj, place: Place, writer: _Writer) -> None:
    for item in source.get("items") or ():
        reference: Any = item.get("fieldRef")
        if reference:
            text = field(pod, reference["fieldPath"], place)
        else:
            text = resource_field(pod, pod["spec"]["containers"][0], item["resourceFieldRef"], place.allocatable)
        writer.put(item["path"], text.encode(), item.get("mode"))
