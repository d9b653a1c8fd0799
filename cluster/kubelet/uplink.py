"""A kubelet's line to the API server, which can be cut (a network partition, as a Fault makes one)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import wraps
from typing import Any, TypeVar, cast

from cluster.apimachinery.errors import StatusError
from cluster.client.client import Batch, Client, Obj, ObjectList
from cluster.clock import skew

Call = TypeVar("Call", bound=Callable[..., Any])


def _by_its_own_clock(call: Call) -> Call:
    """The API server reads its own clock, not the machine's."""

    @wraps(call)
    async def sent(self: Uplink, *args: Any, **options: Any) -> Any:
        machine = skew.get()
        if machine is None or not machine.seconds:
            return await call(self, *args, **options)
        token = skew.set(None)
        try:
            return await call(self, *args, **options)
        finally:
            skew.reset(token)

    return cast(Call, sent)


class Uplink(Client):
    """The client it is given, while the line is there."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.user = client.user
        self.cut = False

    def _through(self, resource: str) -> Client:
        if self.cut:
            path = f"https://10.96.0.1:443/{'api' if resource.startswith('v1/') else 'apis'}/{resource}"
            raise StatusError(503, "ServiceUnavailable", f'Get "{path}": dial tcp 10.96.0.1:443: i/o timeout')
        return self._client

    @_by_its_own_clock
    async def get(self, resource: str, name: str, namespace: str = "", *, subresource: str = "") -> Obj:
        return await self._through(resource).get(resource, name, namespace, subresource=subresource)

    @_by_its_own_clock
    async def list(self, resource: str, namespace: str = "", **options: Any) -> ObjectList:
        return await self._through(resource).list(resource, namespace, **options)

    @_by_its_own_clock
    async def create(self, resource: str, obj: Obj, namespace: str = "", **options: Any) -> Obj:
        return await self._through(resource).create(resource, obj, namespace, **options)

    @_by_its_own_clock
    async def update(self, resource: str, obj: Obj, **options: Any) -> Obj:
        return await self._through(resource).update(resource, obj, **options)

    @_by_its_own_clock
    async def patch(self, resource: str, name: str, patch: Any, namespace: str = "", **options: Any) -> Obj:
        return await self._through(resource).patch(resource, name, patch, namespace, **options)

    @_by_its_own_clock
    async def delete(self, resource: str, name: str, namespace: str = "", **options: Any) -> Obj:
        return await self._through(resource).delete(resource, name, namespace, **options)

    @_by_its_own_clock
    async def delete_collection(self, resource: str, namespace: str = "", **options: Any) -> None:
        await self._through(resource).delete_collection(resource, namespace, **options)

    async def watch(self, resource: str, namespace: str = "", **options: Any) -> AsyncIterator[Batch]:
        """The kubelet ends its watch when the line is cut; here it only cannot begin."""
        async for batch in self._through(resource).watch(resource, namespace, **options):
            yield batch
