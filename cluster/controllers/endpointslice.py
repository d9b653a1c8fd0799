"""The endpoint slice controller: who answers for a Service, a hundred endpoints a slice (pkg/controller/endpointslice)."""

from __future__ import annotations

from cluster.apimachinery.errors import StatusError, is_not_found, namespace_terminating
from cluster.apimachinery.meta import key_of
from cluster.client.client import Obj
from cluster.client.loop import LoopContext
from cluster.controllers.lib.endpointloop import EndpointLoop
from cluster.controllers.lib.expectations import ControllerExpectations
from cluster.controllers.lib.services import SERVICE_NAME
from cluster.controllers.policy.slices import (
    MANAGED_BY,
    MANAGER,
    ZONE,
    SlicePlan,
    address_types,
    desired_endpoints,
    plan,
    with_trigger,
)
from cluster.journeys.trace import step

SLICES, NODES = "discovery.k8s.io/v1/endpointslices", "v1/nodes"


def by_service(endpoint_slice: Obj) -> tuple[str, ...]:
    """Index of our slices by the key of their Service."""
    labels = endpoint_slice["metadata"].get("labels") or {}
    if labels.get(MANAGED_BY) != MANAGER or SERVICE_NAME not in labels:
        return ()
    return (f"{endpoint_slice['metadata']['namespace']}/{labels[SERVICE_NAME]}",)


class EndpointSliceController(EndpointLoop):
    """Lists who answers for each Service, in slices of up to a hundred endpoints."""

    name = "endpointslice"
    title = "endpoint slice"

    def __init__(self, context: LoopContext) -> None:
        super().__init__(context)
        # Slices get generated names: what was created has to be seen before more is.
        self.expectations = ControllerExpectations()

    def setup(self) -> None:
        self.nodes = self.watch(NODES, self._node_changed)
        self.slices = self.informer(SLICES)
        self.slices.add_indexer("service", by_service)
        self.slices.add_handler(self._slice_changed)
        super().setup()

    def _node_changed(self, old: Obj | None, new: Obj | None) -> None:
        """A node's zone is part of its pods' endpoints."""
        if old is not None and new is not None and _zone(old) != _zone(new):
            for service in self.services.list():
                self.throttle.add(key_of(service))

    def _slice_changed(self, old: Obj | None, new: Obj | None) -> None:
        for key in {key for obj in (old, new) if obj is not None for key in by_service(obj)}:
            if old is None:
                self.expectations.creation_observed(key)
            self.throttle.add(key)

    async def sync(self, service: Obj, pods: list[Obj], trigger: float | None) -> None:
        key = key_of(service)
        if "deletionTimestamp" in service["metadata"] or not self.expectations.satisfied(key):
            return
        with step("observe") as span:
            existing = self.slices.by_index("service", key)
            span.detail = {"pods": len(pods), "slices": len(existing)}
        with step("decide") as span:
            zones = {node["metadata"]["name"]: _zone(node) for node in self.nodes.list()}
            total, families = SlicePlan(), address_types(service)
            for family in families:
                desired = desired_endpoints(service, pods, family, zones)
                mine = [known for known in existing if known.get("addressType") == family]
                planned = plan(service, mine, desired, family)
                total.create += planned.create
                total.update += planned.update
                total.delete += planned.delete
            total.delete += [known for known in existing if known.get("addressType") not in families]
            span.detail = {"create": len(total.create), "update": len(total.update), "delete": len(total.delete)}
        if not total.empty:
            with step("act"):
                await self._write(key, total, trigger)

    async def _write(self, key: str, total: SlicePlan, trigger: float | None) -> None:
        for wanted in total.create:
            self.expectations.expect_creations(key, 1)
            try:
                await self.client.create(SLICES, with_trigger(wanted, trigger), wanted["metadata"]["namespace"])
            except StatusError as error:
                self.expectations.creation_observed(key)
                if namespace_terminating(error):
                    return
                raise
        for wanted in total.update:
            await self.client.update(SLICES, with_trigger(wanted, trigger))
        for known in total.delete:
            await self._delete(known)

    async def _delete(self, known: Obj) -> None:
        metadata = known["metadata"]
        try:
            await self.client.delete(SLICES, metadata["name"], metadata["namespace"], uid=metadata["uid"])
        except StatusError as error:
            if not is_not_found(error):
                raise

    async def gone(self, key: str) -> None:
        """The garbage collector takes the slices: they are owned by the Service."""
        self.expectations.forget(key)


def _zone(node: Obj) -> str:
    return str((node["metadata"].get("labels") or {}).get(ZONE, ""))
