"""Sets of fields as trees in the form of FieldsV1 (structured-merge-diff's fieldpath).

A tree maps path elements to trees: `f:NAME` a field, `k:{"name":"x"}` an item of an associative list, `v:"x"` one of a set; `{}` is
a leaf, "." says that the place itself belongs to the set, too. Which places are leaves, the schema's nodes decide.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from cluster.apiserver.resources.definitions import ANYTHING
from cluster.apiserver.resources.nodes import Node

Tree = dict[str, Any]

# The defaults of list keys that clients leave out.
_KEY_DEFAULTS = {"protocol": "TCP"}
_MISSING = object()


def granular(node: Node, value: Any) -> bool:
    """Whether a value is owned part by part."""
    if isinstance(value, dict):
        # A RawExtension is one value, whatever it holds.
        return node.map_type != "atomic" and node.kind in ("struct", "map", "any") and node.definition not in ANYTHING
    if isinstance(value, list):
        return node.kind == "list" and node.list_type in ("map", "set")
    return False


def element(node: Node, item: Any) -> str:
    """The path element of an item of an associative list or set."""
    if node.list_type == "set" or not isinstance(item, dict):
        return "v:" + orjson.dumps(item, option=orjson.OPT_SORT_KEYS).decode()
    keys = {}
    for name in node.list_map_keys:
        value = item.get(name, _KEY_DEFAULTS.get(name))
        if value is not None:
            keys[name] = value
    return "k:" + orjson.dumps(keys, option=orjson.OPT_SORT_KEYS).decode()


def parts(node: Node, value: Any) -> dict[str, tuple[Node, Any]]:
    """The parts of a granular value by path element."""
    if isinstance(value, dict):
        return {f"f:{name}": (node.child(name), item) for name, item in value.items()}
    return {element(node, item): (node.items, item) for item in value}


def tree_of(node: Node, value: Any, *, updating: bool) -> Tree:
    """All fields of a value. `updating`: maps count as members themselves, as they do in Update entries."""
    if not value or not granular(node, value):
        return {}
    result: Tree = {}
    if updating and node.kind == "map":
        result["."] = {}
    for name, (child, item) in parts(node, value).items():
        below = tree_of(child, item, updating=updating)
        if name[0] == "k":
            below = {".": {}, **below}
        result[name] = below
    return result


def difference(node: Node, old: Any, new: Any, changed: Tree, removed: Tree) -> None:
    """Note in `changed` what `new` adds or alters, in `removed` what it lacks; both values are granular."""
    before, after = parts(node, old), parts(node, new)
    for name, (child, item) in after.items():
        had = before.get(name, (child, _MISSING))[1]
        if had is _MISSING:
            below = tree_of(child, item, updating=True)
            changed[name] = {".": {}, **below} if name[0] == "k" else below
        elif had != item:
            if granular(child, had) and granular(child, item):
                inner_changed: Tree = {}
                inner_removed: Tree = {}
                difference(child, had, item, inner_changed, inner_removed)
                if inner_changed:
                    changed[name] = inner_changed
                if inner_removed:
                    removed[name] = inner_removed
            else:
                changed[name] = {}
    for name, (child, item) in before.items():
        if name not in after:
            removed[name] = tree_of(child, item, updating=True)


def union(left: Tree, right: Tree) -> Tree:
    """Members of either."""
    result = dict(left)
    for name, below in right.items():
        if name not in result:
            result[name] = below
        elif name != ".":
            mine = result[name]
            if mine and below:
                result[name] = union(mine, below)
            elif mine or below:
                result[name] = {".": {}, **mine, **below}
    return result


def without(tree: Tree, gone: Tree) -> Tree:
    """Members of `tree` that are not in `gone`; a leaf in `gone` takes everything below it along."""
    result: Tree = {}
    for name, below in tree.items():
        if name not in gone:
            result[name] = below
            continue
        lost = gone[name]
        if not lost or name == ".":
            continue
        rest = without(below, lost) if below else {}
        if rest:
            result[name] = rest
    return result


def common(tree: Tree, other: Tree) -> Iterator[tuple[str, ...]]:
    """The paths of members of `other` that are members of `tree`, too."""
    for name, below in other.items():
        if name not in tree or name == ".":
            continue
        mine = tree[name]
        inner = {key: value for key, value in below.items() if key != "."}
        if not inner or not mine:
            if (not inner and (not mine or "." in mine or not below)) or (inner and not mine):
                yield (name,)
            continue
        for path in common(mine, inner):
            yield (name, *path)


def show(path: tuple[str, ...]) -> str:
    """`.spec.template.spec.containers[name="web"].image`."""
    text = ""
    for name in path:
        kind, rest = name[:2], name[2:]
        if kind == "f:":
            text += f".{rest}"
        elif kind == "v:":
            text += f"[={rest}]"
        else:
            keys = orjson.loads(rest)
            text += "[" + ",".join(f"{key}={orjson.dumps(value).decode()}" for key, value in keys.items()) + "]"
    return text
