"""The request as webhooks and expressions see it: an AdmissionRequest (admission/v1)."""

from __future__ import annotations

import uuid
from typing import Any, overload

from cluster.apimachinery.users import user_info
from cluster.apiserver.request import Attributes
from cluster.apiserver.resources.conversion import convert
from cluster.apiserver.resources.registry import Resource

Obj = dict[str, Any]


@overload
def in_version(obj: None, resource: Resource) -> None: ...
@overload
def in_version(obj: Obj, resource: Resource) -> Obj: ...
def in_version(obj: Obj | None, resource: Resource) -> Obj | None:
    """The object as this version has it."""
    if obj is None or obj.get("apiVersion") == resource.api_version or obj.get("kind") != resource.kind:
        return obj
    if resource.custom is not None:
        return {**obj, "apiVersion": resource.api_version}
    return convert(obj, resource)


_OPTIONS = {"CREATE": "CreateOptions", "UPDATE": "UpdateOptions", "DELETE": "DeleteOptions"}


def request_of(attributes: Attributes, resource: Resource) -> Obj:
    """Everything but the objects. `resource` is the version that was matched."""
    asked = attributes.resource

    def kind_of(one: Resource) -> Obj:
        sub = one.subresources.get(attributes.subresource)
        if sub is not None:
            return {"group": sub.group, "version": sub.version, "kind": sub.kind}
        return {"group": one.group, "version": one.version, "kind": one.kind}

    def path_of(one: Resource) -> Obj:
        return {"group": one.group, "version": one.version, "resource": one.plural}

    request: Obj = {
        "uid": str(uuid.uuid4()),
        "kind": kind_of(resource),
        "resource": path_of(resource),
        "requestKind": kind_of(asked),
        "requestResource": path_of(asked),
        "operation": attributes.operation,
        "userInfo": user_info(attributes.user),
        "dryRun": attributes.dry_run,
        "options": {"kind": _OPTIONS.get(attributes.operation, "CreateOptions"), "apiVersion": "meta.k8s.io/v1"},
    }
    if attributes.name:
        request["name"] = attributes.name
    if attributes.namespace:
        request["namespace"] = attributes.namespace
    elif asked.storage_key == "namespaces" and attributes.name:
        request["namespace"] = attributes.name
    if attributes.subresource:
        request["subResource"] = request["requestSubResource"] = attributes.subresource
    if attributes.operation == "DELETE":
        request["options"] |= {name: value for name, value in attributes.options.items() if name != "draws"}
    return request
