"""Stage validation: the strategy of the kind prepares the object and checks every rule (apiserver/pkg/registry/rest)."""

from __future__ import annotations

from cluster import clock
from cluster.apimachinery import errors
from cluster.apiserver import subresources
from cluster.apiserver.context import Context
from cluster.apiserver.patch.managedfields import track_update
from cluster.apiserver.resources import schema
from cluster.apiserver.strategies.registry import strategy_of

RBAC = "rbac.authorization.k8s.io"

# Written by the thousand and never applied by people: nobody asks who owns their fields.
UNTRACKED = frozenset({"events", "coordination.k8s.io/leases"})
# The same for what the cluster's own components write: pods come from templates, and nobody applies them.
UNTRACKED_INSIDE = frozenset({"pods", "nodes"})


def validate(context: Context) -> object:
    """Prepare and validate; 422 with every cause when something is wrong."""
    obj, resource = context.obj, context.resource
    if obj is None or resource.virtual:
        return None
    strategy = strategy_of(resource)
    if context.operation == "CREATE":
        strategy.prepare_for_create(obj)
        found = strategy.validate(obj)
        before = None
    else:
        assert context.old is not None
        before = context.old.obj
        if context.is_status:
            strategy.prepare_for_status_update(obj, before)
            found = strategy.validate_status_update(obj, before)
        elif subresources.prepares(context):
            found = subresources.prepare(context, obj, before)
        else:
            strategy.prepare_for_update(obj, before)
            found = strategy.validate_update(obj, before)
    if found:
        name = obj["metadata"].get("name") or obj["metadata"].get("generateName") or ""
        raise errors.invalid(resource.kind, resource.group, name, found)
    context.warnings.extend(strategy.warnings(obj, before))
    if resource.group == RBAC:
        context.server.authorizer.check_escalation(context.user, obj, before)
    _track(context, before)
    return None


def _track(context: Context, before: dict[str, object] | None) -> None:
    """Who owns which field now. An apply has worked that out already."""
    obj, resource = context.obj, context.resource
    assert obj is not None
    metadata = obj["metadata"]
    applied = context.info.verb == "patch" and context.headers.get(b"content-type", b"").startswith(
        b"application/apply-patch"
    )
    if applied:
        return
    if resource.storage_key in UNTRACKED or (context.loopback and resource.storage_key in UNTRACKED_INSIDE):
        if before is not None and isinstance(before["metadata"], dict) and "managedFields" in before["metadata"]:
            metadata["managedFields"] = before["metadata"]["managedFields"]
        else:
            metadata.pop("managedFields", None)
        return
    managed = track_update(
        before,
        obj,
        manager=context.field_manager,
        node=schema.node_of(resource),
        api_version=obj["apiVersion"],
        subresource=context.info.subresource,
        now=clock.timestamp(),
    )
    if managed:
        metadata["managedFields"] = managed
    else:
        metadata.pop("managedFields", None)
