"""ControllerRevisions: the templates a DaemonSet or StatefulSet has had (pkg/controller/history).

`kubectl rollout history` and `undo` read them, so their data is the very patch that puts a template back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from cluster.apimachinery.meta import owner_reference, template_hash
from cluster.client.client import Obj

REVISIONS = "apps/v1/controllerrevisions"
# What a pod runs: of a DaemonSet by the revision's hash, of a StatefulSet by its name. The revision itself carries its hash: under the
# same label (DaemonSet) or one of its own (StatefulSet).
HASH, OWN_HASH = "controller-revision-hash", "controller.kubernetes.io/hash"


def template_patch(owner: Obj) -> Obj:
    """The strategic merge patch that restores the owner's present template.

    Its keys stand in order: clients compare the data with what Go's encoder makes of the template, byte by byte.
    """
    ordered: Obj = in_order({"spec": {"template": {**owner["spec"]["template"], "$patch": "replace"}}})
    return ordered


def in_order(value: Any) -> Any:
    """The same JSON with the keys of each object sorted."""
    if isinstance(value, dict):
        return {name: in_order(value[name]) for name in sorted(value)}
    return [in_order(one) for one in value] if isinstance(value, list) else value


def revision_number(revision: Obj) -> int:
    return int(revision.get("revision", 0))


def hash_of(revision: Obj) -> str:
    return str((revision["metadata"].get("labels") or {}).get(HASH, ""))


def next_revision(revisions: Iterable[Obj]) -> int:
    return max(map(revision_number, revisions), default=0) + 1


def name_of(revision: Obj) -> str:
    return str(revision["metadata"]["name"])


def new_revision(owner: Obj, number: int, collision_count: int, label: str = HASH) -> Obj:
    """The revision of the owner's present template; it keeps the owner's annotations, the change's cause among them."""
    data, metadata = template_patch(owner), owner["metadata"]
    hashed = template_hash(data, collision_count)
    labels = (owner["spec"]["template"].get("metadata") or {}).get("labels") or {}
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": f"{metadata['name']}-{hashed}",
            "namespace": metadata["namespace"],
            "labels": {**labels, label: hashed},
            "annotations": dict(metadata.get("annotations") or {}),
            "ownerReferences": [owner_reference(owner)],
        },
        "data": data,
        "revision": number,
    }


def find_current(owner: Obj, revisions: Iterable[Obj]) -> list[Obj]:
    """The revisions with the owner's present template, newest last (more than one only after a collision)."""
    data = template_patch(owner)
    return sorted((one for one in revisions if one.get("data") == data), key=revision_number)


def to_delete(
    revisions: Sequence[Obj], live: set[str], limit: int, known_by: Callable[[Obj], str] = hash_of
) -> list[Obj]:
    """Revisions beyond the limit, oldest first; those that pods still run do not count."""
    unused = sorted((one for one in revisions if known_by(one) not in live), key=revision_number)
    return unused[: max(len(unused) - limit, 0)]
