"""How answers look: JSON or YAML, plain, as Table or as metadata only; lists from cached bytes; watches as lines.

Content negotiation follows apiserver/pkg/endpoints/handlers/negotiation.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterable
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from cluster import clock
from cluster.apimachinery.errors import StatusError, not_acceptable
from cluster.apiserver.apiextensions import conversion
from cluster.apiserver.context import Context, Obj, Response
from cluster.apiserver.parameters import flag, whole
from cluster.apiserver.printers.tables import table
from cluster.apiserver.resources.conversion import convert
from cluster.apiserver.stages.deleting import RETURNS_DELETED, Plan
from cluster.apiserver.storage.cache import Entry
from cluster.apiserver.storage.listing import Page
from cluster.apiserver.storage.watching import Event, Watch

# A bookmark at least this often (real seconds), as the real API server's minute.
BOOKMARK_EVERY = 60.0


class Accept(NamedTuple):
    """What the client wants to read: `form` is "", Table or PartialObjectMetadata(List); `yaml` or JSON."""

    form: str = ""
    yaml: bool = False
    pretty: bool = False


_PLAIN = Accept()
_TRUE = frozenset({"1", "t", "T", "true", "True", "TRUE"})
# Programs that people look over the shoulder of. (Browsers, too, in Kubernetes; here our own page asks, and reads what it needs.)
_PEOPLE = ("curl", "Wget")


@lru_cache(maxsize=512)
def negotiate(header: str) -> Accept:
    """The first media type that we can serve; 406 when there is none."""
    if not header:
        return _PLAIN
    for media in header.split(","):
        kind, *parameters = (part.strip() for part in media.split(";"))
        options = dict(parameter.split("=", 1) for parameter in parameters if "=" in parameter)
        form = options.get("as", "")
        if form and (options.get("g") != "meta.k8s.io" or options.get("v") not in ("v1", "v1beta1")):
            continue
        if form not in ("", "Table", "PartialObjectMetadata", "PartialObjectMetadataList"):
            continue
        if kind in ("application/json", "*/*", "application/*"):
            return Accept(form) if form else _PLAIN
        if kind in ("application/yaml", "text/yaml"):
            return Accept(form, yaml=True)
    raise not_acceptable("only the following media types are accepted: application/json, application/yaml")


def accept_of(context: Context) -> Accept:
    """What the client reads."""
    accept = negotiate(context.headers.get(b"accept", b"").decode("latin-1"))
    return accept._replace(pretty=True) if is_for_people(context) else accept


def is_for_people(context: Context) -> bool:
    """Whether JSON is indented (responsewriters.isPrettyPrint)."""
    asked = context.params.get("pretty") if context.params else None
    return asked in _TRUE if asked else context.journey.agent.startswith(_PEOPLE)


def respond(context: Context) -> None:
    """Stage respond: put the answer into the form that the client accepts. The loopback client takes the object."""
    response = context.response
    if response is None or context.loopback or response.stream is not None or response.data is not None:
        return
    accept = accept_of(context)
    if response.entry is not None and accept is _PLAIN and _is_stored_version(context):
        response.data = response.entry.bytes
        return
    if response.obj is None and response.entry is not None and context.resource is not None:
        obj = served_entry(context, response.entry)
    else:
        obj = served(context, response.obj or {})
    obj = _formed(context, obj, accept)
    response.data, response.content_type = encode(obj, accept)


def encode(obj: Any, accept: Accept) -> tuple[bytes, str]:
    """Bytes and content type."""
    if accept.yaml:
        import yaml

        return yaml.dump(obj, Dumper=yaml.CSafeDumper, sort_keys=False).encode(), "application/yaml"
    return orjson.dumps(obj, option=orjson.OPT_INDENT_2 if accept.pretty else None), "application/json"


def _is_stored_version(context: Context) -> bool:
    resource = context.resource
    return resource is None or (resource.stored and resource.custom is None)


def entry_bytes(context: Context, entry: Entry) -> bytes:
    """The bytes of a stored object as the request speaks; the cache's own wherever they are right."""
    custom = context.resource.custom
    if custom is None or custom.is_current(entry, entry.obj):
        return entry.bytes
    return orjson.dumps(served_entry(context, entry))


def served_entry(context: Context, entry: Entry) -> Obj:
    """The same as an object."""
    custom = context.resource.custom
    if custom is None:
        return served(context, entry.obj)
    obj: Obj = custom.serve(entry, context.converted.get(entry.revision))
    return obj


def served(context: Context, obj: Obj) -> Obj:
    """A stored object in the version that the request speaks; anything else as it is."""
    resource = context.resource
    if _is_stored_version(context) or obj.get("kind") != resource.kind:
        return obj
    if resource.custom is not None:
        return obj if obj["apiVersion"] == resource.api_version else {**obj, "apiVersion": resource.api_version}
    return convert(obj, resource)


def _formed(context: Context, obj: Obj, accept: Accept) -> Obj:
    if accept.form and context.resource is not None and context.resource.virtual:
        # Answers to questions have no metadata to show.
        raise not_acceptable("the server was unable to respond with a content type that the client supports")
    if accept.form == "Table" and obj.get("kind") != "Status":
        return _table(context, [obj], {"resourceVersion": obj.get("metadata", {}).get("resourceVersion", "")})
    if accept.form == "PartialObjectMetadata" and obj.get("kind") != "Status":
        return partial_metadata(obj)
    return obj


def partial_metadata(obj: Obj) -> Obj:
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}


def _table(context: Context, objects: Iterable[Obj], metadata: Obj) -> Obj:
    resource = context.resource
    kind = resource.subresources[context.info.subresource].kind if context.info.subresource else resource.kind
    return table(
        resource.storage_key if kind == resource.kind else kind,
        list(objects),
        printer=resource.custom.printer if resource.custom is not None and kind == resource.kind else None,
        now=clock.now(),
        include_object=context.params.get("includeObject", "Metadata"),
        list_metadata=metadata,
    )


def list_response(context: Context, page: Page) -> Response:
    """A list, from the bytes that the cache holds where nothing has to be changed."""
    resource = context.resource
    metadata: Obj = {"resourceVersion": str(page.revision)}
    if page.token:
        metadata["continue"] = page.token
        if page.remaining is not None:
            metadata["remainingItemCount"] = page.remaining
    if context.loopback:
        return Response(obj={"metadata": metadata, "items": [entry.obj for entry in page.entries]})
    accept = accept_of(context)
    if accept is _PLAIN and (_is_stored_version(context) or resource.custom is not None):
        head = b'{"kind":"%s","apiVersion":"%s","metadata":%s,"items":[' % (
            resource.list_kind.encode(),
            resource.api_version.encode(),
            orjson.dumps(metadata),
        )
        if resource.custom is None:
            parts = [entry.bytes for entry in page.entries]
        else:
            parts = [entry_bytes(context, entry) for entry in page.entries]
        return Response(data=head + b",".join(parts) + b"]}")
    items = [served_entry(context, entry) for entry in page.entries]
    if accept.form == "Table":
        answer = _table(context, items, metadata)
    elif accept.form.startswith("PartialObjectMetadata"):
        answer = {
            "kind": "PartialObjectMetadataList",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": metadata,
            "items": [partial_metadata(item) for item in items],
        }
    else:
        answer = {"kind": resource.list_kind, "apiVersion": resource.api_version, "metadata": metadata, "items": items}
    data, content_type = encode(answer, accept)
    return Response(data=data, content_type=content_type)


def deleted_response(context: Context, plan: Plan, obj: Obj, old: Entry) -> Response:
    """What a deletion answers: the object while it lingers, else a Status (or the object, for kinds that return it)."""
    resource, options = context.resource, context.options
    if not plan.gone:
        waits = options.get("propagationPolicy") == "Foreground" or options.get("orphanDependents") is False
        return Response(202 if waits else 200, obj=obj)
    if resource.storage_key in RETURNS_DELETED:
        return Response(obj=obj)
    details = {"name": context.key[1], "kind": resource.plural, "uid": old.obj["metadata"]["uid"]}
    if resource.group:
        details["group"] = resource.group
    return Response(obj={"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})


# -- watches -----------------------------------------------------------------------------------------------------------


def watch_response(context: Context, watch: Watch, initial: list[Entry] | None, *, bookmark_initial: bool) -> Response:
    """A stream of watch events, one JSON object a line."""
    accept = accept_of(context) if not context.loopback else Accept()
    seconds = float(whole(context.params, "timeoutSeconds") or 0) or random.uniform(1800, 3600)
    bookmarks = flag(context.params, "allowWatchBookmarks") or bookmark_initial
    stream = _lines(context, watch, initial, accept, seconds, bookmarks, bookmark_initial)
    return Response(
        stream=stream, content_type="application/json;stream=watch" if not accept.yaml else "application/json"
    )


async def _lines(
    context: Context,
    watch: Watch,
    initial: list[Entry] | None,
    accept: Accept,
    seconds: float,
    bookmarks: bool,
    bookmark_initial: bool,
) -> AsyncIterator[bytes]:
    encoder = _encoder(context, accept)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    if initial and context.resource.custom is not None:
        await conversion.prepare(context, initial)
    if initial:
        for start in range(0, len(initial), 100):
            yield b"".join([encoder.entry("ADDED", entry) for entry in initial[start : start + 100]])
    if bookmark_initial:
        yield encoder.bookmark(watch.bookmark, initial_end=True)
    told = watch.bookmark
    custom = context.resource.custom
    if custom is not None:
        watch.ended = lambda: bool(custom.owner.gone)
    while (left := deadline - loop.time()) > 0 and not (custom is not None and custom.owner.gone):
        try:
            events = await watch.next(min(left, BOOKMARK_EVERY))
        except StatusError as error:
            yield orjson.dumps({"type": "ERROR", "object": error.status}) + b"\n"
            return
        if events:
            if custom is not None:
                await conversion.prepare(context, [event.change.final(event.type) for event in events])
            yield b"".join([encoder.event(event) for event in events])
        elif bookmarks and watch.bookmark > told:
            told = watch.bookmark
            yield encoder.bookmark(told)
    if bookmarks:
        # A last one, so that whoever watches on begins from here.
        yield encoder.bookmark(watch.bookmark)


class _Encoder:
    """Plain watch events: encoded once for all who watch."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def event(self, event: Event) -> bytes:
        return event.change.line(event.type)

    def entry(self, kind: str, entry: Entry) -> bytes:
        return b'{"type":"%s","object":%s}\n' % (kind.encode(), entry.bytes)

    def bookmark(self, revision: int, initial_end: bool = False) -> bytes:
        resource = self.context.resource
        metadata: Obj = {"resourceVersion": str(revision)}
        if initial_end:
            metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
        obj = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
        return self.wrap("BOOKMARK", obj)

    def wrap(self, kind: str, obj: Obj) -> bytes:
        return orjson.dumps({"type": kind, "object": obj}) + b"\n"


class _CustomEncoder(_Encoder):
    """Plain watch events of custom resources: shared while what is stored is what is served."""

    def event(self, event: Event) -> bytes:
        entry = event.change.final(event.type)
        if self.context.resource.custom.is_current(entry, entry.obj):
            return event.change.line(event.type)
        return self.entry(event.type, entry)

    def entry(self, kind: str, entry: Entry) -> bytes:
        return b'{"type":"%s","object":%s}\n' % (kind.encode(), entry_bytes(self.context, entry))


class _FormedEncoder(_Encoder):
    """Watch events in another form or version, each encoded for its watcher."""

    def __init__(self, context: Context, accept: Accept) -> None:
        super().__init__(context)
        self.accept = accept
        self.first = True

    def event(self, event: Event) -> bytes:
        return self.entry(event.type, event.change.final(event.type))

    def entry(self, kind: str, entry: Entry) -> bytes:
        obj = served_entry(self.context, entry)
        if self.accept.form == "Table":
            formed = _table(self.context, [obj], {"resourceVersion": str(entry.revision)})
            if not self.first:
                formed["columnDefinitions"] = None
            self.first = False
            return self.wrap(kind, formed)
        return self.wrap(kind, partial_metadata(obj) if self.accept.form else obj)

    def bookmark(self, revision: int, initial_end: bool = False) -> bytes:
        if self.accept.form != "Table":
            return super().bookmark(revision, initial_end)
        metadata: Obj = {"resourceVersion": str(revision)}
        row_metadata: Obj = {"resourceVersion": str(revision)}
        if initial_end:
            row_metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
        row = {"cells": [], "object": partial_metadata({"metadata": row_metadata})}
        formed = {
            "kind": "Table",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": metadata,
            "columnDefinitions": None,
            "rows": [row],
        }
        return self.wrap("BOOKMARK", formed)


def _encoder(context: Context, accept: Accept) -> _Encoder:
    if not accept.form:
        if _is_stored_version(context):
            return _Encoder(context)
        if context.resource.custom is not None:
            return _CustomEncoder(context)
    return _FormedEncoder(context, accept)
