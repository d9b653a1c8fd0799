"""The endpoints controller: the older, single-object form of who answers for a Service (pkg/controller/endpoint)."""

from __future__ import annotations

from cluster.apimachinery.errors import StatusError, is_not_found, namespace_terminating
from cluster.apimachinery.meta import key_of, split_key
from cluster.client.client import Obj
from cluster.client.loop import LoopContext
from cluster.controllers.lib.endpointloop import EndpointLoop
from cluster.controllers.lib.services import HEADLESS, TRIGGER_TIME, is_headless
from cluster.controllers.policy.slices import with_trigger
from cluster.controllers.policy.subsets import OVER_CAPACITY, subsets_of, truncated
from cluster.journeys.trace import step

ENDPOINTS = "v1/endpoints"
MANAGED_BY, MANAGER = "endpoints.kubernetes.io/managed-by", "endpoint-controller"
# Leader election once locked on Endpoints: such objects are nobody's garbage.
LEADER = "control-plane.alpha.kubernetes.io/leader"


def labels_of(service: Obj) -> dict[str, str]:
    labels: dict[str, str] = dict(service["metadata"].get("labels") or {})
    labels.pop(HEADLESS, None)
    labels[MANAGED_BY] = MANAGER
    if is_headless(service):
        labels[HEADLESS] = ""
    return labels


class EndpointsController(EndpointLoop):
    """Keeps the Endpoints object of each Service, the older form of EndpointSlices."""

    name = "endpoints"
    account = "endpoint-controller"

    def __init__(self, context: LoopContext) -> None:
        super().__init__(context)
        self._deleted: set[str] = set()

    def setup(self) -> None:
        self.endpoints = self.watch(ENDPOINTS, self._endpoints_changed)
        super().setup()

    def _service_changed(self, old: Obj | None, new: Obj | None) -> None:
        if new is None and old is not None:
            self._deleted.add(key_of(old))
        super()._service_changed(old, new)

    def _endpoints_changed(self, old: Obj | None, new: Obj | None) -> None:
        """Deleted or changed by others: write it anew. One without a Service is left over."""
        obj = new if new is not None else old
        if obj is not None:
            self.throttle.add(key_of(obj))

    async def sync(self, service: Obj, pods: list[Obj], trigger: float | None) -> None:
        key = key_of(service)
        with step("compare") as span:
            known = self.endpoints.get(key)
            subsets, over = truncated(subsets_of(service, pods))
            labels = labels_of(service)
            ready = sum(len(subset.get("addresses") or ()) for subset in subsets)
            span.detail = {"pods": len(pods), "ready": ready}
            if known is not None and self._says(known, subsets, labels, over):
                return
        metadata = (
            dict(known["metadata"])
            if known is not None
            else {
                "name": service["metadata"]["name"],
                "namespace": service["metadata"]["namespace"],
            }
        )
        noted = {k: v for k, v in (metadata.get("annotations") or {}).items() if k != OVER_CAPACITY}
        if over:
            noted[OVER_CAPACITY] = "truncated"
        metadata |= {"labels": labels, "annotations": noted}
        fresh = with_trigger({"apiVersion": "v1", "kind": "Endpoints", "metadata": metadata}, trigger)
        if subsets:
            fresh["subsets"] = subsets
        with step("act", {"write": key}):
            if known is not None:
                await self.client.update(ENDPOINTS, fresh)
                return
            try:
                await self.client.create(ENDPOINTS, fresh, service["metadata"]["namespace"])
            except StatusError as error:
                if not namespace_terminating(error):
                    raise

    @staticmethod
    def _says(known: Obj, subsets: list[Obj], labels: dict[str, str], over: bool) -> bool:
        metadata = known["metadata"]
        noted = metadata.get("annotations") or {}
        return (
            (known.get("subsets") or []) == subsets
            and (metadata.get("labels") or {}) == labels
            and noted.get(OVER_CAPACITY, "") == ("truncated" if over else "")
        )

    async def gone(self, key: str) -> None:
        known = self.endpoints.get(key)
        deleted = key in self._deleted
        self._deleted.discard(key)
        if known is None or LEADER in (known["metadata"].get("annotations") or {}):
            return
        # A Service takes its Endpoints along, whoever wrote them; without that, only our own left over ones go.
        if not deleted and not self._ours(known):
            return
        namespace, name = split_key(key)
        with step("act", {"delete": key}):
            try:
                await self.client.delete(ENDPOINTS, name, namespace, uid=known["metadata"]["uid"])
            except StatusError as error:
                if not is_not_found(error):
                    raise

    @staticmethod
    def _ours(known: Obj) -> bool:
        metadata = known["metadata"]
        return (metadata.get("labels") or {}).get(MANAGED_BY) == MANAGER or TRIGGER_TIME in (
            metadata.get("annotations") or {}
        )
