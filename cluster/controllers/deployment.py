"""The Deployment controller: a ReplicaSet per template, and the way from one to the next (pkg/controller/deployment)."""

from __future__ import annotations

from cluster import clock
from cluster.apimachinery.errors import StatusError, is_already_exists, is_not_found, namespace_terminating
from cluster.apimachinery.labels import from_selector
from cluster.apimachinery.meta import controller_of, is_controlled_by, key_of
from cluster.client.client import Obj
from cluster.client.informer import by_controller
from cluster.client.loop import ControlLoop, LoopContext
from cluster.controllers.lib.batching import Throttle
from cluster.controllers.lib.claims import claim, orphans_by_namespace
from cluster.controllers.lib.podcontrol import PODS
from cluster.controllers.lib.rolloutview import Rollout, recreates, saturated
from cluster.controllers.policy import deployment_status as status_policy
from cluster.controllers.policy import revisions
from cluster.controllers.policy.revisions import replicas, size_of
from cluster.controllers.policy.rollout import new_size, proportional, shrink_old
from cluster.controllers.replicaset import REPLICASETS
from cluster.journeys.trace import step

DEPLOYMENTS = "apps/v1/deployments"
# ReplicaSets report their pods' progress at most so often; Deployments need not hurry more.
BATCH_PERIOD = 0.03


class DeploymentController(ControlLoop):
    """Creates and scales ReplicaSets, keeps their history, and reports progress."""

    name = "deployment"

    def __init__(self, context: LoopContext) -> None:
        super().__init__(context)
        self.throttle = Throttle(self.queue, BATCH_PERIOD)

    def setup(self) -> None:
        self.deployments = self.watch(DEPLOYMENTS, self._deployment_changed)
        self.replicasets = self.informer(REPLICASETS)
        self.replicasets.add_indexer("controller", by_controller)
        self.replicasets.add_indexer("orphans", orphans_by_namespace)
        self.replicasets.add_handler(self._replicaset_changed)
        self.pods = self.informer(PODS)
        self.pods.add_indexer("controller", by_controller)
        self.pods.add_handler(self._pod_changed)

    # -- what dirties a key --------------------------------------------------------------------------------------

    def _deployment_changed(self, old: Obj | None, new: Obj | None) -> None:
        if old is not None and new is not None:
            before, after = old["metadata"], new["metadata"]
            same = ("uid", "generation", "annotations", "labels", "deletionTimestamp")
            if all(before.get(name) == after.get(name) for name in same):
                self.throttle.add(key_of(new))
                return
        elif old is not None:
            self.throttle.forget(key_of(old))
        self.enqueue(old, new)

    def _replicaset_changed(self, old: Obj | None, new: Obj | None) -> None:
        owners = {self._owner_key(rs) for rs in (old, new) if rs is not None}
        for key in owners:
            if key is not None:
                self.throttle.add(key)
        if new is not None and controller_of(new) is None and not new["metadata"].get("deletionTimestamp"):
            for deployment in self.deployments.list(new["metadata"]["namespace"]):
                if from_selector(deployment["spec"]["selector"]).matches(new["metadata"].get("labels")):
                    self.queue.add(key_of(deployment))

    def _owner_key(self, replicaset: Obj) -> str | None:
        reference = controller_of(replicaset)
        if reference is None or reference["kind"] != "Deployment":
            return None
        key = f"{replicaset['metadata']['namespace']}/{reference['name']}"
        owner = self.deployments.get(key)
        return key if owner is not None and owner["metadata"]["uid"] == reference["uid"] else None

    def _pod_changed(self, old: Obj | None, new: Obj | None) -> None:
        """Recreate waits for the last old pod to be gone."""
        if new is not None or old is None:
            return
        reference = controller_of(old)
        if reference is None or reference["kind"] != "ReplicaSet":
            return
        replicaset = self.replicasets.get(f"{old['metadata']['namespace']}/{reference['name']}")
        key = self._owner_key(replicaset) if replicaset is not None else None
        deployment = self.deployments.get(key) if key is not None else None
        if key is not None and deployment is not None and recreates(deployment):
            self.throttle.add(key)

    # -- reconcile -----------------------------------------------------------------------------------------------

    async def reconcile(self, key: str) -> float | None:
        deployment = self.deployments.get(key)
        if deployment is None:
            return None
        selector = from_selector(deployment["spec"]["selector"])
        if selector.empty:
            await self._selects_everything(deployment)
            return None
        with step("observe") as span:
            known = self.replicasets.by_index("controller", deployment["metadata"]["uid"])
            known += self.replicasets.by_index("orphans", deployment["metadata"]["namespace"])
            owned = await claim(self.client, REPLICASETS, DEPLOYMENTS, deployment, selector, known)
            rollout = Rollout(deployment, owned)
            span.detail = {"replicaSets": len(owned)}
        with step("compare") as span:
            current = replicas(rollout.new) if rollout.new is not None else 0
            span.detail = {
                "desired": rollout.limits.desired,
                "newReplicaSet": current,
                "oldReplicaSets": sum(map(replicas, rollout.old)),
            }
        if "deletionTimestamp" in deployment["metadata"]:
            return await self._write_status(rollout, deployment, judge=False)
        conditions = status_policy.paused_conditions(deployment, clock.now())
        if conditions is not None:
            status = {**(deployment.get("status") or {}), "conditions": conditions}
            rollout.deployment = {**deployment, "status": status}
        if deployment["spec"].get("paused") or self._is_scaling(rollout):
            if await self._sync_new(rollout, create=False):
                await self._scale_all(rollout)
            if deployment["spec"].get("paused"):
                await self._clean_up(rollout)
            return await self._write_status(rollout, deployment, judge=False)
        if recreates(deployment):
            await self._recreate(rollout)
        else:
            await self._roll(rollout)
        return await self._write_status(rollout, deployment, judge=True)

    async def _selects_everything(self, deployment: Obj) -> None:
        self.events.event(
            deployment,
            "Warning",
            "SelectingAll",
            "This deployment is selecting all pods. A non-empty selector is required.",
        )
        generation = deployment["metadata"].get("generation", 0)
        status = deployment.get("status") or {}
        if status.get("observedGeneration", 0) < generation:
            fresh = {**deployment, "status": {**status, "observedGeneration": generation}}
            await self.client.update(DEPLOYMENTS, fresh, subresource="status")

    def _is_scaling(self, rollout: Rollout) -> bool:
        """The Deployment's size is not the one that its active ReplicaSets were sized for."""
        noted = (revisions.desired_annotation(rs) for rs in rollout.active)
        return any(desired is not None and desired != rollout.limits.desired for desired in noted)

    # -- strategies ----------------------------------------------------------------------------------------------

    async def _roll(self, rollout: Rollout) -> None:
        """RollingUpdate: grow the new one, else shrink the old ones."""
        if not await self._sync_new(rollout, create=True) or rollout.new is None:
            return
        new = rollout.new
        with step("decide") as span:
            plan: dict[str, int] = {}
            sizes = [size_of(rs) for rs in rollout.everyone]
            if replicas(new) != rollout.limits.desired:
                size = new_size(rollout.limits, size_of(new), sizes)
                if size != replicas(new):
                    plan = {new["metadata"]["name"]: size}
            if not plan:
                plan = shrink_old(rollout.limits, size_of(new), [size_of(rs) for rs in rollout.old])
            span.detail = plan or {"scale": "nothing"}
        if plan:
            with step("act"):
                for rs in rollout.everyone:
                    await self._scale(rollout, rs, plan.get(rs["metadata"]["name"]))
        elif status_policy.complete(rollout.deployment, rollout.deployment.get("status") or {}):
            await self._clean_up(rollout)

    async def _recreate(self, rollout: Rollout) -> None:
        """Recreate: first all old pods go, then the new ones come."""
        if not await self._sync_new(rollout, create=False):
            return
        shrinking = [rs for rs in rollout.old if replicas(rs) > 0]
        if shrinking:
            with step("act", {rs["metadata"]["name"]: 0 for rs in shrinking}):
                for rs in shrinking:
                    await self._scale(rollout, rs, 0)
            return
        if self._old_pods_running(rollout):
            with step("decide", {"wait": "old pods are still running"}) as span:
                span.outcome = "wait"
            return
        if not await self._sync_new(rollout, create=True) or rollout.new is None:
            return
        await self._scale(rollout, rollout.new, rollout.limits.desired)
        if status_policy.complete(rollout.deployment, rollout.deployment.get("status") or {}):
            await self._clean_up(rollout)

    def _old_pods_running(self, rollout: Rollout) -> bool:
        for rs in rollout.old:
            if (rs.get("status") or {}).get("replicas"):
                return True
            for pod in self.pods.by_index("controller", rs["metadata"]["uid"]):
                if (pod.get("status") or {}).get("phase") not in ("Failed", "Succeeded"):
                    return True
        return False

    async def _scale_all(self, rollout: Rollout) -> None:
        """Scaled, or paused: no rollout, but the sizes follow."""
        active, limits = rollout.active, rollout.limits
        with step("decide") as span:
            plan: dict[str, int] = {}
            if len(active) <= 1:
                latest = active or sorted(rollout.everyone, key=revisions.by_creation, reverse=True)[:1]
                if not active and rollout.new is not None:
                    latest = [rollout.new]
                plan = {rs["metadata"]["name"]: limits.desired for rs in latest if replicas(rs) != limits.desired}
            elif rollout.new is not None and saturated(rollout.new, limits.desired):
                plan = {rs["metadata"]["name"]: 0 for rs in rollout.old if replicas(rs) > 0}
            elif not recreates(rollout.deployment):
                running = (rollout.deployment.get("status") or {}).get("replicas", 0)
                plan = proportional(limits, [size_of(rs) for rs in active], running)
            span.detail = plan or {"scale": "nothing"}
        if plan:
            with step("act"):
                for rs in rollout.everyone:
                    await self._scale(rollout, rs, plan.get(rs["metadata"]["name"]))

    # -- writes --------------------------------------------------------------------------------------------------

    async def _sync_new(self, rollout: Rollout, *, create: bool) -> bool:
        """Bring the new ReplicaSet's annotations up to date, or create it. False: it was written, look again later."""
        new = rollout.new
        if new is None:
            if create:
                with step("act") as span:
                    await self._create_new(rollout)
                    span.detail = {"created": rollout.new["metadata"]["name"] if rollout.new else "nothing"}
            return True
        deployment = rollout.deployment
        noted = revisions.revised_annotations(deployment, new, rollout.newest)
        wait = deployment["spec"].get("minReadySeconds", 0)
        if noted != revisions.annotations_of(new) or new["spec"].get("minReadySeconds", 0) != wait:
            spec = {**new["spec"], "minReadySeconds": wait}
            fresh = {**new, "metadata": {**new["metadata"], "annotations": noted}, "spec": spec}
            rollout.replace(await self.client.update(REPLICASETS, fresh))
            return False
        await self._note_revision(rollout, revisions.annotations_of(new).get(revisions.REVISION, ""))
        conditions = (deployment.get("status") or {}).get("conditions") or ()
        if status_policy.deadline(deployment) is not None and status_policy.find(conditions, "Progressing") is None:
            message = f'Found new replica set "{new["metadata"]["name"]}"'
            rollout.note("Progressing", "True", "FoundNewReplicaSet", message)
        return True

    async def _note_revision(self, rollout: Rollout, revision: str) -> None:
        deployment = rollout.deployment
        if revisions.annotations_of(deployment).get(revisions.REVISION) == revision:
            return
        noted = {**revisions.annotations_of(deployment), revisions.REVISION: revision}
        metadata = {**deployment["metadata"], "annotations": noted}
        written = await self.client.update(DEPLOYMENTS, {**deployment, "metadata": metadata})
        rollout.deployment = {**deployment, "metadata": written["metadata"]}

    async def _create_new(self, rollout: Rollout) -> None:
        deployment, limits, newest = rollout.deployment, rollout.limits, rollout.newest
        wanted = revisions.new_replicaset(deployment, newest, limits)
        size = limits.desired
        if not recreates(deployment):
            size = new_size(limits, size_of(wanted), [size_of(rs) for rs in rollout.old])
        wanted["spec"]["replicas"] = size
        name, existed = wanted["metadata"]["name"], False
        try:
            created = await self.client.create(REPLICASETS, wanted, wanted["metadata"]["namespace"])
        except StatusError as error:
            if not is_already_exists(error):
                if not namespace_terminating(error):
                    await self._creation_failed(rollout, name, error)
                raise
            # Ours, and only the cache has not shown it yet; or another template with the same hash.
            created = await self.client.get(REPLICASETS, name, wanted["metadata"]["namespace"])
            if not is_controlled_by(created, deployment) or not revisions.same_template(
                created["spec"]["template"], deployment["spec"]["template"]
            ):
                await self._collided(deployment)
                raise
            existed = True
        rollout.new = created
        if not existed and size > 0:
            text = f"Scaled up replica set {name} from 0 to {size}"
            self.events.event(deployment, "Normal", "ScalingReplicaSet", text)
        await self._note_revision(rollout, str(newest))
        if not existed and status_policy.deadline(deployment) is not None:
            rollout.note("Progressing", "True", "NewReplicaSetCreated", f'Created new replica set "{name}"')

    async def _collided(self, deployment: Obj) -> None:
        status = deployment.get("status") or {}
        fresh = {**deployment, "status": {**status, "collisionCount": status.get("collisionCount", 0) + 1}}
        await self.client.update(DEPLOYMENTS, fresh, subresource="status")

    async def _creation_failed(self, rollout: Rollout, name: str, error: StatusError) -> None:
        message = f'Failed to create new replica set "{name}": {error.message}'
        self.events.event(rollout.deployment, "Warning", "ReplicaSetCreateError", message)
        if status_policy.deadline(rollout.deployment) is None:
            return
        before = rollout.deployment
        rollout.note("Progressing", "False", "ReplicaSetCreateError", message)
        if rollout.deployment["status"] != before.get("status"):
            await self.client.update(DEPLOYMENTS, rollout.deployment, subresource="status")

    async def _scale(self, rollout: Rollout, rs: Obj, size: int | None) -> None:
        """Set a ReplicaSet's size and what it notes of the Deployment's; None leaves it alone."""
        if size is None:
            return
        before = replicas(rs)
        noted = {**revisions.annotations_of(rs), **revisions.replica_annotations(rollout.limits)}
        if size == before and noted == revisions.annotations_of(rs):
            return
        metadata = {**rs["metadata"], "annotations": noted}
        fresh = {**rs, "metadata": metadata, "spec": {**rs["spec"], "replicas": size}}
        rollout.replace(await self.client.update(REPLICASETS, fresh))
        if size != before:
            word = "up" if size > before else "down"
            text = f"Scaled {word} replica set {rs['metadata']['name']} from {before} to {size}"
            self.events.event(rollout.deployment, "Normal", "ScalingReplicaSet", text)

    async def _clean_up(self, rollout: Rollout) -> None:
        """Delete old ReplicaSets beyond revisionHistoryLimit."""
        for rs in revisions.history_to_delete(rollout.old, rollout.deployment["spec"].get("revisionHistoryLimit")):
            metadata = rs["metadata"]
            try:
                await self.client.delete(REPLICASETS, metadata["name"], metadata["namespace"], uid=metadata["uid"])
            except StatusError as error:
                if not is_not_found(error):
                    raise

    async def _write_status(self, rollout: Rollout, original: Obj, *, judge: bool) -> float | None:
        """Write the status if it changed. `judge`: is there progress? (Not while paused, scaled or deleted.)"""
        with step("verify") as span:
            deployment, now = rollout.deployment, clock.now()
            policy = status_policy.rollout_status if judge else status_policy.counted
            status = policy(deployment, rollout.everyone, rollout.new, rollout.limits, now)
            span.detail = {
                "updated": status.get("updatedReplicas", 0),
                "available": status.get("availableReplicas", 0),
                "complete": status_policy.complete(deployment, status),
            }
            if status != original.get("status"):
                await self.client.update(DEPLOYMENTS, {**deployment, "status": status}, subresource="status")
            return status_policy.progress_check(deployment, status, now) if judge else None
