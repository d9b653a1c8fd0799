"""Step 3: what is wrong with the containers of the pods."""

from __future__ import annotations

from cluster import clock
from cluster.diagnosis.checklist.findings import event_of, field_of, finding_of
from cluster.diagnosis.facts import Facts, Obj, is_ready, node_is_ready
from cluster.diagnosis.gaps import trouble_of

# Seconds after which a restart is past: the kubelet forgets its back-off then, too.
PAST = 600.0


def pods(facts: Facts) -> list[Obj]:
    found: list[Obj] = []
    seen: set[tuple[str, str]] = set()
    for pod in facts.pods:
        node = facts.nodes.get(pod["spec"].get("nodeName") or "")
        if node is not None and not node_is_ready(node) and facts.kind != "Node":
            # That is step 2's.
            continue
        for finding, container in _pod_findings(facts, pod):
            key = (finding["reason"], container)
            if key not in seen:
                seen.add(key)
                found.append(finding)
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
            said,
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
            [*said, field_of(pod, "pod", f"spec.containers[{name}].resources.limits.memory", limit)],
            "Raise the memory limit, or make the process need less.",
            _set_resources(facts, name),
        )
    if reason in ("CrashLoopBackOff", "RunContainerError", "StartError") or killed.get("reason") == "StartError":
        code = killed.get("exitCode", "")
        said.append(field_of(pod, "pod", f"{here}.lastState.terminated.exitCode", code, killed.get("finishedAt", "")))
        if killed.get("message"):
            said.append(field_of(pod, "pod", f"{here}.lastState.terminated.message", killed["message"]))
        return finding_of(
            reason or "StartError",
            f"{where} ends again and again: exit code {code}, {one.get('restartCount', 0)} restarts",
            said,
            "See what it wrote before it ended.",
            _logs(pod, name, previous=True),
        )
    if "running" in state and not one.get("ready") and not is_ready(pod):
        failing = [event for event in facts.events(pod["metadata"]["uid"], "Unhealthy") if name in _container_of(event)]
        if failing:
            return finding_of(
                "Unhealthy",
                f"{where} runs and is not ready: {failing[-1]['message']}",
                [field_of(pod, "pod", f"{here}.ready", "false"), event_of(failing[-1])],
                "See why the probe fails: the port, the path, or the process itself.",
                _logs(pod, name),
            )
    return None


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
    return (
        f"kubectl set image {facts.kind.lower()}/{facts.obj['metadata']['name']} -n {facts.namespace} {container}=IMAGE"
    )


def _set_resources(facts: Facts, container: str) -> str:
    name = facts.obj["metadata"]["name"]
    return (
        f"kubectl set resources {facts.kind.lower()}/{name} -n {facts.namespace} -c {container} --limits=memory=256Mi"
    )
