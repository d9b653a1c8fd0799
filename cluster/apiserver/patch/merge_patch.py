"""JSON merge patch (RFC 7386)."""

from __future__ import annotations

from typing import Any

from cluster.apimachinery import errors


def apply_merge_patch(doc: Any, patch: Any) -> Any:
    """A new document that shares what the patch leaves alone; 400 for a patch that is no object."""
    if not isinstance(patch, dict):
        raise errors.bad_request("error decoding patch: Invalid JSON Patch")
    return _merge(doc, patch)


def _merge(target: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merge(result.get(key), value)
    return result
