"""Which ReplicaSet is a Deployment's newest, and what its annotations remember (deployment/util/deployment_util.go)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from cluster.apimachinery.meta import owner_reference, template_hash
from cluster.client.client import Obj
from cluster.controllers.policy.rollout import Limits, Size

HASH = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"
# Not copied from the Deployment to its ReplicaSets.
OWN_ANNOTATIONS = frozenset(
    (
        "kubectl.kubernetes.io/last-applied-configuration",
        "deprecated.deployment.rollback.to",
        *(REVISION, HISTORY, DESIRED, MAXIMUM),
    )
)
# The revision-history annotation is cut at its oldest end when it grows longer.
HISTORY_CHARACTERS = 2000


def annotations_of(obj: Obj) -> dict[str, str]:
    found: dict[str, str] = obj["metadata"].get("annotations") or {}
    return found


def revision(obj: Obj) -> int:
    """The revision annotation, 0 when it is missing or no number."""
    text = annotations_of(obj).get(REVISION, "")
    return int(text) if text.isascii() and text.isdigit() else 0


def _number(obj: Obj, name: str) -> int | None:
    text = annotations_of(obj).get(name, "")
    return int(text) if text.isascii() and text.isdigit() else None


def desired_annotation(replicaset: Obj) -> int | None:
    return _number(replicaset, DESIRED)


def replicas(obj: Obj) -> int:
    return int(obj["spec"].get("replicas", 1))


def size_of(replicaset: Obj) -> Size:
    """The ReplicaSet as the arithmetic sees it."""
    metadata = replicaset["metadata"]
    available = (replicaset.get("status") or {}).get("availableReplicas", 0)
    created = metadata.get("creationTimestamp", "")
    return Size(metadata["name"], replicas(replicaset), available, created, _number(replicaset, MAXIMUM))


def by_creation(replicaset: Obj) -> tuple[str, str]:
    return replicaset["metadata"].get("creationTimestamp", ""), replicaset["metadata"]["name"]


def by_revision(replicaset: Obj) -> tuple[int, str, str]:
    return (revision(replicaset), *by_creation(replicaset))


def template_without_hash(template: Obj) -> Obj:
    """The template as the Deployment wrote it."""
    metadata = template.get("metadata") or {}
    labels = metadata.get("labels") or {}
    if HASH not in labels:
        return template
    kept = {name: value for name, value in labels.items() if name != HASH}
    return {**template, "metadata": {**metadata, "labels": kept}}


def _normal(template: Obj) -> Obj:
    """Empty and absent metadata fields are the same (creationTimestamp: null comes and goes)."""
    metadata = {name: value for name, value in (template.get("metadata") or {}).items() if value}
    return {**template, "metadata": metadata}


def same_template(one: Obj, other: Obj) -> bool:
    """Equal but for the pod-template-hash label."""
    return _normal(template_without_hash(one)) == _normal(template_without_hash(other))


def find_new(deployment: Obj, replicasets: Iterable[Obj]) -> Obj | None:
    """The ReplicaSet with the Deployment's template; the oldest if there are several."""
    template = _normal(template_without_hash(deployment["spec"]["template"]))
    for replicaset in sorted(replicasets, key=by_creation):
        if _normal(template_without_hash(replicaset["spec"]["template"])) == template:
            return replicaset
    return None


def copied_annotations(deployment: Obj, known: dict[str, str]) -> dict[str, str]:
    """`known` with the Deployment's annotations laid over it."""
    ours = {name: value for name, value in annotations_of(deployment).items() if name not in OWN_ANNOTATIONS}
    return {**known, **ours}


def revised_annotations(deployment: Obj, replicaset: Obj, newest: int) -> dict[str, str]:
    """The annotations of an existing new ReplicaSet: the Deployment's, its revision at least `newest`, and its past ones."""
    known = annotations_of(replicaset)
    result = copied_annotations(deployment, known)
    had = revision(replicaset)
    if had < newest:
        result[REVISION] = str(newest)
        if had:
            past = [text for text in known.get(HISTORY, "").split(",") if text] + [str(had)]
            while len(",".join(past)) > HISTORY_CHARACTERS:
                past.pop(0)
            result[HISTORY] = ",".join(past)
    return result


def replica_annotations(limits: Limits) -> dict[str, str]:
    """What a ReplicaSet notes of its Deployment's size whenever it is scaled."""
    return {DESIRED: str(limits.desired), MAXIMUM: str(limits.most)}


def new_replicaset(deployment: Obj, newest: int, limits: Limits) -> Obj:
    """The ReplicaSet for the Deployment's template, not yet sized."""
    metadata, spec = deployment["metadata"], deployment["spec"]
    template = spec["template"]
    hashed = template_hash(template, (deployment.get("status") or {}).get("collisionCount", 0))
    template_metadata = template.get("metadata") or {}
    labels = {**(template_metadata.get("labels") or {}), HASH: hashed}
    selector: dict[str, Any] = dict(spec["selector"])
    selector["matchLabels"] = {**(selector.get("matchLabels") or {}), HASH: hashed}
    body: Obj = {
        "selector": selector,
        "template": {**template, "metadata": {**template_metadata, "labels": labels}},
        "replicas": 0,
    }
    if spec.get("minReadySeconds"):
        body["minReadySeconds"] = spec["minReadySeconds"]
    noted = {**copied_annotations(deployment, {}), REVISION: str(newest), **replica_annotations(limits)}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{metadata['name']}-{hashed}",
            "namespace": metadata["namespace"],
            "labels": labels,
            "annotations": noted,
            "ownerReferences": [owner_reference(deployment)],
        },
        "spec": body,
    }


def history_to_delete(old: Sequence[Obj], limit: int | None) -> list[Obj]:
    """Old ReplicaSets beyond the history limit that nothing runs in any more, oldest revision first."""
    if limit is None or limit >= 2**31 - 1:
        return []
    alive = sorted((rs for rs in old if "deletionTimestamp" not in rs["metadata"]), key=by_revision)
    return [rs for rs in alive[: max(len(alive) - limit, 0)] if _drained(rs)]


def _drained(replicaset: Obj) -> bool:
    status = replicaset.get("status") or {}
    seen = status.get("observedGeneration", 0) >= replicaset["metadata"].get("generation", 0)
    return seen and not status.get("replicas") and replicas(replicaset) == 0
