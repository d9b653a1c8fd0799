"""metadata.managedFields: who owns which field (apimachinery/pkg/util/managedfields).

`track_update` notes an ordinary write: what it changed is the writer's from now on, what it removed is nobody's.
"""

from __future__ import annotations

from typing import Any

from cluster.apiserver.patch.fieldset import Tree, difference, tree_of, union, without
from cluster.apiserver.resources.nodes import Node

Obj = dict[str, Any]
Entry = dict[str, Any]

# Set by the system, owned by no one.
_UNOWNED_METADATA = frozenset(
    {
        "name",
        "namespace",
        "creationTimestamp",
        "selfLink",
        "uid",
        "generation",
        "managedFields",
        "resourceVersion",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    }
)
# How many Update entries an object keeps; older ones are put together.
MAX_UPDATERS = 10
ANCIENT = "ancient-changes"


def ownable(obj: Obj) -> Obj:
    """The object without what no one can own."""
    result = {key: value for key, value in obj.items() if key not in ("apiVersion", "kind")}
    metadata = {key: value for key, value in obj.get("metadata", {}).items() if key not in _UNOWNED_METADATA}
    if metadata:
        result["metadata"] = metadata
    else:
        result.pop("metadata", None)
    return result


def entry(manager: str, operation: str, api_version: str, subresource: str, fields: Tree, now: str) -> Entry:
    """One entry of managedFields."""
    result = {
        "manager": manager,
        "operation": operation,
        "apiVersion": api_version,
        "time": now,
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    }
    if subresource:
        result["subresource"] = subresource
    return result


def identity(one: Entry) -> tuple[str, str, str, str]:
    """What makes two entries the same manager's. An applier is the same one in every version."""
    applied = one.get("operation") == "Apply"
    version = "" if applied else one.get("apiVersion", "")
    return one.get("manager", ""), one.get("operation", ""), version, one.get("subresource", "")


def decoded(value: Any) -> list[Entry]:
    """The entries of an object; those without a manager's operation (a reset: `[{}]`) count for nothing."""
    return [one for one in value or () if one.get("operation") in ("Apply", "Update") and "fieldsV1" in one]


def ordered(entries: list[Entry]) -> list[Entry]:
    """Appliers first, then by time and name, as Kubernetes writes them."""
    return sorted(entries, key=lambda one: (one["operation"], one.get("time") or "", one.get("manager", "")))


def reduced(one: Entry, fields: Tree) -> Entry | None:
    """The entry with other fields; None when nothing is left."""
    if fields == one["fieldsV1"]:
        return one
    return {**one, "fieldsV1": fields} if fields else None


def track_update(
    old: Obj | None,
    new: Obj,
    *,
    manager: str,
    node: Node,
    api_version: str,
    subresource: str,
    now: str,
) -> list[Entry]:
    """managedFields after an ordinary write of `new` over `old` (None for a create)."""
    given = new["metadata"].get("managedFields")
    before = decoded(given) if given else decoded((old or {}).get("metadata", {}).get("managedFields"))
    changed: Tree = {}
    removed: Tree = {}
    if old is None:
        changed = tree_of(node, ownable(new), updating=True)
        before = []
    else:
        if given == old["metadata"].get("managedFields") and _same(old, new):
            return before
        difference(node, ownable(old), ownable(new), changed, removed)
    if not changed and not removed:
        return before
    mine = ("", "")
    mine_identity = identity(entry(manager, "Update", api_version, subresource, {}, now))
    kept: list[Entry] = []
    owned: Tree = {}
    for one in before:
        fields = without(one["fieldsV1"], removed) if removed else one["fieldsV1"]
        if identity(one) == mine_identity:
            owned, mine = fields, (one.get("time", ""), "")
            continue
        rest = reduced(one, without(fields, changed) if changed else fields)
        if rest is not None:
            kept.append(rest)
    fields = union(owned, changed)
    if fields:
        kept.append(entry(manager, "Update", api_version, subresource, fields, now if changed else mine[0] or now))
    return ordered(_bounded(kept))


def _same(old: Obj, new: Obj) -> bool:
    return (
        all(old.get(key) == new.get(key) for key in {*old, *new} if key != "metadata")
        and old["metadata"] == new["metadata"]
    )


def _bounded(entries: list[Entry]) -> list[Entry]:
    """At most MAX_UPDATERS Update entries; the oldest are put together as ancient changes of their version."""
    updates = sorted((one for one in entries if one["operation"] == "Update"), key=lambda one: one.get("time") or "")
    surplus = len(updates) - MAX_UPDATERS
    if surplus <= 0:
        return entries
    old = updates[: surplus + 1]
    buckets: dict[str, Entry] = {}
    for one in old:
        version = one["apiVersion"]
        have = buckets.get(version)
        fields = union(have["fieldsV1"], one["fieldsV1"]) if have else one["fieldsV1"]
        buckets[version] = entry(ANCIENT, "Update", version, "", fields, one["time"])
    kept = [one for one in entries if not any(one is gone for gone in old)]
    return [*kept, *buckets.values()]
