"""`/explorer/termination/`: how a pod ended (or is ending), from the journeys of its deletion. RBAC as for `why`."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from rest_framework.exceptions import NotFound, PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from cluster.apimachinery.errors import StatusError, is_not_found
from cluster.client.client import Client
from cluster.explorer import gantt
from cluster.explorer.asking import ExplorerView
from cluster.explorer.permissions import may_see_all_journeys
from cluster.explorer.services import Past, services
from cluster.explorer.then import Then, then_of

Obj = dict[str, Any]
SLICES = "discovery.k8s.io/v1/endpointslices"
# Revisions looked at, of the pod and of each slice.
REVISIONS = 300


class TerminationView(ExplorerView):
    """GET ?namespace=shop&name=web-0; `at`: as far as it had come at that revision."""

    def get(self, request: Request) -> Response:
        namespace, name = (request.query_params.get(field, "") for field in ("namespace", "name"))
        if not namespace or not name or len(namespace) + len(name) > 600:
            raise ValidationError({"namespace": "the pod's namespace", "name": "the pod's name"})
        mine = None if may_see_all_journeys(self.asker.client) else self.asker.name
        return Response(async_to_sync(_termination)(self.asker.client, mine, then_of(request), namespace, name))


async def _termination(client: Client, mine: str | None, then: Then, namespace: str, name: str) -> Obj:
    """The pod's end. `mine`: whose journeys may be told; None: everybody's."""
    try:
        await client.get("v1/pods", name, namespace)
    except StatusError as error:
        if not is_not_found(error):
            raise PermissionDenied(error.message) from error
    past = await then.history("v1/pods", namespace, name, REVISIONS)
    if not past:
        raise NotFound(f'nothing is known (any more) of pod "{name}"' + (" at that revision" if then.revision else ""))
    marked = _marked(past)
    pod = past[0].object
    answer: Obj = {
        "namespace": namespace,
        "name": name,
        "node": pod["spec"].get("nodeName", ""),
        "containers": [one["name"] for one in pod["spec"]["containers"]],
        "gone": past[0].verb == "delete",
        "deleting": marked is not None or past[0].verb == "delete",
        "grace": (marked or past[0]).object["metadata"].get("deletionGracePeriodSeconds"),
        "wanted": pod["spec"].get("terminationGracePeriodSeconds"),
        "bars": [],
        # Whether the journeys of the end are still kept, and up to when they are told (real seconds); None: up to now.
        "kept": True,
        "until": None if then.revision is None else then.real,
        "root": "",
        "actor": "",
    }
    journey = (marked or past[0]).journey if answer["deleting"] else ""
    if not journey:
        return answer
    root = journey.partition(".")[0]
    actor = services().journeys.actor_of(root)
    if mine is not None and actor != mine:
        raise PermissionDenied(
            "the deletion was somebody else's; its journey may only be seen by who may list journeys"
        )
    journeys = {one["id"]: one for one in then.of(await services().journeys.tree(root))}
    touched = {
        one["name"]
        for one in journeys.values()
        if one["resource"] == "endpointslices" and one["namespace"] == namespace and one["revision"]
    }
    slices = {one: await then.history(SLICES, namespace, one, REVISIONS) for one in sorted(touched)}
    answer |= {
        "root": root,
        "actor": actor or "",
        "kept": bool(journeys),
        "bars": gantt.bars(journeys, namespace, name, slices),
    }
    return answer


def _marked(past: list[Past]) -> Past | None:
    """The revision that put the deletionTimestamp there (newest first)."""
    found = None
    for one in past:
        if one.verb == "delete" and found is None:
            continue
        if "deletionTimestamp" not in one.object["metadata"]:
            break
        found = one
    return found
