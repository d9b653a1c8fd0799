"""The endpoint slice mirroring controller: Endpoints that people write by hand, as EndpointSlices too.

Kubernetes' pkg/controller/endpointslicemirroring. A Service without a selector has whatever Endpoints somebody gives it; consumers
look at slices alone.
"""

from __future__ import annotations

from cluster.apimachinery.errors import StatusError, is_not_found, namespace_terminating
from cluster.apimachinery.meta import key_of
from cluster.client.client import Obj
from cluster.client.loop import ControlLoop, LoopContext
from cluster.controllers.endpoints import ENDPOINTS
from cluster.controllers.endpointslice import SLICES
from cluster.controllers.lib.endpointloop import SERVICES
from cluster.controllers.lib.expectations import ControllerExpectations
from cluster.controllers.lib.services import SERVICE_NAME
from cluster.controllers.policy.mirror import MANAGER, is_mirrored, mirrored, same
from cluster.controllers.policy.slices import MANAGED_BY
from cluster.journeys.trace import step


def by_endpoints(endpoint_slice: Obj) -> tuple[str, ...]:
    """Index of mirrored slices by the key of their Endpoints."""
    labels = endpoint_slice["metadata"].get("labels") or {}
    if labels.get(MANAGED_BY) != MANAGER or SERVICE_NAME not in labels:
        return ()
    return (f"{endpoint_slice['metadata']['namespace']}/{labels[SERVICE_NAME]}",)


class EndpointSliceMirroringController(ControlLoop):
    """Keeps slices that say what hand-written Endpoints say."""

    name = "endpointslicemirroring"
    title = "slice mirroring"

    def __init__(self, context: LoopContext) -> None:
        super().__init__(context)
        self.expectations = ControllerExpectations()

    def setup(self) -> None:
        self.services = self.informer(SERVICES)
        self.endpoints = self.watch(ENDPOINTS, self._endpoints_changed)
        self.services.add_handler(self._service_changed)
        self.slices = self.informer(SLICES)
        self.slices.add_indexer("endpoints", by_endpoints)
        self.slices.add_handler(self._slice_changed)

    def _endpoints_changed(self, old: Obj | None, new: Obj | None) -> None:
        """Most Endpoints are the endpoints controller's own: their Services have selectors."""
        obj = new or old
        if obj is not None:
            service = self.services.get(key_of(obj))
            if service is None or not service["spec"].get("selector"):
                self.enqueue(old, new)

    def _service_changed(self, old: Obj | None, new: Obj | None) -> None:
        before, after = (obj["spec"].get("selector") if obj is not None else None for obj in (old, new))
        if old is None or new is None or bool(before) != bool(after):
            self.enqueue(old, new)

    def _slice_changed(self, old: Obj | None, new: Obj | None) -> None:
        for key in {key for obj in (old, new) if obj is not None for key in by_endpoints(obj)}:
            if old is None:
                self.expectations.creation_observed(key)
            self.queue.add(key)

    async def reconcile(self, key: str) -> float | None:
        if not self.expectations.satisfied(key):
            return self.expectations.remaining(key)
        endpoints = self.endpoints.get(key)
        left = list(self.slices.by_index("endpoints", key))
        wanted: list[Obj] = []
        if endpoints is not None and is_mirrored(endpoints, self.services.get(key)):
            wanted = mirrored(endpoints)
        for one in wanted:
            # The slice that is nearest to it: the same family, the same ports if there is one.
            fitting = [known for known in left if known.get("addressType") == one["addressType"]]
            known = next((known for known in fitting if known.get("ports") == one["ports"]), next(iter(fitting), None))
            if known is None:
                await self._create(key, one)
                continue
            left.remove(known)
            if not same(known, one):
                metadata = {**known["metadata"], "labels": one["metadata"]["labels"]}
                metadata["annotations"] = one["metadata"].get("annotations", {})
                with step("act", {"write": key}):
                    await self.client.update(
                        SLICES, {**known, "metadata": metadata, "ports": one["ports"], "endpoints": one["endpoints"]}
                    )
        for known in left:
            await self._delete(known)
        if endpoints is None:
            self.expectations.forget(key)
        return None

    async def _create(self, key: str, wanted: Obj) -> None:
        self.expectations.expect_creations(key, 1)
        with step("act", {"create": key}):
            try:
                await self.client.create(SLICES, wanted, wanted["metadata"]["namespace"])
            except StatusError as error:
                self.expectations.creation_observed(key)
                if not namespace_terminating(error):
                    raise

    async def _delete(self, known: Obj) -> None:
        metadata = known["metadata"]
        with step("act", {"delete": metadata["name"]}):
            try:
                await self.client.delete(SLICES, metadata["name"], metadata["namespace"], uid=metadata["uid"])
            except StatusError as error:
                if not is_not_found(error):
                    raise
