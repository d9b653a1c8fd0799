"""Says of each FlowSchema whether the level that it names exists (apf's config-producing controller)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cluster import clock
from cluster.apiserver.flowcontrol.classify import LEVELS, SCHEMAS
from cluster.apiserver.keeping import Keeper
from cluster.apiserver.request import SYSTEM

if TYPE_CHECKING:
    from cluster.apiserver.server import APIServer

Obj = dict[str, Any]
PATH = "flowcontrol.apiserver.k8s.io/v1/flowschemas"


class Dangling(Keeper):
    """The condition Dangling."""

    name = "flow schemas"

    def __init__(self, server: APIServer) -> None:
        super().__init__()
        self.storage = server.storage
        self.client = server.loopback(SYSTEM, "api-priority-and-fairness-config-consumer-v1")

    def start(self) -> None:
        for key in (SCHEMAS, LEVELS):
            self.storage.on_change(key, lambda old, new: self.ring())
        self.begin()

    async def reconcile(self) -> None:
        levels = {level["metadata"]["name"] for level in self.storage.list(LEVELS)}
        for schema in list(self.storage.list(SCHEMAS)):
            name = schema["spec"]["priorityLevelConfiguration"]["name"]
            exists = name in levels
            told = "it exists" if exists else "there is no such object"
            fresh = {
                "type": "Dangling",
                "status": "False" if exists else "True",
                "reason": "Found" if exists else "NotFound",
                "message": f'This FlowSchema references the PriorityLevelConfiguration object named "{name}" and {told}',
            }
            conditions = (schema.get("status") or {}).get("conditions") or []
            known = next((one for one in conditions if one["type"] == "Dangling"), None)
            if known is not None and {**known, **fresh} == known:
                continue
            others = [one for one in conditions if one["type"] != "Dangling"]
            status = {"conditions": [*others, {**fresh, "lastTransitionTime": clock.timestamp()}]}
            await self.client.update(PATH, {**schema, "status": status}, subresource="status")
