"""Resources that are worked out when they are read and stored nowhere: metrics and diagnoses (what aggregated API servers serve).

Two tables from storage key to the function that makes the objects: of what is measured now, and of what is worked out from objects, which
can be had of any revision that the log still has (`resourceVersionMatch=Exact`). `name` and `namespace` say how much is wanted; empty
means all. A third table holds those that look closer, and may wait, when one object is asked for by name.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from cluster import clock
from cluster.apimachinery import errors
from cluster.apimachinery.errors import StatusError
from cluster.apiserver.computed import components, diagnoses, metrics
from cluster.apiserver.context import Context, Obj, Response
from cluster.apiserver.server import APIServer
from cluster.apiserver.stages import rendering
from cluster.apiserver.storage import world
from cluster.apiserver.storage.cache import Entry
from cluster.apiserver.storage.listing import ListOptions, Page, parse_revision, validate
from cluster.apiserver.storage.selection import Selection
from cluster.diagnosis import View

MEASURED: dict[str, Callable[[APIServer, str, str], list[Obj]]] = {
    "componentstatuses": components.statuses,
    "metrics.k8s.io/nodes": metrics.nodes,
    "metrics.k8s.io/pods": metrics.pods,
}
# (objects, cluster time of what they show, namespace, name)
WORKED_OUT: dict[str, Callable[[View, float, str, str], Iterable[Obj]]] = {
    "sim.kubeweb.dev/diagnoses": diagnoses.workloads,
    "sim.kubeweb.dev/nodediagnoses": diagnoses.nodes,
}

# How they are listed as of now.
LISTED: dict[str, Callable[[Context, str, str], Awaitable[list[Obj]]]] = {
    "sim.kubeweb.dev/diagnoses": diagnoses.listed,
    "sim.kubeweb.dev/nodediagnoses": diagnoses.listed_nodes,
}

CLOSER: dict[str, Callable[[Context], Awaitable[Obj | None]]] = {
    "sim.kubeweb.dev/diagnoses": diagnoses.workload,
    "sim.kubeweb.dev/nodediagnoses": diagnoses.node,
}


async def get(context: Context) -> dict[str, object]:
    """One object by name."""
    resource, (namespace, name) = context.resource, context.key
    closer = CLOSER.get(resource.storage_key)
    if closer is not None:
        found = await closer(context)
    else:
        found = next(iter(_now(context, namespace, name)), None)
    if found is None:
        raise errors.not_found(resource.plural, resource.group, name)
    context.response = Response(obj=found)
    return {"source": "computed"}


async def list_objects(context: Context, selection: Selection) -> dict[str, object]:
    """All that are selected: now, or exactly as of a revision."""
    storage, params = context.server.storage, context.params
    options = ListOptions(params.get("resourceVersion", ""), params.get("resourceVersionMatch", ""))
    validate(options)
    revision = parse_revision(options.resource_version) if options.match == "Exact" else storage.revision
    if revision == storage.revision:
        found = await _all_now(context, selection)
    else:
        found = await _then(context, selection, revision)
    entries = [
        Entry((one["metadata"].get("namespace", ""), one["metadata"]["name"]), revision, one)
        for one in sorted(found, key=lambda one: (one["metadata"].get("namespace", ""), one["metadata"]["name"]))
        if selection.matches(one)
    ]
    context.response = rendering.list_response(context, Page(entries, revision, source="computed"))
    return {"source": "computed", "revision": revision, "items": len(entries)}


def _now(context: Context, namespace: str, name: str) -> list[Obj]:
    server, key = context.server, context.resource.storage_key
    if key in MEASURED:
        return MEASURED[key](server, namespace, name)
    return list(WORKED_OUT[key](server.storage, clock.now(), namespace, name))


async def _all_now(context: Context, selection: Selection) -> list[Obj]:
    listed = LISTED.get(context.resource.storage_key)
    if listed is not None:
        return await listed(context, selection.namespace, selection.name)
    return _now(context, selection.namespace, selection.name)


async def _then(context: Context, selection: Selection, revision: int) -> list[Obj]:
    resource = context.resource
    work = WORKED_OUT.get(resource.storage_key)
    if work is None:
        raise StatusError(
            410,
            "Expired",
            f"{resource.plural}.{resource.group} are measured when they are read and kept nowhere: "
            f"there are none of revision {revision}",
        )

    def of(past: world.World) -> list[Obj]:
        return list(work(past, past.now(), selection.namespace, selection.name))

    return await world.ask(context.server.storage, revision, of)
