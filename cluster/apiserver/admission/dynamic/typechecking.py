"""Would a policy's expressions fit the kinds that it speaks of? Told in its status (plugin/policy/validating/typechecking.go).

Only kinds that the policy names one by one are looked at; what does not fit is a warning, never a refusal.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from cluster.apimachinery.cel import CompileError, compile_expression
from cluster.apimachinery.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    Field,
    Type,
    list_of,
    map_of,
)
from cluster.apimachinery.errors import StatusError
from cluster.apiserver.admission.dynamic.expressions import scope
from cluster.apiserver.apiextensions.declared import declared, escaped
from cluster.apiserver.request import SYSTEM
from cluster.apiserver.resources.nodes import Node, root
from cluster.apiserver.resources.registry import Registry, Resource

if TYPE_CHECKING:
    from cluster.apiserver.server import APIServer

Obj = dict[str, Any]
log = logging.getLogger(__name__)
KEY = "admissionregistration.k8s.io/validatingadmissionpolicies"
PATH = "admissionregistration.k8s.io/v1/validatingadmissionpolicies"
_SCALARS = {
    "string": STRING,
    "integer": INT,
    "number": DOUBLE,
    "boolean": BOOL,
    "bytes": BYTES,
    "quantity": STRING,
    "time": TIMESTAMP,
    "microtime": TIMESTAMP,
}


class _Fields(Mapping[str, Field]):
    """The fields of a built-in struct, made when they are asked for: some kinds contain themselves."""

    def __init__(self, node: Node) -> None:
        self.node = node

    def __getitem__(self, name: str) -> Field:
        for key, child in self.node.fields.items():
            if escaped(key) == name:
                return Field(type_of(child), key)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return (escaped(key) for key in self.node.fields)

    def __len__(self) -> int:
        return len(self.node.fields)


def type_of(node: Node) -> Type:
    """The CEL type of a place in a built-in kind."""
    if node.kind == "struct":
        return Type("object", label=node.struct or "object", fields=_Fields(node))
    if node.kind == "list":
        return list_of(type_of(node.items))
    if node.kind == "map":
        return map_of(STRING, type_of(node.additional))
    return _SCALARS.get(node.kind, DYN)


@cache
def _built_in(definition: str) -> Type:
    return type_of(root(definition))


def declared_type(resource: Resource) -> Type | None:
    """The type of a resource's objects."""
    if resource.custom is not None:
        kind = declared(resource.custom.schema, root=True)
        if kind is None or kind.fields is None:
            return kind
        metadata = _built_in("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta")
        return Type("object", label=resource.kind, fields={**kind.fields, "metadata": Field(metadata, "metadata")})
    return _built_in(resource.definition)


def spoken_of(policy: Obj, registry: Registry) -> list[Resource]:
    """The resources that the rules name without any asterisk."""
    found: dict[str, Resource] = {}
    for rule in ((policy.get("spec") or {}).get("matchConstraints") or {}).get("resourceRules") or ():
        for group in rule.get("apiGroups") or ():
            for version in rule.get("apiVersions") or ():
                for plural in rule.get("resources") or ():
                    resource = registry.get(group, version, plural)
                    if resource is not None:
                        found[resource.path] = resource
    return list(found.values())[:10]


def warnings_of(policy: Obj, registry: Registry) -> list[Obj]:
    """ExpressionWarnings: where, and what does not fit."""
    spec = policy.get("spec") or {}
    resources = [(one, kind) for one in spoken_of(policy, registry) if (kind := declared_type(one)) is not None]
    params = spec.get("paramKind")
    param_type: Type | None = None
    if params is not None:
        resource = registry.by_kind(params.get("apiVersion", ""), params.get("kind", ""))
        param_type = declared_type(resource) if resource is not None else DYN
    expressions = [
        (f"spec.validations[{index}].expression", one["expression"])
        for index, one in enumerate(spec.get("validations") or ())
    ]
    expressions += [
        (f"spec.validations[{index}].messageExpression", one["messageExpression"])
        for index, one in enumerate(spec.get("validations") or ())
        if one.get("messageExpression")
    ]
    expressions += [
        (f"spec.auditAnnotations[{index}].valueExpression", one["valueExpression"])
        for index, one in enumerate(spec.get("auditAnnotations") or ())
    ]
    expressions += [
        (f"spec.matchConditions[{index}].expression", one["expression"])
        for index, one in enumerate(spec.get("matchConditions") or ())
    ]
    scopes = [(resource, _scope(spec, kind, param_type)) for resource, kind in resources]
    found = []
    for where, source in expressions:
        told = []
        for resource, inner in scopes:
            try:
                compile_expression(source, inner)
            except CompileError as error:
                told.append(f"{resource.group}/{resource.version}, Kind={resource.kind}: {error}")
        if told:
            found.append({"fieldRef": where, "warning": "\n".join(told)})
    return found


def _scope(spec: Obj, kind: Type, params: Type | None) -> dict[str, Type]:
    objects = {"object": kind, "oldObject": kind}
    if params is not None:
        objects["params"] = params
    types: dict[str, Type] = {}
    for one in spec.get("variables") or ():
        inner = scope(params=params is not None, variables=types, objects=objects)
        try:
            types = {**types, one["name"]: compile_expression(one["expression"], inner).type}
        except CompileError:
            types = {**types, one["name"]: DYN}
    return scope(params=params is not None, variables=types, objects=objects)


class PolicyStatus:
    """Keeps the status of validating policies (kube-controller-manager's validatingadmissionpolicy-status)."""

    def __init__(self, server: APIServer) -> None:
        self.server = server
        self.client = server.loopback(SYSTEM, "kube-controller-manager")
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        self.server.storage.on_change(KEY, self._changed)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _changed(self, old: Obj | None, new: Obj | None) -> None:
        if new is None or (new.get("status") or {}).get("observedGeneration") == new["metadata"].get("generation"):
            return
        task = asyncio.get_running_loop().create_task(self._check(new["metadata"]["name"]), name="policy status")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _check(self, name: str) -> None:
        policy = self.server.storage.get(KEY, "", name)
        if policy is None:
            return
        checking: Obj = {}
        warnings = warnings_of(policy, self.server.registry)
        if warnings:
            checking["expressionWarnings"] = warnings
        status = {
            **(policy.get("status") or {}),
            "observedGeneration": policy["metadata"].get("generation", 1),
            "typeChecking": checking,
        }
        try:
            await self.client.update(PATH, {**policy, "status": status}, subresource="status")
        except StatusError as error:
            if error.reason not in ("NotFound", "Conflict"):
                log.warning("policy %s: %s", name, error.message)
