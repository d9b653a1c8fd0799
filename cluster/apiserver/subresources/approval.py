"""certificatesigningrequests/approval: the decision, and nothing else of the object (registry/certificates/storage)."""

from __future__ import annotations

from cluster.apimachinery import errors
from cluster.apimachinery.errors import FieldError
from cluster.apiserver.context import Context, Obj, Response
from cluster.apiserver.strategies.certificates import check_conditions, stamped


async def read(context: Context) -> dict[str, object]:
    resource = context.resource
    entry = context.server.storage.entry(resource.storage_key, context.key)
    if entry is None:
        raise errors.not_found(resource.plural, resource.group, context.info.name)
    context.response = Response(entry=entry)
    return {"source": "cache", "revision": entry.revision}


def prepare(context: Context, obj: Obj, old: Obj) -> list[FieldError]:
    """Take the conditions; spec and certificate stay."""
    before = old.get("status") or {}
    wanted = (obj.get("status") or {}).get("conditions") or []
    obj["spec"] = old["spec"]
    obj["status"] = {**before, "conditions": stamped(wanted, before.get("conditions") or [])}
    return check_conditions(obj, old)
