"""Subresources that do something of their own. `status` is an ordinary write and needs none of this.

One table says which module answers for which subresource; a module offers what applies to it:
`read(context)` for GET, `decode(context)` to make the object out of the body, `prepare(context, obj, old)` in place of the
strategy's update rules, `commit(context)` in place of the ordinary write.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

from cluster.apimachinery.errors import FieldError, StatusError
from cluster.apiserver.subresources import (
    approval,
    binding,
    ephemeral,
    eviction,
    exec,
    finalize,
    log,
    portforward,
    proxy,
    resize,
    reviews,
    scale,
    token,
)

if TYPE_CHECKING:
    from cluster.apiserver.context import Context, Obj

HANDLERS: dict[tuple[str, str], ModuleType] = {
    ("pods", "binding"): binding,
    ("pods", "eviction"): eviction,
    ("pods", "log"): log,
    ("pods", "exec"): exec,
    ("pods", "ephemeralcontainers"): ephemeral,
    ("pods", "resize"): resize,
    ("pods", "attach"): exec,
    ("pods", "portforward"): portforward,
    ("pods", "proxy"): proxy,
    ("services", "proxy"): proxy,
    ("nodes", "proxy"): proxy,
    ("namespaces", "finalize"): finalize,
    ("certificates.k8s.io/certificatesigningrequests", "approval"): approval,
    ("serviceaccounts", "token"): token,
    ("apps/deployments", "scale"): scale,
    ("apps/replicasets", "scale"): scale,
    ("apps/statefulsets", "scale"): scale,
    ("replicationcontrollers", "scale"): scale,
}


def _handler(context: Context) -> ModuleType | None:
    if context.resource.virtual:
        return binding if context.resource.storage_key == "bindings" else reviews
    if context.resource.custom is not None:
        return scale if context.info.subresource == "scale" else None
    return HANDLERS.get((context.resource.storage_key, context.info.subresource))


def _offers(context: Context, name: str) -> bool:
    return hasattr(_handler(context), name)


def decodes(context: Context) -> bool:
    return _offers(context, "decode")


def prepares(context: Context) -> bool:
    return _offers(context, "prepare")


def commits(context: Context) -> bool:
    return _offers(context, "commit")


async def read(context: Context) -> dict[str, object] | None:
    """GET of a subresource."""
    handler = _handler(context)
    if handler is None or not hasattr(handler, "read"):
        raise StatusError(
            501,
            "NotImplemented",
            f"{context.resource.plural}/{context.info.subresource} is not served by this cluster yet",
        )
    detail: dict[str, object] | None = await handler.read(context)
    return detail


def decode(context: Context) -> None:
    handler = _handler(context)
    assert handler is not None
    handler.decode(context)


def prepare(context: Context, obj: Obj, old: Obj) -> list[FieldError]:
    handler = _handler(context)
    assert handler is not None
    found: list[FieldError] = handler.prepare(context, obj, old)
    return found


async def commit(context: Context) -> object:
    handler = _handler(context)
    assert handler is not None
    return await handler.commit(context)
