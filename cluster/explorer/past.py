"""The time machine: which revision was when, the cluster as it was then, and what changed between two moments.

Past states are the API server's own answers to lists with `resourceVersionMatch=Exact`, asked as the person who looks; below
the compaction they are 410 Gone, and the page says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from asgiref.sync import async_to_sync
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from cluster import clock
from cluster.apimachinery.errors import StatusError
from cluster.client.client import Client, Obj
from cluster.explorer import difference, timeline
from cluster.explorer.asking import ExplorerView
from cluster.explorer.feed import EVERYWHERE, MOST_NAMESPACES
from cluster.explorer.permissions import namespaces_of
from cluster.explorer.services import services
from cluster.explorer.summaries import SUMMARIES
from cluster.explorer.then import revision_of

# Changes in one answer.
MOST_CHANGES = 300
# Not worth telling: heartbeats.
NOISE = frozenset({"coordination.k8s.io/v1/leases"})


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or len(text) > 18:
        raise ValidationError({name: "a number, not negative"})
    return int(text)


def _resources(request: Request) -> list[str]:
    wanted = list(dict.fromkeys(name for name in request.query_params.get("resources", "").split(",") if name))
    unknown = sorted(set(wanted) - SUMMARIES.keys())
    if unknown:
        raise ValidationError({"resources": f"not known here: {', '.join(unknown)}"})
    return wanted or [name for name in SUMMARIES if name not in NOISE]


class TimelineView(ExplorerView):
    """Notes of which revision was when: [revision, cluster time, real time]; `since` (real seconds), `points` (at most 2000)."""

    def get(self, request: Request) -> Response:
        since = _number(request, "since", 0)
        points = min(max(_number(request, "points", 400), 2), 2000)
        return Response(
            {
                "oldest": max(services().oldest(), 1),
                "newest": services().revision(),
                "cluster_time": clock.now(),
                "points": timeline.between(since, points),
            }
        )


@dataclass
class Sight:
    """What somebody may see of a moment: objects by resource; why some may not be seen; in which namespaces, where not in all."""

    found: dict[str, list[Obj]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    within: dict[str, list[str]] = field(default_factory=dict)


async def _list_at(client: Client, resources: list[str], at: int) -> Sight:
    """Each resource as of `at`, as far as this person may see it. StatusError 410 when the log no longer has it."""
    sight = Sight()
    for resource in resources:
        try:
            sight.found[resource] = await _list(client, resource, EVERYWHERE, at)
        except StatusError as error:
            if error.code not in (403, 404):
                raise
            some = await _list_where_allowed(client, resource, at) if error.code == 403 else {}
            if some:
                sight.within[resource] = list(some)
                sight.found[resource] = [obj for objects in some.values() for obj in objects]
            else:
                sight.refused[resource] = error.message
    return sight


async def _list_where_allowed(client: Client, resource: str, at: int) -> dict[str, list[Obj]]:
    """What there was in each of the namespaces in which this person may see it."""
    some: dict[str, list[Obj]] = {}
    for namespace in namespaces_of(client)[:MOST_NAMESPACES]:
        try:
            some[namespace] = await _list(client, resource, namespace, at)
        except StatusError as error:
            if error.code not in (403, 404):
                raise
    return some


async def _list(client: Client, resource: str, namespace: str, at: int) -> list[Obj]:
    page = await client.list(resource, namespace, resource_version=str(at), resource_version_match="Exact")
    return page.items


class PastView(ExplorerView):
    """The objects as they were `at` a revision, summarized as in the live stream."""

    def get(self, request: Request) -> Response:
        at, resources = revision_of(request, "at"), _resources(request)
        sight = async_to_sync(_list_at)(self.asker.client, resources, at)
        told = {name: [SUMMARIES[name](obj) for obj in objects] for name, objects in sight.found.items()}
        return Response({"revision": at, "resources": told, "refused": sight.refused, "within": sight.within})


class ChangesView(ExplorerView):
    """What differs between the revisions `from` and `to`: objects added, changed (with their fields) and removed."""

    def get(self, request: Request) -> Response:
        newest = services().revision()
        start, end, resources = revision_of(request, "from"), revision_of(request, "to", newest), _resources(request)
        if start > end:
            raise ValidationError({"from": f"not after {end}"})
        client = self.asker.client
        before = async_to_sync(_list_at)(client, resources, start)
        after = async_to_sync(_list_at)(client, resources, end)
        changes: list[dict[str, Any]] = []
        for resource in resources:
            for change in difference.of_lists(before.found.get(resource, []), after.found.get(resource, [])):
                changes.append({"resource": resource, **change})
        changes.sort(key=lambda change: change["revision"])
        return Response(
            {
                "from": start,
                "to": end,
                "changes": changes[-MOST_CHANGES:],
                "more": max(len(changes) - MOST_CHANGES, 0),
                "refused": before.refused,
            }
        )
