"""Removes finished Jobs once their time to live is over (pkg/controller/ttlafterfinished)."""

from __future__ import annotations

from cluster import clock
from cluster.apimachinery.errors import StatusError, is_not_found
from cluster.client.loop import ControlLoop
from cluster.controllers.job import JOBS
from cluster.controllers.policy.job import finished
from cluster.journeys.trace import step


class TTLAfterFinishedController(ControlLoop):
    """Deletes a Job, and with it its pods, `ttlSecondsAfterFinished` after it has ended."""

    name = "ttl-after-finished"
    title = "TTL"
    workers = 1

    def setup(self) -> None:
        self.jobs = self.watch(JOBS)

    async def reconcile(self, key: str) -> float | None:
        job = self.jobs.get(key)
        if job is None or "deletionTimestamp" in job["metadata"]:
            return None
        ttl, ended = job["spec"].get("ttlSecondsAfterFinished"), finished(job)
        if ttl is None or ended is None:
            return None
        left: float = clock.parse(ended["lastTransitionTime"]) + ttl - clock.now()
        if left > 0:
            return left
        with step("act", {"delete": key}):
            metadata = job["metadata"]
            try:
                await self.client.delete(
                    JOBS,
                    metadata["name"],
                    metadata["namespace"],
                    propagation_policy="Foreground",
                    uid=metadata["uid"],
                )
            except StatusError as error:
                if not is_not_found(error):
                    raise
        return None
