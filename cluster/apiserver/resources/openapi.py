"""OpenAPI: the schemas and operations that kubectl explains, completes and validates with (kube-openapi).

v3 is one document per group version, found through an index whose addresses carry the hash of what is there, so that clients may
keep documents for ever; v2 is one document for everything. Documents are built when first asked for and kept, as bytes, for as long as
the registry's generation stands. Answers for `cluster.apiserver.paths`.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from functools import cached_property
from time import time
from typing import Any
from weakref import WeakKeyDictionary

import orjson

from cluster.apimachinery.errors import generic_not_found, not_acceptable
from cluster.apiserver.apiextensions.publish import published as custom_schemas
from cluster.apiserver.context import Response
from cluster.apiserver.resources import openapi_protobuf
from cluster.apiserver.resources.definitions import INT_OR_STRING, QUANTITY, closure, definitions, published
from cluster.apiserver.resources.openapi_paths import DELETE_OPTIONS, META, PATCH, STATUS, Paths
from cluster.apiserver.resources.registry import Registry, Resource, definition_of

Obj = dict[str, Any]

# Answers larger than this are compressed for those who take it, as Kubernetes does.
COMPRESS_FROM = 128 * 1024
_YEAR = 365 * 24 * 3600
_INFO = {"title": "Kubernetes", "version": "v1.37.0"}
_BEARER = {
    "type": "apiKey",
    "description": "Bearer Token authentication",
    "name": "authorization",
    "in": "header",
}
_INT_OR_STRING = (
    "IntOrString is a type that can hold an int32 or a string.  When used in JSON or YAML marshalling and unmarshalling, it produces "
    "or consumes the inner type.  This allows you to have, for example, a JSON field that can accept a name or number."
)
_JSON = ("application/json", "application/*", "*/*")


@dataclass
class Document:
    """One document's bytes, with what is derived from them."""

    data: bytes

    @cached_property
    def hash(self) -> str:
        return hashlib.sha512(self.data).hexdigest().upper()

    @cached_property
    def compressed(self) -> bytes:
        return gzip.compress(self.data, 6, mtime=0)


# By registry and name: what a document was made from, and the document.
_documents: WeakKeyDictionary[Registry, dict[str, tuple[object, Document]]] = WeakKeyDictionary()


def respond(registry: Registry, path: str, params: Mapping[str, str], headers: Mapping[bytes, bytes]) -> Response:
    """The answer for `/openapi/v2`, `/openapi/v3` and the documents below it."""
    path = path.rstrip("/")
    accept = headers.get(b"accept", b"").decode("latin-1")
    if path == "/openapi/v2" and _takes(accept, openapi_protobuf.ACCEPTED):
        found = answer(_document(registry, "v2 protobuf", lambda: _v2(registry), openapi_protobuf.encode), headers)
        found.content_type = openapi_protobuf.MEDIA_TYPE
        return found
    if accept and not _takes(accept, _JSON):
        raise not_acceptable("only the following media types are accepted: application/json")
    if path == "/openapi/v2":
        return answer(_document(registry, "v2", lambda: _v2(registry)), headers)
    if path == "/openapi/v3":
        return answer(_document(registry, "v3", lambda: _index(registry)), headers)
    name = path.removeprefix("/openapi/v3/")
    if name not in _served(registry):
        raise generic_not_found()
    document = _document(registry, name, lambda: _v3(registry, name))
    wanted = params.get("hash")
    if not wanted:
        return answer(document, headers)
    if wanted != document.hash:
        return Response(301, data=b"", headers={"Location": _address(name, document), "Vary": "Accept"})
    response = answer(document, headers)
    # What is behind this address can never change: the address carries its hash.
    response.headers["Cache-Control"] = "public, immutable"
    response.headers["Expires"] = formatdate(time() + _YEAR, usegmt=True)
    return response


def answer(document: Document, headers: Mapping[bytes, bytes]) -> Response:
    """A document, or 304 for who has it, compressed for who takes that."""
    etag = f'"{document.hash}"'
    response = Response(data=document.data, headers={"ETag": etag, "Vary": "Accept"})
    if _has(headers.get(b"if-none-match", b"").decode("latin-1"), etag):
        response.code, response.data = 304, b""
    elif len(document.data) > COMPRESS_FROM and b"gzip" in headers.get(b"accept-encoding", b""):
        response.data = document.compressed
        response.headers |= {"Content-Encoding": "gzip", "Vary": "Accept, Accept-Encoding"}
    return response


def _has(header: str, etag: str) -> bool:
    return any(one.strip().removeprefix("W/") in (etag, "*") for one in header.split(",")) if header else False


def _takes(accept: str, media_types: Iterable[str]) -> bool:
    return any(media.partition(";")[0].strip() in media_types for media in accept.split(","))


def _document(
    registry: Registry, name: str, build: Callable[[], Obj], encode: Callable[[Obj], bytes] = orjson.dumps
) -> Document:
    """The document, made anew only when what it speaks of has changed (for v2 and the index: anything)."""
    found = _documents.setdefault(registry, {})
    about: object = registry.generation
    if name in _served(registry):
        about = tuple(_served(registry)[name])
    kept = found.get(name)
    if kept is None or kept[0] != about:
        kept = found[name] = (about, Document(encode(build())))
    return kept[1]


_served_now: WeakKeyDictionary[Registry, tuple[int, dict[str, list[Resource]]]] = WeakKeyDictionary()


def _served(registry: Registry) -> dict[str, list[Resource]]:
    """`api/v1`, `apis/apps/v1`, … → their resources."""
    generation, found = _served_now.get(registry, (-1, {}))
    if generation == registry.generation:
        return found
    found = {}
    _served_now[registry] = (registry.generation, found)
    for resource in registry.all():
        prefix = "apis" if resource.group else "api"
        found.setdefault(f"{prefix}/{resource.api_version}", []).append(resource)
    return found


def _address(name: str, document: Document) -> str:
    return f"/openapi/v3/{name}?hash={document.hash}"


def _index(registry: Registry) -> Obj:
    paths = {}
    for name in _served(registry):
        document = _document(registry, name, lambda name=name: _v3(registry, name))  # type: ignore[misc]
        paths[name] = {"serverRelativeURL": _address(name, document)}
    return {"paths": paths}


# -- documents ---------------------------------------------------------------------------------------------------------


def _v3(registry: Registry, name: str) -> Obj:
    resources = _served(registry)[name]
    paths: Obj = {}
    for resource in resources:
        for path, item in Paths(resource, lambda one: {"$ref": f"#/components/schemas/{one}"}, v2=False).all():
            paths[f"/{name}/{path}"] = item
    schemas = {one: _relocated(schema) for one, schema in _schemas(resources, v2=False).items()}
    for one, alternatives in ((QUANTITY, ("string", "number")), (INT_OR_STRING, ("integer", "string"))):
        if one in schemas:
            schema = {key: value for key, value in schemas[one].items() if key != "type"}
            schemas[one] = {**schema, "oneOf": [{"type": kind} for kind in alternatives]}
    return {
        "openapi": "3.0.0",
        "info": _INFO,
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": {"BearerToken": _BEARER}},
    }


def _v2(registry: Registry) -> Obj:
    paths: Obj = {}
    for name, resources in _served(registry).items():
        for resource in resources:
            for path, item in Paths(resource, lambda one: {"$ref": f"#/definitions/{one}"}, v2=True).all():
                paths[f"/{name}/{path}"] = item
    return {
        "swagger": "2.0",
        "info": _INFO,
        "paths": paths,
        "definitions": _schemas(registry.all(), v2=True),
        "securityDefinitions": {"BearerToken": _BEARER},
        "security": [{"BearerToken": []}],
    }


def _schemas(resources: Iterable[Resource], *, v2: bool) -> Obj:
    """All definitions that these resources' documents name, as Kubernetes publishes them."""
    roots = [STATUS, DELETE_OPTIONS, PATCH, f"{META}ObjectMeta", f"{META}ListMeta"]
    own: Obj = {}
    for resource in resources:
        kinds = [
            resource.definition,
            *(definition_of(one.group, one.version, one.kind) for one in resource.subresources.values()),
        ]
        roots += kinds
        roots.append(f"{resource.definition}List")
        if resource.custom is not None:
            own |= custom_schemas(resource.custom, v2=v2)
        elif resource.definition not in definitions():
            own |= _unknown(resource)
    return {name: _published(name) for name in closure(roots)} | own


def _published(name: str) -> Obj:
    schema = published(name)
    if name == INT_OR_STRING:
        return {**schema, "description": _INT_OR_STRING}
    properties = schema.get("properties")
    if "x-kubernetes-group-version-kind" in schema and properties:
        # The package pins these two for its own validation; Kubernetes does not say so.
        for field in ("apiVersion", "kind"):
            properties.get(field, {}).pop("enum", None)
    return schema


def _unknown(resource: Resource) -> Obj:
    """The schemas of a kind that none are published for: anything goes, but kubectl finds the kind."""
    kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    item = {
        "type": "object",
        "x-kubernetes-group-version-kind": [kind],
        "x-kubernetes-preserve-unknown-fields": True,
    }
    items = {"type": "array", "items": {"$ref": f"#/definitions/{resource.definition}"}}
    listed = {
        "type": "object",
        "required": ["items"],
        "properties": {"items": items},
        "x-kubernetes-group-version-kind": [{**kind, "kind": resource.list_kind}],
    }
    return {resource.definition: item, f"{resource.definition}List": listed}


def _relocated(schema: Any) -> Any:
    """References moved to where OpenAPI 3.0 keeps schemas; one with something beside it wrapped, as 3.0 wants."""
    if isinstance(schema, list):
        return [_relocated(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    reference = schema.get("$ref")
    if isinstance(reference, str):
        target = {"$ref": f"#/components/schemas/{reference.rpartition('/')[2]}"}
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        return {"allOf": [target], "default": {}, **rest} if rest else target
    return {key: _relocated(value) for key, value in schema.items()}
