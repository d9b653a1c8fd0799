"""sample-apiserver, the aggregated API server of Kubernetes' own tests (k8s.io/sample-apiserver): flunders and fischers in memory.

It serves `wardle.example.com`: discovery, and its resources by create, get, list, update, delete and deletecollection. What it keeps
is the container's own, and gone with it. It asks nobody who may do what: its aggregator has authorized the request.
"""

from __future__ import annotations

import uuid
from typing import Any

import orjson

from cluster import clock
from cluster.kubelet.runtime.cri import HTTPRequest, HTTPResult
from cluster.kubelet.runtime.servers import Self, json_answer, path_of, query_of, text_answer

Obj = dict[str, Any]
GROUP = "wardle.example.com"
# version → resource → (kind, namespaced).
SERVED: dict[str, dict[str, tuple[str, bool]]] = {
    "v1alpha1": {"flunders": ("Flunder", True), "fischers": ("Fischer", False)},
    "v1beta1": {"flunders": ("Flunder", True)},
}
VERBS = ["create", "delete", "deletecollection", "get", "list", "update"]
_REASONS = {400: "BadRequest", 404: "NotFound", 405: "MethodNotAllowed", 409: "AlreadyExists"}


def _status(code: int, message: str, resource: str = "", name: str = "") -> HTTPResult:
    details = {"name": name, "group": GROUP, "kind": resource} if name else {}
    return json_answer(
        {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure" if code >= 400 else "Success",
            "message": message,
            "reason": _REASONS.get(code, ""),
            **({"details": details} if details else {}),
            "code": code,
        },
        code,
    )


def _group() -> Obj:
    versions = [{"groupVersion": f"{GROUP}/{version}", "version": version} for version in SERVED]
    return {"name": GROUP, "versions": versions, "preferredVersion": versions[0]}


def _discovery(parts: list[str]) -> HTTPResult | None:
    """The documents above the resources; None for what is no such path."""
    if parts == ["apis"]:
        return json_answer({"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group()]})
    if parts == ["apis", GROUP]:
        return json_answer({"kind": "APIGroup", "apiVersion": "v1", **_group()})
    if len(parts) == 3 and parts[:2] == ["apis", GROUP] and parts[2] in SERVED:
        resources = [
            {
                "name": name,
                "singularName": kind.lower(),
                "namespaced": namespaced,
                "kind": kind,
                "verbs": VERBS,
            }
            for name, (kind, namespaced) in SERVED[parts[2]].items()
        ]
        listing = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": f"{GROUP}/{parts[2]}"}
        return json_answer({**listing, "resources": resources})
    return None


def serve(me: Self, request: HTTPRequest) -> HTTPResult:
    """The server."""
    path = path_of(request)
    if path in ("/healthz", "/livez", "/readyz"):
        return text_answer("ok")
    parts = path.strip("/").split("/")
    found = _discovery(parts)
    if found is not None:
        return found
    if len(parts) < 4 or parts[:2] != ["apis", GROUP] or parts[2] not in SERVED:
        return text_answer("404 page not found\n", 404)
    version, rest = parts[2], parts[3:]
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    known = SERVED[version].get(rest[0])
    if known is None or len(rest) > 2 or bool(namespace) > known[1]:
        return text_answer("404 page not found\n", 404)
    store: dict[tuple[str, str], Obj] = me.heard.setdefault(rest[0], {})
    place = _Place(me, rest[0], known[0], f"{GROUP}/{version}", namespace, store)
    return place.one(request, rest[1]) if len(rest) == 2 else place.all(request)


class _Place:
    """A resource in a namespace (empty: everywhere), as one request sees it."""

    def __init__(
        self, me: Self, resource: str, kind: str, api_version: str, namespace: str, store: dict[tuple[str, str], Obj]
    ) -> None:
        self.me = me
        self.resource = resource
        self.kind = kind
        self.api_version = api_version
        self.namespace = namespace
        self.store = store

    def _shown(self, obj: Obj) -> Obj:
        return {**obj, "kind": self.kind, "apiVersion": self.api_version}

    def _revision(self) -> str:
        self.me.heard["revision"] = int(self.me.heard.get("revision", 0)) + 1
        return str(self.me.heard["revision"])

    def _chosen(self, request: HTTPRequest) -> list[tuple[str, str]]:
        wanted = [one.partition("=") for one in query_of(request).get("labelSelector", "").split(",") if one]
        return [
            key
            for key, obj in sorted(self.store.items())
            if (not self.namespace or key[0] == self.namespace)
            and all(
                (obj["metadata"].get("labels") or {}).get(name) == value.lstrip("=")
                for name, equals, value in wanted
                if equals
            )
        ]

    def all(self, request: HTTPRequest) -> HTTPResult:
        """The collection: list, create, deletecollection."""
        if request.method in ("GET", "HEAD"):
            items = [self._shown(self.store[key]) for key in self._chosen(request)]
            revision = str(self.me.heard.get("revision", 1))
            listing = {"kind": f"{self.kind}List", "apiVersion": self.api_version}
            return json_answer({**listing, "metadata": {"resourceVersion": revision}, "items": items})
        if request.method == "POST":
            return self._create(request)
        if request.method == "DELETE":
            for key in self._chosen(request):
                del self.store[key]
            return _status(200, "")
        return _status(405, "the server does not allow this method on the requested resource")

    def _refused(self, wrong: str) -> HTTPResult:
        version = self.api_version.rpartition("/")[2]
        return _status(400, f'{self.kind} in version "{version}" cannot be handled as a {self.kind}: {wrong}')

    def _create(self, request: HTTPRequest) -> HTTPResult:
        obj = _body(request)
        wrong = _wrong(obj)
        if obj is None or wrong:
            return self._refused(wrong)
        metadata = {**(obj.get("metadata") or {})}
        name = metadata.get("name") or ""
        if not name and metadata.get("generateName"):
            name = f"{metadata['generateName']}{uuid.uuid4().hex[:5]}"
        key = (self.namespace, name)
        if not name:
            return _status(400, "name or generateName is required")
        if key in self.store:
            return _status(409, f'{self.resource}.{GROUP} "{name}" already exists', self.resource, name)
        made = {"name": name, "uid": str(uuid.uuid4()), "resourceVersion": self._revision()}
        if self.namespace:
            made["namespace"] = self.namespace
        metadata |= {**made, "creationTimestamp": clock.timestamp()}
        self.store[key] = {**obj, "metadata": metadata}
        return json_answer(self._shown(self.store[key]), 201)

    def one(self, request: HTTPRequest, name: str) -> HTTPResult:
        """One object: get, update, delete."""
        found = self.store.get((self.namespace, name))
        if found is None:
            return _status(404, f'{self.resource}.{GROUP} "{name}" not found', self.resource, name)
        if request.method in ("GET", "HEAD"):
            return json_answer(self._shown(found))
        if request.method == "DELETE":
            del self.store[self.namespace, name]
            return _status(200, "", self.resource, name)
        if request.method != "PUT":
            return _status(405, "the server does not allow this method on the requested resource")
        obj = _body(request)
        wrong = _wrong(obj)
        if obj is None or wrong:
            return self._refused(wrong)
        kept = {field: found["metadata"].get(field) for field in ("uid", "creationTimestamp", "name", "namespace")}
        metadata = {**(obj.get("metadata") or {}), **{key: value for key, value in kept.items() if value is not None}}
        metadata["resourceVersion"] = self._revision()
        self.store[self.namespace, name] = {**obj, "metadata": metadata}
        return json_answer(self._shown(self.store[self.namespace, name]))


def _body(request: HTTPRequest) -> Obj | None:
    try:
        obj = orjson.loads(request.body)
    except orjson.JSONDecodeError:
        return None
    return obj if isinstance(obj, dict) else None


# What JSON's kinds are called in Go.
_KINDS = {str: "string", bool: "bool", int: "number", float: "number", list: "array", dict: "object"}


def _wrong(obj: Obj | None) -> str:
    """What of an object's metadata is of another kind than it must be, in the words of Go's decoder; empty when nothing is."""
    if obj is None:
        return "the body of the request is no object"
    metadata = obj.get("metadata")
    found: list[tuple[str, Any, str]] = []
    if not isinstance(metadata or {}, dict):
        found.append(("metadata", metadata, "v1.ObjectMeta"))
    else:
        metadata = metadata or {}
        texts = ("name", "generateName", "namespace")
        found += [(f"metadata.{name}", metadata.get(name), "string") for name in texts]
        for name in ("labels", "annotations"):
            table = metadata.get(name)
            if isinstance(table or {}, dict):
                found += [(f"metadata.{name}", value, "string") for value in (table or {}).values()]
            else:
                found.append((f"metadata.{name}", table, "map[string]string"))
    for where, value, kind in found:
        if value is not None and not (kind == "string" and isinstance(value, str)):
            return (
                f"json: cannot unmarshal {_KINDS[type(value)]} into Go struct field ObjectMeta.{where} of type {kind}"
            )
    return ""
