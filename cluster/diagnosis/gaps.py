"""Desired against actual: what the spec asks, what is, what is missing, and who should close it. One table by kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from cluster.apimachinery.placement import daemon_tolerations, untolerated, wants_node
from cluster.apimachinery.quantity import value
from cluster.diagnosis import spans
from cluster.diagnosis.checklist.findings import listed
from cluster.diagnosis.facts import Facts, Obj, is_over, is_ready, node_is_ready
from cluster.diagnosis.surroundings import said_at, said_in


def gaps(facts: Facts) -> list[Obj]:
    """The comparisons for this kind of object."""
    return _BY_KIND[facts.kind](facts)


def _gap(
    facts: Facts, what: str, desired: object, actual: object, missing: str, by: str, about: Sequence[Obj] = ()
) -> Obj:
    """One comparison. `by` closes it, at the object itself or at those that it is `about`."""
    found: Obj = {"what": what, "desired": str(desired), "actual": str(actual), "gap": missing, "closedBy": by}
    component = by.removesuffix(" controller").replace(" ", "")
    uids = [one["metadata"]["uid"] for one in about] or [*facts.owners]
    last = facts.last_action(uids, _COMPONENTS.get(component, component))
    if last is not None:
        found["lastAction"] = f"{last['reason']}: {said_in(last)}"
        found["lastActionTime"] = said_at(last)[:19].rstrip("Z") + "Z"
        picked = _recorded(facts, last, _WORK.get(component, "reconcile"), about)
        if picked is not None:
            found["lastSpan"] = spans.span_of(picked)
    elif component == "endpointslice" and facts.slices:
        # This loop tells no events: what it wrote last says what it did.
        picked = spans.work(facts.traces, facts.slices[0], "reconcile", facts.namespace, facts.obj["metadata"]["name"])
        if picked is not None:
            found["lastSpan"] = spans.span_of(picked)
    return found


def _recorded(facts: Facts, event: Obj, kind: str, about: Iterable[Obj]) -> spans.Picked | None:
    """The span of what an event tells of: of the stage that it is about, else of the same work."""
    target = event["involvedObject"]
    same = [one for one in (*about, facts.obj) if one["metadata"]["uid"] == target.get("uid")]
    for stages in (_STAGES.get(event["reason"], ()), ()):
        for written in (event, *same):
            name, namespace = target["name"], target.get("namespace", "")
            picked = spans.work(facts.traces, written, kind, namespace, name, stages)
            if picked is not None:
                return picked
    return None


# Which stage an event of a kubelet is about.
_STAGES = {
    "BackOff": ("back-off", "pull"),
    "Failed": ("pull", "create", "start"),
    "FailedMount": ("mount",),
    "Pulling": ("pull",),
    "Pulled": ("pull",),
    "Created": ("create",),
    "Started": ("start",),
    "Unhealthy": ("probe",),
}


_COMPONENTS = {"scheduler": "default-scheduler", "volume-expand": "volume_expand"}
# What a component's journeys are called, where they are no reconciles.
_WORK = {"scheduler": "schedule", "kubelet": "sync"}


def _missing(wanted: int, have: int, what: str) -> str:
    if have < wanted:
        return f"{wanted - have} of {wanted} {what}"
    return f"{have - wanted} too many" if have > wanted else ""


def _alive(facts: Facts) -> list[Obj]:
    return [pod for pod in facts.pods if not pod["metadata"].get("deletionTimestamp") and not is_over(pod)]


def _replicated(facts: Facts) -> list[Obj]:
    wanted = facts.spec.get("replicas", 1)
    alive = _alive(facts)
    ready = [pod for pod in alive if is_ready(pod)]
    controller = f"{facts.kind.lower()} controller"
    missing = _missing(wanted, len(alive), "pods are not there")
    found = [
        _gap(facts, "pods", wanted, len(alive), missing, _maker(facts) if missing else controller),
        _gap(
            facts,
            "ready pods",
            wanted,
            len(ready),
            _missing(wanted, len(ready), "pods are not ready"),
            _who(facts, alive),
            _unready(alive),
        ),
    ]
    if facts.spec.get("minReadySeconds"):
        found.append(_available(facts, wanted, facts.status.get("availableReplicas", 0), controller))
    # A status leaves out what is 0.
    updated = facts.status.get("updatedReplicas", 0)
    if facts.kind in ("Deployment", "StatefulSet") and wanted and "observedGeneration" in facts.status:
        text, controller = _missing(wanted, min(updated, wanted), "pods have the old template"), _updater(facts)
        if facts.kind == "StatefulSet" and facts.status.get("currentRevision") == facts.status.get("updateRevision"):
            text, updated = "", wanted
        # Pods that are not there have no template at all: that is said above.
        if not text or len(alive) > updated:
            found.append(_gap(facts, "pods of the newest template", wanted, updated, text, controller))
    if facts.status.get("observedGeneration", 0) < facts.obj["metadata"].get("generation", 0):
        found.append(
            _gap(
                facts,
                "generation",
                facts.obj["metadata"]["generation"],
                facts.status.get("observedGeneration", 0),
                "the newest spec has not been looked at",
                controller,
            )
        )
    return found


def _who(facts: Facts, alive: list[Obj]) -> str:
    """Whose turn it is with the pods that are not ready."""
    unready = _unready(alive)
    if any(not pod["spec"].get("nodeName") for pod in unready):
        return "scheduler"
    return "kubelet" if unready else _maker(facts)


def _available(facts: Facts, wanted: int, available: int, controller: str) -> Obj:
    """Ready is not enough where pods have to stay so for a while."""
    text = _missing(wanted, available, f"pods have not been ready for {facts.spec['minReadySeconds']} s")
    return _gap(facts, "available pods", wanted, available, text, controller)


def _updater(facts: Facts) -> str:
    """Who brings the newest template to the pods."""
    if (facts.spec.get("updateStrategy") or {}).get("type") == "OnDelete":
        return "whoever deletes the old pods (updateStrategy OnDelete)"
    if facts.kind == "Deployment" and facts.spec.get("paused"):
        return "whoever resumes the rollout (spec.paused)"
    return f"{facts.kind.lower()} controller"


def _maker(facts: Facts) -> str:
    """Who makes (and takes away) the pods: of a Deployment its ReplicaSets, once they are told how many."""
    if facts.kind == "Deployment":
        told = sum(
            one["spec"].get("replicas", 1)
            for one in facts.view.controlled_by(facts.obj["metadata"]["uid"], "apps/replicasets", facts.namespace)
        )
        if told == facts.spec.get("replicas", 1):
            return "replicaset controller"
    return f"{facts.kind.lower()} controller"


def _unready(alive: list[Obj]) -> list[Obj]:
    return [pod for pod in alive if not is_ready(pod)]


def _daemons(facts: Facts) -> list[Obj]:
    eligible = [name for name, node in facts.nodes.items() if facts.placement(node)[0]]
    alive = _alive(facts)
    on = {_place(pod) for pod in alive}
    ready = {_place(pod) for pod in alive if is_ready(pod)}
    missing = sorted(set(eligible) - on)
    unready = sorted(set(eligible) & on - ready)
    updated = facts.status.get("updatedNumberScheduled", 0)
    text = f"no pod for {listed(missing)}" if missing else ""
    found = [
        _gap(facts, "nodes with a pod", len(eligible), len(set(eligible) & on), text, "daemonset controller"),
        _gap(
            facts,
            "nodes with a ready pod",
            len(eligible),
            len(set(eligible) & ready),
            f"not ready on {listed(unready)}" if unready else "no ready pod" if missing else "",
            _who(facts, alive),
            _unready(alive),
        ),
    ]
    if facts.spec.get("minReadySeconds"):
        available = facts.status.get("numberAvailable", 0)
        found.append(_available(facts, len(eligible), available, "daemonset controller"))
    if not missing and updated < len(eligible):
        found.append(
            _gap(
                facts,
                "nodes with the newest template",
                len(eligible),
                updated,
                _missing(len(eligible), updated, "nodes have the old template"),
                _updater(facts),
            )
        )
    return found


def _place(pod: Obj) -> str:
    """The node of a daemon's pod: where it is, or what it is pinned to."""
    if pod["spec"].get("nodeName"):
        return str(pod["spec"]["nodeName"])
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    for term in required.get("nodeSelectorTerms") or ():
        for one in term.get("matchFields") or ():
            return str(one["values"][0])
    return ""


def node_matrix(facts: Facts) -> list[Obj]:
    """Every node: whether a daemon belongs there, which pod is there, whether it is ready, and why not."""
    by_node = {_place(pod): pod for pod in facts.pods if not pod["metadata"].get("deletionTimestamp")}
    rows = []
    for name, node in sorted(facts.nodes.items()):
        start, stay = facts.placement(node)
        pod = by_node.get(name)
        row: Obj = {"node": name, "eligible": start, "ready": pod is not None and is_ready(pod)}
        if pod is not None:
            row["pod"] = pod["metadata"]["name"]
        reason = _why(facts, node, pod, start=start, stay=stay)
        if reason:
            row["reason"] = reason
        rows.append(row)
    return rows


def _why(facts: Facts, node: Obj, pod: Obj | None, *, start: bool, stay: bool) -> str:
    if pod is not None and is_ready(pod):
        return "" if stay else "should not run here any more"
    if not start and pod is None:
        if not wants_node(facts.template, node):
            return "nodeSelector or node affinity does not match"
        taint = untolerated(daemon_tolerations(facts.template), node["spec"].get("taints") or ())
        return f"taint {taint['key']}:{taint['effect']} is not tolerated" if taint else "not eligible"
    if pod is None:
        failed = facts.events(facts.obj["metadata"]["uid"], "FailedCreate")
        return f"FailedCreate: {said_in(failed[-1])}" if failed else "no pod yet"
    if not node_is_ready(node):
        return "the node is not ready"
    return trouble_of(pod) or (pod.get("status") or {}).get("phase", "Pending")


def trouble_of(pod: Obj) -> str:
    """In a word why a pod is not ready: what kubectl shows as its status."""
    status = pod.get("status") or {}
    if status.get("reason"):
        return str(status["reason"])
    for one in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        state = one.get("state") or {}
        for kind in ("waiting", "terminated"):
            reason = (state.get(kind) or {}).get("reason")
            if reason and reason not in ("Completed", "PodInitializing", "ContainerCreating"):
                return str(reason)
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return str(condition.get("reason") or "Unschedulable")
    return ""


def _job(facts: Facts) -> list[Obj]:
    spec, status = facts.spec, facts.status
    wanted = spec.get("completions") or spec.get("parallelism", 1)
    done = status.get("succeeded", 0)
    finished = any(one["status"] == "True" for one in status.get("conditions") or () if one["type"] == "Complete")
    failed = next(
        (one for one in status.get("conditions") or () if one["type"] == "Failed" and one["status"] == "True"), None
    )
    text = "" if finished or done >= wanted else f"{wanted - done} of {wanted} completions are missing"
    if failed is not None:
        text = f"the job has failed: {failed.get('reason', '')}"
    elif spec.get("suspend"):
        text = "the job is suspended"
    return [_gap(facts, "completions", wanted, done, text, "job controller")]


def _pod(facts: Facts) -> list[Obj]:
    pod, status = facts.obj, facts.status
    node = facts.spec.get("nodeName", "")
    found = [
        _gap(facts, "node", "one", node or "none", "" if node else "not scheduled", "scheduler"),
    ]
    if status.get("phase") == "Succeeded":
        return [*found, _gap(facts, "phase", "Succeeded", "Succeeded", "", "kubelet")]
    known = {one["name"]: one for one in status.get("containerStatuses") or ()}
    for container in facts.spec["containers"]:
        one = known.get(container["name"]) or {}
        state = one.get("state") or {}
        actual = next(
            (f"{kind}: {value['reason']}" if value.get("reason") else kind for kind, value in state.items()), "none"
        )
        running = "running" in state
        image = container["image"]
        found.append(
            _gap(
                facts,
                f"container {container['name']}",
                f"running {image}",
                actual,
                "" if running else f"container {container['name']} does not run",
                "kubelet",
            )
        )
    ready = is_ready(pod)
    found.append(_gap(facts, "ready", "True", ready, "" if ready else "the pod is not ready", "kubelet"))
    return found


def _node(facts: Facts) -> list[Obj]:
    found = []
    for kind, wanted in (
        ("Ready", "True"),
        ("MemoryPressure", "False"),
        ("DiskPressure", "False"),
        ("PIDPressure", "False"),
    ):
        condition = next((one for one in facts.status.get("conditions") or () if one["type"] == kind), None)
        actual = condition["status"] if condition else "Unknown"
        said = condition.get("message", "") if condition else "the kubelet has never reported"
        found.append(_gap(facts, kind, wanted, actual, "" if actual == wanted else said, "kubelet"))
    pods = [pod for pod in facts.pods if not is_over(pod)]
    ready = sum(is_ready(pod) for pod in pods)
    found.append(
        _gap(facts, "ready pods", len(pods), ready, _missing(len(pods), ready, "pods here are not ready"), "kubelet")
    )
    return found


def _service(facts: Facts) -> list[Obj]:
    spec = facts.spec
    if spec.get("type") == "ExternalName":
        return [_gap(facts, "name", spec.get("externalName", ""), spec.get("externalName", ""), "", "DNS")]
    alive, answering = _alive(facts), len(facts.endpoints)
    found = []
    if spec.get("selector"):
        nobody = "" if alive else "its selector chooses no pod"
        found.append(_gap(facts, "selected pods", "at least 1", len(alive), nobody, "endpointslice controller"))
    unready = [] if spec.get("publishNotReadyAddresses") else _unready(alive)
    wanted = max(len(alive), 1)
    text = "" if answering else "nobody answers"
    if answering < len(alive):
        text = f"{len(alive) - answering} of {len(alive)} pods get no requests"
    by = _who(facts, alive) if unready else "endpointslice controller"
    found.append(_gap(facts, "ready endpoints", wanted, answering, text, by, unready))
    if spec.get("type") == "LoadBalancer":
        given = (facts.status.get("loadBalancer") or {}).get("ingress") or []
        address = given[0].get("ip") or given[0].get("hostname", "") if given else "none"
        missing = "" if given else "the load balancer has no address"
        found.append(_gap(facts, "address", "one", address, missing, "service controller"))
    return found


def _claim(facts: Facts) -> list[Obj]:
    phase = facts.status.get("phase", "Pending")
    by, text = "persistent-volume-binder controller", "" if phase == "Bound" else f"the claim is {phase}"
    waiting = [pod for pod in _alive(facts) if not pod["spec"].get("nodeName")]
    name = facts.spec.get("storageClassName") or ""
    known = facts.view.get("storage.k8s.io/storageclasses", "", name) if name else None
    if text and known is not None and known.get("volumeBindingMode") == "WaitForFirstConsumer":
        text = f"it waits for {'pod ' + waiting[0]['metadata']['name'] + ' to be scheduled' if waiting else 'a pod that uses it'}"
        by = "scheduler" if waiting else by
    found = [_gap(facts, "phase", "Bound", phase, text, by, waiting if by == "scheduler" else ())]
    if phase == "Bound":
        wanted = ((facts.spec.get("resources") or {}).get("requests") or {}).get("storage", "0")
        have = (facts.status.get("capacity") or {}).get("storage", "0")
        less = "" if value(have) >= value(wanted) else "the volume is still smaller"
        found.append(_gap(facts, "capacity", wanted, have, less, "volume-expand controller"))
    return found


_BY_KIND: dict[str, Callable[[Facts], list[Obj]]] = {
    "Deployment": _replicated,
    "ReplicaSet": _replicated,
    "StatefulSet": _replicated,
    "ReplicationController": _replicated,
    "DaemonSet": _daemons,
    "Job": _job,
    "Pod": _pod,
    "Node": _node,
    "Service": _service,
    "PersistentVolumeClaim": _claim,
}
