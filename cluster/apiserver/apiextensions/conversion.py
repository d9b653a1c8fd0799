"""Between the versions of a custom resource: by renaming, or by asking a webhook (apiextensions/apiserver/conversion)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from cluster.apimachinery import errors
from cluster.apiserver import webhooks
from cluster.apiserver.storage.cache import Entry

if TYPE_CHECKING:
    from cluster.apiserver.context import Context

Obj = dict[str, Any]
TIMEOUT = 30
# How many objects one question carries.
AT_ONCE = 500
# What of the metadata a webhook may change.
_CHANGEABLE = ("labels", "annotations")


async def to_storage(context: Context, obj: Obj) -> Obj:
    """The object in the version that is stored."""
    owner = context.resource.custom.owner
    wanted = owner.stored.api_version
    if obj["apiVersion"] == wanted:
        return obj
    if not owner.webhook:
        return {**obj, "apiVersion": wanted}
    return (await _ask(context, [obj], wanted))[0]


async def prepare(context: Context, entries: Iterable[Entry]) -> None:
    """Have a webhook convert those of the stored objects that are in another version than the request's; into `context.converted`."""
    custom = context.resource.custom
    if not custom.owner.webhook:
        return
    waiting = [
        entry
        for entry in entries
        if entry.obj["apiVersion"] != custom.api_version and entry.revision not in context.converted
    ]
    for start in range(0, len(waiting), AT_ONCE):
        chunk = waiting[start : start + AT_ONCE]
        answers = await _ask(context, [entry.obj for entry in chunk], custom.api_version)
        context.converted.update(zip((entry.revision for entry in chunk), answers, strict=True))


async def _ask(context: Context, objects: list[Obj], wanted: str) -> list[Obj]:
    owner = context.resource.custom.owner
    kind, have = owner.spec["names"]["kind"], objects[0]["apiVersion"]

    def failed(text: str) -> errors.StatusError:
        return errors.internal(f"conversion webhook for {have}, Kind={kind} failed: {text}")

    question = str(uuid.uuid4())
    review = {
        "kind": "ConversionReview",
        "apiVersion": "apiextensions.k8s.io/v1",
        "request": {"uid": question, "desiredAPIVersion": wanted, "objects": objects},
    }
    try:
        answer = await webhooks.call(owner.webhook["clientConfig"], context.server, review, TIMEOUT)
    except webhooks.CallFailed as error:
        raise failed(str(error)) from error
    response = answer.get("response")
    if not isinstance(response, dict) or response.get("uid") != question:
        raise failed("invalid response: the uid of the request is not in it")
    result = response.get("result") or {}
    if result.get("status") != "Success":
        raise failed(str(result.get("message") or "unknown reason"))
    converted = response.get("convertedObjects")
    if not isinstance(converted, list) or len(converted) != len(objects):
        told = len(converted) if isinstance(converted, list) else 0
        raise failed(f"webhook returned {told} objects, expected {len(objects)}")
    return [_restored(before, after, wanted, kind, failed) for before, after in zip(objects, converted, strict=True)]


def _restored(before: Obj, after: Any, wanted: str, kind: str, failed: Any) -> Obj:
    """What came back, with the metadata that no webhook may change."""
    if not isinstance(after, dict) or not isinstance(after.get("metadata"), dict):
        raise failed("invalid converted object: metadata is missing")
    if (after.get("apiVersion"), after.get("kind")) != (wanted, kind):
        raise failed(f"invalid converted object: expected {wanted}, Kind={kind}")
    metadata = dict(before["metadata"])
    for name in _CHANGEABLE:
        if after["metadata"].get(name):
            metadata[name] = after["metadata"][name]
        else:
            metadata.pop(name, None)
    return {**after, "metadata": metadata}
