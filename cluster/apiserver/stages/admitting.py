"""Stages admission and policy: the plugins that may change a request, and those that may only refuse it."""

from __future__ import annotations

from cluster.apiserver.admission.plugins import plugins_for
from cluster.apiserver.context import Context
from cluster.apiserver.request import Attributes


def attributes_of(context: Context) -> Attributes:
    """What plugins see of the request."""
    return Attributes(
        context.user,
        context.operation,
        context.resource,
        context.info.subresource,
        context.key[0],
        context.key[1],
        context.obj,
        None if context.old is None else context.old.obj,
        context.server.storage,
        context.dry_run,
        context.options,
        context.warnings,
        lambda info: context.server.authorizer.authorize(context.user, info).allowed,
    )


def mutate(context: Context) -> object:
    """Mutating admission: plugins change the object in place; the span tells what they did."""
    mutating, _ = plugins_for(context.resource.storage_key, context.operation, context.info.subresource)
    if not mutating:
        return None
    attributes = attributes_of(context)
    changed = []
    for plugin in mutating:
        said = plugin.admit(attributes)
        if said:
            changed.append(f"{plugin.name}: {said}")
    return {"changed": changed} if changed else None


def validate(context: Context) -> object:
    """Validating admission: plugins look at the finished object and may refuse it."""
    _, validating = plugins_for(context.resource.storage_key, context.operation, context.info.subresource)
    if not validating:
        return None
    attributes = attributes_of(context)
    for plugin in validating:
        plugin.validate(attributes)
    return {"plugins": [plugin.name for plugin in validating]}
