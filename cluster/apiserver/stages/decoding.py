"""Stage decode: from a body to the object that the client wants, defaulted (apiserver/pkg/endpoints/handlers).

For a create that is the body; for an update the body in the old object's place; for a patch the old object, changed; for a
delete the options. The result is a fresh dict that later stages may change.
"""

from __future__ import annotations

import random
import uuid
from typing import Any

import orjson

from cluster import clock
from cluster.apimachinery import errors
from cluster.apimachinery.meta import random_suffix
from cluster.apiserver import subresources
from cluster.apiserver.apiextensions import conversion
from cluster.apiserver.context import Context, Obj
from cluster.apiserver.parameters import flag, whole
from cluster.apiserver.patch.apply import apply
from cluster.apiserver.request import Attributes, RequestInfo
from cluster.apiserver.resources import body, schema
from cluster.apiserver.stages import connecting
from cluster.apiserver.stages.bodies import (
    checked,
    current,
    options,
    parse_body,
    parse_patch,
    patch_kind,
    patched,
    served,
)
from cluster.apiserver.stages.identity import require
from cluster.apiserver.stages.info import check_verb
from cluster.apiserver.strategies.registry import strategy_of

MAX_GENERATED_NAME = 63 - 5


def _new_uid() -> str:
    """A UUID of version 4. Unique is enough: nobody has to be unable to guess it, so no system call for each."""
    return str(uuid.UUID(int=random.getrandbits(128), version=4))


def decode(context: Context) -> object:
    """Dispatch on the verb; a coroutine where a webhook has to convert the stored object first."""
    check_verb(context)
    options(context)
    if context.info.subresource in connecting.CONNECTIONS:
        attributes = connecting.concerns(context)
        if attributes is not None:
            return _admit_and_decode(context, attributes)
    custom = context.resource.custom
    if custom is not None and custom.owner.webhook and context.key[1] and context.info.verb != "create":
        return _convert_and_decode(context)
    _decode(context)
    return None


async def _admit_and_decode(context: Context, attributes: Attributes) -> None:
    await connecting.admit(context, attributes)
    _decode(context)


async def _convert_and_decode(context: Context) -> None:
    entry = context.server.storage.entry(context.resource.storage_key, context.key)
    await conversion.prepare(context, () if entry is None else (entry,))
    _decode(context)


def _decode(context: Context) -> None:
    if subresources.decodes(context):
        subresources.decode(context)
        return
    _DECODERS[context.info.verb](context)


def _meta(obj: Obj) -> Obj:
    metadata: Obj = obj.setdefault("metadata", {})
    return metadata


def _place(context: Context, obj: Obj) -> None:
    """Namespace and name as the URL says; 400 when the body disagrees."""
    info, metadata = context.info, _meta(obj)
    if context.resource.namespaced:
        if not metadata.get("namespace"):
            metadata["namespace"] = info.namespace
        elif metadata["namespace"] != info.namespace:
            raise errors.bad_request(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
    elif metadata.pop("namespace", None):
        raise errors.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    if info.name:
        if not metadata.get("name"):
            metadata["name"] = info.name
        elif metadata["name"] != info.name:
            raise errors.bad_request(
                f"the name of the object ({metadata['name']}) does not match the name on the URL ({info.name})"
            )


def _create(context: Context) -> None:
    obj, duplicates = parse_body(context)
    obj = checked(context, obj, duplicates)
    _begin_create(context, obj)


def _begin_create(context: Context, obj: Obj) -> None:
    """What Kubernetes fills in before admission sees a new object (rest.FillObjectMetaSystemFields)."""
    _place(context, obj)
    metadata = obj["metadata"]
    custom = context.resource.custom
    if custom is not None and custom.owner.terminating:
        refusal = errors.method_not_supported(context.resource.plural, context.resource.group, "create")
        refusal.message = "create not allowed while custom resource definition is terminating"
        raise refusal
    if not metadata.get("name") and metadata.get("generateName"):
        metadata["name"] = metadata["generateName"][:MAX_GENERATED_NAME] + random_suffix()
    if metadata.get("resourceVersion"):
        raise errors.bad_request("resourceVersion should not be set on objects to be created")
    for server_side in ("resourceVersion", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"):
        metadata.pop(server_side, None)
    metadata["uid"] = _new_uid()
    metadata["creationTimestamp"] = clock.timestamp()
    strategy_of(context.resource).default(obj)
    context.operation = "CREATE"
    context.old = None
    context.key = (metadata.get("namespace", ""), metadata.get("name", ""))
    context.journey.name = context.key[1]
    context.obj = obj


def _update(context: Context) -> None:
    obj, duplicates = parse_body(context)
    obj = checked(context, obj, duplicates)
    _place(context, obj)
    resource, strategy = context.resource, strategy_of(context.resource)
    old = current(context)
    if old is None:
        if context.info.subresource or not strategy.allow_create_on_update:
            raise errors.not_found(resource.plural, resource.group, context.info.name)
        _authorize_create(context)
        _meta(obj).pop("resourceVersion", None)
        _begin_create(context, obj)
        return
    wanted = obj["metadata"].get("resourceVersion", "")
    if not wanted and not strategy.allow_unconditional_update and not context.is_status:
        raise errors.invalid(
            resource.kind,
            resource.group,
            context.info.name,
            [errors.FieldError("FieldValueInvalid", "metadata.resourceVersion", "must be specified for an update", 0)],
        )
    _begin_update(context, obj, old)


def _authorize_create(context: Context) -> None:
    """A write that turns out to create something needs the verb create, too."""
    info = context.info
    creating = RequestInfo(
        info.path, "create", True, info.group, info.version, info.namespace, info.resource, info.subresource, info.name
    )
    require(context, creating)


def _begin_update(context: Context, obj: Obj, old: Any) -> None:
    """Check the preconditions in the body, and keep what no client may change (rest.BeforeUpdate)."""
    resource, metadata, before = context.resource, obj["metadata"], old.obj["metadata"]
    wanted = metadata.get("resourceVersion")
    context.pinned = bool(wanted) and wanted != "0"
    if context.pinned and wanted != str(old.revision):
        raise errors.conflict(resource.plural, resource.group, context.info.name)
    if metadata.get("uid") and metadata["uid"] != before["uid"]:
        raise errors.conflict(
            resource.plural,
            resource.group,
            context.info.name,
            f"Precondition failed: UID in precondition: {metadata['uid']}, UID in object meta: {before['uid']}",
        )
    for kept in ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"):
        if kept in before:
            metadata[kept] = before[kept]
        else:
            metadata.pop(kept, None)
    metadata["resourceVersion"] = str(old.revision)
    metadata.pop("selfLink", None)
    strategy_of(resource).default(obj)
    context.operation = "UPDATE"
    context.old = old
    context.obj = obj


def _patch(context: Context) -> None:
    kind = patch_kind(context)
    resource = context.resource
    old = current(context)
    if kind == "apply":
        _apply(context, old)
        return
    if old is None:
        raise errors.not_found(resource.plural, resource.group, context.info.name)
    patch, duplicates = parse_patch(context, kind)
    before = served(context, old.obj)
    changed = orjson.loads(orjson.dumps(patched(before, patch, kind, resource)))
    if not isinstance(changed, dict):
        raise errors.bad_request("the patch does not leave an object")
    for fixed in ("apiVersion", "kind"):
        changed.setdefault(fixed, before[fixed])
    obj = checked(context, changed, duplicates)
    _place(context, obj)
    mentioned = isinstance(patch, dict) and isinstance(patch.get("metadata"), dict)
    if (not (mentioned and "resourceVersion" in patch["metadata"]) and kind != "json") or (
        kind == "json" and obj["metadata"].get("resourceVersion") == str(old.revision)
    ):
        obj["metadata"].pop("resourceVersion", None)
    _begin_update(context, obj, old)


def _apply(context: Context, old: Any) -> None:
    """Server-side apply: merge what this manager wants into what is, by ownership of fields."""
    resource = context.resource
    if not context.params.get("fieldManager"):
        raise errors.StatusError(
            422,
            "Invalid",
            'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
            group="meta.k8s.io",
            kind="PatchOptions",
            causes=[errors.required("fieldManager", "is required for apply patch").cause],
        )
    patch, duplicates = parse_patch(context, "apply")
    if not isinstance(patch, dict):
        raise errors.bad_request("error decoding YAML: the body of an apply request must be an object")
    if patch.get("metadata") and patch["metadata"].get("managedFields"):
        raise errors.bad_request("metadata.managedFields must be nil")
    wanted = checked(context, patch, duplicates, complete=False)
    # What is applied as empty is wanted so, though an object that has it is stored without.
    if resource.stored and resource.custom is None:
        _restore_empty(patch, wanted, schema.node_of(resource))
    _place(context, wanted)
    if old is None and context.info.subresource:
        raise errors.not_found(resource.plural, resource.group, context.info.name)
    pinned = wanted["metadata"].pop("resourceVersion", None)
    wanted_uid = wanted["metadata"].pop("uid", None)
    result = apply(
        None if old is None else old.obj,
        wanted,
        manager=context.field_manager,
        force=flag(context.params, "force"),
        node=schema.node_of(resource),
        api_version=wanted["apiVersion"],
        now=clock.timestamp(),
        subresource=context.info.subresource,
    )
    obj: Obj = orjson.loads(orjson.dumps(result))
    if resource.custom is None:
        stored = context.server.registry.by_storage_key(resource.storage_key)
        obj, _ = schema.decode(stored, obj, field_validation="Ignore")
    if old is None:
        if wanted_uid:
            raise errors.conflict(
                resource.plural,
                resource.group,
                context.info.name,
                f"uid mismatch: the provided object specified uid {wanted_uid}, and no existing object was found",
            )
        _authorize_create(context)
        _begin_create(context, obj)
        return
    obj["metadata"].pop("resourceVersion", None)
    if pinned:
        obj["metadata"]["resourceVersion"] = pinned
    if wanted_uid:
        obj["metadata"]["uid"] = wanted_uid
    _begin_update(context, obj, old)


def _restore_empty(given: Any, wanted: Any, node: schema.Node) -> None:
    """Put back lists and maps with nothing in them, which decoding leaves out, where the kind has such fields."""
    if isinstance(given, dict) and isinstance(wanted, dict):
        for name, value in given.items():
            child = node.fields.get(name) if node.kind == "struct" else node.additional
            if child is None:
                continue
            if name in wanted:
                _restore_empty(value, wanted[name], child)
            elif value in ([], {}):
                wanted[name] = value
    elif isinstance(given, list) and isinstance(wanted, list) and len(given) == len(wanted):
        for one, other in zip(given, wanted, strict=True):
            _restore_empty(one, other, node.items)


def _delete(context: Context) -> None:
    """Delete and deletecollection: the options, from the body or the query."""
    given: Obj = {}
    if context.loopback:
        given = dict(context.body) if isinstance(context.body, dict) else {}
    elif context.body:
        given, _ = body.parse(
            context.body, context.headers.get(b"content-type", b"").decode("latin-1"), want_duplicates=False
        )
    params = context.params
    for name in ("gracePeriodSeconds",):
        if name in params and name not in given:
            given[name] = whole(params, name)
    if "propagationPolicy" in params:
        given.setdefault("propagationPolicy", params["propagationPolicy"])
    if "orphanDependents" in params:
        given.setdefault("orphanDependents", params["orphanDependents"] == "true")
    if given.get("dryRun"):
        if given["dryRun"] != ["All"]:
            raise errors.bad_request('dryRun: Unsupported value: supported values: "All"')
        context.dry_run = True
    policy = given.get("propagationPolicy")
    if policy not in (None, "", "Orphan", "Background", "Foreground"):
        raise errors.StatusError(
            422,
            "Invalid",
            f'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "{policy}": supported '
            'values: "Background", "Foreground", "Orphan", "nil"',
            group="meta.k8s.io",
            kind="DeleteOptions",
        )
    if policy and given.get("orphanDependents") is not None:
        raise errors.StatusError(
            422,
            "Invalid",
            'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Invalid value: '
            f'"{policy}": orphanDependents and deletionPropagation cannot be both set',
            group="meta.k8s.io",
            kind="DeleteOptions",
        )
    grace = given.get("gracePeriodSeconds")
    if grace is not None and (not isinstance(grace, int) or isinstance(grace, bool)):
        raise errors.bad_request("gracePeriodSeconds must be an integer")
    context.options = given
    context.operation = "DELETE"
    if not policy and given.get("orphanDependents") is None and not context.implied:
        warning = strategy_of(context.resource).orphaning_warning
        if warning:
            context.warnings.append(warning)
    if context.info.verb == "delete":
        resource = context.resource
        context.old = current(context)
        if context.old is None:
            raise errors.not_found(resource.plural, resource.group, context.info.name)


_DECODERS = {
    "create": _create,
    "update": _update,
    "patch": _patch,
    "delete": _delete,
    "deletecollection": _delete,
}
