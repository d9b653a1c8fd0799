"""Stage cache: get, list and watch, answered from the watch cache (or from etcd as of an earlier revision)."""

from __future__ import annotations

from cluster.apimachinery import errors
from cluster.apiserver import subresources
from cluster.apiserver.apiextensions import conversion
from cluster.apiserver.context import Context, Response
from cluster.apiserver.parameters import flag, whole
from cluster.apiserver.stages import connecting, rendering
from cluster.apiserver.stages.info import check_verb
from cluster.apiserver.storage.listing import ListOptions, list_page, parse_revision, wait_until_fresh
from cluster.apiserver.storage.selection import Selection
from cluster.apiserver.storage.watching import Watch
from cluster.apiserver.strategies.registry import strategy_of

Detail = dict[str, object]


async def read(context: Context) -> Detail | None:
    """Dispatch on the verb; the detail says where the answer came from."""
    check_verb(context)
    info = context.info
    if context.resource.custom is not None and info.verb == "get":
        entry = context.server.storage.entry(context.resource.storage_key, context.key)
        await conversion.prepare(context, () if entry is None else (entry,))
    if info.subresource in connecting.CONNECTIONS:
        attributes = connecting.concerns(context)
        if attributes is not None:
            await connecting.admit(context, attributes)
    if info.subresource and info.subresource != "status":
        return await subresources.read(context)
    if context.resource.computed:
        from cluster.apiserver import computed

        if info.verb == "get":
            return await computed.get(context)
        return await computed.list_objects(context, selection_of(context))
    if info.verb == "get":
        return await _get(context)
    if info.verb == "list":
        return await _list(context)
    return _watch(context)


async def _get(context: Context) -> Detail:
    storage, resource = context.server.storage, context.resource
    wanted = parse_revision(context.params.get("resourceVersion", ""))
    await wait_until_fresh(storage, wanted)
    entry = storage.entry(resource.storage_key, context.key)
    if entry is None:
        raise errors.not_found(resource.plural, resource.group, context.info.name)
    context.response = Response(entry=entry)
    return {"source": "cache", "revision": entry.revision}


def selection_of(context: Context) -> Selection:
    """The request's selectors, checked against what the resource can be selected by."""
    info, params, resource = context.info, context.params, context.resource
    label_selector, field_selector = params.get("labelSelector", ""), params.get("fieldSelector", "")
    namespace = info.namespace if resource.namespaced else ""
    selection = Selection(namespace, label_selector, field_selector, info.name)
    if selection.fields:
        strategy = strategy_of(resource)

        def refuse(path: str) -> errors.StatusError:
            group_version = f"{resource.group}/{resource.version}"
            return errors.bad_request(
                f'Unable to find "{group_version}, Resource={resource.plural}" that match label selector '
                f'"{label_selector}", field selector "{field_selector}": field label not supported: {path}'
            )

        selection.check_fields(strategy.supported_field_labels.__contains__, refuse)
        if strategy.field_paths or strategy.absent_fields:
            selection.read_as(strategy.field_paths, strategy.absent_fields)
    return selection


async def _list(context: Context) -> Detail:
    params = context.params
    if "sendInitialEvents" in params:
        raise errors.StatusError(
            422,
            "Invalid",
            'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list',
            group="meta.k8s.io",
            kind="ListOptions",
        )
    whole(params, "timeoutSeconds")
    # Kubernetes takes a negative limit for none.
    limit = max(0, whole(params, "limit") or 0)
    options = ListOptions(
        params.get("resourceVersion", ""),
        params.get("resourceVersionMatch", ""),
        limit,
        params.get("continue", ""),
    )
    page = await list_page(context.server.storage, context.resource.storage_key, selection_of(context), options)
    if context.resource.custom is not None:
        await conversion.prepare(context, page.entries)
    context.response = rendering.list_response(context, page)
    return {"source": page.source, "revision": page.revision, "items": len(page.entries)}


def _watch(context: Context) -> Detail:
    reader = context.user.name if context.user is not None else ""
    watch = Watch(context.server.storage, context.resource.storage_key, selection_of(context), reader)
    revision = context.params.get("resourceVersion", "")
    initial = None
    wants_initial = flag(context.params, "sendInitialEvents")
    if wants_initial and context.params.get("resourceVersionMatch") != "NotOlderThan":
        raise errors.StatusError(
            422,
            "Invalid",
            'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires '
            "setting resourceVersionMatch to NotOlderThan",
            group="meta.k8s.io",
            kind="ListOptions",
        )
    if wants_initial or (revision in ("", "0") and context.params.get("sendInitialEvents", "") == ""):
        initial = watch.initial()
    elif revision in ("", "0"):
        watch.start(context.server.storage.revision)
    else:
        watch.start(parse_revision(revision))
    context.response = rendering.watch_response(context, watch, initial, bookmark_initial=wants_initial)
    return {"source": "cache", "revision": watch.bookmark}
