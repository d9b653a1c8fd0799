"""Resources that are worked out when they are read and stored nowhere: metrics and diagnoses (what aggregated API servers serve).

One table from storage key to the function that makes the objects. `name` and `namespace` say how much is wanted; empty means all.
"""

from __future__ import annotations

from collections.abc import Callable

from cluster.apimachinery import errors
from cluster.apiserver.computed import components, diagnoses, metrics
from cluster.apiserver.context import Context, Obj, Response
from cluster.apiserver.server import APIServer
from cluster.apiserver.stages import rendering
from cluster.apiserver.storage.cache import Entry
from cluster.apiserver.storage.listing import Page
from cluster.apiserver.storage.selection import Selection

Provider = Callable[[APIServer, str, str], list[Obj]]

PROVIDERS: dict[str, Provider] = {
    "componentstatuses": components.statuses,
    "metrics.k8s.io/nodes": metrics.nodes,
    "metrics.k8s.io/pods": metrics.pods,
    "sim.kubeweb.dev/diagnoses": diagnoses.workloads,
    "sim.kubeweb.dev/nodediagnoses": diagnoses.nodes,
}


def get(context: Context) -> dict[str, object]:
    """One object by name."""
    resource, (namespace, name) = context.resource, context.key
    found = PROVIDERS[resource.storage_key](context.server, namespace, name)
    if not found:
        raise errors.not_found(resource.plural, resource.group, name)
    context.response = Response(obj=found[0])
    return {"source": "computed"}


def list_objects(context: Context, selection: Selection) -> dict[str, object]:
    """All that are selected."""
    server, resource = context.server, context.resource
    found = PROVIDERS[resource.storage_key](server, selection.namespace, selection.name)
    revision = server.storage.revision
    entries = [
        Entry((one["metadata"].get("namespace", ""), one["metadata"]["name"]), revision, one)
        for one in sorted(found, key=lambda one: (one["metadata"].get("namespace", ""), one["metadata"]["name"]))
        if selection.matches(one)
    ]
    context.response = rendering.list_response(context, Page(entries, revision, source="computed"))
    return {"source": "computed", "items": len(entries)}
