"""The disruption controller: how many pods a PodDisruptionBudget can spare right now (pkg/controller/disruption)."""

from __future__ import annotations

from collections.abc import Iterable

from cluster import clock
from cluster.apimachinery.labels import NOTHING, Selector, from_selector
from cluster.apimachinery.meta import controller_of, is_condition_true, key_of, scaled, set_condition
from cluster.client.client import Obj
from cluster.client.events import EventRecorder
from cluster.client.loop import ControlLoop, LoopContext
from cluster.controllers.lib.batching import Throttle
from cluster.controllers.lib.podcontrol import PODS
from cluster.journeys.trace import step

BUDGETS = "policy/v1/poddisruptionbudgets"
# Kinds that say how many pods there should be: by the kind and group of an owner, where its size stands.
SCALES = {
    ("ReplicaSet", "apps"): "apps/v1/replicasets",
    ("StatefulSet", "apps"): "apps/v1/statefulsets",
    ("ReplicationController", ""): "v1/replicationcontrollers",
    ("Deployment", "apps"): "apps/v1/deployments",
}
# An eviction that was allowed and has not led to a deletion after so long did not happen.
DELETION_TIMEOUT = 120.0
BATCH_PERIOD = 0.05


class Unknowable(Exception):
    """The number of pods that there should be cannot be told; the message is the condition's."""


class DisruptionController(ControlLoop):
    """Keeps the status of budgets that the Eviction API spends."""

    name = "disruption"

    def __init__(self, context: LoopContext) -> None:
        super().__init__(context)
        self.events = EventRecorder(self.client, "controllermanager")
        self.throttle = Throttle(self.queue, BATCH_PERIOD)

    def setup(self) -> None:
        self.budgets = self.watch(BUDGETS)
        self.owners = {resource: self.informer(resource) for resource in SCALES.values()}
        self.pods = self.informer(PODS)
        self.pods.add_handler(self._pod_changed)
        for informer in self.owners.values():
            informer.add_handler(self._owner_changed)

    def _pod_changed(self, old: Obj | None, new: Obj | None) -> None:
        for pod in (old, new):
            if pod is not None:
                for budget in self.budgets.list(pod["metadata"]["namespace"]):
                    if _selector(budget).matches(pod["metadata"].get("labels")):
                        self.throttle.add(key_of(budget))

    def _owner_changed(self, old: Obj | None, new: Obj | None) -> None:
        """The scale counts, and only when it changes."""
        if old is not None and new is not None and old["spec"].get("replicas") == new["spec"].get("replicas"):
            return
        obj = new or old
        if obj is not None:
            for budget in self.budgets.list(obj["metadata"]["namespace"]):
                self.throttle.add(key_of(budget))

    async def reconcile(self, key: str) -> float | None:
        budget = self.budgets.get(key)
        if budget is None:
            return None
        with step("observe") as span:
            selector = _selector(budget)
            pods = [
                pod
                for pod in self.pods.list(budget["metadata"]["namespace"])
                if selector.matches(pod["metadata"].get("labels"))
            ]
            span.detail = {"pods": len(pods)}
        status = budget.get("status") or {}
        disrupted, delay = _disrupted(status.get("disruptedPods") or {}, pods)
        try:
            with step("compare") as span:
                expected, desired = self._expected(budget, pods)
                healthy = sum(_is_healthy(pod, disrupted) for pod in pods)
                allowed = max(healthy - desired, 0) if expected > 0 else 0
                span.detail = {"healthy": healthy, "wanted": desired, "expected": expected, "allowed": allowed}
        except Unknowable as error:
            self.events.event(budget, "Warning", "CalculateExpectedPodCountFailed", str(error))
            condition = _condition(budget, "False", "SyncFailed", str(error))
            fresh = {**status, "disruptionsAllowed": 0, "conditions": [condition]}
        else:
            reason = "SufficientPods" if allowed else "InsufficientPods"
            conditions = set_condition(
                status.get("conditions") or (), _condition(budget, "True" if allowed else "False", reason, "")
            )
            fresh = {
                "currentHealthy": healthy,
                "desiredHealthy": desired,
                "expectedPods": expected,
                "disruptionsAllowed": allowed,
                "conditions": conditions,
            }
            if disrupted:
                fresh["disruptedPods"] = disrupted
        fresh["observedGeneration"] = budget["metadata"].get("generation", 0)
        with step("verify", {"allowed": fresh["disruptionsAllowed"]}):
            if fresh != status:
                await self.client.update(BUDGETS, {**budget, "status": fresh}, subresource="status")
        return delay

    def _expected(self, budget: Obj, pods: list[Obj]) -> tuple[int, int]:
        """(how many pods there should be, how many of them must be healthy)."""
        spec = budget["spec"]
        if "maxUnavailable" in spec:
            expected = self._scales(pods)
            desired = expected - scaled(spec["maxUnavailable"], expected, round_up=True)
        else:
            least = spec.get("minAvailable", 1)
            if isinstance(least, int):
                return len(pods), least
            expected = self._scales(pods)
            desired = scaled(least, expected, round_up=True)
        return expected, max(desired, 0)

    def _scales(self, pods: list[Obj]) -> int:
        """The sum of the sizes of all controllers that these pods have."""
        sizes: dict[str, int] = {}
        for pod in pods:
            reference = controller_of(pod)
            if reference is None:
                continue
            if reference["uid"] not in sizes:
                sizes[reference["uid"]] = self._scale(pod, reference)
        return sum(sizes.values())

    def _scale(self, pod: Obj, reference: Obj) -> int:
        group = reference["apiVersion"].rpartition("/")[0]
        resource = SCALES.get((reference["kind"], group))
        if resource is None:
            raise Unknowable(
                f"{reference['kind'].lower()}s.{group} does not implement the scale subresource"
                if group
                else f"{reference['kind'].lower()}s does not implement the scale subresource"
            )
        owner = self.owners[resource].get(f"{pod['metadata']['namespace']}/{reference['name']}")
        if owner is None or owner["metadata"]["uid"] != reference["uid"]:
            return 0
        above = controller_of(owner)
        if above is not None and (above["kind"], above["apiVersion"].rpartition("/")[0]) in SCALES:
            return self._scale(owner, above)
        return int(owner["spec"].get("replicas", 1))


def _selector(budget: Obj) -> Selector:
    selector = budget["spec"].get("selector")
    return NOTHING if selector is None else from_selector(selector)


def _is_healthy(pod: Obj, disrupted: Obj) -> bool:
    gone = "deletionTimestamp" in pod["metadata"] or pod["metadata"]["name"] in disrupted
    return not gone and is_condition_true(pod, "Ready")


def _disrupted(listed: Obj, pods: Iterable[Obj]) -> tuple[Obj, float | None]:
    """Evictions that were allowed and whose pod is still here and not deleted yet; and when to look again."""
    here = {pod["metadata"]["name"] for pod in pods if "deletionTimestamp" not in pod["metadata"]}
    kept, soonest = {}, None
    for name, moment in listed.items():
        left = clock.parse(moment) + DELETION_TIMEOUT - clock.now()
        if name in here and left > 0:
            kept[name] = moment
            soonest = left if soonest is None else min(soonest, left)
    return kept, soonest


def _condition(budget: Obj, status: str, reason: str, message: str) -> Obj:
    return {
        "type": "DisruptionAllowed",
        "status": status,
        "reason": reason,
        "message": message,
        "observedGeneration": budget["metadata"].get("generation", 0),
        "lastTransitionTime": clock.timestamp(),
    }
