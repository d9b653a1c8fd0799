"""`/explorer/why/`: the causes of an object back to a person's request, and what it led to.

The person must be allowed to `get` the object (asked of the API as that person, also for one that is gone). Journeys of others are
told in full to those who may list journeys; to everybody else without names: that somebody did it, not who.
"""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from rest_framework.exceptions import NotFound, PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from cluster.apimachinery.errors import StatusError, is_not_found
from cluster.explorer import causes
from cluster.explorer.asking import Asker, ExplorerView
from cluster.explorer.permissions import may_see_all_journeys
from cluster.explorer.services import Past, services
from cluster.explorer.then import Then, then_of

Obj = dict[str, Any]

# Revisions looked at, owners followed, trees opened besides the one that created the object.
REVISIONS, OWNERS, TREES = 200, 6, 4


class WhyView(ExplorerView):
    """GET ?resource=apps/v1/deployments&namespace=shop&name=web; `at`: as it could be told at that revision."""

    def get(self, request: Request) -> Response:
        params = request.query_params
        resource, name = params.get("resource", ""), params.get("name", "")
        if not resource or not name or len(resource) > 300 or len(name) > 300:
            raise ValidationError(
                {"resource": "the resource's path, as apps/v1/deployments", "name": "the object's name"}
            )
        reader = _Reader(self.asker, then_of(request), everything=may_see_all_journeys(self.asker.client))
        return Response(async_to_sync(reader.why)(resource, params.get("namespace", ""), name))


class _Reader:
    """Answers one question as one person, of one moment."""

    def __init__(self, asker: Asker, then: Then, *, everything: bool) -> None:
        self.client = asker.client
        self.user = asker.name
        self.then = then
        self.everything = everything
        self.journeys: dict[str, Obj] = {}
        self.opened: set[str] = set()

    async def why(self, resource: str, namespace: str, name: str) -> Obj:
        obj = await self._object(resource, namespace, name)
        past = await self._history(resource, namespace, name)
        if obj is None and not past:
            raise NotFound(f"{resource} {namespace}/{name} is not there, and its past is not known (any more)")
        changed = causes.changes(past, secret=resource == "v1/secrets")
        telling = [one for one in changed if not one["status"] and one["journey"]]
        for journey in [one["journey"] for one in (*telling[:1], *telling[-TREES:])]:
            await self._open(journey)
        latest = obj or (past[0].object if past else {})
        first = changed[0] if changed and changed[0]["verb"] == "create" else None
        starts = _outermost(self.journeys, [one["journey"] for one in telling])
        return {
            "object": {
                "apiVersion": latest.get("apiVersion", ""),
                "kind": latest.get("kind", ""),
                "resource": resource,
                "namespace": namespace,
                "name": name,
                "uid": (latest.get("metadata") or {}).get("uid", ""),
                "created": (latest.get("metadata") or {}).get("creationTimestamp", ""),
                "exists": obj is not None,
            },
            "owners": await self._owners(latest),
            "chain": [self._told(one) for one in causes.chain(self.journeys, first["journey"])] if first else [],
            "since": self._since(resource, namespace, name),
            "changes": [self._change(one) for one in reversed(changed) if not one["status"]][:40],
            "statusChanges": sum(one["status"] for one in changed),
            "caused": [
                {"step": self._told(self.journeys[start]), "branches": causes.effects(self.journeys, [start])}
                for start in reversed(starts)
                if self._is_mine(self.journeys[start])
            ],
        }

    async def _object(self, resource: str, namespace: str, name: str) -> Obj | None:
        """The object as it was then. Whether it may be seen is decided by the rights of now."""
        try:
            obj: Obj | None = await self.client.get(resource, name, namespace)
        except StatusError as error:
            if error.code == 403:
                raise PermissionDenied(error.message) from error
            if not is_not_found(error) or not error.details.get("name"):
                raise NotFound(error.message) from error
            obj = None
        return obj if self.then.revision is None else await self._as_it_was(resource, namespace, name)

    async def _as_it_was(self, resource: str, namespace: str, name: str) -> Obj | None:
        past = await self.then.history(resource, namespace, name, 1)
        return past[0].object if past and past[0].verb != "delete" else None

    async def _history(self, resource: str, namespace: str, name: str) -> list[Past]:
        return await self.then.history(resource, namespace, name, REVISIONS)

    async def _open(self, journey: str) -> None:
        root = journey.partition(".")[0]
        if root not in self.opened:
            self.opened.add(root)
            for one in self.then.of(await services().journeys.tree(root)):
                self.journeys[one["id"]] = one

    async def _owners(self, obj: Obj) -> list[Obj]:
        """The controlling owners, the nearest first, each with the revision and request that made it."""
        found: list[Obj] = []
        metadata = obj.get("metadata") or {}
        while len(found) < OWNERS:
            references = metadata.get("ownerReferences") or ()
            reference = next((one for one in references if one.get("controller")), next(iter(references), None))
            if reference is None:
                break
            resource = services().resource_of(reference["apiVersion"], reference["kind"])
            namespace, owner = metadata.get("namespace", ""), None
            try:
                owner = await self._object(resource, namespace, reference["name"]) if resource else None
            except (PermissionDenied, NotFound):
                owner = None
            same = owner is not None and owner["metadata"]["uid"] == reference["uid"]
            found.append(
                {
                    "apiVersion": reference["apiVersion"],
                    "kind": reference["kind"],
                    "resource": resource,
                    "namespace": namespace if not owner or owner["metadata"].get("namespace") else "",
                    "name": reference["name"],
                    "exists": same,
                    "made": await self._made(resource, namespace, reference["name"]) if same else None,
                }
            )
            if not same or owner is None:
                break
            metadata = owner["metadata"]
        return found

    async def _made(self, resource: str, namespace: str, name: str) -> Obj | None:
        changed = causes.changes(await self._history(resource, namespace, name))
        if not changed or changed[0]["verb"] != "create" or not changed[0]["journey"]:
            return None
        await self._open(changed[0]["journey"])
        journey = self.journeys.get(changed[0]["journey"])
        return None if journey is None else self._told(journey)

    def _since(self, resource: str, namespace: str, name: str) -> list[Obj]:
        plural = resource.rpartition("/")[2]
        return [self._told(one) for one in causes.about(self.journeys, plural, namespace, name)][-20:]

    def _change(self, change: Obj) -> Obj:
        journey = self.journeys.get(change["journey"])
        return {**change, "step": None if journey is None else self._told(journey)}

    def _is_mine(self, journey: Obj) -> bool:
        return self.everything or self._root_actor(journey) == self.user

    def _root_actor(self, journey: Obj) -> str:
        root = self.journeys.get(journey["root"])
        return str(root["actor"] if root is not None else services().journeys.actor_of(journey["root"]) or "")

    def _told(self, journey: Obj) -> Obj:
        told = causes.step(journey)
        if not self._is_mine(journey) and not journey["actor"].startswith("system:"):
            told |= {"actor": "", "impersonator": "", "agent": "", "hidden": True}
        return told


def _outermost(journeys: causes.Journeys, candidates: list[str]) -> list[str]:
    """Those that are not themselves an effect of another of them, in order."""
    known = [one for one in dict.fromkeys(candidates) if one in journeys]
    chosen = set(known)
    return [one for one in known if not chosen & {cause["id"] for cause in causes.chain(journeys, one)[:-1]}]
