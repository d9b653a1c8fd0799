"""Admission of connections (operation CONNECT): exec, attach, port-forward and proxy, whichever way they are asked for."""

from __future__ import annotations

from dataclasses import replace

from cluster.apiserver.context import Context, Obj
from cluster.apiserver.request import Attributes
from cluster.apiserver.stages.admitting import attributes_of

CONNECTIONS = frozenset({"exec", "attach", "portforward", "proxy"})


def concerns(context: Context) -> Attributes | None:
    """What admission sees of the connection; None when nobody has configured anything about such."""
    dynamic = context.server.dynamic
    if dynamic is None or context.info.subresource not in CONNECTIONS:
        return None
    sub = context.resource.subresources[context.info.subresource]
    options: Obj = {"kind": sub.kind, "apiVersion": "v1", "metadata": {}}
    for name, value in context.params.items():
        options[name] = value.lower() in ("1", "true") if name in ("stdin", "stdout", "stderr", "tty") else value
    attributes = replace(attributes_of(context), operation="CONNECT", obj=options, old=None)
    return attributes if dynamic.validates(attributes) else None


async def admit(context: Context, attributes: Attributes) -> None:
    """Raises where a policy or a webhook refuses."""
    assert context.server.dynamic is not None
    await context.server.dynamic.validate(attributes)
