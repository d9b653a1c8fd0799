"""Before a pod is bound, its claims are: volumes are given, or asked for, and waited for (plugins/volumebinding, PreBind)."""

from __future__ import annotations

import asyncio
from typing import Any

from cluster import clock
from cluster.apimachinery.meta import key_of
from cluster.apimachinery.volumes import BOUND_BY_CONTROLLER, SELECTED_NODE, is_fully_bound
from cluster.client.client import Client
from cluster.client.informer import Informer
from cluster.scheduler.volumes import Promise

Obj = dict[str, Any]
CLAIMS, VOLUMES = "v1/persistentvolumeclaims", "v1/persistentvolumes"
# Seconds that a volume may take (VolumeBindingArgs.bindTimeoutSeconds).
BIND_TIMEOUT = 600.0


class NotBoundError(Exception):
    """The claims did not get their volumes, in the scheduler's words."""


class VolumeBinder:
    """Writes down what was promised, and waits until the volume binder has made it true."""

    def __init__(self, client: Client, claims: Informer) -> None:
        self._client = client
        self._claims = claims
        self._waiting: set[asyncio.Future[None]] = set()
        claims.add_handler(self._claim_changed)

    def _claim_changed(self, old: Obj | None, new: Obj | None) -> None:
        for waiter in list(self._waiting):
            if not waiter.done():
                waiter.set_result(None)

    async def bind(self, given: list[Promise], node: str) -> None:
        """NotBoundError when a claim goes, gives up its node or takes too long; StatusError when a write fails."""
        for one in given:
            if one.volume is None:
                await self._ask_for(one.claim, node)
            else:
                await self._give(one.volume, one.claim)
        deadline = clock.now() + BIND_TIMEOUT
        while not all(self._is_done(one, node) for one in given):
            if clock.now() >= deadline:
                raise NotBoundError("binding volumes: context deadline exceeded")
            await self._news(deadline - clock.now())

    async def _ask_for(self, claim: Obj, node: str) -> None:
        metadata = claim["metadata"]
        if (metadata.get("annotations") or {}).get(SELECTED_NODE) == node:
            return
        noted = {**(metadata.get("annotations") or {}), SELECTED_NODE: node}
        await self._client.update(CLAIMS, {**claim, "metadata": {**metadata, "annotations": noted}})

    async def _give(self, volume: Obj, claim: Obj) -> None:
        metadata, wanted = volume["metadata"], claim["metadata"]
        reference = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            **{field: wanted[field] for field in ("namespace", "name", "uid", "resourceVersion")},
        }
        given = {**volume, "spec": {**volume["spec"], "claimRef": reference}}
        if volume["spec"].get("claimRef") is None:
            noted = {**(metadata.get("annotations") or {}), BOUND_BY_CONTROLLER: "yes"}
            given["metadata"] = {**metadata, "annotations": noted}
        await self._client.update(VOLUMES, given)

    def _is_done(self, one: Promise, node: str) -> bool:
        name = one.claim["metadata"]["name"]
        claim = self._claims.get(key_of(one.claim))
        if claim is None or claim["metadata"]["uid"] != one.claim["metadata"]["uid"]:
            raise NotBoundError(f'binding volumes: persistentvolumeclaim "{name}" not found')
        if is_fully_bound(claim):
            return True
        known = (claim["metadata"].get("annotations") or {}).get(SELECTED_NODE)
        seen = int(claim["metadata"]["resourceVersion"]) > int(one.claim["metadata"]["resourceVersion"])
        if one.volume is None and seen and known != node:
            raise NotBoundError(f'binding volumes: provisioning failed for PVC "{name}"')
        return False

    async def _news(self, most: float) -> None:
        """Until some claim changes, or that long."""
        waiter = asyncio.get_running_loop().create_future()

        def late() -> None:
            if not waiter.done():
                waiter.set_result(None)

        timer = clock.call_later(most, late)
        self._waiting.add(waiter)
        try:
            await waiter
        finally:
            self._waiting.discard(waiter)
            timer.cancel()
