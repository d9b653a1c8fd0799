"""pods/binding: the scheduler's one act, putting a pod on a node (registry/core/pod/storage.BindingREST)."""

from __future__ import annotations

from dataclasses import replace

from cluster import clock
from cluster.apimachinery import errors
from cluster.apimachinery.meta import set_condition
from cluster.apiserver.context import Context, Obj, Response
from cluster.apiserver.stages import bodies, writing
from cluster.etcd.log import Conflict


def decode(context: Context) -> None:
    """The Binding becomes the pod with its node, if it has none yet."""
    binding, _ = bodies.parse_body(context)
    if context.resource.virtual:
        _reroute(context, binding)
    target = binding.get("target")
    if not isinstance(target, dict) or not target.get("name"):
        raise errors.invalid("Binding", "", context.info.name, [errors.required("target.name")])
    if target.get("kind") not in (None, "", "Node"):
        raise errors.invalid(
            "Binding", "", context.info.name, [errors.not_supported("target.kind", target["kind"], ["Node", "<empty>"])]
        )
    old = context.server.storage.entry("pods", context.key)
    if old is None:
        raise errors.not_found("pods", "", context.info.name)
    before = old.obj
    spec, metadata = before["spec"], before["metadata"]
    wanted_uid = (binding.get("metadata") or {}).get("uid")
    if wanted_uid and wanted_uid != metadata["uid"]:
        raise _refused(
            context,
            f"Precondition failed: UID in precondition: {wanted_uid}, UID in object meta: {metadata['uid']}",
        )
    if metadata.get("deletionTimestamp"):
        raise _refused(context, f"pod {context.info.name} is being deleted, cannot be assigned to a host")
    if spec.get("nodeName"):
        raise _refused(context, f'pod {context.info.name} is already assigned to node "{spec["nodeName"]}"')
    if spec.get("schedulingGates"):
        raise _refused(context, f"pod {context.info.name} has non-empty .spec.schedulingGates")
    status = before.get("status") or {}
    condition = {
        "type": "PodScheduled",
        "status": "True",
        "lastTransitionTime": clock.timestamp(),
    }
    if metadata.get("generation"):
        condition["observedGeneration"] = metadata["generation"]
    conditions = set_condition(
        [kept for kept in status.get("conditions") or () if kept["type"] != "PodScheduled"], condition
    )
    changed = dict(metadata)
    for field in ("annotations", "labels"):
        added = (binding.get("metadata") or {}).get(field)
        if added:
            changed[field] = {**(metadata.get(field) or {}), **added}
    context.old = old
    context.operation = "CREATE"
    context.obj = {
        **before,
        "metadata": changed,
        "spec": {**spec, "nodeName": target["name"]},
        "status": {**status, "conditions": conditions},
    }
    context.journey.name = context.info.name


def _reroute(context: Context, binding: Obj) -> None:
    """The old way, POST to `bindings`: the same as the pod's subresource, with the pod's name in the body (LegacyBindingREST)."""
    name = (binding.get("metadata") or {}).get("name")
    if not isinstance(name, str) or not name:
        raise errors.bad_request("name is required")
    pods = context.server.registry.get("", "v1", "pods")
    assert pods is not None
    context.resource = pods
    context.info = replace(context.info, resource="pods", subresource="binding", name=name)
    context.key = (context.info.namespace, name)


def _refused(context: Context, text: str) -> errors.StatusError:
    return errors.conflict("pods/binding", "", context.info.name, text)


async def commit(context: Context) -> object:
    assert context.old is not None and context.obj is not None
    if not context.dry_run:
        try:
            detail = await writing.put(context, context.key, context.obj, "update", context.old.revision)
        except Conflict as conflict:
            raise writing.Retry from conflict
    else:
        detail = {"dryRun": True}
    context.response = Response(201, obj=_success())
    return detail


def _success() -> Obj:
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
