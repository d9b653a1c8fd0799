"""Looking into pods for a diagnosis: what one would find there oneself, for whoever may forward a port to them."""

from __future__ import annotations

from cluster.apimachinery.errors import StatusError
from cluster.apiserver.context import Obj
from cluster.apiserver.request import RequestInfo, UserInfo
from cluster.apiserver.server import APIServer
from cluster.diagnosis.inside import Found

# Pods that are looked into for one answer.
MOST = 6
Key = tuple[str, str, str]


class Looks:
    """Asked once, it notes where it would have to look; after `load()` it answers."""

    def __init__(self, server: APIServer, user: UserInfo) -> None:
        self._server = server
        self._user = user
        self._asked: dict[Key, None] = {}
        self._found: dict[Key, Found] = {}

    def of(self, pod: Obj) -> Found:
        metadata = pod["metadata"]
        key = (pod["spec"].get("nodeName", ""), metadata["namespace"], metadata["name"])
        if key not in self._found and key[0] and self._may(metadata["namespace"], metadata["name"]):
            self._asked[key] = None
        return self._found.get(key, {})

    async def load(self) -> bool:
        """Look where it was asked to; whether there was anything."""
        for key in [*self._asked][:MOST]:
            try:
                self._found[key] = await self._server.nodes.inside(*key)
            except StatusError:
                # The node's kubelet does not answer: step 2 says so.
                continue
        return bool(self._found)

    def _may(self, namespace: str, name: str) -> bool:
        info = RequestInfo(
            "",
            "create",
            is_resource=True,
            version="v1",
            namespace=namespace,
            resource="pods",
            subresource="portforward",
            name=name,
        )
        return self._server.authorizer.authorize(self._user, info).allowed
