"""The DaemonSet controller: one pod on every node that wants one (pkg/controller/daemon)."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from cluster import clock
from cluster.apimachinery.errors import StatusError, is_already_exists, is_not_found, namespace_terminating
from cluster.apimachinery.labels import from_selector
from cluster.apimachinery.meta import controller_of, is_controlled_by, key_of
from cluster.apimachinery.placement import DaemonPlacement, daemon_tolerations
from cluster.client.client import Obj
from cluster.client.events import EventRecorder
from cluster.client.informer import by_controller
from cluster.client.loop import ControlLoop, LoopContext
from cluster.controllers.lib import history
from cluster.controllers.lib.backoff import Backoff
from cluster.controllers.lib.batching import Throttle
from cluster.controllers.lib.claims import claim, orphans_by_namespace
from cluster.controllers.lib.expectations import ControllerExpectations
from cluster.controllers.lib.podcontrol import PODS, PodControl, pod_from_template
from cluster.controllers.lib.slowstart import slow_start
from cluster.controllers.node import NODES
from cluster.controllers.policy import daemon
from cluster.controllers.policy.daemon import DaemonPlan
from cluster.journeys.trace import step

DAEMONSETS = "apps/v1/daemonsets"
BURST, BATCH_PERIOD = 250, 0.05
# A pass looks at all nodes: with thousands of them passes are fewer (seconds for each node).
PERIOD_PER_NODE = 0.0001


class DaemonSetController(ControlLoop):
    """Runs one pod on every node that matches, also on nodes that are added later."""

    name = "daemonset"
    title = "daemon set"
    account = "daemon-set-controller"
    workers = 2

    def __init__(self, context: LoopContext) -> None:
        super().__init__(context)
        # Events name the component, which is spelled otherwise than the account.
        self.events = EventRecorder(self.client, "daemonset-controller")
        self.expectations = ControllerExpectations()
        self.throttle = Throttle(self.queue, BATCH_PERIOD)
        self.pod_control = PodControl(self.client, self.events)
        self.failed_pods = Backoff()

    def setup(self) -> None:
        self.daemonsets = self.watch(DAEMONSETS, self._daemonset_changed)
        self.nodes = self.watch(NODES, self._node_changed)
        self.revisions = self.informer(history.REVISIONS)
        self.revisions.add_indexer("controller", by_controller)
        self.revisions.add_handler(self._revision_changed)
        self.pods = self.informer(PODS)
        self.pods.add_indexer("controller", by_controller)
        self.pods.add_indexer("orphans", orphans_by_namespace)
        self.pods.add_handler(self._pod_changed)

    # -- what dirties a key --------------------------------------------------------------------------------------

    def _daemonset_changed(self, old: Obj | None, new: Obj | None) -> None:
        if old is not None and (new is None or old["metadata"]["uid"] != new["metadata"]["uid"]):
            self.expectations.forget(key_of(old))
            self.throttle.forget(key_of(old))
            self.failed_pods.forget(f"{old['metadata']['uid']}/")
        self.enqueue(old, new)

    def _node_changed(self, old: Obj | None, new: Obj | None) -> None:
        """Only what placement looks at: labels and taints."""
        if old is not None and new is not None:
            labels = old["metadata"].get("labels") == new["metadata"].get("labels")
            if labels and old["spec"].get("taints") == new["spec"].get("taints"):
                return
        for daemonset in self.daemonsets.list():
            self.throttle.add(key_of(daemonset))

    def _revision_changed(self, old: Obj | None, new: Obj | None) -> None:
        """One that somebody took away is written anew."""
        owner = controller_of(old) if new is None and old is not None else None
        if old is not None and owner is not None and owner["kind"] == "DaemonSet":
            self.throttle.add(f"{old['metadata']['namespace']}/{owner['name']}")

    def _pod_changed(self, old: Obj | None, new: Obj | None) -> None:
        pod = new if new is not None else old
        if pod is None:
            return
        key = self._owner_key(pod)
        before = self._owner_key(old) if old is not None else None
        if before is not None and before != key:
            self.throttle.add(before)
        if key is not None:
            if new is None or "deletionTimestamp" in pod["metadata"]:
                self.expectations.deletion_observed(key, pod["metadata"]["uid"])
            elif old is None:
                self.expectations.creation_observed(key)
            self.throttle.add(key)
        elif new is not None and controller_of(new) is None:
            for daemonset in self.daemonsets.list(new["metadata"]["namespace"]):
                if from_selector(daemonset["spec"]["selector"]).matches(new["metadata"].get("labels")):
                    self.throttle.add(key_of(daemonset))

    def _owner_key(self, pod: Obj) -> str | None:
        reference = controller_of(pod)
        if reference is None or reference["kind"] != "DaemonSet":
            return None
        key = f"{pod['metadata']['namespace']}/{reference['name']}"
        owner = self.daemonsets.get(key)
        return key if owner is not None and owner["metadata"]["uid"] == reference["uid"] else None

    # -- reconcile -----------------------------------------------------------------------------------------------

    async def reconcile(self, key: str) -> float | None:
        daemonset = self.daemonsets.get(key)
        if daemonset is None:
            self.expectations.forget(key)
            return None
        selector = from_selector(daemonset["spec"]["selector"])
        if selector.empty:
            text = "This daemon set is selecting all pods. A non-empty selector is required."
            self.events.event(daemonset, "Warning", "SelectingAll", text)
            return None
        if "deletionTimestamp" in daemonset["metadata"]:
            return None
        current, revisions = await self._revision(daemonset)
        with step("observe") as span:
            known = self.pods.by_index("controller", daemonset["metadata"]["uid"])
            known += self.pods.by_index("orphans", daemonset["metadata"]["namespace"])
            pods = await claim(self.client, PODS, DAEMONSETS, daemonset, selector, known)
            by_node: dict[str, list[Obj]] = defaultdict(list)
            for pod in pods:
                by_node[daemon.node_of(pod)].append(pod)
            nodes = sorted(self.nodes.list(), key=key_of)
            span.detail = {"nodes": len(nodes), "pods": len(pods)}
        placement = DaemonPlacement(daemonset["spec"]["template"]["spec"])
        self.throttle.stretch(key, len(nodes) * PERIOD_PER_NODE)
        failure: StatusError | None = None
        # With thousands of nodes each step takes a while: others have their turn in between.
        await asyncio.sleep(0)
        if self.expectations.satisfied(key):
            failure = await self._manage(key, daemonset, placement, nodes, by_node, current)
            await self._clean_up(daemonset, revisions, pods, current)
            await asyncio.sleep(0)
        delay = await self._write_status(daemonset, placement, nodes, by_node, current)
        if failure is not None:
            raise failure
        return delay if self.expectations.satisfied(key) else self.expectations.remaining(key)

    async def _manage(
        self,
        key: str,
        daemonset: Obj,
        placement: DaemonPlacement,
        nodes: list[Obj],
        by_node: dict[str, list[Obj]],
        current: str,
    ) -> StatusError | None:
        """Keep one on each node; when that is so, go on with the rolling update."""
        with step("decide") as span:
            wanted = [node["metadata"]["name"] for node in nodes if placement(node)[0]]
            surge, unavailable = daemon.update_limits(daemonset, len(wanted))
            ended = self._finished(daemonset, by_node)
            running: Mapping[str, list[Obj]] = by_node
            if ended:
                running = {name: [pod for pod in pods if pod not in ended] for name, pods in by_node.items()}
            plan = daemon.keep_one_each(placement, nodes, by_node, bool(surge), current)
            plan.delete = ended + [pod for pod in plan.delete if pod not in ended]
            rolling = (daemonset["spec"].get("updateStrategy") or {}).get("type") != "OnDelete"
            if rolling and not plan.create and not plan.delete:
                wait = daemonset["spec"].get("minReadySeconds", 0)
                plan = daemon.roll(running, wanted, current, surge, unavailable, wait, clock.now())
            plan.create, plan.delete = plan.create[:BURST], plan.delete[:BURST]
            span.detail = {"create": len(plan.create), "delete": len(plan.delete)}
        if not plan.create and not plan.delete:
            return None
        return await self._act(key, daemonset, plan, current)

    def _finished(self, daemonset: Obj, by_node: dict[str, list[Obj]]) -> list[Obj]:
        """Daemons never finish: pods that did are replaced."""
        words = {
            "Failed": ("Warning", "FailedDaemonPod", "Found failed"),
            "Succeeded": ("Normal", "SucceededDaemonPod", "Found succeeded"),
        }
        ended = []
        for name, pods in by_node.items():
            for pod in pods:
                word = words.get((pod.get("status") or {}).get("phase", ""))
                if word is None or "deletionTimestamp" in pod["metadata"]:
                    continue
                kind, reason, found = word
                if reason == "FailedDaemonPod":
                    place = f"{daemonset['metadata']['uid']}/{name}"
                    wait = self.failed_pods.remaining(place)
                    if wait > 0:
                        self.queue.add_after(key_of(daemonset), wait)
                        continue
                    self.failed_pods.next(place)
                ended.append(pod)
                text = f"{found} daemon pod {key_of(pod)} on node {name}, will try to "
                text += "kill it" if reason == "FailedDaemonPod" else "delete it"
                self.events.event(daemonset, kind, reason, text)
        return ended

    async def _act(self, key: str, daemonset: Obj, plan: DaemonPlan, current: str) -> StatusError | None:
        self.expectations.expect_creations(key, len(plan.create))
        self.expectations.expect_deletions(key, [pod["metadata"]["uid"] for pod in plan.delete])
        targets = iter(plan.create)

        async def create_one() -> None:
            await self.pod_control.create(_daemon_pod(daemonset, next(targets), current), daemonset)

        async def delete_one(pod: Obj) -> None:
            try:
                await self.pod_control.delete(pod, daemonset)
            except BaseException as error:
                self.expectations.deletion_observed(key, pod["metadata"]["uid"])
                if not is_not_found(error):
                    raise

        with step("act", {"create": len(plan.create), "delete": len(plan.delete)}) as span:
            created, error = await slow_start(len(plan.create), create_one)
            if created < len(plan.create):
                self.expectations.creation_observed(key, len(plan.create) - created)
            results: list[Any] = await asyncio.gather(*map(delete_one, plan.delete), return_exceptions=True)
            for problem in [error, *results]:
                if isinstance(problem, StatusError):
                    if not namespace_terminating(problem):
                        span.outcome, span.detail = "error", {**span.detail, "error": problem.message}
                        return problem
                elif isinstance(problem, BaseException):
                    raise problem
        return None

    async def _write_status(
        self,
        daemonset: Obj,
        placement: DaemonPlacement,
        nodes: list[Obj],
        by_node: dict[str, list[Obj]],
        current: str,
    ) -> float | None:
        with step("verify") as span:
            status = daemon.daemon_status(daemonset, placement, nodes, by_node, current, clock.now())
            span.detail = {"desired": status["desiredNumberScheduled"], "ready": status["numberReady"]}
            if status != daemonset.get("status"):
                await self.client.update(DAEMONSETS, {**daemonset, "status": status}, subresource="status")
            waiting = status["numberReady"] > status.get("numberAvailable", 0)
            return float(daemonset["spec"].get("minReadySeconds", 0)) if waiting else None

    # -- history -------------------------------------------------------------------------------------------------

    async def _revision(self, daemonset: Obj) -> tuple[str, list[Obj]]:
        """The hash of the present template's revision, which is created or made the newest as needed; and all others."""
        known = self.revisions.by_index("controller", daemonset["metadata"]["uid"])
        current = history.find_current(daemonset, known)
        newest = history.next_revision(one for one in known if one not in current)
        if current:
            found = current[-1]
            if history.revision_number(found) < newest:
                found = await self.client.update(history.REVISIONS, {**found, "revision": newest})
            return history.hash_of(found), [one for one in known if one not in current]
        status, metadata = daemonset.get("status") or {}, daemonset["metadata"]
        wanted = history.new_revision(daemonset, newest, status.get("collisionCount", 0))
        try:
            created = await self.client.create(history.REVISIONS, wanted, metadata["namespace"])
        except StatusError as error:
            if not is_already_exists(error):
                raise
            created = await self.client.get(history.REVISIONS, wanted["metadata"]["name"], metadata["namespace"])
            if created.get("data") != wanted["data"] or not is_controlled_by(created, daemonset):
                fresh = {**status, "collisionCount": status.get("collisionCount", 0) + 1}
                await self.client.update(DAEMONSETS, {**daemonset, "status": fresh}, subresource="status")
                raise
        return history.hash_of(created), known

    async def _clean_up(self, daemonset: Obj, revisions: list[Obj], pods: list[Obj], current: str) -> None:
        live = {(pod["metadata"].get("labels") or {}).get(history.HASH, "") for pod in pods} | {current}
        limit = daemonset["spec"].get("revisionHistoryLimit", 10)
        for one in history.to_delete(revisions, live, limit):
            metadata = one["metadata"]
            try:
                await self.client.delete(
                    history.REVISIONS, metadata["name"], metadata["namespace"], uid=metadata["uid"]
                )
            except StatusError as error:
                if not is_not_found(error):
                    raise


def _daemon_pod(daemonset: Obj, node: str, current: str) -> Obj:
    """The template's pod for one node."""
    pod = pod_from_template(daemonset["spec"]["template"], daemonset)
    labels = {**(pod["metadata"].get("labels") or {}), history.HASH: current}
    generation = (daemonset["metadata"].get("annotations") or {}).get(daemon.GENERATION)
    if generation:
        labels[daemon.GENERATION_LABEL] = generation
    pod["metadata"]["labels"] = labels
    spec = pod["spec"]
    pinned = daemon.pinned_affinity(spec.get("affinity"), node)
    pod["spec"] = {**spec, "affinity": pinned, "tolerations": daemon_tolerations(spec)}
    return pod
