"""Which pods a StatefulSet wants, by ordinal, and the next step towards them (pkg/controller/statefulset).

Pure functions over objects. One rule stands above all: never two pods of one ordinal, so a pod is replaced only when it is gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from cluster.apimachinery.meta import is_condition_true, owner_reference, scaled
from cluster.client.client import Obj
from cluster.controllers.lib.history import HASH
from cluster.controllers.lib.podcontrol import pod_from_template
from cluster.controllers.policy.replicaset_status import availability

POD_NAME, POD_INDEX = "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"
_PARENT = re.compile(r"(.*)-([0-9]+)$")


def ordinal_of(statefulset: Obj, pod: Obj) -> int:
    """The ordinal in the pod's name; -1 when the name is none of this set's."""
    found = _PARENT.fullmatch(pod["metadata"]["name"])
    return int(found[2]) if found and found[1] == statefulset["metadata"]["name"] else -1


def ordinals(statefulset: Obj) -> range:
    """The ordinals that should exist."""
    spec = statefulset["spec"]
    start: int = (spec.get("ordinals") or {}).get("start", 0)
    return range(start, start + int(spec.get("replicas", 1)))


def claim_name(template: Obj, statefulset: Obj, ordinal: int) -> str:
    return f"{template['metadata']['name']}-{statefulset['metadata']['name']}-{ordinal}"


def is_parallel(statefulset: Obj) -> bool:
    return bool(statefulset["spec"].get("podManagementPolicy") == "Parallel")


def partition_of(statefulset: Obj) -> int:
    rolling = (statefulset["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
    return int(rolling.get("partition", 0))


def max_unavailable(statefulset: Obj) -> int:
    rolling = (statefulset["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
    most = rolling.get("maxUnavailable", 1)
    return max(scaled(most, int(statefulset["spec"].get("replicas", 1)), round_up=True), 1)


def revision_of(pod: Obj) -> str:
    return str((pod["metadata"].get("labels") or {}).get(HASH, ""))


def phase_of(pod: Obj) -> str:
    return str((pod.get("status") or {}).get("phase", ""))


def is_created(pod: Obj) -> bool:
    return phase_of(pod) != ""


def is_finished(pod: Obj) -> bool:
    return phase_of(pod) in ("Succeeded", "Failed")


def is_terminating(pod: Obj) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def is_ready(pod: Obj) -> bool:
    return phase_of(pod) == "Running" and is_condition_true(pod, "Ready")


def is_available(statefulset: Obj, pod: Obj, now: float) -> bool:
    wait = statefulset["spec"].get("minReadySeconds", 0)
    return is_ready(pod) and (not wait or availability([pod], wait, now)[0] == 1)


def is_healthy(pod: Obj) -> bool:
    """Running, ready, and staying."""
    return is_ready(pod) and not is_terminating(pod)


# -- what a pod of an ordinal is ---------------------------------------------------------------------------------------


def pod_of(statefulset: Obj, template: Obj, ordinal: int, revision: str) -> Obj:
    """The pod of one ordinal from a template: stable name, stable host name, its own claims."""
    pod = pod_from_template(template, statefulset)
    name, metadata = f"{statefulset['metadata']['name']}-{ordinal}", pod["metadata"]
    metadata.pop("generateName")
    metadata["name"] = name
    metadata["labels"] = {
        **(metadata.get("labels") or {}),
        POD_INDEX: str(ordinal),
        HASH: revision,
        POD_NAME: name,
    }
    spec = {**pod["spec"], "hostname": name}
    if statefulset["spec"].get("serviceName"):
        spec["subdomain"] = statefulset["spec"]["serviceName"]
    claims = statefulset["spec"].get("volumeClaimTemplates") or ()
    if claims:
        ours = {one["metadata"]["name"] for one in claims}
        volumes = [volume for volume in spec.get("volumes") or () if volume["name"] not in ours]
        for one in claims:
            source = {"claimName": claim_name(one, statefulset, ordinal)}
            volumes.append({"name": one["metadata"]["name"], "persistentVolumeClaim": source})
        spec["volumes"] = volumes
    pod["spec"] = spec
    return pod


def claims_of(statefulset: Obj, ordinal: int) -> list[Obj]:
    """The PersistentVolumeClaims of one ordinal, as they are created."""
    metadata, spec = statefulset["metadata"], statefulset["spec"]
    labels = (spec.get("selector") or {}).get("matchLabels") or {}
    result = []
    for template in spec.get("volumeClaimTemplates") or ():
        described = template["metadata"]
        result.append(
            {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": {
                    "name": claim_name(template, statefulset, ordinal),
                    "namespace": metadata["namespace"],
                    "labels": {**(described.get("labels") or {}), **labels},
                    **({"annotations": described["annotations"]} if described.get("annotations") else {}),
                },
                "spec": template["spec"],
            }
        )
    return result


def claim_owners(statefulset: Obj, claim: Obj, pod: Obj | None, ordinal: int) -> list[Obj]:
    """The owner references of a claim under spec.persistentVolumeClaimRetentionPolicy.

    whenDeleted: Delete makes the set its owner; whenScaled: Delete makes the pod its owner while it is being scaled away.
    """
    policy = statefulset["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
    set_uid = statefulset["metadata"]["uid"]
    pod_uid = pod["metadata"]["uid"] if pod is not None else ""
    kept = [
        one
        for one in claim["metadata"].get("ownerReferences") or ()
        if one["uid"] not in (set_uid, pod_uid) and not (one["kind"] == "Pod" and one.get("apiVersion") == "v1")
    ]
    condemned = ordinal not in ordinals(statefulset)
    if policy.get("whenScaled") == "Delete" and condemned and pod is not None:
        kept.append(owner_reference(pod, block=False) | {"controller": True})
    elif policy.get("whenDeleted") == "Delete":
        kept.append(owner_reference(statefulset, block=False) | {"controller": True})
    return kept


# -- the next step -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Plan:
    """What to do now: ordinals to create, pods to delete; or why nothing."""

    create: list[int] = field(default_factory=list)
    delete: list[Obj] = field(default_factory=list)
    wait: str = ""

    @property
    def empty(self) -> bool:
        return not self.create and not self.delete


def revision_for(statefulset: Obj, ordinal: int, current: str, update: str) -> str:
    """Which revision a new pod of this ordinal gets: below the partition of a rolling update the old one."""
    rolling = (statefulset["spec"].get("updateStrategy") or {}).get("type") == "RollingUpdate"
    below = ordinal < ordinals(statefulset).start + partition_of(statefulset)
    return current if rolling and below else update


def plan(statefulset: Obj, pods: Iterable[Obj], update: str, now: float) -> Plan:
    """The next step: fill the ordinals in order, take away what is too many from the end, then roll out from the end."""
    wanted, parallel = ordinals(statefulset), is_parallel(statefulset)
    by_ordinal: dict[int, Obj] = {}
    condemned: list[Obj] = []
    for pod in pods:
        ordinal = ordinal_of(statefulset, pod)
        if ordinal in wanted:
            by_ordinal[ordinal] = pod
        elif ordinal >= 0:
            condemned.append(pod)
    result = Plan()
    if "deletionTimestamp" in statefulset["metadata"]:
        return result
    for ordinal in wanted:
        existing = by_ordinal.get(ordinal)
        if existing is None:
            result.create.append(ordinal)
            if not parallel:
                return result
            continue
        if is_finished(existing) and not is_terminating(existing):
            # It is replaced when it is gone: the same name cannot exist twice.
            result.delete.append(existing)
            if not parallel:
                return result
            continue
        if parallel:
            continue
        name = existing["metadata"]["name"]
        if is_terminating(existing):
            result.wait = f"{name} is still terminating"
            return result
        if not is_ready(existing):
            result.wait = f"{name} is not ready yet"
            return result
        if not is_available(statefulset, existing, now):
            result.wait = f"{name} is not available yet"
            return result
    condemned.sort(key=lambda pod: ordinal_of(statefulset, pod), reverse=True)
    # Scaling down halts at a pod that is not healthy, unless it is the lowest of those.
    unhealthy = [by_ordinal[one] for one in wanted if one in by_ordinal and not is_healthy(by_ordinal[one])]
    unhealthy += [pod for pod in reversed(condemned) if not is_healthy(pod)]
    for pod in condemned:
        if is_terminating(pod):
            if not parallel:
                result.wait = f"{pod['metadata']['name']} is still terminating"
                return result
            continue
        if not parallel and not is_healthy(pod) and pod is not unhealthy[0]:
            result.wait = f"{pod['metadata']['name']} is not healthy, nor is {unhealthy[0]['metadata']['name']}"
            return result
        result.delete.append(pod)
        if not parallel:
            return result
    if result.empty and not any(is_terminating(pod) for pod in condemned):
        _roll(statefulset, by_ordinal, update, now, result)
    return result


def _roll(statefulset: Obj, by_ordinal: dict[int, Obj], update: str, now: float, result: Plan) -> None:
    """The rolling update: from the highest ordinal down to the partition, so many at a time."""
    if (statefulset["spec"].get("updateStrategy") or {}).get("type") == "OnDelete":
        return
    lowest = ordinals(statefulset).start + partition_of(statefulset)
    most = max_unavailable(statefulset)
    unavailable = sum(not is_available(statefulset, pod, now) or is_terminating(pod) for pod in by_ordinal.values())
    for ordinal in sorted(by_ordinal, reverse=True):
        pod = by_ordinal[ordinal]
        if ordinal < lowest:
            return
        if is_terminating(pod):
            result.wait = f"{pod['metadata']['name']} is still terminating"
            if unavailable >= most:
                return
            continue
        if revision_of(pod) != update:
            if is_available(statefulset, pod, now):
                if unavailable >= most:
                    return
                unavailable += 1
            result.delete.append(pod)
            if len(result.delete) >= most:
                return
        elif not is_available(statefulset, pod, now):
            result.wait = f"{pod['metadata']['name']} is not ready yet"
            if unavailable >= most:
                return


# -- the status --------------------------------------------------------------------------------------------------------


def status_of(statefulset: Obj, pods: Iterable[Obj], current: str, update: str, collisions: int, now: float) -> Obj:
    """The counters; once every pod runs the update revision, it becomes the current one."""
    replicas = ready = available = current_count = updated = 0
    for pod in pods:
        if ordinal_of(statefulset, pod) < 0:
            continue
        if is_created(pod):
            replicas += 1
        if is_ready(pod):
            ready += 1
            available += is_available(statefulset, pod, now)
        if is_created(pod) and not is_terminating(pod):
            current_count += revision_of(pod) == current
            updated += revision_of(pod) == update
    spec = statefulset["spec"]
    rolling = (spec.get("updateStrategy") or {}).get("type") == "RollingUpdate"
    done = updated == ready == int(spec.get("replicas", 1))
    if rolling and current != update and done:
        current, current_count = update, updated
    status: Obj = {
        "observedGeneration": statefulset["metadata"].get("generation", 0),
        "replicas": replicas,
        "availableReplicas": available,
        "currentRevision": current,
        "updateRevision": update,
        "collisionCount": collisions,
    }
    for name, count in (("readyReplicas", ready), ("currentReplicas", current_count), ("updatedReplicas", updated)):
        if count:
            status[name] = count
    conditions = (statefulset.get("status") or {}).get("conditions")
    if conditions:
        # Others' words: this controller has none of its own.
        status["conditions"] = conditions
    return status
