"""What a Job's pods mean for it: indexes, failure and success policies, when it is over (pkg/controller/job).

Pure functions over objects; the loop in controllers/job.py does the writing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cluster import clock
from cluster.apimachinery.meta import get_condition
from cluster.client.client import Obj

INDEX = "batch.kubernetes.io/job-completion-index"
FINALIZER = "batch.kubernetes.io/job-tracking"
# Digits of an index: completions are 32-bit numbers.
LONGEST_INDEX = 10
INDEX_FAILURES = "batch.kubernetes.io/job-index-failure-count"

# A failed pod is replaced after so long, doubling up to the longest (DefaultJobPodFailureBackOff).
BACKOFF, LONGEST_BACKOFF = 10.0, 600.0
# So many finished pods are counted in one go.
MAX_UNCOUNTED = 500


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a Job ends: the final condition (`Complete` or `Failed`), its reason and message."""

    kind: str
    reason: str
    message: str

    @property
    def interim(self) -> str:
        """The condition that is set at once, while pods still go."""
        return "SuccessCriteriaMet" if self.kind == "Complete" else "FailureTarget"


def annotations_of(obj: Obj) -> dict[str, str]:
    found: dict[str, str] = obj["metadata"].get("annotations") or {}
    return found


def is_indexed(job: Obj) -> bool:
    return bool(job["spec"].get("completionMode") == "Indexed")


def index_of(pod: Obj) -> int | None:
    """The completion index of an indexed Job's pod."""
    return _index(annotations_of(pod).get(INDEX, ""))


def is_tracked(pod: Obj) -> bool:
    """Not counted yet: the finalizer is still on it."""
    return FINALIZER in (pod["metadata"].get("finalizers") or ())


def phase_of(pod: Obj) -> str:
    return str((pod.get("status") or {}).get("phase", ""))


def has_failed(job: Obj, pod: Obj) -> bool:
    """Failed, or as good as: on its way out, unless the Job waits for pods to have gone (podReplacementPolicy)."""
    phase = phase_of(pod)
    if phase == "Failed":
        return True
    if job["spec"].get("podReplacementPolicy") == "Failed":
        return False
    return "deletionTimestamp" in pod["metadata"] and phase != "Succeeded"


def is_terminating(pod: Obj) -> bool:
    return "deletionTimestamp" in pod["metadata"] and phase_of(pod) not in ("Succeeded", "Failed")


# -- indexes --------------------------------------------------------------------------------------------------------


def parse_indexes(text: str, completions: int) -> set[int]:
    """The indexes in `1,3-5`, in order, below `completions`; parts that are none are passed over (parseIndexesFromString)."""
    found: set[int] = set()
    after = 0
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        low, high = _index(first), _index(last or first)
        if low is not None and high is not None:
            # Whatever has been written there, no index is looked at twice.
            low, high = max(low, after), min(high, completions - 1)
            found.update(range(low, high + 1))
            after = max(after, high + 1)
    return found


def _index(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) <= LONGEST_INDEX else None


def format_indexes(indexes: Iterable[int]) -> str:
    """`1,3-5`: runs of three or more (and of two, as Kubernetes writes `1,2`) in order."""
    parts: list[str] = []
    run: list[int] = []

    def close() -> None:
        if len(run) > 2:
            parts.append(f"{run[0]}-{run[-1]}")
        else:
            parts.extend(map(str, run))

    for index in sorted(indexes):
        if run and index != run[-1] + 1:
            close()
            run = []
        run.append(index)
    close()
    return ",".join(parts)


# -- the pod failure policy --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Failure:
    """What the policy says of one failed pod: Count, Ignore, FailIndex or FailJob, with the message of the latter."""

    action: str = "Count"
    message: str = ""


def _exit_codes(pod: Obj) -> Iterable[tuple[str, int]]:
    status = pod.get("status") or {}
    for container in (*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())):
        ended = (container.get("state") or {}).get("terminated")
        if ended and ended.get("exitCode"):
            yield container["name"], ended["exitCode"]


def judge_failure(job: Obj, pod: Obj) -> Failure:
    """The first rule of spec.podFailurePolicy that matches."""
    policy = job["spec"].get("podFailurePolicy") or {}
    place = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
    for number, rule in enumerate(policy.get("rules") or ()):
        action = rule["action"]
        codes = rule.get("onExitCodes")
        if codes is not None:
            for name, code in _exit_codes(pod):
                if codes.get("containerName") and codes["containerName"] != name:
                    continue
                if (code in codes["values"]) == (codes["operator"] == "In"):
                    return Failure(
                        action,
                        f"Container {name} for pod {place} failed with exit code {code} "
                        f"matching {action} rule at index {number}",
                    )
            continue
        for pattern in rule.get("onPodConditions") or ():
            condition = get_condition(pod, pattern["type"])
            if condition is not None and condition["status"] == pattern.get("status", "True"):
                return Failure(
                    action, f"Pod {place} has condition {pattern['type']} matching {action} rule at index {number}"
                )
    return Failure()


# -- what there is -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Tally:
    """A Job's pods, sorted by what they mean."""

    active: list[Obj] = field(default_factory=list)
    terminating: list[Obj] = field(default_factory=list)
    succeeded: list[Obj] = field(default_factory=list)  # finished, not counted yet
    failed: list[Obj] = field(default_factory=list)
    judged: dict[str, Failure] = field(default_factory=dict)  # by uid, of those in `failed`
    done_indexes: set[int] = field(default_factory=set)
    failed_indexes: set[int] = field(default_factory=set)
    ready: int = 0

    @property
    def counted_failures(self) -> list[Obj]:
        """Newly failed pods that count."""
        return [pod for pod in self.failed if self.judged[pod["metadata"]["uid"]].action != "Ignore"]


def tally(job: Obj, pods: Iterable[Obj], counted: set[str]) -> Tally:
    """`counted` has the uids of finished pods that the status has or that were let go."""
    result = Tally()
    status, spec = job.get("status") or {}, job["spec"]
    indexed = is_indexed(job)
    if indexed:
        completions = spec["completions"]
        result.done_indexes = parse_indexes(status.get("completedIndexes") or "", completions)
        result.failed_indexes = parse_indexes(status.get("failedIndexes") or "", completions)
    for pod in pods:
        uid = pod["metadata"]["uid"]
        if is_terminating(pod):
            result.terminating.append(pod)
        elif phase_of(pod) not in ("Succeeded", "Failed") and "deletionTimestamp" not in pod["metadata"]:
            result.active.append(pod)
            ready = get_condition(pod, "Ready")
            result.ready += ready is not None and ready["status"] == "True"
            continue
        if not is_tracked(pod) or uid in counted or len(result.succeeded) + len(result.failed) >= MAX_UNCOUNTED:
            continue
        index = index_of(pod) if indexed else None
        if phase_of(pod) == "Succeeded":
            if not indexed:
                result.succeeded.append(pod)
            elif index is not None and index < spec["completions"]:
                result.succeeded.append(pod)
                result.done_indexes.add(index)
        elif has_failed(job, pod):
            result.failed.append(pod)
            result.judged[uid] = judge_failure(job, pod)
    if spec.get("backoffLimitPerIndex") is not None:
        for pod in result.failed:
            index = index_of(pod)
            if index is not None and index not in result.done_indexes and _index_is_lost(job, pod, result):
                result.failed_indexes.add(index)
    return result


def index_failures(pod: Obj) -> int:
    text = annotations_of(pod).get(INDEX_FAILURES, "0")
    return int(text) if text.isdecimal() else 0


def _index_is_lost(job: Obj, pod: Obj, result: Tally) -> bool:
    found = result.judged[pod["metadata"]["uid"]]
    if found.action == "FailIndex":
        return True
    limit: int = job["spec"]["backoffLimitPerIndex"]
    return found.action == "Count" and index_failures(pod) >= limit


def failures_by_index(job: Obj, pods: Iterable[Obj]) -> dict[int, Obj]:
    """With a limit per index: for each index that has failed, the pod that failed last."""
    found: dict[int, Obj] = {}
    if job["spec"].get("backoffLimitPerIndex") is None:
        return found
    for pod in pods:
        index = index_of(pod)
        if index is None or not has_failed(job, pod) or judge_failure(job, pod).action == "Ignore":
            continue
        if index not in found or index_failures(pod) > index_failures(found[index]):
            found[index] = pod
    return found


# -- when it is over ---------------------------------------------------------------------------------------------------


def finished(job: Obj) -> Obj | None:
    """The condition that says the Job is over: Complete or Failed."""
    for kind in ("Complete", "Failed"):
        condition = get_condition(job, kind)
        if condition is not None and condition["status"] == "True":
            return condition
    return None


def pending_verdict(job: Obj) -> Verdict | None:
    """A verdict that an earlier reconcile reached, while pods still go."""
    for kind, interim in (("Complete", "SuccessCriteriaMet"), ("Failed", "FailureTarget")):
        condition = get_condition(job, interim)
        if condition is not None and condition["status"] == "True":
            return Verdict(kind, condition.get("reason", ""), condition.get("message", ""))
    return None


def verdict(job: Obj, counts: tuple[int, int], tally: Tally, now: float, started: float | None) -> Verdict | None:
    """Whether the Job is over, from its pods; `counts` are all (succeeded, failed), the new ones included."""
    spec = job["spec"]
    succeeded, failed = counts
    for pod in tally.failed:
        failure = tally.judged[pod["metadata"]["uid"]]
        if failure.action == "FailJob":
            return Verdict("Failed", "PodFailurePolicy", failure.message)
    limit = spec.get("backoffLimit", 6)
    if (tally.counted_failures and failed > limit) or _restarts_exceed(job, tally.active):
        return Verdict("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and started is not None and not spec.get("suspend") and now - started >= deadline:
        return Verdict("Failed", "DeadlineExceeded", "Job was active longer than specified deadline")
    if is_indexed(job):
        return _indexed_verdict(job, tally)
    completions = spec.get("completions")
    if completions is None:
        done = succeeded > 0 and not tally.active
    else:
        done = succeeded >= completions and not tally.active
    reached = Verdict("Complete", "CompletionsReached", "Reached expected number of succeeded pods")
    return reached if done and not spec.get("suspend") else None


def _indexed_verdict(job: Obj, tally: Tally) -> Verdict | None:
    spec = job["spec"]
    completions, done, lost = spec["completions"], tally.done_indexes, tally.failed_indexes
    for number, rule in enumerate((spec.get("successPolicy") or {}).get("rules") or ()):
        chosen = parse_indexes(rule["succeededIndexes"], completions) if rule.get("succeededIndexes") else None
        matching = done if chosen is None else done & chosen
        least = rule.get("succeededCount", len(chosen) if chosen is not None else completions)
        if len(matching) >= least:
            return Verdict("Complete", "SuccessPolicy", f"Matched rules at index {number}")
    if spec.get("backoffLimitPerIndex") is not None:
        most = spec.get("maxFailedIndexes")
        if most is not None and len(lost) > most:
            text = "Job has exceeded the specified maximal number of failed indexes"
            return Verdict("Failed", "MaxFailedIndexesExceeded", text)
        if lost and len(done | lost) >= completions:
            return Verdict("Failed", "FailedIndexes", "Job has failed indexes")
    if len(done) >= completions and not spec.get("suspend"):
        return Verdict("Complete", "CompletionsReached", "Reached expected number of succeeded pods")
    return None


def _restarts_exceed(job: Obj, active: Sequence[Obj]) -> bool:
    """With restartPolicy OnFailure the containers' restarts count instead of failed pods."""
    spec = job["spec"]
    if (spec["template"].get("spec") or {}).get("restartPolicy") != "OnFailure":
        return False
    restarts = 0
    for pod in active:
        status: dict[str, Any] = pod.get("status") or {}
        if phase_of(pod) in ("Running", "Pending"):
            for name in ("initContainerStatuses", "containerStatuses"):
                restarts += sum(one.get("restartCount", 0) for one in status.get(name) or ())
    limit = spec.get("backoffLimit", 6)
    return restarts > 0 if limit == 0 else restarts >= limit


# -- how many it wants -------------------------------------------------------------------------------------------------


def wanted_active(job: Obj, succeeded: int, tally: Tally) -> int:
    """How many pods should run now."""
    spec = job["spec"]
    parallelism: int = spec.get("parallelism", 1)
    completions = spec.get("completions")
    if completions is None:
        # A work queue: once one has succeeded, no new ones are started.
        return len(tally.active) if succeeded else parallelism
    if is_indexed(job):
        left = int(completions) - len(tally.done_indexes | tally.failed_indexes)
    else:
        left = int(completions) - succeeded
    return max(min(parallelism, left), 0)


def missing_indexes(job: Obj, tally: Tally, count: int, waiting: Iterable[int] = ()) -> list[int]:
    """The first `count` indexes that nothing runs, or has run, for, and that need not wait."""
    taken = {index_of(pod) for pod in tally.active} | tally.done_indexes | tally.failed_indexes | {*waiting}
    if job["spec"].get("podReplacementPolicy") == "Failed":
        taken |= {index_of(pod) for pod in tally.terminating}
    found: list[int] = []
    for index in range(job["spec"]["completions"]):
        if len(found) >= count:
            break
        if index not in taken:
            found.append(index)
    return found


def surplus(job: Obj, tally: Tally, wanted: int) -> list[Obj]:
    """Active pods to delete: of an index run twice or out of range first, then those that have done least."""
    doomed: list[Obj] = []
    kept = sorted(tally.active, key=_progress, reverse=True)
    if is_indexed(job):
        seen: set[int] = set()
        rest = []
        for pod in kept:
            index = index_of(pod)
            if index is None or index in seen or index >= job["spec"]["completions"] or index in tally.failed_indexes:
                doomed.append(pod)
            else:
                seen.add(index)
                rest.append(pod)
        kept = rest
    return doomed + kept[max(wanted, 0) :]


def _progress(pod: Obj) -> tuple[bool, bool, bool, str]:
    ready = get_condition(pod, "Ready")
    assigned = bool(pod["spec"].get("nodeName"))
    return (
        assigned,
        phase_of(pod) == "Running",
        ready is not None and ready["status"] == "True",
        pod["metadata"]["name"],
    )


def ended(pod: Obj) -> float:
    """When the last container stopped; for a pod that none stopped in, when it was deleted, or now."""
    moments = [
        clock.parse(state["finishedAt"])
        for one in (pod.get("status") or {}).get("containerStatuses") or ()
        if (state := (one.get("state") or {}).get("terminated")) and state.get("finishedAt")
    ]
    if moments:
        return max(moments)
    deleted = pod["metadata"].get("deletionTimestamp")
    return min(clock.parse(deleted), clock.now()) if deleted else clock.now()


def backoff(failures: int) -> float:
    """Seconds from the last failure until the next pod, after so many in a row."""
    return min(BACKOFF * 2.0 ** (failures - 1), LONGEST_BACKOFF) if failures else 0.0
