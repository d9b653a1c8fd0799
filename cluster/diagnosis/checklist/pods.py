"""Step 3: what is wrong with the containers of the pods."""

from __future__ import annotations

from cluster import clock
from cluster.diagnosis.checklist.findings import event_of, field_of, finding_of, traced
from cluster.diagnosis.facts import TEMPLATED, Facts, Obj, is_ready, node_is_ready
from cluster.diagnosis.gaps import trouble_of
from cluster.diagnosis.surroundings import said_at

# Seconds after which a restart is past: the kubelet forgets its back-off then, too.
PAST = 600.0
# What the kubelet says of a container whose process does not stay, or does not come up at all.
LOOPS = frozenset({"CrashLoopBackOff", "RunContainerError", "StartError"})


def pods(facts: Facts) -> list[Obj]:
    found: list[Obj] = []
    seen: set[tuple[str, str]] = set()
    # Of thousands of pods that fail alike the first is looked at closely.
    quiet = facts.quiet()
    for pod in facts.pods:
        node = facts.nodes.get(pod["spec"].get("nodeName") or "")
        if node is not None and not node_is_ready(node) and facts.kind != "Node":
            # That is step 2's.
            continue
        fresh = {(finding["reason"], container) for finding, container in _pod_findings(quiet, pod)} - seen
        if fresh:
            found += [one for one, name in _pod_findings(facts, pod) if (one["reason"], name) in fresh]
            seen |= fresh
    return found


def _pod_findings(facts: Facts, pod: Obj) -> list[tuple[Obj, str]]:
    status, name = pod.get("status") or {}, pod["metadata"]["name"]
    if status.get("phase") == "Failed":
        if facts.kind in ("Pod", "Job"):
            reason = status.get("reason") or trouble_of(pod) or "Failed"
            said = [
                field_of(pod, "pod", "status.phase", "Failed"),
                field_of(pod, "pod", "status.message", status.get("message", "")),
            ]
            said += traced(facts, [pod], "sync", pod, "exit", "admit", "sigterm")
            text = "See its log, and why it ended."
            return [
                (
                    finding_of(
                        reason, f"pod {name} has failed: {status.get('message') or reason}", said, text, _logs(pod)
                    ),
                    "",
                )
            ]
        return []
    if pod["metadata"].get("deletionTimestamp"):
        return []
    found: list[tuple[Obj, str]] = []
    for field in ("initContainerStatuses", "containerStatuses"):
        for one in status.get(field) or ():
            finding = _container(facts, pod, one, field)
            if finding is not None:
                found.append((finding, one["name"]))
    return found


def _container(facts: Facts, pod: Obj, one: Obj, field: str) -> Obj | None:
    state, name = one.get("state") or {}, one["name"]
    last = ((one.get("lastState") or {}).get("terminated")) or {}
    waiting = state.get("waiting") or {}
    reason = waiting.get("reason", "")
    here = f"status.{field}[{name}]"
    where = f"container {name} of pod {pod['metadata']['name']}"
    said = [field_of(pod, "pod", f"{here}.state", reason or next(iter(state), ""))]
    if reason in ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"):
        said.append(field_of(pod, "pod", f"{here}.state.waiting.message", waiting.get("message", "")))
        return finding_of(
            reason,
            f"{where}: image {one.get('image', '')} cannot be pulled",
            [*said, *_traced(facts, pod, name, ("pull",), "Failed", "BackOff")],
            "Correct the name or the tag of the image, or see to the registry.",
            _set_image(facts, name),
        )
    killed = last or state.get("terminated") or {}
    if killed.get("reason") == "OOMKilled" and not (one.get("ready") and _past(killed, facts.now)):
        limit = next(
            (
                ((spec.get("resources") or {}).get("limits") or {}).get("memory", "none")
                for spec in pod["spec"]["containers"]
                if spec["name"] == name
            ),
            "none",
        )
        said.append(
            field_of(pod, "pod", f"{here}.lastState.terminated.reason", "OOMKilled", killed.get("finishedAt", ""))
        )
        return finding_of(
            "OOMKilled",
            f"{where} wanted more memory than its limit of {limit}",
            [
                *said,
                field_of(pod, "pod", f"spec.containers[{name}].resources.limits.memory", limit),
                *_traced(facts, pod, name, ("exit",), "BackOff", "Started"),
            ],
            "Raise the memory limit, or make the process need less.",
            _set_resources(facts, name),
        )
    if (unwell := _probed_to_death(facts, pod, one, here, where)) is not None:
        return unwell
    ended = state.get("terminated") or {}
    if reason in LOOPS or killed.get("reason") == "StartError" or ended.get("exitCode"):
        code = killed.get("exitCode", "")
        said.append(field_of(pod, "pod", f"{here}.lastState.terminated.exitCode", code, killed.get("finishedAt", "")))
        if killed.get("message"):
            said.append(field_of(pod, "pod", f"{here}.lastState.terminated.message", killed["message"]))
        for stages in (("exit",), ("back-off",)) if code != 128 else (("start",),):
            said += _traced(facts, pod, name, stages, "BackOff", "Failed")
        restarts = one.get("restartCount", 0)
        return finding_of(
            reason or killed.get("reason") or "Error",
            f"{where} {'ends again and again' if restarts else 'has ended'}: exit code {code}, {restarts} restarts",
            said,
            "See what it wrote before it ended.",
            _logs(pod, name, previous=not ended),
        )
    if "running" in state and not one.get("ready") and not is_ready(pod):
        failing = _said_of(facts, pod, name, "Unhealthy")
        if failing:
            unready = field_of(pod, "pod", f"{here}.ready", "false")
            return _unhealthy(facts, pod, name, f"{where} runs and is not ready", unready, failing[-1])
    return None


def _probed_to_death(facts: Facts, pod: Obj, one: Obj, here: str, where: str) -> Obj | None:
    """The kubelet ends it lately because a probe fails: it will again, however well it looks in between."""
    name = one["name"]
    last = (one.get("state") or {}).get("terminated") or (one.get("lastState") or {}).get("terminated") or {}
    if not last or _past(last, facts.now):
        return None
    killed = [
        event for event in _said_of(facts, pod, name, "Killing") if " probe, will be restarted" in event["message"]
    ]
    kind = killed[-1]["message"].partition(" failed ")[2].partition(" probe")[0] if killed else ""
    failing = [
        event
        for event in _said_of(facts, pod, name, "Unhealthy")
        if event["message"].lower().startswith(f"{kind} probe")
    ]
    if not kind or not failing or said_at(killed[-1])[:19] < str(last.get("startedAt", ""))[:19]:
        return None
    restarts = field_of(pod, "pod", f"{here}.restartCount", one.get("restartCount", 0), last.get("finishedAt", ""))
    return _unhealthy(facts, pod, name, f"{where} is restarted because its {kind} probe fails", restarts, failing[-1])


def _unhealthy(facts: Facts, pod: Obj, container: str, text: str, field: Obj, event: Obj) -> Obj:
    return finding_of(
        "Unhealthy",
        f"{text}: {event['message']}",
        [field, event_of(event), *_traced(facts, pod, container, ("probe",), "Unhealthy")],
        "See why the probe fails: the port, the path, or the process itself.",
        _logs(pod, container),
    )


def _said_of(facts: Facts, pod: Obj, container: str, *reasons: str) -> list[Obj]:
    """Events about one container of a pod, the oldest first."""
    named = f"{{{container}}}"
    return [one for one in facts.events(pod["metadata"]["uid"], *reasons) if named in _container_of(one)]


def _traced(facts: Facts, pod: Obj, container: str, stages: tuple[str, ...], *reasons: str) -> list[Obj]:
    """The kubelet's work at a container, from the latest event of these reasons or from the pod's status."""
    said = _said_of(facts, pod, container, *reasons)
    return traced(facts, [*said[-1:], pod], "sync", pod, *stages, container=container)


def _past(terminated: Obj, now: float) -> bool:
    """Whether a container ended so long ago that it has stood the test since."""
    finished: str = terminated.get("finishedAt") or ""
    return bool(finished) and now - clock.parse(finished) > PAST


def _container_of(event: Obj) -> str:
    return str((event.get("involvedObject") or {}).get("fieldPath", ""))


def _logs(pod: Obj, container: str = "", *, previous: bool = False) -> str:
    metadata = pod["metadata"]
    words = f"kubectl logs {metadata['name']} -n {metadata['namespace']}"
    return words + (f" -c {container}" if container else "") + (" --previous" if previous else "")


def _set_image(facts: Facts, container: str) -> str:
    if facts.kind not in TEMPLATED and facts.kind != "Pod":
        return ""
    return (
        f"kubectl set image {facts.kind.lower()}/{facts.obj['metadata']['name']} -n {facts.namespace} {container}=IMAGE"
    )


def _set_resources(facts: Facts, container: str) -> str:
    if facts.kind not in TEMPLATED:
        return ""
    name = facts.obj["metadata"]["name"]
    return (
        f"kubectl set resources {facts.kind.lower()}/{name} -n {facts.namespace} -c {container} --limits=memory=256Mi"
    )
