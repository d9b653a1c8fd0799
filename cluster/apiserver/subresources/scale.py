"""The scale subresource: replicas as autoscaling/v1 Scale (registry/apps/deployment/storage.ScaleREST)."""

from __future__ import annotations

import orjson

from cluster.apimachinery import errors
from cluster.apiserver.context import Context, Obj, Response
from cluster.apiserver.resources.scale import apply_scale, scale_of
from cluster.apiserver.stages import bodies, writing
from cluster.apiserver.storage.cache import Entry


async def read(context: Context) -> dict[str, object]:
    resource = context.resource
    entry = bodies.current(context)
    if entry is None:
        raise errors.not_found(resource.plural, resource.group, context.info.name)
    context.response = Response(obj=scale_of(entry.obj, resource))
    return {"source": "cache", "revision": entry.revision}


def decode(context: Context) -> None:
    """The Scale that the client wants becomes the object with other replicas."""
    resource = context.resource
    old = bodies.current(context)
    if old is None:
        raise errors.not_found(resource.plural, resource.group, context.info.name)
    if context.info.verb == "patch":
        kind = bodies.patch_kind(context)
        if kind == "apply":
            raise errors.bad_request("apply is not supported on the scale subresource")
        patch, _ = bodies.parse_patch(context, kind)
        scale_kind = context.server.registry.scale
        scale = bodies.patched(scale_of(old.obj, resource), patch, kind, scale_kind)
        pinned = isinstance(patch, dict) and "resourceVersion" in (patch.get("metadata") or {})
    else:
        scale, _ = bodies.parse_body(context)
        pinned = bool((scale.get("metadata") or {}).get("resourceVersion"))
    scale = bodies.checked(context, scale, [], context.server.registry.scale)
    replicas = (scale.get("spec") or {}).get("replicas", 0)
    if replicas < 0:
        raise errors.invalid(
            "Scale",
            "autoscaling",
            context.info.name,
            [errors.invalid_value("spec.replicas", replicas, "must be greater than or equal to 0")],
        )
    wanted = (scale.get("metadata") or {}).get("resourceVersion")
    if pinned and wanted != str(old.revision):
        raise errors.conflict(resource.plural, resource.group, context.info.name)
    context.pinned = pinned
    context.old = old
    context.operation = "UPDATE"
    obj: Obj = orjson.loads(orjson.dumps(apply_scale(old.obj, scale, resource)))
    context.obj = obj


async def commit(context: Context) -> object:
    detail = await writing.write_update(context)
    response = context.response
    assert response is not None
    entry: Entry | None = response.entry
    obj = entry.obj if entry is not None else response.obj
    assert obj is not None
    context.response = Response(obj=scale_of(obj, context.resource))
    return detail
