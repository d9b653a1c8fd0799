"""One reconcile's view of a Deployment: its limits, its new and its old ReplicaSets, the status to be written."""

from __future__ import annotations

from cluster import clock
from cluster.client.client import Obj
from cluster.controllers.policy import revisions
from cluster.controllers.policy.deployment_status import condition, with_condition
from cluster.controllers.policy.revisions import find_new, replicas
from cluster.controllers.policy.rollout import Limits, resolve


def limits_of(deployment: Obj) -> Limits:
    """What the Deployment's strategy allows at its present size."""
    strategy = deployment["spec"].get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return Limits(replicas(deployment))
    rolling = strategy.get("rollingUpdate") or {}
    return resolve(replicas(deployment), rolling.get("maxSurge", "25%"), rolling.get("maxUnavailable", "25%"))


class Rollout:
    """One reconcile's view: the Deployment (its status as it is going to be written) and its ReplicaSets."""

    def __init__(self, deployment: Obj, owned: list[Obj]) -> None:
        self.deployment = deployment
        self.limits = limits_of(deployment)
        self.new = find_new(deployment, owned)
        self.old = [rs for rs in owned if rs is not self.new]

    @property
    def everyone(self) -> list[Obj]:
        return [*self.old, self.new] if self.new is not None else list(self.old)

    @property
    def active(self) -> list[Obj]:
        return [rs for rs in self.everyone if replicas(rs) > 0]

    @property
    def newest(self) -> int:
        """The revision number that the new ReplicaSet must have at least."""
        return max(map(revisions.revision, self.old), default=0) + 1

    def replace(self, fresh: Obj) -> None:
        """A ReplicaSet as it is after a write."""
        if self.new is not None and self.new["metadata"]["uid"] == fresh["metadata"]["uid"]:
            self.new = fresh
        else:
            self.old = [fresh if rs["metadata"]["uid"] == fresh["metadata"]["uid"] else rs for rs in self.old]

    def note(self, kind: str, status: str, reason: str, message: str) -> None:
        """Set a condition in the status that will be written."""
        old = self.deployment.get("status") or {}
        wanted = condition(kind, status, reason, message, clock.now())
        self.deployment = {
            **self.deployment,
            "status": {**old, "conditions": with_condition(old.get("conditions") or (), wanted)},
        }


def recreates(deployment: Obj) -> bool:
    return (deployment["spec"].get("strategy") or {}).get("type") == "Recreate"


def saturated(replicaset: Obj, desired: int) -> bool:
    """The ReplicaSet alone is the whole Deployment, and it is available."""
    return (
        revisions.desired_annotation(replicaset) == desired
        and replicas(replicaset) == desired
        and (replicaset.get("status") or {}).get("availableReplicas", 0) == desired
    )
