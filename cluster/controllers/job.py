"""The Job controller: runs pods until enough of them have succeeded (pkg/controller/job).

A finished pod counts exactly once, also across a crash: its uid goes into status.uncountedTerminatedPods, then its finalizer is
removed, then the counters take it over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from cluster import clock
from cluster.apimachinery.errors import StatusError, is_not_found, namespace_terminating
from cluster.apimachinery.labels import from_selector
from cluster.apimachinery.meta import controller_of, get_condition, key_of, set_condition
from cluster.client.client import Obj
from cluster.client.informer import by_controller
from cluster.client.loop import ControlLoop, LoopContext
from cluster.controllers.lib.batching import Throttle
from cluster.controllers.lib.claims import claim, orphans_by_namespace
from cluster.controllers.lib.expectations import ControllerExpectations
from cluster.controllers.lib.podcontrol import PODS, PodControl
from cluster.controllers.lib.slowstart import slow_start
from cluster.controllers.policy import job as policy
from cluster.controllers.policy.job import FINALIZER, Tally, Verdict
from cluster.controllers.policy.jobpod import job_pod
from cluster.journeys.trace import step

JOBS = "batch/v1/jobs"
BATCH_PERIOD = 0.05
# So many pods are created in one go.
MAX_CREATED = 500


class JobController(ControlLoop):
    """Creates pods, counts how they end, and says when the Job is over."""

    name = "job"

    def __init__(self, context: LoopContext) -> None:
        super().__init__(context)
        self.expectations = ControllerExpectations()
        self.throttle = Throttle(self.queue, BATCH_PERIOD)
        self.pod_control = PodControl(self.client, self.events)
        # By job key: uids whose finalizer was removed, until the informer shows it.
        self._released: dict[str, set[str]] = {}
        # By job key: failures since the last success, and when the last one was.
        self._failures: dict[str, tuple[int, float]] = {}

    def setup(self) -> None:
        self.jobs = self.watch(JOBS, self._job_changed)
        self.pods = self.informer(PODS)
        self.pods.add_indexer("controller", by_controller)
        self.pods.add_indexer("orphans", orphans_by_namespace)
        self.pods.add_handler(self._pod_changed)

    # -- what dirties a key --------------------------------------------------------------------------------------

    def _job_changed(self, old: Obj | None, new: Obj | None) -> None:
        if old is not None and (new is None or old["metadata"]["uid"] != new["metadata"]["uid"]):
            key = key_of(old)
            self.expectations.forget(key)
            self._released.pop(key, None)
            self._failures.pop(key, None)
        self.enqueue(old, new)

    def _pod_changed(self, old: Obj | None, new: Obj | None) -> None:
        pod = new if new is not None else old
        if pod is None:
            return
        reference = controller_of(pod)
        if reference is None:
            left = controller_of(old) if old is not None else None
            if left is not None and left["kind"] == "Job":
                self.throttle.add(f"{pod['metadata']['namespace']}/{left['name']}")
            if new is not None and (
                old is None or left is not None or old["metadata"].get("labels") != new["metadata"].get("labels")
            ):
                for job in self.jobs.list(pod["metadata"]["namespace"]):
                    if from_selector(job["spec"]["selector"]).matches(pod["metadata"].get("labels")):
                        self.queue.add(key_of(job))
            return
        if reference["kind"] != "Job":
            return
        key, uid = f"{pod['metadata']['namespace']}/{reference['name']}", pod["metadata"]["uid"]
        if new is None or "deletionTimestamp" in pod["metadata"]:
            self.expectations.deletion_observed(key, uid)
        if old is None and new is not None:
            self.expectations.creation_observed(key)
        if new is None or not policy.is_tracked(pod):
            self._released.get(key, set()).discard(uid)
        self.throttle.add(key)

    # -- reconcile -----------------------------------------------------------------------------------------------

    async def reconcile(self, key: str) -> float | None:
        job = self.jobs.get(key)
        if job is None:
            self.expectations.forget(key)
            await self._orphaned(key)
            return None
        if job["spec"].get("managedBy", "kubernetes.io/job-controller") != "kubernetes.io/job-controller":
            return None
        uid = job["metadata"]["uid"]
        known = self.pods.by_index("controller", uid)
        if policy.finished(job) is not None:
            await self._release(key, [pod for pod in known if policy.is_tracked(pod)])
            return None
        with step("observe") as span:
            known = [*known, *self.pods.by_index("orphans", job["metadata"]["namespace"])]
            pods = await claim(self.client, PODS, JOBS, job, from_selector(job["spec"]["selector"]), known)
            job, flushed = await self._flush(key, job, pods)
            tally = policy.tally(job, pods, flushed | self._released.get(key, set()))
            span.detail = {"active": len(tally.active), "newly finished": len(tally.succeeded) + len(tally.failed)}
        return await self._sync(key, job, tally, policy.failures_by_index(job, pods))

    async def _sync(self, key: str, job: Obj, tally: Tally, failed: dict[int, Obj]) -> float | None:
        spec, before, now = job["spec"], job.get("status") or {}, clock.now()
        status: Obj = dict(before)
        suspended = bool(spec.get("suspend"))
        if "startTime" not in status and not suspended:
            status["startTime"] = clock.timestamp()
        started = clock.parse(status["startTime"]) if "startTime" in status else None
        with step("compare") as span:
            counts = self._counts(job, status, tally)
            verdict = policy.pending_verdict(job) or policy.verdict(job, counts, tally, now, started)
            wanted = 0 if verdict or suspended else policy.wanted_active(job, counts[0], tally)
            span.detail = {"active": len(tally.active), "wanted": wanted, "succeeded": counts[0], "failed": counts[1]}
        self._note_failures(key, tally)
        failure: StatusError | None = None
        delay: float | None = None
        deleting = "deletionTimestamp" in job["metadata"]
        if self.expectations.satisfied(key) and not deleting:
            failure, delay = await self._manage(key, job, tally, failed, 0 if verdict else wanted)
        with step("verify"):
            self._conditions(job, status, verdict, tally, suspended)
            await self._count(key, job, status, tally)
        if failure is not None:
            raise failure
        deadline = spec.get("activeDeadlineSeconds")
        if deadline is not None and started is not None and verdict is None and not suspended:
            left = max(started + deadline - now, 0.0)
            delay = left if delay is None else min(delay, left)
        return delay

    @staticmethod
    def _counts(job: Obj, status: Obj, tally: Tally) -> tuple[int, int]:
        """All that have (succeeded, failed), with those that are on their way into the status."""
        uncounted = status.get("uncountedTerminatedPods") or {}
        if policy.is_indexed(job):
            succeeded = len(tally.done_indexes)
        else:
            succeeded = status.get("succeeded", 0) + len(uncounted.get("succeeded") or ()) + len(tally.succeeded)
        failed = status.get("failed", 0) + len(uncounted.get("failed") or ()) + len(tally.counted_failures)
        return succeeded, failed

    # -- deciding and acting ---------------------------------------------------------------------------------------

    async def _manage(
        self, key: str, job: Obj, tally: Tally, failed: dict[int, Obj], wanted: int
    ) -> tuple[StatusError | None, float | None]:
        """Delete or create pods; returns what went wrong, and in how many seconds to look again."""
        doomed = policy.surplus(job, tally, wanted)
        if doomed:
            with step("decide", {"delete": len(doomed)}):
                self.expectations.expect_deletions(key, [pod["metadata"]["uid"] for pod in doomed])
            with step("act", {"delete": len(doomed)}):
                await asyncio.gather(*(self._delete(key, job, pod) for pod in doomed))
            return None, None
        occupied = len(tally.active)
        if job["spec"].get("podReplacementPolicy") == "Failed":
            occupied += len(tally.terminating)
        missing = min(wanted - occupied, MAX_CREATED)
        if missing <= 0:
            return None, None
        waits = self._waits(key, job, failed)
        wait = min(waits.values(), default=0.0)
        if -1 in waits:
            with step("decide", {"wait": f"{wait:.0f} s of back-off after a failed pod"}) as span:
                span.outcome = "wait"
            return None, wait
        failure = await self._create(key, job, tally, failed, missing, waits)
        return failure, wait or None

    def _note_failures(self, key: str, tally: Tally) -> None:
        """Failures in a row: a success starts the back-off anew."""
        if tally.succeeded:
            self._failures.pop(key, None)
        for pod in tally.counted_failures:
            row, _ = self._failures.get(key, (0, 0.0))
            self._failures[key] = (row + 1, policy.ended(pod))

    def _waits(self, key: str, job: Obj, failed: dict[int, Obj]) -> dict[int, float]:
        """Seconds of back-off left by index; those of the whole Job under -1."""
        now = clock.now()
        if job["spec"].get("backoffLimitPerIndex") is None:
            row, last = self._failures.get(key, (0, 0.0))
            found = {-1: last + policy.backoff(row) - now} if row else {}
        else:
            found = {
                index: policy.ended(pod) + policy.backoff(policy.index_failures(pod) + 1) - now
                for index, pod in failed.items()
            }
        return {index: left for index, left in found.items() if left > 0}

    async def _create(
        self, key: str, job: Obj, tally: Tally, failed: dict[int, Obj], count: int, waiting: Iterable[int]
    ) -> StatusError | None:
        with step("decide") as span:
            indexes: list[int | None] = [None] * count
            if policy.is_indexed(job):
                indexes = [*policy.missing_indexes(job, tally, count, waiting)]
            span.detail = {"create": len(indexes)}
            if not indexes:
                return None
            self.expectations.expect_creations(key, len(indexes))
            targets = iter(indexes)

        async def create_one() -> None:
            index = next(targets)
            last = failed.get(index) if index is not None else None
            failures = policy.index_failures(last) + 1 if last is not None else 0
            await self.pod_control.create(job_pod(job, index, failures), job)

        with step("act") as span:
            created, error = await slow_start(len(indexes), create_one)
            span.detail = {"created": created}
            if created < len(indexes):
                self.expectations.creation_observed(key, len(indexes) - created)
            if error is None or (isinstance(error, StatusError) and namespace_terminating(error)):
                return None
            span.outcome = "error"
            if isinstance(error, StatusError):
                span.detail["error"] = error.message
                return error
            raise error

    async def _delete(self, key: str, job: Obj, pod: Obj) -> None:
        try:
            await self.pod_control.delete(pod, job)
        except StatusError as error:
            self.expectations.deletion_observed(key, pod["metadata"]["uid"])
            if not is_not_found(error):
                raise

    # -- the status ------------------------------------------------------------------------------------------------

    def _conditions(self, job: Obj, status: Obj, verdict: Verdict | None, tally: Tally, suspended: bool) -> None:
        """What is known at once goes in at once; Complete and Failed follow when the last pod has gone."""
        conditions = list(status.get("conditions") or ())

        def put(kind: str, value: str, reason: str, message: str) -> bool:
            known = next((one for one in conditions if one["type"] == kind), None)
            if known is not None and known["status"] == value:
                return False
            moment = clock.timestamp()
            fresh = {"type": kind, "status": value, "reason": reason, "message": message, "lastProbeTime": moment}
            conditions[:] = set_condition(conditions, {**fresh, "lastTransitionTime": moment})
            return True

        if verdict is not None:
            put(verdict.interim, "True", verdict.reason, verdict.message)
            if not tally.active and not tally.terminating:
                put(verdict.kind, "True", verdict.reason, verdict.message)
                if verdict.kind == "Complete":
                    status["completionTime"] = clock.timestamp()
                    self.events.event(job, "Normal", "Completed", "Job completed")
                else:
                    self.events.event(job, "Warning", verdict.reason, verdict.message)
        elif suspended:
            if put("Suspended", "True", "JobSuspended", "Job suspended"):
                self.events.event(job, "Normal", "Suspended", "Job suspended")
            status.pop("startTime", None)
        elif get_condition(job, "Suspended") is not None and put("Suspended", "False", "JobResumed", "Job resumed"):
            self.events.event(job, "Normal", "Resumed", "Job resumed")
            status["startTime"] = clock.timestamp()
        if conditions:
            status["conditions"] = conditions

    async def _count(self, key: str, job: Obj, status: Obj, tally: Tally) -> None:
        """Write the status with the newly finished pods in it, let them go, and write what they make."""
        waiting = status.get("uncountedTerminatedPods") or {}
        succeeded = [*(waiting.get("succeeded") or ()), *_uids(tally.succeeded)]
        failed = [*(waiting.get("failed") or ()), *_uids(tally.counted_failures)]
        ending = any(
            one["type"] in ("Complete", "Failed") and one["status"] == "True" for one in status.get("conditions") or ()
        )
        if policy.is_indexed(job):
            indexes = {"completedIndexes": policy.format_indexes(tally.done_indexes)}
            if job["spec"].get("backoffLimitPerIndex") is not None:
                indexes["failedIndexes"] = policy.format_indexes(tally.failed_indexes)
            for name, text in indexes.items():
                if text or name == "failedIndexes":
                    status[name] = text
        _put(status, "active", len(tally.active))
        status["ready"], status["terminating"] = tally.ready, len(tally.terminating)
        status["uncountedTerminatedPods"] = _lists(succeeded=succeeded, failed=failed)
        ignored = [pod for pod in tally.failed if tally.judged[pod["metadata"]["uid"]].action == "Ignore"]
        finished = [*tally.succeeded, *tally.counted_failures]
        if finished or ignored:
            # Complete or Failed is said with the final numbers, not before.
            interim = dict(status)
            if ending:
                interim["conditions"] = [
                    one for one in status["conditions"] if one["type"] not in ("Complete", "Failed")
                ]
                interim.pop("completionTime", None)
            if finished:
                job = await self._write(job, interim)
            await self._release(key, [*finished, *ignored])
            status = {**status, "uncountedTerminatedPods": {}}
            if policy.is_indexed(job):
                _put(status, "succeeded", len(tally.done_indexes))
            else:
                _put(status, "succeeded", status.get("succeeded", 0) + len(succeeded))
            _put(status, "failed", status.get("failed", 0) + len(failed))
        await self._write(job, status)

    async def _flush(self, key: str, job: Obj, pods: Iterable[Obj]) -> tuple[Obj, set[str]]:
        """Finish what an earlier reconcile began: pods in the status that were not let go, or not counted; and which."""
        status = job.get("status") or {}
        uncounted = status.get("uncountedTerminatedPods") or {}
        waiting = {*(uncounted.get("succeeded") or ()), *(uncounted.get("failed") or ())}
        if not waiting:
            return job, waiting
        await self._release(key, [pod for pod in pods if pod["metadata"]["uid"] in waiting and policy.is_tracked(pod)])
        fresh = {**status, "uncountedTerminatedPods": {}}
        if not policy.is_indexed(job):
            _put(fresh, "succeeded", status.get("succeeded", 0) + len(uncounted.get("succeeded") or ()))
        else:
            _put(
                fresh,
                "succeeded",
                len(policy.parse_indexes(status.get("completedIndexes") or "", job["spec"]["completions"])),
            )
        _put(fresh, "failed", status.get("failed", 0) + len(uncounted.get("failed") or ()))
        return await self._write(job, fresh), waiting

    async def _write(self, job: Obj, status: Obj) -> Obj:
        if status == job.get("status"):
            return job
        return await self.client.update(JOBS, {**job, "status": status}, subresource="status")

    async def _release(self, key: str, pods: Iterable[Obj]) -> None:
        """Remove the finalizer: the pod has been counted."""

        async def one(pod: Obj) -> None:
            metadata = pod["metadata"]
            self._released.setdefault(key, set()).add(metadata["uid"])
            kept = [name for name in metadata.get("finalizers") or () if name != FINALIZER]
            patch: Any = {
                "metadata": {
                    "uid": metadata["uid"],
                    "resourceVersion": metadata["resourceVersion"],
                    "finalizers": kept or None,
                }
            }
            try:
                await self.client.patch(PODS, metadata["name"], patch, metadata["namespace"])
            except StatusError as error:
                if is_not_found(error):
                    return
                self._released[key].discard(metadata["uid"])
                raise

        results = await asyncio.gather(*map(one, pods), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _orphaned(self, key: str) -> None:
        """The Job is gone: its pods need not wait to be counted."""
        namespace, _, name = key.rpartition("/")
        left = [
            pod
            for pod in self.pods.list(namespace)
            if policy.is_tracked(pod) and (reference := controller_of(pod)) is not None and reference["name"] == name
        ]
        await self._release(key, left)
        self._released.pop(key, None)


def _put(status: Obj, name: str, value: int) -> None:
    """A counter that is left out when it is 0."""
    if value:
        status[name] = value
    else:
        status.pop(name, None)


def _lists(**lists: list[str]) -> Obj:
    return {name: items for name, items in lists.items() if items}


def _uids(pods: Iterable[Obj]) -> list[str]:
    return [pod["metadata"]["uid"] for pod in pods]
