"""What the etcd stage and the subresources share: one compare-and-swap, and what an update comes to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from cluster import clock
from cluster.apimachinery import errors
from cluster.apiserver.addresses import Taken
from cluster.apiserver.apiextensions.conversion import to_storage
from cluster.apiserver.context import Context, Obj, Response
from cluster.apiserver.stages import deleting
from cluster.apiserver.storage.cache import Entry, Key
from cluster.etcd.log import Conflict, Revision


class Retry(Exception):
    """Somebody else was faster: look again."""


class Written:
    """What the etcd span tells: the revision, and how the group commit went. Journeys are kept: not with the object."""

    __slots__ = ("committed_in", "group", "revision")

    def __init__(self, revision: Any) -> None:
        self.revision = revision.revision
        self.group = revision.group
        self.committed_in = revision.committed_in

    def as_detail(self) -> dict[str, object]:
        return {
            "revision": self.revision,
            "group": self.group,
            "commit_ms": round(self.committed_in * 1000, 3),
        }


async def put(context: Context, key: Key, obj: Obj, verb: str, expected: int) -> object:
    """One write of the request's resource; raises etcd's Conflict. Sets the journey's revision."""
    storage, delays = context.server.storage, context.server.disturbance.delays
    if delays:
        await clock.sleep(sum(delays.values()))
    if context.resource.custom is not None:
        obj = await to_storage(context, obj)
    resource, journey = context.resource.storage_key, context.journey
    write = partial(storage.write, resource, key, obj, verb, expected, journey.id)
    if resource == "services":
        revision = await _put_service(context, obj, verb, write)
    else:
        revision = await write()
    context.journey.revision = revision.revision
    return Written(revision)


async def _put_service(context: Context, obj: Obj, verb: str, write: Callable[[], Awaitable[Revision]]) -> Revision:
    """Its addresses are claimed and given back with it."""
    old = None if context.old is None else context.old.obj
    try:
        return await context.server.addresses.write(context.journey, old, None if verb == "delete" else obj, write)
    except Taken as taken:
        # Admission gave an address that somebody took meanwhile: it gives another, or refuses the one that was chosen.
        raise Retry from taken


async def write_update(context: Context) -> object:
    """The ordinary update: skip what changes nothing, delete what only waited for this, else swap."""
    obj, old, resource = context.obj, context.old, context.resource
    assert obj is not None and old is not None
    if obj["metadata"].get("deletionTimestamp") and deleting.ready_to_go(resource, obj):
        # The last finalizer went: the update is the deletion.
        if context.dry_run:
            context.response = Response(obj=obj)
            return {"dryRun": True}
        detail = await swap(context, old, obj, "delete")
        context.response = Response(entry=Entry(context.key, context.journey.revision, obj))
        return detail
    obj["metadata"]["resourceVersion"] = str(old.revision)
    if (obj == old.obj or _only_ownership_changed(obj, old.obj)) and _is_stored_so(context, old):
        context.response = Response(entry=old)
        return {"unchanged": True, "revision": old.revision}
    if context.dry_run:
        context.response = Response(obj=obj)
        return {"dryRun": True}
    detail = await swap(context, old, obj, "update")
    context.response = Response(entry=Entry(context.key, context.journey.revision, obj))
    return detail


def _is_stored_so(context: Context, old: Entry) -> bool:
    """False for a custom object that is stored otherwise than it would be now: writing it again is how storage migrates."""
    custom = context.resource.custom
    if custom is None:
        return True
    raw = context.server.storage.entry(context.resource.storage_key, context.key)
    if raw is None:
        return True
    if raw.obj["apiVersion"] != custom.owner.stored.api_version:
        return False
    return custom.api_version != raw.obj["apiVersion"] or bool(raw.obj == old.obj)


def _only_ownership_changed(obj: Obj, old: Obj) -> bool:
    """True when all that differs is a time in managedFields: nothing worth a revision."""
    new_fields, old_fields = obj["metadata"].get("managedFields"), old["metadata"].get("managedFields")
    if new_fields == old_fields or new_fields is None or old_fields is None or len(new_fields) != len(old_fields):
        return False
    timeless = [[{**entry, "time": None} for entry in fields] for fields in (new_fields, old_fields)]
    if timeless[0] != timeless[1]:
        return False
    metadata = {**obj["metadata"], "managedFields": old_fields}
    return bool({**obj, "metadata": metadata} == old)


async def swap(context: Context, old: Entry, obj: Obj, verb: str) -> object:
    resource = context.resource
    try:
        return await put(context, context.key, obj, verb, old.revision)
    except Conflict as conflict:
        if conflict.current == 0:
            raise errors.not_found(resource.plural, resource.group, context.key[1]) from conflict
        if context.pinned:
            raise errors.conflict(resource.plural, resource.group, context.key[1]) from conflict
        raise Retry from conflict
