"""Server-side apply: merge by ownership (structured-merge-diff's merge.Updater.Apply).

What a manager applies is merged into the live object; what it applied before and leaves out now is removed, unless someone else
owns it; what it would change of others' is a conflict, or taken over by force.
"""

from __future__ import annotations

from typing import Any

from cluster.apimachinery import errors
from cluster.apiserver.patch.fieldset import Tree, common, difference, element, granular, show, tree_of, without
from cluster.apiserver.patch.managedfields import decoded, entry, identity, ordered, ownable, reduced
from cluster.apiserver.resources.nodes import Node

Obj = dict[str, Any]
BEFORE_FIRST_APPLY = "before-first-apply"


def apply(
    live: Obj | None,
    applied: Obj,
    *,
    manager: str,
    force: bool,
    node: Node,
    api_version: str,
    now: str,
    subresource: str,
) -> Obj:
    """The object to store (parts may be shared with `live`); 409 with every conflict otherwise."""
    fields = tree_of(node, ownable(applied), updating=False)
    mine = entry(manager, "Apply", api_version, subresource, fields, now)
    if live is None:
        return _with_managers(applied, [mine] if fields else [])
    entries = decoded(live["metadata"].get("managedFields"))
    if not entries:
        everything = tree_of(node, ownable(live), updating=True)
        entries = [entry(BEFORE_FIRST_APPLY, "Update", api_version, "", everything, now)] if everything else []
    previous = next((one for one in entries if identity(one) == identity(mine)), None)
    others = [one for one in entries if one is not previous]
    merged: Obj = merge(node, live, applied)
    if previous is not None:
        merged = prune(node, merged, previous["fieldsV1"], fields, [one["fieldsV1"] for one in others])
    changed: Tree = {}
    removed: Tree = {}
    difference(node, ownable(live), ownable(merged), changed, removed)
    # Others' fields that would have another value now: theirs until they are taken by force.
    taken = {index: list(common(one["fieldsV1"], changed)) for index, one in enumerate(others)}
    if not force and any(taken.values()):
        raise _conflict([(others[index], paths) for index, paths in taken.items() if paths])
    kept = []
    for one in others:
        rest = reduced(one, without(without(one["fieldsV1"], changed), removed))
        if rest is not None:
            kept.append(rest)
    if previous is not None and previous["fieldsV1"] == fields and previous["apiVersion"] == api_version:
        mine["time"] = previous.get("time", now)
    return _with_managers(merged, ordered([mine, *kept] if fields else kept))


def _with_managers(obj: Obj, managers: list[Obj]) -> Obj:
    metadata = {name: value for name, value in obj["metadata"].items() if name != "managedFields"}
    return {**obj, "metadata": {**metadata, "managedFields": managers} if managers else metadata}


def merge(node: Node, live: Any, applied: Any) -> Any:
    """`applied` over `live`; associative lists by key, in the applied order with the rest in its old place."""
    if not (granular(node, live) and granular(node, applied)):
        return applied
    if isinstance(applied, dict):
        if not isinstance(live, dict):
            return applied
        result = dict(live)
        for name, value in applied.items():
            result[name] = merge(node.child(name), live[name], value) if name in live else value
        return result
    if not isinstance(live, list):
        return applied
    have = {element(node, item): item for item in live}
    wanted = {element(node, item): item for item in applied}
    result_list: list[Any] = []
    waiting = list(have)
    for name, item in wanted.items():
        if name in have:
            # What stood before it in the live list and is not ours to order stays before it.
            place = waiting.index(name) if name in waiting else 0
            result_list.extend(have[other] for other in waiting[:place] if other not in wanted)
            waiting = [other for other in waiting[:place] if other in wanted] + waiting[place + 1 :]
            result_list.append(merge(node.items, have[name], item))
        else:
            result_list.append(item)
    result_list.extend(have[other] for other in waiting if other not in wanted)
    return result_list


def prune(node: Node, value: Any, before: Tree, now: Tree, others: list[Tree]) -> Any:
    """`value` without what this manager owned before, does not want now, and no one else owns."""
    if not granular(node, value):
        return value
    if isinstance(value, dict):
        result: Obj = {}
        for name, item in value.items():
            keep, kept = _prune_part(node.child(name), item, f"f:{name}", before, now, others)
            if keep:
                result[name] = kept
        return result
    items = []
    for item in value:
        keep, kept = _prune_part(node.items, item, element(node, item), before, now, others)
        if keep:
            items.append(kept)
    return items


def _prune_part(node: Node, item: Any, name: str, before: Tree, now: Tree, others: list[Tree]) -> tuple[bool, Any]:
    if name not in before:
        return True, item
    sharing = [tree[name] for tree in others if name in tree]
    below = before[name]
    left = name not in now and not sharing
    if left and (not below or "." in below):
        return False, None
    if not below or any(not tree for tree in sharing):
        # A leaf: wanted now, or someone else's.
        return True, item
    # What holds fields of ours is not ours for that: it stays for what else it holds.
    kept = prune(node, item, below, now.get(name, {}), sharing)
    return bool(kept) or not left, kept


def _conflict(conflicts: list[tuple[Obj, list[tuple[str, ...]]]]) -> errors.StatusError:
    """409 in Kubernetes' words, with a cause per field."""
    causes: list[Obj] = []
    sections: list[str] = []
    total = sum(len(paths) for _, paths in conflicts)
    for one, paths in conflicts:
        name = _manager_name(one)
        shown = sorted(show(path) for path in paths)
        causes.extend(
            {"reason": "FieldManagerConflict", "message": f"conflict with {name}", "field": path} for path in shown
        )
        if len(shown) == 1:
            sections.append(f"conflict with {name}: {shown[0]}")
        else:
            sections.append("\n- ".join([f"conflicts with {name}:", *shown]))
    word = "conflict" if total == 1 else "conflicts"
    separator = ": " if len(sections) == 1 else ":\n"
    text = f"Apply failed with {total} {word}{separator}" + "\n".join(sections)
    return errors.StatusError(409, "Conflict", text, causes=causes)


def _manager_name(one: Obj) -> str:
    name = f'"{one.get("manager", "")}"'
    if one.get("subresource"):
        name += f' with subresource "{one["subresource"]}"'
    if one.get("operation") == "Update":
        name += f" using {one.get('apiVersion')}"
    return name
