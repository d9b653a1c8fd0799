"""Strategic merge patch: lists merged by their keys, with the directives that kubectl sends (apimachinery/pkg/util/strategicpatch).

`$patch: replace|delete|merge` in a map or list item, `$deleteFromPrimitiveList/F`, `$setElementOrder/F`, `$retainKeys`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cluster.apimachinery import errors
from cluster.apiserver.resources.nodes import Node

Obj = dict[str, Any]
_DIRECTIVE, _RETAIN = "$patch", "$retainKeys"
_DELETE_FROM, _SET_ORDER = "$deleteFromPrimitiveList/", "$setElementOrder/"


def apply_strategic_patch(doc: Obj, patch: Any, node: Node) -> Obj:
    """A new document that shares what the patch leaves alone; `node` says how each list merges."""
    if not isinstance(patch, dict):
        raise errors.bad_request("error decoding patch: invalid JSON document")
    return _merge_map(doc, patch, node)


def _merge_map(original: Obj, patch: Obj, node: Node) -> Obj:
    directive = patch.get(_DIRECTIVE)
    if directive == "replace":
        return {key: value for key, value in patch.items() if key != _DIRECTIVE}
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise errors.bad_request(f"Unknown patch type found: {directive}")
    result = dict(original)
    if _RETAIN in patch:
        _retain(result, patch)
    orders: dict[str, list[Any]] = {}
    for key, value in patch.items():
        if key in (_DIRECTIVE, _RETAIN):
            continue
        if key.startswith(_DELETE_FROM):
            name = key.removeprefix(_DELETE_FROM)
            doomed = _a_list(value)
            if name in result:
                result[name] = [item for item in _a_list(result[name]) if item not in doomed]
        elif key.startswith(_SET_ORDER):
            orders[key.removeprefix(_SET_ORDER)] = _a_list(value)
        elif value is None:
            result.pop(key, None)
        else:
            result[key] = _merge_value(result.get(key), value, node.child(key))
    for name, order in orders.items():
        if isinstance(result.get(name), list):
            result[name] = _ordered(result[name], _a_list(original.get(name) or []), order, node.child(name))
    return result


def _retain(result: Obj, patch: Obj) -> None:
    """Only the fields that the patch names may stay: how a union moves from one member to another."""
    kept = _a_list(patch[_RETAIN])
    if any(key not in kept and not key.startswith("$") for key in patch):
        raise errors.bad_request("invalid patch format of retainKeys")
    for key in [key for key in result if key not in kept]:
        del result[key]


def _a_list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise errors.bad_request("invalid patch format of a list")
    return value


def _merge_value(original: Any, value: Any, node: Node) -> Any:
    if isinstance(value, dict):
        if "replace" in node.patch_strategy and _DIRECTIVE not in value:
            return _merge_map({}, value, node)
        return _merge_map(original if isinstance(original, dict) else {}, value, node)
    if isinstance(value, list):
        if "merge" in node.patch_strategy:
            return _merge_list(original if isinstance(original, list) else [], value, node)
        if value and all(isinstance(item, dict) for item in value):
            return [_merge_map({}, item, node.items) for item in value if item != {_DIRECTIVE: "replace"}]
    return value


def _merge_list(original: list[Any], patch: list[Any], node: Node) -> list[Any]:
    if not node.merge_key:
        # A list of primitives is a set.
        return [*original, *(item for item in dict.fromkeys(patch) if item not in original)]
    if any(isinstance(item, dict) and item == {_DIRECTIVE: "replace"} for item in patch):
        return [_merge_map({}, item, node.items) for item in patch if item != {_DIRECTIVE: "replace"}]
    key, result = node.merge_key, list(original)
    for item in patch:
        if not isinstance(item, dict):
            raise errors.bad_request("invalid patch format of a list of objects")
        if key not in item:
            raise errors.bad_request(f"map: {item} does not contain declared merge key: {key}")
        matching = [index for index, have in enumerate(result) if have.get(key) == item[key]]
        if item.get(_DIRECTIVE) == "delete":
            result = [have for have in result if have.get(key) != item[key]]
        elif matching:
            result[matching[0]] = _merge_map(result[matching[0]], item, node.items)
        else:
            result.append(_merge_map({}, item, node.items))
    return result


def _ordered(merged: list[Any], server: list[Any], order: list[Any], node: Node) -> list[Any]:
    """The items that the client named in its order; those that only the server knows keep their place among them."""
    key = node.merge_key

    def name(item: Any) -> Any:
        return item.get(key) if key and isinstance(item, dict) else item

    wanted = {_hashable(name(item)): index for index, item in enumerate(order)}
    had = {_hashable(name(item)): index for index, item in reversed(list(enumerate(server)))}
    named = sorted(
        (item for item in merged if _hashable(name(item)) in wanted), key=lambda item: wanted[_hashable(name(item))]
    )
    others = [item for item in merged if _hashable(name(item)) not in wanted]
    return list(_interleaved(named, others, had, lambda item: _hashable(name(item))))


def _interleaved(named: list[Any], others: list[Any], had: dict[Any, int], name: Any) -> Iterable[Any]:
    left = iter(others)
    other = next(left, None)
    for item in named:
        place = had.get(name(item))
        while other is not None and place is not None and had.get(name(other), place) < place:
            yield other
            other = next(left, None)
        yield item
    while other is not None:
        yield other
        other = next(left, None)


def _hashable(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool, type(None))) else repr(value)
