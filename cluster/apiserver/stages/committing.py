"""Stage etcd: the write itself, as a compare-and-swap on the revision that the earlier stages looked at.

Who lost a race is told so (Conflict) when the client named the version it meant to change; otherwise the pipeline starts over
from the decode stage with the newer object (registry/generic/registry.Store.GuaranteedUpdate).
"""

from __future__ import annotations

from cluster import clock
from cluster.apimachinery import errors
from cluster.apimachinery.meta import random_suffix
from cluster.apiserver import subresources
from cluster.apiserver.context import Context, Response
from cluster.apiserver.request import RequestInfo
from cluster.apiserver.stages import deleting
from cluster.apiserver.stages.rendering import deleted_response
from cluster.apiserver.stages.writing import Retry, put, swap, write_update
from cluster.apiserver.storage.cache import Entry
from cluster.apiserver.storage.selecting import select
from cluster.etcd.log import Conflict


async def commit(context: Context) -> object:
    """Write what the request came for."""
    verb = context.info.verb
    if subresources.commits(context):
        return await subresources.commit(context)
    if verb == "deletecollection":
        return await _delete_collection(context)
    if verb == "delete":
        assert context.old is not None
        return await _delete(context, context.old)
    if context.operation == "CREATE":
        return await _create(context)
    return await write_update(context)


async def _create(context: Context) -> object:
    obj, resource = context.obj, context.resource
    assert obj is not None
    obj["metadata"].pop("resourceVersion", None)
    storage = context.server.storage
    if storage.entry(resource.storage_key, context.key) is not None:
        return _taken(context)
    if context.dry_run:
        context.response = Response(201, obj=obj)
        return {"dryRun": True}
    try:
        detail = await put(context, context.key, obj, "create", 0)
    except Conflict:
        return _taken(context)
    context.response = Response(201, entry=Entry(context.key, context.journey.revision, obj))
    return detail


def _taken(context: Context) -> object:
    """The name exists. A generated one is drawn again; PUT and apply look again; a chosen one is refused."""
    resource = context.resource
    if context.info.verb in ("patch", "update"):
        raise Retry
    obj = context.obj
    assert obj is not None
    generate = obj["metadata"].get("generateName")
    if generate and context.info.verb == "create" and context.options.setdefault("draws", 0) < 8:
        context.options["draws"] += 1
        obj["metadata"]["name"] = generate[:58] + random_suffix()
        context.key = (context.key[0], obj["metadata"]["name"])
        raise Retry
    raise errors.already_exists(resource.plural, resource.group, context.key[1])


async def _delete(context: Context, old: Entry) -> object:
    resource = context.resource
    plan = deleting.plan(resource, old.obj, context.options)
    if context.dry_run:
        context.response = deleted_response(context, plan, plan.obj, old)
        return {"dryRun": True}
    if plan.obj is old.obj:
        context.response = Response(entry=old)
        return {"unchanged": True, "revision": old.revision}
    context.pinned = bool((context.options.get("preconditions") or {}).get("resourceVersion"))
    detail = await swap(context, old, plan.obj, "delete" if plan.gone else "update")
    context.response = deleted_response(context, plan, plan.obj, old)
    return detail


async def _delete_collection(context: Context) -> object:
    """Delete all that are selected, one after the other, each as its own request caused by this one."""
    from cluster.apiserver.stages.reading import selection_of

    server, resource, info = context.server, context.resource, context.info
    entries = select(server.storage, resource.storage_key, selection_of(context))
    items = []
    for entry in entries:
        items.append(entry.obj)
        if context.dry_run:
            continue
        single = RequestInfo(
            f"{info.path}/{entry.key[1]}",
            "delete",
            True,
            info.group,
            info.version,
            entry.key[0],
            info.resource,
            "",
            entry.key[1],
        )
        try:
            await server.delegate(context, single, dict(context.options))
        except errors.StatusError as error:
            if error.reason != "NotFound":
                raise
    context.response = Response(
        obj={
            "apiVersion": resource.api_version,
            "kind": resource.list_kind,
            "metadata": {"resourceVersion": str(server.storage.revision)},
            "items": items,
        }
    )
    return {"deleted": len(items), "at": clock.timestamp()}
