"""Stages admission and policy: the plugins that may change a request, and those that may only refuse it."""

from __future__ import annotations

from dataclasses import replace

from cluster.apiserver.admission.dynamic.review import in_version
from cluster.apiserver.admission.plugin import Plugin
from cluster.apiserver.admission.plugins import plugins_for
from cluster.apiserver.context import Context, Obj
from cluster.apiserver.request import Attributes
from cluster.apiserver.resources.scale import scale_of
from cluster.apiserver.stages.bodies import checked
from cluster.apiserver.strategies.registry import strategy_of


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
    dynamic = context.server.dynamic
    if not mutating and dynamic is None:
        return None
    attributes = attributes_of(context)
    changed = []
    for plugin in mutating:
        said = plugin.admit(attributes)
        if said:
            changed.append(f"{plugin.name}: {said}")
    if dynamic is not None and _is_asked(context) and dynamic.mutates(attributes):
        return _mutate_further(context, attributes, changed)
    return {"changed": changed} if changed else None


async def _mutate_further(context: Context, attributes: Attributes, changed: list[str]) -> object:
    """What people have configured comes after what is built in."""
    assert context.server.dynamic is not None

    def refine(obj: Obj) -> Obj:
        # What a webhook adds that no schema knows is dropped without a word: the client did not write it.
        asked, context.field_validation = context.field_validation, "Ignore"
        try:
            refined = checked(context, in_version(obj, context.resource), [])
        finally:
            context.field_validation = asked
        strategy_of(context.resource).default(refined)
        return refined

    changed += await context.server.dynamic.mutate(attributes, refine)
    return {"changed": changed} if changed else None


def _is_asked(context: Context) -> bool:
    """Questions are answered, not admitted; a deletion of many is admitted one by one."""
    return not context.resource.virtual and context.operation != "" and context.info.verb != "deletecollection"


def validate(context: Context) -> object:
    """Validating admission: plugins look at the finished object and may refuse it."""
    _, validating = plugins_for(context.resource.storage_key, context.operation, context.info.subresource)
    dynamic = context.server.dynamic
    if not validating and dynamic is None:
        return None
    attributes = attributes_of(context)
    if dynamic is not None and _is_asked(context) and dynamic.validates(attributes):
        return _validate_further(context, attributes, validating)
    for plugin in validating:
        plugin.validate(attributes)
    return {"plugins": [plugin.name for plugin in validating]} if validating else None


async def _validate_further(context: Context, attributes: Attributes, validating: tuple[Plugin, ...]) -> object:
    """Policies and webhooks come before the quota, which is last."""
    assert context.server.dynamic is not None
    seen = attributes
    if context.info.subresource == "scale" and attributes.obj is not None and attributes.old is not None:
        # Who asks about scale sees a Scale.
        resource = context.resource
        seen = replace(attributes, obj=scale_of(attributes.obj, resource), old=scale_of(attributes.old, resource))
    said = await context.server.dynamic.validate(seen)
    for plugin in validating:
        plugin.validate(attributes)
    return {"plugins": [plugin.name for plugin in validating], "configured": said}
