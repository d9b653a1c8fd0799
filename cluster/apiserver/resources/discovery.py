"""Discovery: which groups, versions and resources there are, one document at a time or all at once.

What apiserver/pkg/endpoints/discovery serves at `/api`, `/apis` and below. Documents are built when first asked for and kept for as
long as the registry's generation stands. Answers for `cluster.apiserver.paths`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

import orjson

from cluster.apimachinery.errors import generic_not_found, not_acceptable
from cluster.apiserver.context import Response
from cluster.apiserver.resources.openapi import Document, answer
from cluster.apiserver.resources.registry import Registry, Resource

Obj = dict[str, Any]
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v={};as=APIGroupDiscoveryList"
_VERSIONS = ("v2", "v2beta1")
_JSON = frozenset({"application/json", "application/*", "*/*"})
_documents: WeakKeyDictionary[Registry, tuple[int, dict[str, Document]]] = WeakKeyDictionary()


def respond(registry: Registry, path: str, headers: Mapping[bytes, bytes]) -> Response:
    """The answer for `/api`, `/apis` and what is below; 404 for a group or version that is not served."""
    path = path.rstrip("/")
    version = _negotiate(headers.get(b"accept", b"").decode("latin-1"), aggregates=path in ("/api", "/apis"))
    if version:
        core = path == "/api"
        document = _document(registry, f"{path} {version}", lambda: _aggregated(registry, version, core=core))
        response = answer(document, headers)
        response.content_type = AGGREGATED.format(version)
        return response
    if path == "/api":
        return Response(data=orjson.dumps(_versions(registry, headers)), headers={"Vary": "Accept"})
    document = _document(registry, path, lambda: _single(registry, path))
    return Response(data=document.data, headers={"Vary": "Accept"})


def _negotiate(accept: str, *, aggregates: bool) -> str:
    """Which version of the aggregated form is wanted; empty for the plain one, 406 when neither is taken."""
    for media in accept.split(",") if accept else ["*/*"]:
        kind, *rest = (part.strip() for part in media.split(";"))
        options = dict(part.split("=", 1) for part in rest if "=" in part)
        if kind not in _JSON:
            continue
        if "as" not in options:
            return ""
        version = options.get("v", "")
        fits = options["as"] == "APIGroupDiscoveryList" and options.get("g") == "apidiscovery.k8s.io"
        if aggregates and fits and version in _VERSIONS:
            return version
    raise not_acceptable(
        "only the following media types are accepted: application/json, application/yaml, "
        "application/vnd.kubernetes.protobuf"
    )


def _document(registry: Registry, name: str, build: Callable[[], Obj]) -> Document:
    generation, found = _documents.get(registry, (-1, {}))
    if generation != registry.generation:
        found = {}
        _documents[registry] = (registry.generation, found)
    if name not in found:
        found[name] = Document(orjson.dumps(build()))
    return found[name]


# -- one document at a time --------------------------------------------------------------------------------------------


def _versions(registry: Registry, headers: Mapping[bytes, bytes]) -> Obj:
    """The legacy group's versions, and where the client reached us."""
    address = headers.get(b"host", b"127.0.0.1:6443").decode("latin-1")
    return {
        "kind": "APIVersions",
        "versions": list(registry.groups().get("", ())),
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    }


def _single(registry: Registry, path: str) -> Obj:
    groups = registry.groups()
    parts = path.strip("/").split("/")
    if path == "/apis":
        listed = [_group(name, versions) for name, versions in _all(registry).items() if name]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": listed}
    if parts[0] == "api" and len(parts) == 2 and parts[1] in groups.get("", ()):
        # The legacy group's list says no apiVersion, unlike all others.
        return {"kind": "APIResourceList", **_resources(parts[1], groups[""][parts[1]])}
    if parts[0] == "apis" and len(parts) == 2 and parts[1] and parts[1] in _all(registry):
        return {"kind": "APIGroup", "apiVersion": "v1", **_group(parts[1], _all(registry)[parts[1]])}
    if parts[0] == "apis" and len(parts) == 3 and parts[1] and parts[1] in groups:
        versions = groups[parts[1]]
        if parts[2] in versions:
            listing = _resources(f"{parts[1]}/{parts[2]}", versions[parts[2]])
            return {"kind": "APIResourceList", "apiVersion": "v1", **listing}
    raise generic_not_found()


def _all(registry: Registry) -> dict[str, list[str]]:
    """group → versions, with those that others serve."""
    found = {name: list(versions) for name, versions in registry.groups().items()}
    for group, versions in registry.beyond.items():
        known = found.setdefault(group, [])
        known.extend(version for version in versions if version not in known)
    return found


def _group(name: str, versions: Iterable[str]) -> Obj:
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def storage_hash(resource: Resource) -> str:
    """Tells clients when the stored version has changed (discovery.StorageVersionHash)."""
    text = f"{resource.group}/{resource.storage_version}/{resource.kind}"
    return base64.b64encode(hashlib.sha256(text.encode()).digest()[:8]).decode()


def _resources(group_version: str, resources: list[Resource]) -> Obj:
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
            entry["storageVersionHash"] = storage_hash(resource)
        listed.append(entry)
        for name, sub in sorted(resource.subresources.items()):
            below: Obj = {"name": f"{resource.plural}/{name}", "singularName": "", "namespaced": resource.namespaced}
            if (sub.group, sub.version) != (resource.group, resource.version):
                below["group"], below["version"] = sub.group, sub.version
            below["kind"], below["verbs"] = sub.kind, list(sub.verbs)
            listed.append(below)
    return {"groupVersion": group_version, "resources": listed}


# -- all at once -------------------------------------------------------------------------------------------------------


def _aggregated(registry: Registry, version: str, *, core: bool) -> Obj:
    items: list[Obj] = [
        {
            "metadata": {"name": name} if name else {},
            "versions": [
                {
                    "version": served,
                    "resources": [_discovered(one) for one in sorted(resources, key=lambda one: one.plural)],
                    "freshness": "Current",
                }
                for served, resources in versions.items()
            ],
        }
        for name, versions in registry.groups().items()
        if (name == "") == core
    ]
    if not core:
        items.extend(_beyond(registry, {item["metadata"].get("name", ""): item for item in items}))
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": f"apidiscovery.k8s.io/{version}",
        "metadata": {},
        "items": items,
    }


def _beyond(registry: Registry, known: Mapping[str, Obj]) -> list[Obj]:
    """What others serve, told in this form: versions join a group that is there, other groups are handed back."""
    fresh = []
    for group, versions in registry.beyond.items():
        told = [
            {
                "version": version,
                "resources": _translated(document, group, version) if document else [],
                "freshness": "Current" if document else "Stale",
            }
            for version, document in versions.items()
        ]
        if group in known:
            here = {one["version"] for one in known[group]["versions"]}
            known[group]["versions"].extend(one for one in told if one["version"] not in here)
        else:
            fresh.append({"metadata": {"name": group}, "versions": told})
    return fresh


def _translated(document: Obj, group: str, version: str) -> list[Obj]:
    """An APIResourceList's resources in the aggregated form."""
    found: dict[str, Obj] = {}
    for one in document.get("resources") or ():
        name, _, sub = str(one.get("name") or "").partition("/")
        kind = {
            "group": one.get("group") or group,
            "version": one.get("version") or version,
            "kind": one.get("kind") or "",
        }
        if sub:
            if name in found:
                below = {"subresource": sub, "responseKind": kind, "verbs": one.get("verbs") or []}
                found[name].setdefault("subresources", []).append(below)
            continue
        entry: Obj = {
            "resource": name,
            "responseKind": kind,
            "scope": "Namespaced" if one.get("namespaced") else "Cluster",
            "singularResource": one.get("singularName") or "",
            "verbs": one.get("verbs") or [],
        }
        found[name] = entry | {field: one[field] for field in ("shortNames", "categories") if one.get(field)}
    return list(found.values())


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
