"""IPAddress objects: one for each address that a Service has (pkg/registry/core/service/ipallocator).

The addresses themselves are given out by admission, which looks at the Services; these objects say so to people. They are kept by
the API server itself: written when a Service gets an address, deleted when no Service has it, and repaired at the start.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from cluster.apimachinery.errors import StatusError, is_already_exists, is_not_found
from cluster.apiserver.bootstrap import SYSTEM
from cluster.apiserver.server import APIServer

log = logging.getLogger(__name__)

Obj = dict[str, Any]
ADDRESSES, KEY = "networking.k8s.io/v1/ipaddresses", "networking.k8s.io/ipaddresses"
MANAGED_BY, MANAGER = "ipaddress.kubernetes.io/managed-by", "ipallocator.k8s.io"
FAMILY = "ipaddress.kubernetes.io/ip-family"


def addresses_of(service: Obj | None) -> list[str]:
    """The cluster addresses that a Service has."""
    if service is None:
        return []
    return [address for address in service["spec"].get("clusterIPs") or () if address and address != "None"]


def address_object(address: str, service: Obj) -> Obj:
    metadata = service["metadata"]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IPAddress",
        "metadata": {"name": address, "labels": {FAMILY: "IPv6" if ":" in address else "IPv4", MANAGED_BY: MANAGER}},
        "spec": {
            "parentRef": {
                "group": "",
                "resource": "services",
                "namespace": metadata["namespace"],
                "name": metadata["name"],
            }
        },
    }


class ServiceAddresses:
    """`start()` and `stop()`; in between IPAddress objects follow the Services."""

    def __init__(self, server: APIServer) -> None:
        self._storage = server.storage
        self._client = server.loopback(SYSTEM, "kube-apiserver")
        # Address → the Service that has it (None: nobody, any more).
        self._changed: dict[str, Obj | None] = {}
        self._bell = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._storage.on_change("services", self._service_changed)
        for known in self._storage.list(KEY):
            if (known["metadata"].get("labels") or {}).get(MANAGED_BY) == MANAGER:
                self._changed.setdefault(known["metadata"]["name"], None)
        self._task = asyncio.create_task(self._run(), name="service addresses")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _service_changed(self, old: Obj | None, new: Obj | None) -> None:
        before, after = addresses_of(old), addresses_of(new)
        if before == after:
            return
        for address in before:
            self._changed[address] = None
        for address in after:
            self._changed[address] = new
        self._bell.set()

    async def _run(self) -> None:
        while True:
            while self._changed:
                address, service = self._changed.popitem()
                try:
                    await self._write(address, service)
                except StatusError:
                    log.exception("address %s", address)
            await self._bell.wait()
            self._bell.clear()

    async def _write(self, address: str, service: Obj | None) -> None:
        known = self._storage.get(KEY, "", address)
        if service is None:
            if known is not None:
                try:
                    await self._client.delete(ADDRESSES, address)
                except StatusError as error:
                    if not is_not_found(error):
                        raise
            return
        wanted = address_object(address, service)
        if known is not None and known["spec"] == wanted["spec"]:
            return
        if known is not None:
            # Somebody else's, before: the reference cannot change, so it is made anew.
            await self._client.delete(ADDRESSES, address)
        try:
            await self._client.create(ADDRESSES, wanted)
        except StatusError as error:
            if not is_already_exists(error):
                raise
