"""Discovery: which groups, versions and resources there are, one document at a time or all at once (apiserver/pkg/endpoints/discovery)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from cluster.apimachinery.errors import generic_not_found
from cluster.apiserver.context import Response
from cluster.apiserver.resources.registry import Registry, Resource

Obj = dict[str, Any]
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_cache: dict[tuple[int, int, str], tuple[bytes, str]] = {}


def respond(registry: Registry, path: str, headers: Mapping[bytes, bytes]) -> Response:
    """The answer for `/api`, `/apis` and what is below; 404 for a group or version that is not served."""
    path = path.rstrip("/")
    accept = headers.get(b"accept", b"").decode("latin-1")
    if path in ("/api", "/apis") and _wants_aggregated(accept):
        data, etag = _cached(registry, f"{path}#aggregated", lambda: _aggregated(registry, core=path == "/api"))
        response = Response(data=data, content_type=AGGREGATED, headers={"ETag": etag, "Vary": "Accept"})
        if headers.get(b"if-none-match", b"").decode("latin-1") == etag:
            response.code, response.data = 304, b""
        return response
    data, _ = _cached(registry, path, lambda: _document(registry, path))
    return Response(data=data, headers={"Vary": "Accept"})


def _wants_aggregated(accept: str) -> bool:
    """Whether the first form that is understood is the aggregated one."""
    for media in accept.split(","):
        compact = media.replace(" ", "")
        if "as=APIGroupDiscoveryList" in compact:
            if "v=v2;" in f"{compact};" and compact.startswith("application/json"):
                return True
        elif compact.partition(";")[0] in ("application/json", "*/*"):
            return False
    return False


def _cached(registry: Registry, name: str, build: Any) -> tuple[bytes, str]:
    key = (id(registry), registry.generation, name)
    found = _cache.get(key)
    if found is None:
        data = orjson.dumps(build())
        found = _cache[key] = (data, f'"{hashlib.sha512(data).hexdigest().upper()}"')
    return found


def _document(registry: Registry, path: str) -> Obj:
    groups = registry.groups()
    parts = path.strip("/").split("/")
    if path == "/api":
        return {
            "kind": "APIVersions",
            "versions": list(groups[""]),
            "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1:6443"}],
        }
    if path == "/apis":
        return {
            "kind": "APIGroupList",
            "apiVersion": "v1",
            "groups": [_group(name, versions) for name, versions in groups.items() if name],
        }
    if parts[0] == "api" and len(parts) == 2 and parts[1] in groups[""]:
        return _resource_list("v1", groups[""][parts[1]])
    if parts[0] == "apis" and len(parts) in (2, 3) and parts[1] in groups:
        versions = groups[parts[1]]
        if len(parts) == 2:
            return {"kind": "APIGroup", "apiVersion": "v1", **_group(parts[1], versions)}
        if parts[2] in versions:
            return _resource_list(f"{parts[1]}/{parts[2]}", versions[parts[2]])
    raise generic_not_found()


def _group(name: str, versions: Mapping[str, list[Resource]]) -> Obj:
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def _storage_hash(resource: Resource) -> str:
    text = f"{resource.group}/{resource.storage_version}/{resource.kind}"
    return base64.b64encode(hashlib.sha256(text.encode()).digest()[:8]).decode()


def _resource_list(group_version: str, resources: list[Resource]) -> Obj:
    listed: list[Obj] = []
    for resource in sorted(resources, key=lambda one: one.plural):
        entry: Obj = {
            "name": resource.plural,
            "singularName": resource.singular,
            "namespaced": resource.namespaced,
            "kind": resource.kind,
            "verbs": list(resource.verbs),
        }
        if resource.short_names:
            entry["shortNames"] = list(resource.short_names)
        if resource.categories:
            entry["categories"] = list(resource.categories)
        if not resource.virtual:
            entry["storageVersionHash"] = _storage_hash(resource)
        listed.append(entry)
        for name, sub in sorted(resource.subresources.items()):
            below: Obj = {
                "name": f"{resource.plural}/{name}",
                "singularName": "",
                "namespaced": resource.namespaced,
            }
            if (sub.group, sub.version) != (resource.group, resource.version):
                below["group"], below["version"] = sub.group, sub.version
            below["kind"], below["verbs"] = sub.kind, list(sub.verbs)
            listed.append(below)
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": listed}


def _aggregated(registry: Registry, *, core: bool) -> Obj:
    items = []
    for name, versions in registry.groups().items():
        if (name == "") != core:
            continue
        items.append(
            {
                "metadata": {"name": name, "creationTimestamp": None} if name else {"creationTimestamp": None},
                "versions": [
                    {
                        "version": version,
                        "freshness": "Current",
                        "resources": [_discovered(one) for one in sorted(resources, key=lambda one: one.plural)],
                    }
                    for version, resources in versions.items()
                ],
            }
        )
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": items,
    }


def _discovered(resource: Resource) -> Obj:
    entry: Obj = {
        "resource": resource.plural,
        "responseKind": {"group": resource.group, "version": resource.version, "kind": resource.kind},
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    if resource.subresources:
        entry["subresources"] = [
            {
                "subresource": name,
                "responseKind": {"group": sub.group, "version": sub.version, "kind": sub.kind},
                "verbs": list(sub.verbs),
            }
            for name, sub in sorted(resource.subresources.items())
        ]
    return entry
