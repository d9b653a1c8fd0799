"""The StatefulSet controller: pods with a name of their own, one after the other (pkg/controller/statefulset)."""

from __future__ import annotations

import asyncio

from cluster import clock
from cluster.apimachinery.errors import StatusError, is_already_exists, is_not_found, namespace_terminating
from cluster.apimachinery.labels import from_selector
from cluster.apimachinery.meta import controller_of, key_of
from cluster.client.client import Obj
from cluster.client.informer import by_controller
from cluster.client.loop import ControlLoop
from cluster.controllers.lib import history
from cluster.controllers.lib.claims import claim, orphans_by_namespace
from cluster.controllers.lib.podcontrol import PODS
from cluster.controllers.policy import statefulset as policy
from cluster.journeys.trace import step

STATEFULSETS = "apps/v1/statefulsets"
CLAIMS = "v1/persistentvolumeclaims"


class StatefulSetController(ControlLoop):
    """Creates, replaces and removes pods by ordinal, with their claims; keeps the history of templates."""

    name = "statefulset"
    title = "stateful set"

    def setup(self) -> None:
        self.sets = self.watch(STATEFULSETS)
        self.revisions = self.informer(history.REVISIONS)
        self.revisions.add_indexer("controller", by_controller)
        self.revisions.add_handler(self._revision_changed)
        self.claims = self.informer(CLAIMS)
        self.pods = self.informer(PODS)
        self.pods.add_indexer("controller", by_controller)
        self.pods.add_indexer("orphans", orphans_by_namespace)
        self.pods.add_handler(self._pod_changed)

    def _revision_changed(self, old: Obj | None, new: Obj | None) -> None:
        """One that somebody took away is written anew."""
        owner = controller_of(old) if new is None and old is not None else None
        if old is not None and owner is not None and owner["kind"] == "StatefulSet":
            self.queue.add(f"{old['metadata']['namespace']}/{owner['name']}")

    def _pod_changed(self, old: Obj | None, new: Obj | None) -> None:
        pod = new if new is not None else old
        if pod is None:
            return
        reference = controller_of(pod)
        left = controller_of(old) if old is not None else None
        if left is not None and left["kind"] == "StatefulSet" and left["uid"] != (reference or {}).get("uid"):
            # Released, or taken away: there is one member less.
            self.queue.add(f"{pod['metadata']['namespace']}/{left['name']}")
        if reference is not None:
            if reference["kind"] == "StatefulSet":
                self.queue.add(f"{pod['metadata']['namespace']}/{reference['name']}")
            return
        if new is None:
            return
        for one in self.sets.list(pod["metadata"]["namespace"]):
            if from_selector(one["spec"]["selector"]).matches(pod["metadata"].get("labels")):
                self.queue.add(key_of(one))

    # -- reconcile -----------------------------------------------------------------------------------------------

    async def reconcile(self, key: str) -> float | None:
        statefulset = self.sets.get(key)
        if statefulset is None:
            return None
        with step("observe") as span:
            selector = from_selector(statefulset["spec"]["selector"])
            known = [
                *self.pods.by_index("controller", statefulset["metadata"]["uid"]),
                *(
                    pod
                    for pod in self.pods.by_index("orphans", statefulset["metadata"]["namespace"])
                    if policy.ordinal_of(statefulset, pod) >= 0
                ),
            ]
            pods = await claim(self.client, PODS, STATEFULSETS, statefulset, selector, known)
            span.detail = {"pods": len(pods)}
        current, update, collisions = await self._revisions(statefulset)
        now = clock.now()
        failure: StatusError | None = None
        try:
            await self._own_claims(statefulset, pods)
            with step("decide") as span:
                plan = policy.plan(statefulset, pods, history.name_of(update), now)
                span.detail = {"create": plan.create, "delete": len(plan.delete), "wait": plan.wait}
                if plan.empty and plan.wait:
                    span.outcome = "wait"
            await self._act(statefulset, plan, current, update)
        except StatusError as error:
            failure = error
        delay = await self._write_status(statefulset, pods, current, update, collisions)
        await self._clean_up(statefulset, pods, current, update)
        if failure is not None and not namespace_terminating(failure):
            raise failure
        return delay

    async def _act(self, statefulset: Obj, plan: policy.Plan, current: Obj, update: Obj) -> None:
        if plan.empty:
            return
        with step("act", {"create": plan.create, "delete": [pod["metadata"]["name"] for pod in plan.delete]}):
            work = [self._create(statefulset, ordinal, current, update) for ordinal in plan.create]
            work += [self._delete(statefulset, pod) for pod in plan.delete]
            for result in await asyncio.gather(*work, return_exceptions=True):
                if isinstance(result, BaseException):
                    raise result

    async def _create(self, statefulset: Obj, ordinal: int, current: Obj, update: Obj) -> None:
        chosen = policy.revision_for(statefulset, ordinal, history.name_of(current), history.name_of(update))
        revision = current if chosen == history.name_of(current) else update
        template = {name: part for name, part in revision["data"]["spec"]["template"].items() if name != "$patch"}
        pod = policy.pod_of(statefulset, template, ordinal, chosen)
        name = f"Pod {pod['metadata']['name']} in StatefulSet {statefulset['metadata']['name']}"
        try:
            for wanted in policy.claims_of(statefulset, ordinal):
                await self._ensure_claim(statefulset, wanted, name)
            await self.client.create(PODS, pod, statefulset["metadata"]["namespace"])
        except StatusError as error:
            if is_already_exists(error):
                # The informer has not shown it yet, or somebody else has the name: looked at again either way.
                raise
            if not namespace_terminating(error):
                self.events.event(
                    statefulset, "Warning", "FailedCreate", f"create {name} failed error: {error.message}"
                )
            raise
        self.events.event(statefulset, "Normal", "SuccessfulCreate", f"create {name} successful")

    async def _ensure_claim(self, statefulset: Obj, wanted: Obj, pod: str) -> None:
        metadata = wanted["metadata"]
        existing = self.claims.get(key_of(wanted))
        if existing is not None:
            if "deletionTimestamp" in existing["metadata"]:
                raise StatusError(409, "Conflict", f"pvc {metadata['name']} is being deleted")
            return
        text = f"Claim {metadata['name']} {pod}"
        try:
            await self.client.create(CLAIMS, wanted, metadata["namespace"])
        except StatusError as error:
            if is_already_exists(error):
                return
            self.events.event(statefulset, "Warning", "FailedCreate", f"create {text} failed error: {error.message}")
            raise
        self.events.event(statefulset, "Normal", "SuccessfulCreate", f"create {text} success")

    async def _delete(self, statefulset: Obj, pod: Obj) -> None:
        metadata = pod["metadata"]
        if policy.is_finished(pod):
            place = f"{statefulset['metadata']['namespace']}/{statefulset['metadata']['name']}"
            text = f"StatefulSet {place} is recreating failed Pod {metadata['name']}"
            if policy.phase_of(pod) == "Failed":
                self.events.event(statefulset, "Warning", "RecreatingFailedPod", text)
            else:
                text = text.replace("failed", "terminated")
                self.events.event(statefulset, "Normal", "RecreatingTerminatedPod", text)
        name = f"Pod {metadata['name']} in StatefulSet {statefulset['metadata']['name']}"
        try:
            await self.client.delete(PODS, metadata["name"], metadata["namespace"], uid=metadata["uid"])
        except StatusError as error:
            if not is_not_found(error):
                self.events.event(
                    statefulset, "Warning", "FailedDelete", f"delete {name} failed error: {error.message}"
                )
            raise
        self.events.event(statefulset, "Normal", "SuccessfulDelete", f"delete {name} successful")

    async def _own_claims(self, statefulset: Obj, pods: list[Obj]) -> None:
        """Let claims go with the set or with their pod, as the retention policy says."""
        templates = statefulset["spec"].get("volumeClaimTemplates") or ()
        by_ordinal = {policy.ordinal_of(statefulset, pod): pod for pod in pods}
        for ordinal in {*policy.ordinals(statefulset), *by_ordinal} if templates else ():
            for template in templates:
                name = policy.claim_name(template, statefulset, ordinal)
                existing = self.claims.get(f"{statefulset['metadata']['namespace']}/{name}")
                if existing is None or "deletionTimestamp" in existing["metadata"]:
                    continue
                owners = policy.claim_owners(statefulset, existing, by_ordinal.get(ordinal), ordinal)
                if owners != (existing["metadata"].get("ownerReferences") or []):
                    metadata = {**existing["metadata"], "ownerReferences": owners}
                    await self.client.update(CLAIMS, {**existing, "metadata": metadata})

    async def _write_status(
        self, statefulset: Obj, pods: list[Obj], current: Obj, update: Obj, collisions: int
    ) -> float | None:
        with step("verify") as span:
            now = clock.now()
            status = policy.status_of(
                statefulset, pods, history.name_of(current), history.name_of(update), collisions, now
            )
            span.detail = {"ready": status.get("readyReplicas", 0), "replicas": status["replicas"]}
            if status != statefulset.get("status"):
                await self.client.update(STATEFULSETS, {**statefulset, "status": status}, subresource="status")
            if status["availableReplicas"] < status.get("readyReplicas", 0):
                return float(statefulset["spec"].get("minReadySeconds", 0)) or None
            return None

    # -- history -------------------------------------------------------------------------------------------------

    async def _revisions(self, statefulset: Obj) -> tuple[Obj, Obj, int]:
        """(the revision that the roll-out comes from, the one of the present template, collisions so far)."""
        known = self.revisions.by_index("controller", statefulset["metadata"]["uid"])
        status = statefulset.get("status") or {}
        collisions = status.get("collisionCount", 0)
        found = history.find_current(statefulset, known)
        newest = history.next_revision(one for one in known if one not in found)
        if found:
            update = found[-1]
            if history.revision_number(update) < newest:
                update = await self.client.update(history.REVISIONS, {**update, "revision": newest})
        else:
            wanted = history.new_revision(statefulset, newest, collisions, history.OWN_HASH)
            try:
                update = await self.client.create(history.REVISIONS, wanted, statefulset["metadata"]["namespace"])
            except StatusError as error:
                if not is_already_exists(error):
                    raise
                name, namespace = wanted["metadata"]["name"], wanted["metadata"]["namespace"]
                update = await self.client.get(history.REVISIONS, name, namespace)
                if update.get("data") != wanted["data"]:
                    fresh = {**status, "collisionCount": collisions + 1}
                    await self.client.update(STATEFULSETS, {**statefulset, "status": fresh}, subresource="status")
                    raise
        current = next((one for one in known if history.name_of(one) == status.get("currentRevision")), update)
        return current, update, collisions

    async def _clean_up(self, statefulset: Obj, pods: list[Obj], current: Obj, update: Obj) -> None:
        known = self.revisions.by_index("controller", statefulset["metadata"]["uid"])
        live = {policy.revision_of(pod) for pod in pods} | {history.name_of(current), history.name_of(update)}
        for one in history.to_delete(known, live, statefulset["spec"].get("revisionHistoryLimit", 10), history.name_of):
            metadata = one["metadata"]
            try:
                await self.client.delete(history.REVISIONS, metadata["name"], metadata["namespace"])
            except StatusError as error:
                if not is_not_found(error):
                    raise
