"""The checklist for what is not well, in its order: 1 scheduling, 2 nodes, 3 pods, 4 configuration; each with evidence and mending."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from cluster import clock
from cluster.apimachinery.meta import get_condition
from cluster.apimachinery.placement import HARD, daemon_placement, daemon_tolerations, untolerated, wants_node
from cluster.apimachinery.quantity import milli, value
from cluster.diagnosis.facts import Facts, Obj, is_over, is_ready, node_is_ready, said_at
from cluster.diagnosis.gaps import trouble_of
from cluster.diagnosis.mends import mend

# How many objects are named one by one.
NAMED = 5
# Seconds after which a restart is past: the kubelet forgets its back-off then, too.
PAST = 600.0


def steps(facts: Facts) -> list[Obj]:
    """All four steps, each passed or failed."""
    found = []
    for number, (name, look) in enumerate(STEPS, 1):
        findings = look(facts)
        for finding in findings:
            if (mended := mend(facts, finding)) is not None:
                finding["mend"] = mended
        found.append(
            {
                "step": number,
                "name": name,
                "result": "Failed" if findings else "Passed",
                **({"findings": findings} if findings else {}),
            }
        )
    return found


def _finding(reason: str, message: str, evidence: Iterable[Obj], fix: str, command: str = "") -> Obj:
    found: Obj = {"reason": reason, "message": message, "evidence": list(evidence), "fix": fix}
    if command:
        found["command"] = command
    return found


def _field(obj: Obj, kind: str, field: str, text: object, since: str = "") -> Obj:
    found: Obj = {"object": f"{kind}/{obj['metadata']['name']}", "field": field, "value": str(text)}
    if since:
        found["time"] = since
    return found


def _names(names: list[str]) -> str:
    """`a, b and 3 more`."""
    shown = ", ".join(names[:NAMED])
    return f"{shown} and {len(names) - NAMED} more" if len(names) > NAMED else shown


def _event(event: Obj) -> Obj:
    about = event.get("involvedObject") or {}
    return {
        "object": f"{about.get('kind', '').lower()}/{about.get('name', '')}",
        "field": "Event",
        "value": f"{event['reason']}: {event['message']}",
        "time": said_at(event)[:19].rstrip("Z") + "Z",
    }


def _waiting(facts: Facts) -> list[Obj]:
    """The pods that are not there yet and not going."""
    return [pod for pod in facts.pods if not pod["metadata"].get("deletionTimestamp") and not is_over(pod)]


# -- 1 scheduling ------------------------------------------------------------------------------------------------------


def _scheduling(facts: Facts) -> list[Obj]:
    if facts.kind == "Node":
        return _cordoned(facts)
    found: list[Obj] = []
    if facts.kind == "DaemonSet" and not any(
        daemon_placement(facts.template, node)[0] for node in facts.nodes.values()
    ):
        found.append(_nowhere(facts))
    seen: set[str] = set()
    for pod in _waiting(facts):
        if pod["spec"].get("nodeName"):
            continue
        condition = get_condition(pod, "PodScheduled") or {}
        message = str(condition.get("message", ""))
        if condition.get("status") != "False" or message in seen:
            continue
        seen.add(message)
        found += _unschedulable(facts, pod, condition)
    return found


def _cordoned(facts: Facts) -> list[Obj]:
    name = facts.obj["metadata"]["name"]
    if not facts.spec.get("unschedulable"):
        return []
    return [
        _finding(
            "Cordoned",
            f"node {name} takes no new pods",
            [_field(facts.obj, "node", "spec.unschedulable", "true")],
            "Let it take pods again.",
            f"kubectl uncordon {name}",
        )
    ]


def _nowhere(facts: Facts) -> Obj:
    if not facts.nodes:
        return _finding("NoNodes", "the cluster has no nodes", [], "Add a node.")
    taints = [
        untolerated(daemon_tolerations(facts.template), node["spec"].get("taints") or ())
        for node in facts.nodes.values()
        if wants_node(facts.template, node)
    ]
    if taints:
        taint = next(one for one in taints if one)
        return _taint(facts, facts.obj, facts.kind.lower(), taint)
    return _selector(facts, facts.obj, facts.kind.lower(), facts.template)


def _taint(facts: Facts, obj: Obj, kind: str, taint: Obj) -> Obj:
    nodes = [
        name
        for name, node in facts.nodes.items()
        if any(one["key"] == taint["key"] and one["effect"] in HARD for one in node["spec"].get("taints") or ())
    ]
    shown = f"{taint['key']}{'=' + taint['value'] if taint.get('value') else ''}:{taint['effect']}"
    return _finding(
        "UntoleratedTaint",
        f"no toleration for the taint {shown} of {_names(nodes)}",
        [_field(facts.nodes[name], "node", "spec.taints", shown) for name in nodes[:NAMED]],
        f"Tolerate it: tolerations: [{{key: {taint['key']}, operator: Exists, effect: {taint['effect']}}}] in the pod template "
        "of the workload, or take the taint from the node.",
        f"kubectl taint nodes {nodes[0] if nodes else 'NODE'} {taint['key']}:{taint['effect']}-",
    )


def _selector(facts: Facts, obj: Obj, kind: str, spec: Obj) -> Obj:
    wanted = spec.get("nodeSelector") or {}
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    evidence, command = [], ""
    if wanted:
        shown = ",".join(f"{key}={text}" for key, text in sorted(wanted.items()))
        evidence.append(_field(obj, kind, "spec.nodeSelector", shown))
        node = next(iter(sorted(facts.nodes)), "NODE")
        command = f"kubectl label node {node} {shown.replace(',', ' ')}"
    if affinity:
        evidence.append(_field(obj, kind, "spec.affinity.nodeAffinity", "required terms match no node"))
    if spec.get("nodeName"):
        evidence.append(_field(obj, kind, "spec.nodeName", spec["nodeName"]))
    return _finding(
        "NodeSelectorMismatch",
        "no node has the labels that nodeSelector or node affinity ask for",
        evidence,
        "Label a node as the selector asks, or change the selector.",
        command,
    )


def _unschedulable(facts: Facts, pod: Obj, condition: Obj) -> list[Obj]:
    spec, message = pod["spec"], str(condition.get("message", ""))
    said = _field(pod, "pod", "status.conditions[PodScheduled]", message, condition.get("lastTransitionTime", ""))
    if condition.get("reason") == "SchedulingGated":
        gates = ", ".join(one["name"] for one in spec.get("schedulingGates") or ())
        text = "Whoever set the gates has to take them away."
        return [_finding("SchedulingGated", f"pod {pod['metadata']['name']} waits for the gates {gates}", [said], text)]
    matching = [node for node in facts.nodes.values() if wants_node(spec, node)]
    if not matching:
        finding = _selector(facts, pod, "pod", spec)
        finding["evidence"].insert(0, said)
        return [finding]
    open_nodes = [
        node
        for node in matching
        if untolerated(spec.get("tolerations") or (), node["spec"].get("taints") or ()) is None
    ]
    if not open_nodes:
        taint = next(
            one
            for node in matching
            if (one := untolerated(spec.get("tolerations") or (), node["spec"].get("taints") or ()))
        )
        finding = _taint(facts, pod, "pod", taint)
        finding["evidence"].insert(0, said)
        return [finding]
    if "persistentvolumeclaim" in message or "PersistentVolumeClaim" in message:
        text = "Create the claim, or a volume or StorageClass that fits it."
        return [_finding("VolumeNotBound", f"pod {pod['metadata']['name']}: {message}", [said], text)]
    lacking = _lacking(pod, open_nodes)
    if lacking:
        resource, wanted, most = lacking
        return [
            _finding(
                "InsufficientResources",
                f"pod {pod['metadata']['name']} asks for {wanted} of {resource}; no node that it may stand on can give more "
                f"than {most}",
                [said, _field(pod, "pod", f"spec.containers[*].resources.requests.{resource}", wanted)],
                f"Ask for less {resource}, add a node, or free room.",
            )
        ]
    return [
        _finding(
            "Unschedulable",
            f"pod {pod['metadata']['name']}: {message or 'not scheduled'}",
            [said],
            "See what each node lacks: affinity to other pods, topology spread, ports or room.",
        )
    ]


def _lacking(pod: Obj, nodes: list[Obj]) -> tuple[str, str, str] | None:
    """(resource, asked, the most that any node has in all) of a request that fits nowhere."""
    wanted: dict[str, int] = {}
    for container in pod["spec"]["containers"]:
        for name, amount in ((container.get("resources") or {}).get("requests") or {}).items():
            wanted[name] = wanted.get(name, 0) + _amount(name, amount)
    for name, amount in wanted.items():
        most = max(
            _amount(name, ((node.get("status") or {}).get("allocatable") or {}).get(name, "0")) for node in nodes
        )
        if amount > most:
            return name, _shown(name, amount), _shown(name, most)
    text = str((get_condition(pod, "PodScheduled") or {}).get("message", ""))
    for name, amount in wanted.items():
        if f"Insufficient {name}" in text:
            return name, _shown(name, amount), "what other pods have left"
    return None


def _amount(name: str, quantity: str) -> int:
    return milli(quantity) if name == "cpu" else value(quantity)


def _shown(name: str, amount: int) -> str:
    if name == "cpu":
        return f"{amount}m" if amount % 1000 else str(amount // 1000)
    for unit, size in (("Gi", 1024**3), ("Mi", 1024**2), ("Ki", 1024)):
        if amount and amount % size == 0:
            return f"{amount // size}{unit}"
    return str(amount)


# -- 2 nodes -----------------------------------------------------------------------------------------------------------


def _nodes(facts: Facts) -> list[Obj]:
    if facts.kind == "Node":
        names = [facts.obj["metadata"]["name"]]
    else:
        names = sorted({pod["spec"]["nodeName"] for pod in _waiting(facts) if pod["spec"].get("nodeName")})
    found = []
    for name in names:
        node = facts.nodes.get(name)
        if node is None:
            found.append(_finding("NodeGone", f"node {name} is not there any more", [], "Its pods are deleted soon."))
            continue
        for condition in (node.get("status") or {}).get("conditions") or ():
            sick = condition["status"] != "True" if condition["type"] == "Ready" else condition["status"] == "True"
            if sick and condition["type"] in _NODE_FIXES:
                reason, fix = _NODE_FIXES[condition["type"]]
                found.append(
                    _finding(
                        reason,
                        f"node {name}: {condition.get('message') or condition.get('reason', '')}",
                        [
                            _field(
                                node,
                                "node",
                                f"status.conditions[{condition['type']}]",
                                condition["status"],
                                condition.get("lastTransitionTime", ""),
                            )
                        ],
                        fix,
                        f"kubectl describe node {name}",
                    )
                )
    return found


_NODE_FIXES = {
    "Ready": (
        "NodeNotReady",
        "Bring the machine or its kubelet back. After five minutes its pods are made anew elsewhere, those of DaemonSets excepted.",
    ),
    "MemoryPressure": (
        "MemoryPressure",
        "Free memory on the node, or give pods requests so that fewer are placed there.",
    ),
    "DiskPressure": ("DiskPressure", "Free disk on the node."),
    "PIDPressure": ("PIDPressure", "Find what makes so many processes."),
}


# -- 3 pods ------------------------------------------------------------------------------------------------------------


def _pods(facts: Facts) -> list[Obj]:
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
                _field(pod, "pod", "status.phase", "Failed"),
                _field(pod, "pod", "status.message", status.get("message", "")),
            ]
            text = "See its log, and why it ended."
            return [
                (
                    _finding(
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
    said = [_field(pod, "pod", f"{here}.state", reason or next(iter(state), ""))]
    if reason in ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"):
        said.append(_field(pod, "pod", f"{here}.state.waiting.message", waiting.get("message", "")))
        return _finding(
            reason,
            f"{where}: image {one.get('image', '')} cannot be pulled",
            said,
            "Correct the name or the tag of the image, or see to the registry.",
            _set_image(facts, name),
        )
    killed = last or state.get("terminated") or {}
    if killed.get("reason") == "OOMKilled" and not (one.get("ready") and _past(killed)):
        limit = next(
            (
                ((spec.get("resources") or {}).get("limits") or {}).get("memory", "none")
                for spec in pod["spec"]["containers"]
                if spec["name"] == name
            ),
            "none",
        )
        said.append(
            _field(pod, "pod", f"{here}.lastState.terminated.reason", "OOMKilled", killed.get("finishedAt", ""))
        )
        return _finding(
            "OOMKilled",
            f"{where} wanted more memory than its limit of {limit}",
            [*said, _field(pod, "pod", f"spec.containers[{name}].resources.limits.memory", limit)],
            "Raise the memory limit, or make the process need less.",
            _set_resources(facts, name),
        )
    if reason in ("CrashLoopBackOff", "RunContainerError", "StartError") or killed.get("reason") == "StartError":
        code = killed.get("exitCode", "")
        said.append(_field(pod, "pod", f"{here}.lastState.terminated.exitCode", code, killed.get("finishedAt", "")))
        if killed.get("message"):
            said.append(_field(pod, "pod", f"{here}.lastState.terminated.message", killed["message"]))
        return _finding(
            reason or "StartError",
            f"{where} ends again and again: exit code {code}, {one.get('restartCount', 0)} restarts",
            said,
            "See what it wrote before it ended.",
            _logs(pod, name, previous=True),
        )
    if "running" in state and not one.get("ready") and not is_ready(pod):
        failing = [event for event in facts.events(pod["metadata"]["uid"], "Unhealthy") if name in _container_of(event)]
        if failing:
            return _finding(
                "Unhealthy",
                f"{where} runs and is not ready: {failing[-1]['message']}",
                [_field(pod, "pod", f"{here}.ready", "false"), _event(failing[-1])],
                "See why the probe fails: the port, the path, or the process itself.",
                _logs(pod, name),
            )
    return None


def _past(terminated: Obj) -> bool:
    """Whether a container ended so long ago that it has stood the test since."""
    finished: str = terminated.get("finishedAt") or ""
    return bool(finished) and clock.now() - clock.parse(finished) > PAST


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


# -- 4 configuration ---------------------------------------------------------------------------------------------------


def _configuration(facts: Facts) -> list[Obj]:
    if facts.kind == "Node":
        return []
    found = [*_refused(facts), *_references(facts)]
    named = {finding["reason"] for finding in found}
    for pod in _waiting(facts):
        if is_ready(pod):
            continue
        for event in facts.events(pod["metadata"]["uid"], "FailedMount")[-1:]:
            if not named & {"MissingConfigMap", "MissingSecret"}:
                text = "Create what the volume is made of."
                return [*found, _finding("FailedMount", event["message"], [_event(event)], text)]
        for one in (pod.get("status") or {}).get("containerStatuses") or ():
            waiting = (one.get("state") or {}).get("waiting") or {}
            if waiting.get("reason") == "CreateContainerConfigError" and not named & {
                "MissingConfigMap",
                "MissingSecret",
            }:
                said = _field(
                    pod, "pod", f"status.containerStatuses[{one['name']}].state.waiting", waiting.get("message", "")
                )
                text = "Create what is missing, or correct the reference."
                return [*found, _finding("CreateContainerConfigError", waiting.get("message", ""), [said], text)]
    return found


def _refused(facts: Facts) -> list[Obj]:
    """Pods that the API server did not let be made: quota, limits, policy, a missing ServiceAccount."""
    alive = len(_waiting(facts))
    wanted = facts.spec.get("replicas", 1)
    if facts.kind == "DaemonSet":
        wanted = sum(daemon_placement(facts.template, node)[0] for node in facts.nodes.values())
    if facts.kind in ("Pod", "Job") and facts.pods:
        return []
    if alive >= wanted:
        return []
    for uid in facts.owners:
        failed = facts.events(uid, "FailedCreate")
        if not failed:
            continue
        message = failed[-1]["message"]
        for word, (reason, fix, command) in _REFUSALS.items():
            if word in message:
                return [_finding(reason, message, [_event(failed[-1])], fix, command.format(namespace=facts.namespace))]
        return [_finding("FailedCreate", message, [_event(failed[-1])], "Make the pod template acceptable.")]
    return []


_REFUSALS: dict[str, tuple[str, str, str]] = {
    "exceeded quota": (
        "QuotaExceeded",
        "Raise the quota, delete what is not needed, or ask for less.",
        "kubectl describe resourcequota -n {namespace}",
    ),
    "failed quota": (
        "QuotaNeedsRequests",
        "Give every container the requests and limits that the quota counts, or a LimitRange with defaults.",
        "kubectl describe resourcequota -n {namespace}",
    ),
    "service account": (
        "MissingServiceAccount",
        "Create the ServiceAccount, or name another.",
        "kubectl get serviceaccounts -n {namespace}",
    ),
    "serviceaccount": (
        "MissingServiceAccount",
        "Create the ServiceAccount, or name another.",
        "kubectl get serviceaccounts -n {namespace}",
    ),
    "violates PodSecurity": ("PodSecurity", "Make the pod meet the namespace's policy.", ""),
    "usage per": ("LimitRange", "Stay within the LimitRange.", "kubectl describe limitrange -n {namespace}"),
    "forbidden": ("Forbidden", "See who is not allowed to do what.", ""),
}


def _references(facts: Facts) -> list[Obj]:
    """ConfigMaps, Secrets and the ServiceAccount that the pods name and that are not there."""
    found, seen = [], set()
    for kind, name, field in _named(facts.template):
        resource = {"ConfigMap": "configmaps", "Secret": "secrets", "ServiceAccount": "serviceaccounts"}[kind]
        if (kind, name) in seen or facts.view.get(resource, facts.namespace, name) is not None:
            continue
        seen.add((kind, name))
        what = {"ConfigMap": "configmap", "Secret": "secret generic", "ServiceAccount": "serviceaccount"}[kind]
        found.append(
            _finding(
                f"Missing{kind}",
                f'{kind} "{name}" is not there',
                [_field(facts.obj, facts.kind.lower(), field, name)],
                f"Create the {kind}, or correct the reference.",
                f"kubectl create {what} {name} -n {facts.namespace}",
            )
        )
    return found


def _named(spec: Obj) -> Iterable[tuple[str, str, str]]:
    """(kind, name, field) of what must be there for a pod to start."""
    account = spec.get("serviceAccountName")
    if account and account != "default":
        yield "ServiceAccount", account, "spec.serviceAccountName"
    for volume in spec.get("volumes") or ():
        for key, kind, inner in (("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName")):
            source = volume.get(key)
            if source and not source.get("optional"):
                yield kind, source.get(inner, ""), f"spec.volumes[{volume['name']}]"
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        for source in container.get("envFrom") or ():
            for key, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                reference = source.get(key)
                if reference and not reference.get("optional"):
                    yield kind, reference["name"], f"spec.containers[{container['name']}].envFrom"
        for variable in container.get("env") or ():
            for key, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
                reference = (variable.get("valueFrom") or {}).get(key)
                if reference and not reference.get("optional"):
                    yield kind, reference["name"], f"spec.containers[{container['name']}].env[{variable['name']}]"


STEPS: tuple[tuple[str, Callable[[Facts], list[Obj]]], ...] = (
    ("Scheduling", _scheduling),
    ("Nodes", _nodes),
    ("Pods", _pods),
    ("Configuration", _configuration),
)
