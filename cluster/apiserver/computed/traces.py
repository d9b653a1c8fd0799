"""The journeys that a diagnosis may name: those that its asker may see.

Who may `list journeys.sim.kubeweb.dev` sees all, everybody else the trees that began with a request of their own; as at `/explorer/journeys/`.
Nothing is read before it is asked for, and of one answer's questions no more than a few trees, of each the latest part.
"""

from __future__ import annotations

from collections.abc import Sequence

from cluster.apiserver.context import Obj
from cluster.apiserver.request import RequestInfo, UserInfo
from cluster.apiserver.server import APIServer
from cluster.journeys.store import JourneyStore
from cluster.journeys.trace import root_of

# States of objects whose journeys are looked up, trees read, journeys of one tree, refusals looked at; for one answer.
MOST_WRITTEN, MOST_TREES, MOST_OF_TREE, MOST_REFUSALS = 24, 6, 5000, 5
Key = tuple[str, str, str]


class Traces:
    """Asked once, it notes what would have to be read; after `load()` it answers."""

    def __init__(self, server: APIServer, journeys: JourneyStore, user: UserInfo) -> None:
        self._server = server
        self._journeys = journeys
        self._user = user
        self._everything = server.authorizer.authorize(user, _listing_journeys()).allowed
        # What was asked and is not known yet: states of objects, and roots of trees. In order.
        self._written: dict[Key, None] = {}
        self._roots: dict[str, None] = {}
        self._writers: dict[Key, str] = {}
        self._trees: dict[str, list[Obj]] = {}

    def of(self, written: Obj) -> tuple[str, Sequence[Obj]]:
        """The journey that wrote an object as it stands, and its tree."""
        resource = self._server.registry.by_kind(written.get("apiVersion", ""), written.get("kind", ""))
        if resource is None:
            return "", ()
        metadata = written["metadata"]
        key = (resource.storage_key, metadata.get("namespace", ""), metadata["name"])
        if key not in self._writers:
            self._written[key] = None
            return "", ()
        journey = self._writers[key]
        return journey, self._trees.get(root_of(journey), ())

    def refusals(self, user: str) -> Sequence[Obj]:
        """Requests from outside that this user is still not allowed."""
        if not self._everything and user != self._user.name:
            return ()
        found: list[Obj] = []
        for summary in self._journeys.recent(actor=user, limit=200):
            if summary["code"] != 403 or len(found) >= MOST_REFUSALS or self._allowed(summary):
                continue
            self._roots[summary["root"]] = None
            tree = self._trees.get(summary["root"], ())
            found += [one for one in tree if one["id"] == summary["id"] and _refused_at_authz(one)]
        return found

    async def load(self) -> bool:
        """Read what was asked for; whether there was anything."""
        for key in [*self._written][:MOST_WRITTEN]:
            revisions = await self._server.storage.log.history(*key, 1)
            self._writers[key] = revisions[0].journey if revisions else ""
        roots = [*self._roots, *(root_of(journey) for journey in self._writers.values() if journey)]
        visible = [root for root in dict.fromkeys(roots) if self._may_see(root)]
        for root in visible[:MOST_TREES]:
            self._trees[root] = await self._journeys.tree(root, MOST_OF_TREE)
        return bool(self._trees)

    def _may_see(self, root: str) -> bool:
        return self._everything or self._journeys.actor_of(root) == self._user.name

    def _allowed(self, request: Obj) -> bool:
        """Whether they may do now what they asked for then."""
        info = RequestInfo(
            "",
            request["verb"],
            is_resource=True,
            group=request["group"],
            namespace=request["namespace"],
            resource=request["resource"],
            subresource=request["subresource"],
            name=request["name"],
        )
        _, _, namespace, _ = request["actor"].split(":", 3)
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
        return self._server.authorizer.authorize(UserInfo(request["actor"], groups), info).allowed


def _refused_at_authz(request: Obj) -> bool:
    return any(span["stage"] == "authz" and span["outcome"] == "refused" for span in request["spans"])


def _listing_journeys() -> RequestInfo:
    return RequestInfo("", "list", is_resource=True, group="sim.kubeweb.dev", version="v1alpha1", resource="journeys")
