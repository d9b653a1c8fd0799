"""IPAddress objects: one for each address that a Service has (pkg/registry/core/service/ipallocator, and its repairipallocator).

Whose object it is has the address: it is created before its Service is written and deleted after the Service has gone or has given
the address back, within the Service's own request. What a crash leaves, or somebody deletes by hand, is repaired.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from cluster.apimachinery import errors
from cluster.apimachinery.errors import StatusError, is_already_exists, is_not_found
from cluster.apiserver.keeping import Keeper
from cluster.apiserver.request import SYSTEM
from cluster.journeys.trace import Journey, working_on

if TYPE_CHECKING:
    from cluster.apiserver.server import APIServer

log = logging.getLogger(__name__)

Obj = dict[str, Any]
T = TypeVar("T")
ADDRESSES, KEY = "networking.k8s.io/v1/ipaddresses", "networking.k8s.io/ipaddresses"
MANAGED_BY, MANAGER = "ipaddress.kubernetes.io/managed-by", "ipallocator.k8s.io"
FAMILY = "ipaddress.kubernetes.io/ip-family"


class Taken(Exception):
    """Somebody has the address already."""


def addresses_of(service: Obj | None) -> list[str]:
    """The cluster addresses that a Service has."""
    if service is None:
        return []
    return [address for address in service["spec"].get("clusterIPs") or () if address and address != "None"]


def address_object(address: str, service: Obj) -> Obj:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IPAddress",
        "metadata": {"name": address, "labels": {FAMILY: "IPv6" if ":" in address else "IPv4", MANAGED_BY: MANAGER}},
        "spec": {"parentRef": _reference(service)},
    }


def _reference(service: Obj) -> Obj:
    metadata = service["metadata"]
    return {"group": "", "resource": "services", "namespace": metadata["namespace"], "name": metadata["name"]}


class ServiceAddresses(Keeper):
    """`write` is how Services are written; between `start()` and `stop()` what is amiss is repaired."""

    name = "service addresses"

    def __init__(self, server: APIServer) -> None:
        super().__init__()
        self._storage = server.storage
        self._client = server.loopback(SYSTEM, "kube-apiserver")
        # The addresses that requests on their way claim or give back: nothing is amiss with them.
        self._underway: set[str] = set()

    # -- within a Service's request ------------------------------------------------------------------------------

    async def write(self, journey: Journey, old: Obj | None, new: Obj | None, store: Callable[[], Awaitable[T]]) -> T:
        """What `store` returns, which writes the Service (`new` None: deletes it): its new addresses are claimed before, and given
        back should it fail; those it has no more are given back after. Raises Taken.
        """
        before, after = addresses_of(old), addresses_of(new)
        if before == after:
            return await store()
        # Nobody is left between two writes because a client went away.
        return await asyncio.shield(self._write(journey, old, new, store))

    async def _write(self, journey: Journey, old: Obj | None, new: Obj | None, store: Callable[[], Awaitable[T]]) -> T:
        before, after = addresses_of(old), addresses_of(new)
        claimed: list[str] = []
        self._underway.update(before, after)
        try:
            with working_on(journey):
                try:
                    for address in after:
                        if address not in before:
                            assert new is not None
                            await self._claim(address, new)
                            claimed.append(address)
                    result = await store()
                except BaseException:
                    for address in claimed:
                        assert new is not None
                        await self._release(address, new)
                    raise
                for address in before:
                    if address not in after:
                        assert old is not None
                        await self._release(address, old)
                return result
        finally:
            self._underway.difference_update(before, after)

    async def _claim(self, address: str, service: Obj) -> None:
        try:
            await self._client.create(ADDRESSES, address_object(address, service))
        except StatusError as error:
            if is_already_exists(error):
                raise Taken from error
            raise errors.internal(f"failed to allocate a serviceIP: {error.message}") from error

    async def _release(self, address: str, service: Obj) -> None:
        known = self._storage.get(KEY, "", address)
        if known is None or known["spec"]["parentRef"] != _reference(service):
            return
        try:
            await self._client.delete(ADDRESSES, address, uid=known["metadata"]["uid"])
        except StatusError as error:
            if not is_not_found(error):
                # The Service is written: that cannot be refused any more.
                log.warning("the address %s is not given back yet: %s", address, error.message)
                self.ring()

    # -- repair --------------------------------------------------------------------------------------------------

    def start(self) -> None:
        self._storage.on_change("services", self._service_changed)
        self._storage.on_change(KEY, self._address_changed)
        self.begin()

    def _service_changed(self, old: Obj | None, new: Obj | None) -> None:
        if any(self._storage.get(KEY, "", address) is None for address in addresses_of(new)):
            self.ring()

    def _address_changed(self, old: Obj | None, new: Obj | None) -> None:
        if new is None and old is not None and old["metadata"]["name"] not in self._underway:
            self.ring()

    async def reconcile(self) -> None:
        """Objects of ours whose Service has the address no more go, and each address of a Service has one."""
        for known in list(self._storage.list(KEY)):
            if (known["metadata"].get("labels") or {}).get(MANAGED_BY) == MANAGER:
                await self._take_back(known)
        for service in list(self._storage.list("services")):
            for address in addresses_of(service):
                if address not in self._underway and self._storage.get(KEY, "", address) is None:
                    await self._client.create(ADDRESSES, address_object(address, service))

    async def _take_back(self, known: Obj) -> None:
        address, parent = known["metadata"]["name"], known["spec"]["parentRef"]
        service = self._storage.get("services", parent.get("namespace", ""), parent["name"])
        if address not in self._underway and address not in addresses_of(service):
            await self._client.delete(ADDRESSES, address, uid=known["metadata"]["uid"])
