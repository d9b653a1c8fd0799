"""Claiming: which objects a controller owns, adopts or lets go (pkg/controller/controller_ref_manager.go).

`sort_claims` is the policy; `adopt` and `release` are the writes. Adoption rechecks with a live read that the owner is not
being deleted, as its cached copy may be old.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from cluster.apimachinery.errors import StatusError, is_not_found
from cluster.apimachinery.labels import Selector
from cluster.apimachinery.meta import controller_of, is_pod_active, owner_reference
from cluster.client.client import Client, Obj


def orphans_by_namespace(obj: Obj) -> tuple[str, ...]:
    """Index of the objects that no controller owns and that may be adopted (pods: unless they have finished)."""
    if controller_of(obj) is None and is_pod_active(obj):
        return (obj["metadata"]["namespace"],)
    return ()


@dataclass(slots=True)
class Claims:
    """Objects sorted by what is to be done with them."""

    owned: list[Obj] = field(default_factory=list)
    adopt: list[Obj] = field(default_factory=list)
    release: list[Obj] = field(default_factory=list)


def sort_claims(owner: Obj, selector: Selector, objects: Iterable[Obj]) -> Claims:
    """Owned and matching stays, owned and not matching is released, matching orphans are adopted, the rest ignored."""
    uid = owner["metadata"]["uid"]
    deleting = "deletionTimestamp" in owner["metadata"]
    claims = Claims()
    for obj in objects:
        reference = controller_of(obj)
        matches = selector.matches(obj["metadata"].get("labels"))
        if reference is not None:
            if reference["uid"] != uid:
                continue
            if matches:
                claims.owned.append(obj)
            elif not deleting:
                claims.release.append(obj)
        elif matches and not deleting and not obj["metadata"].get("deletionTimestamp"):
            claims.adopt.append(obj)
    return claims


async def may_adopt(client: Client, resource: str, owner: Obj) -> bool:
    """A live look: the owner still exists, is the same, and is not being deleted."""
    metadata = owner["metadata"]
    try:
        fresh = await client.get(resource, metadata["name"], metadata.get("namespace", ""))
    except StatusError as error:
        if is_not_found(error):
            return False
        raise
    return bool(fresh["metadata"]["uid"] == metadata["uid"]) and not fresh["metadata"].get("deletionTimestamp")


async def adopt(client: Client, resource: str, owner: Obj, obj: Obj) -> Obj | None:
    """Add the controlling owner reference; None when the object is gone."""
    metadata = obj["metadata"]
    references: list[Any] = [*(metadata.get("ownerReferences") or ()), owner_reference(owner)]
    patch = {"metadata": {"ownerReferences": references, "uid": metadata["uid"]}}
    return await _patch(client, resource, metadata, patch)


async def release(client: Client, resource: str, owner: Obj, obj: Obj) -> Obj | None:
    """Remove the owner's reference; None when the object is gone."""
    metadata = obj["metadata"]
    uid = owner["metadata"]["uid"]
    references = [reference for reference in metadata.get("ownerReferences") or () if reference["uid"] != uid]
    patch = {"metadata": {"ownerReferences": references or None, "uid": metadata["uid"]}}
    return await _patch(client, resource, metadata, patch)


async def _patch(client: Client, resource: str, metadata: Obj, patch: Obj) -> Obj | None:
    # With the resourceVersion it was decided on: a merge patch replaces the whole list of references.
    patch["metadata"]["resourceVersion"] = metadata["resourceVersion"]
    try:
        return await client.patch(resource, metadata["name"], patch, metadata.get("namespace", ""), kind="merge")
    except StatusError as error:
        if is_not_found(error):
            return None
        raise


async def claim(
    client: Client, resource: str, owner_resource: str, owner: Obj, selector: Selector, objects: Iterable[Obj]
) -> list[Obj]:
    """Sort, adopt and release; returns the objects that are the owner's now."""
    claims = sort_claims(owner, selector, objects)
    for obj in claims.release:
        await release(client, resource, owner, obj)
    if claims.adopt and await may_adopt(client, owner_resource, owner):
        for obj in claims.adopt:
            adopted = await adopt(client, resource, owner, obj)
            if adopted is not None:
                claims.owned.append(adopted)
    return claims.owned
