"""OpenAPI: the schemas and operations that kubectl explains, completes and validates with (kube-openapi).

v3 is one document per group version, found through an index whose addresses carry a hash; v2 is one document for everything.
Both are built from the published definitions when first asked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from cluster.apimachinery.errors import generic_not_found, not_acceptable
from cluster.apiserver.context import Response
from cluster.apiserver.resources.definitions import closure, definitions, published
from cluster.apiserver.resources.registry import Registry, Resource

Obj = dict[str, Any]
_cache: dict[tuple[int, int, str], tuple[bytes, str]] = {}

_ACTIONS = {
    "get": ("get", "get"),
    "list": ("get", "list"),
    "create": ("post", "post"),
    "update": ("put", "put"),
    "patch": ("patch", "patch"),
    "delete": ("delete", "delete"),
    "deletecollection": ("delete", "deletecollection"),
}
_PARAMETERS = {
    "dryRun": "When present, indicates that modifications should not be persisted. Valid values are: All.",
    "fieldManager": "The name associated with the actor or entity that is making these changes.",
    "fieldValidation": "How to handle unknown or duplicate fields. Valid values are: Ignore, Warn, Strict.",
}
_WRITES = frozenset({"post", "put", "patch"})


def respond(registry: Registry, path: str, params: Mapping[str, str], headers: Mapping[bytes, bytes]) -> Response:
    """The answer for `/openapi/v2`, `/openapi/v3` and the documents below it."""
    path = path.rstrip("/")
    accept = headers.get(b"accept", b"").decode("latin-1")
    if accept and not any(word in accept for word in ("json", "*/*")):
        raise not_acceptable("only the following media types are accepted: application/json")
    if path == "/openapi/v2":
        data, etag = _cached(registry, "v2", lambda: _v2(registry))
    elif path == "/openapi/v3":
        data, etag = _cached(registry, "v3", lambda: _index(registry))
    else:
        name = path.removeprefix("/openapi/v3/")
        if name not in _documents(registry):
            raise generic_not_found()
        data, etag = _cached(registry, name, lambda: _v3(registry, name))
    response = Response(data=data, headers={"ETag": etag, "Vary": "Accept"})
    if headers.get(b"if-none-match", b"").decode("latin-1") == etag:
        response.code, response.data = 304, b""
    return response


def _cached(registry: Registry, name: str, build: Any) -> tuple[bytes, str]:
    key = (id(registry), registry.generation, name)
    found = _cache.get(key)
    if found is None:
        data = orjson.dumps(build())
        found = _cache[key] = (data, f'"{hashlib.sha512(data).hexdigest().upper()}"')
    return found


def _documents(registry: Registry) -> dict[str, list[Resource]]:
    """`api/v1`, `apis/apps/v1`, … → their resources."""
    found: dict[str, list[Resource]] = {}
    for resource in registry.all():
        prefix = "apis" if resource.group else "api"
        found.setdefault(f"{prefix}/{resource.api_version}", []).append(resource)
    return found


def _index(registry: Registry) -> Obj:
    paths = {}
    for name, resources in _documents(registry).items():
        text = ",".join(sorted(f"{one.plural}:{one.definition}:{sorted(one.subresources)}" for one in resources))
        digest = hashlib.sha512(f"1.37:{text}".encode()).hexdigest().upper()
        paths[name] = {"serverRelativeURL": f"/openapi/v3/{name}?hash={digest}"}
    return {"paths": paths}


def _info() -> Obj:
    return {"title": "Kubernetes", "version": "v1.37.0"}


def _list_definition(definition: str) -> str:
    return f"{definition}List"


def _v3(registry: Registry, name: str) -> Obj:
    resources = _documents(registry)[name]
    wanted = {one.definition for one in resources if one.definition in definitions()}
    wanted |= {_list_definition(one) for one in wanted if _list_definition(one) in definitions()}
    wanted.add("io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions")
    wanted.add("io.k8s.apimachinery.pkg.apis.meta.v1.Status")
    schemas = {
        one: _relocated(published(one), "#/components/schemas/")
        for one in closure([each for each in wanted if each in definitions()])
    }
    paths: Obj = {}
    for resource in resources:
        for path, operations in _operations(resource, v2=False):
            paths[f"/{name}/{path}"] = operations
    return {"openapi": "3.0.0", "info": _info(), "paths": paths, "components": {"schemas": schemas}}


def _v2(registry: Registry) -> Obj:
    paths: Obj = {}
    for name, resources in _documents(registry).items():
        for resource in resources:
            for path, operations in _operations(resource, v2=True):
                paths[f"/{name}/{path}"] = operations
    return {
        "swagger": "2.0",
        "info": _info(),
        "paths": paths,
        "definitions": {name: published(name) for name in definitions()},
    }


def _relocated(schema: Any, prefix: str) -> Any:
    """References moved under `prefix`; one with a description beside it wrapped, as OpenAPI 3.0 wants."""
    if isinstance(schema, list):
        return [_relocated(item, prefix) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        target = {"$ref": prefix + str(schema["$ref"]).rpartition("/")[2]}
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        return {"allOf": [target], "default": {}, **rest} if rest else target
    return {key: _relocated(value, prefix) for key, value in schema.items()}


def _operations(resource: Resource, *, v2: bool) -> Iterable[tuple[str, Obj]]:
    """The paths of a resource and what can be done at each."""
    where = f"namespaces/{{namespace}}/{resource.plural}" if resource.namespaced else resource.plural
    collection = [verb for verb in resource.verbs if verb in ("list", "create", "deletecollection")]
    single = [verb for verb in resource.verbs if verb in ("get", "update", "patch", "delete")]
    kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    if collection:
        yield where, _at(resource, collection, kind, v2)
    if resource.namespaced and "list" in resource.verbs:
        yield resource.plural, _at(resource, ["list"], kind, v2, everywhere=True)
    if single:
        yield f"{where}/{{name}}", _at(resource, single, kind, v2, named=True)
    for name, sub in resource.subresources.items():
        carried = {"group": sub.group, "version": sub.version, "kind": sub.kind}
        verbs = [verb for verb in sub.verbs if verb in _ACTIONS]
        yield f"{where}/{{name}}/{name}", _at(resource, verbs, carried, v2, named=True, suffix=name)


def _at(
    resource: Resource,
    verbs: list[str],
    kind: Obj,
    v2: bool,
    *,
    named: bool = False,
    everywhere: bool = False,
    suffix: str = "",
) -> Obj:
    result: Obj = {}
    shared = [_parameter("name", f"name of the {resource.kind}", "path", v2)] if named else []
    if resource.namespaced and not everywhere:
        shared.append(_parameter("namespace", "object name and auth scope, such as for teams and projects", "path", v2))
    if shared:
        result["parameters"] = shared
    for verb in verbs:
        method, action = _ACTIONS[verb]
        group = (resource.group.partition(".")[0] or "core").capitalize()
        operation: Obj = {
            "description": f"{verb} {resource.kind}",
            "operationId": f"{verb}{group}{resource.version.capitalize()}{resource.kind}{suffix.capitalize()}"
            + ("ForAllNamespaces" if everywhere else ""),
            "tags": [f"{group.lower()}_{resource.version}"],
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": kind,
            "responses": _responses(resource, verb, v2),
        }
        if method in _WRITES:
            operation["parameters"] = [_parameter(name, text, "query", v2) for name, text in _PARAMETERS.items()]
            if verb != "patch":
                reference = {"$ref": _prefix(v2) + resource.definition}
                if v2:
                    operation["parameters"].append(
                        {"name": "body", "in": "body", "required": True, "schema": reference}
                    )
                else:
                    operation["requestBody"] = {"content": {"*/*": {"schema": reference}}, "required": True}
        result[method] = operation
    return result


def _prefix(v2: bool) -> str:
    return "#/definitions/" if v2 else "#/components/schemas/"


def _responses(resource: Resource, verb: str, v2: bool) -> Obj:
    definition = resource.definition
    if verb == "list" and _list_definition(definition) in definitions():
        definition = _list_definition(definition)
    elif verb == "deletecollection":
        definition = "io.k8s.apimachinery.pkg.apis.meta.v1.Status"
    schema = {"$ref": _prefix(v2) + definition}
    ok: Obj = {"description": "OK"}
    if v2:
        ok["schema"] = schema
    else:
        ok["content"] = {"application/json": {"schema": schema}}
    return {"200": ok, "401": {"description": "Unauthorized"}}


def _parameter(name: str, text: str, where: str, v2: bool) -> Obj:
    parameter: Obj = {"name": name, "in": where, "description": text, "required": where == "path"}
    if v2:
        parameter["type"] = "string"
        parameter["uniqueItems"] = True
    else:
        parameter["schema"] = {"type": "string", "uniqueItems": True}
    return parameter
