"""The CronJob controller: a Job whenever the schedule says so (pkg/controller/cronjob)."""

from __future__ import annotations

from cluster import clock
from cluster.apimachinery.errors import StatusError, is_already_exists, is_not_found, namespace_terminating
from cluster.apimachinery.meta import controller_of, get_condition, is_controlled_by, owner_reference
from cluster.client.client import Obj
from cluster.client.events import EventRecorder, reference_to
from cluster.client.informer import by_controller
from cluster.client.loop import ControlLoop, LoopContext
from cluster.controllers.job import JOBS
from cluster.controllers.policy import cron
from cluster.controllers.policy.job import finished
from cluster.journeys.trace import step

CRONJOBS = "batch/v1/cronjobs"
SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"


class CronJobController(ControlLoop):
    """Starts Jobs on time, follows them, and clears away the old ones."""

    name = "cronjob"
    title = "cron job"

    def __init__(self, context: LoopContext) -> None:
        super().__init__(context)
        self.events = EventRecorder(self.client, "cronjob-controller")

    def setup(self) -> None:
        self.cronjobs = self.watch(CRONJOBS)
        self.jobs = self.watch(JOBS, self._job_changed)
        self.jobs.add_indexer("controller", by_controller)

    def _job_changed(self, old: Obj | None, new: Obj | None) -> None:
        job = new or old
        reference = controller_of(job) if job is not None else None
        if job is not None and reference is not None and reference["kind"] == "CronJob":
            self.queue.add(f"{job['metadata']['namespace']}/{reference['name']}")

    async def reconcile(self, key: str) -> float | None:
        cronjob = self.cronjobs.get(key)
        if cronjob is None or "deletionTimestamp" in cronjob["metadata"]:
            return None
        jobs = self.jobs.by_index("controller", cronjob["metadata"]["uid"])
        with step("observe", {"jobs": len(jobs)}):
            status = self._followed(cronjob, jobs)
        await self._clean_up(cronjob, jobs)
        delay = None
        if not cronjob["spec"].get("suspend"):
            delay = await self._start(cronjob, status)
        with step("verify"):
            if status != (cronjob.get("status") or {}):
                await self.client.update(CRONJOBS, {**cronjob, "status": status}, subresource="status")
        return delay

    def _followed(self, cronjob: Obj, jobs: list[Obj]) -> Obj:
        """The status with the Jobs that still run, and when one last succeeded."""
        status = dict(cronjob.get("status") or {})
        listed = {one["uid"]: one for one in status.get("active") or ()}
        by_uid = {job["metadata"]["uid"]: job for job in jobs}
        active = []
        for uid, reference in listed.items():
            job = by_uid.get(uid)
            if job is None:
                text = f"Active job went missing: {reference['name']}"
                self.events.event(cronjob, "Normal", "MissingJob", text)
                continue
            ended = finished(job)
            if ended is None:
                active.append(reference)
                continue
            text = f"Saw completed job: {reference['name']}, condition: {ended['type']}"
            self.events.event(cronjob, "Normal", "SawCompletedJob", text)
        for job in jobs:
            if job["metadata"]["uid"] not in listed and finished(job) is None:
                text = f"Saw a job that the controller did not create or forgot: {job['metadata']['name']}"
                self.events.event(cronjob, "Warning", "UnexpectedJob", text)
            moment = (job.get("status") or {}).get("completionTime", "")
            if get_condition(job, "Complete") and moment > status.get("lastSuccessfulTime", ""):
                status["lastSuccessfulTime"] = moment
        if active:
            status["active"] = active
        else:
            status.pop("active", None)
        return status

    async def _clean_up(self, cronjob: Obj, jobs: list[Obj]) -> None:
        """Keep so many that succeeded and so many that failed, the youngest."""
        for kind, name, default in (
            ("Complete", "successfulJobsHistoryLimit", 3),
            ("Failed", "failedJobsHistoryLimit", 1),
        ):
            limit = cronjob["spec"].get(name, default)
            ended = [job for job in jobs if (condition := finished(job)) is not None and condition["type"] == kind]
            ended.sort(key=lambda job: ((job.get("status") or {}).get("startTime", ""), job["metadata"]["name"]))
            for job in ended[: max(len(ended) - limit, 0)]:
                if "deletionTimestamp" not in job["metadata"]:
                    await self._delete(cronjob, job["metadata"]["name"])

    async def _delete(self, cronjob: Obj, name: str) -> None:
        try:
            await self.client.delete(JOBS, name, cronjob["metadata"]["namespace"], propagation_policy="Background")
        except StatusError as error:
            if not is_not_found(error):
                self.events.event(cronjob, "Warning", "FailedDelete", f"Deleted job: {error.message}")
                raise
            return
        self.events.event(cronjob, "Normal", "SuccessfulDelete", f"Deleted job {name}")

    async def _start(self, cronjob: Obj, status: Obj) -> float | None:
        """Start what is due; returns the seconds until the next time. Changes `status`."""
        spec, now = cronjob["spec"], clock.now()
        try:
            schedule = cron.Schedule(spec["schedule"], spec.get("timeZone") or "")
        except cron.Unreadable as error:
            zone = str(error).startswith("unknown time zone")
            reason = "UnknownTimeZone" if zone else "UnparseableSchedule"
            text = str(error) if zone else f'unparseable schedule: "{spec["schedule"]}" : {error}'
            self.events.event(cronjob, "Warning", reason, text)
            return None
        with step("compare") as span:
            began = cronjob["metadata"]["creationTimestamp"]
            earliest = clock.parse(status.get("lastScheduleTime", began))
            deadline = spec.get("startingDeadlineSeconds")
            if deadline is not None:
                earliest = max(earliest, now - deadline)
            due, missed = schedule.latest(earliest, now)
            upcoming = schedule.next(now)
            delay = None if upcoming is None else upcoming - now
            span.detail = {"due": clock.timestamp(due) if due else None, "missed": missed}
        if missed > cron.TOO_MANY:
            text = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"
            self.events.event(cronjob, "Warning", "TooManyMissedTimes", text)
        if due is None:
            return delay
        with step("decide") as span:
            name = f"{cronjob['metadata']['name']}-{int(due) // 60}"
            refusal = await self._refusal(cronjob, status, name)
            if refusal:
                span.outcome, span.detail = "skipped", {"why": refusal}
                return delay
            span.detail = {"create": name}
        await self._create(cronjob, status, name, due)
        return delay

    async def _refusal(self, cronjob: Obj, status: Obj, name: str) -> str:
        """Why no Job is started now; empty when one is. Takes away the running ones where they are to be replaced."""
        if any(one["name"] == name for one in status.get("active") or ()):
            return "it has been started"
        policy = cronjob["spec"].get("concurrencyPolicy", "Allow")
        if policy == "Forbid" and status.get("active"):
            text = "Not starting job because prior execution is running and concurrency policy is Forbid"
            self.events.event(cronjob, "Normal", "JobAlreadyActive", text)
            return text
        if policy == "Replace":
            for one in status.pop("active", ()):
                await self._delete(cronjob, one["name"])
        return ""

    async def _create(self, cronjob: Obj, status: Obj, name: str, due: float) -> None:
        metadata, template = cronjob["metadata"], cronjob["spec"]["jobTemplate"]
        described = template.get("metadata") or {}
        job = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {
                "name": name,
                "namespace": metadata["namespace"],
                "labels": dict(described.get("labels") or {}),
                "annotations": {**(described.get("annotations") or {}), SCHEDULED: clock.timestamp(due)},
                "ownerReferences": [owner_reference(cronjob)],
            },
            "spec": template["spec"],
        }
        with step("act", {"create": name}):
            try:
                created = await self.client.create(JOBS, job, metadata["namespace"])
            except StatusError as error:
                if namespace_terminating(error):
                    return
                if not is_already_exists(error):
                    self.events.event(cronjob, "Warning", "FailedCreate", f"Error creating job: {error.message}")
                    raise
                created = await self.client.get(JOBS, name, metadata["namespace"])
                if not is_controlled_by(created, cronjob):
                    raise
            else:
                self.events.event(cronjob, "Normal", "SuccessfulCreate", f"Created job {name}")
        if finished(created) is None:
            status["active"] = [*(status.get("active") or ()), reference_to(created)]
        status["lastScheduleTime"] = clock.timestamp(due)
