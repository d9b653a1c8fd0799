"""JSON patch (RFC 6902), bounded as the API server bounds it."""

from __future__ import annotations

from typing import Any

import jsonpatch
import jsonpointer

from cluster.apimachinery import errors

MAX_OPERATIONS = 10_000


def apply_json_patch(doc: Any, ops: Any) -> Any:
    """A new document; 400 for what is no patch, 422 for one that does not fit the document."""
    if not isinstance(ops, list):
        raise errors.bad_request(
            "error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch"
        )
    if len(ops) > MAX_OPERATIONS:
        raise errors.too_large(f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(ops)}")
    try:
        return jsonpatch.apply_patch(doc, ops, in_place=False)
    except jsonpatch.InvalidJsonPatch as error:
        raise errors.bad_request(f"error decoding patch: {error}") from error
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError, ValueError, KeyError) as error:
        raise errors.StatusError(
            422, "Invalid", "the server rejected our request due to an error in our request"
        ) from error
