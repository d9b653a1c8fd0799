"""From a body to a custom resource: metadata checked, unknown fields pruned and told (apiserver's schemaCoercingDecoder)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from cluster.apimachinery import errors
from cluster.apiserver.apiextensions import pruning

if TYPE_CHECKING:
    from cluster.apiserver.apiextensions.custom import VersionInfo

Obj = dict[str, Any]


# From an ObjectMeta and its path to what is known of it, and the complaints about what is not.
CleanMetadata = Callable[[Obj, str], tuple[Obj, list[str]]]


def prune_and_tell(
    info: VersionInfo, obj: Obj, told: Sequence[str], field_validation: str, clean: CleanMetadata
) -> tuple[Obj, list[str]]:
    """The object without what its schema does not know, and warnings; 400 where the client wants strictness."""
    dropped: list[str] = []
    fresh: Obj = orjson.loads(orjson.dumps(obj))
    pruning.prune(info.schema, fresh, dropped)
    found = [*told, *(f'unknown field "{path}"' for path in dropped)]
    for inner, path in pruning.embedded(info.schema, fresh):
        if isinstance(inner.get("metadata"), dict):
            inner["metadata"], more = clean(inner["metadata"], f"{path}.metadata")
            found.extend(more)
    if not found or field_validation == "Ignore":
        return fresh, []
    if field_validation == "Strict":
        kind = info.resource.kind
        raise errors.bad_request(
            f'{kind} in version "{info.name}" cannot be handled as a {kind}: strict decoding error: {", ".join(found)}'
        )
    return fresh, found
