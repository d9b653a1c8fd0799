"""pods/ephemeralcontainers: containers added to a running pod, to look into it (registry/core/pod/storage)."""

from __future__ import annotations

from cluster.apimachinery import errors
from cluster.apimachinery.errors import FieldError
from cluster.apiserver.context import Context, Obj, Response
from cluster.apiserver.strategies.containers import check_containers

PATH = "spec.ephemeralContainers"


async def read(context: Context) -> dict[str, object]:
    entry = context.server.storage.entry("pods", context.key)
    if entry is None:
        raise errors.not_found("pods", "", context.info.name)
    context.response = Response(entry=entry)
    return {"source": "cache", "revision": entry.revision}


def prepare(context: Context, obj: Obj, old: Obj) -> list[FieldError]:
    """Only new ones may come: none is changed or taken away."""
    wanted = obj["spec"].get("ephemeralContainers") or []
    before = old["spec"].get("ephemeralContainers") or []
    obj["spec"] = {**old["spec"], "ephemeralContainers": wanted}
    obj["status"] = old.get("status") or {}
    obj["metadata"]["generation"] = old["metadata"].get("generation", 1) + (wanted != before)
    by_name = {one["name"]: one for one in wanted}
    found: list[FieldError] = []
    for one in before:
        now = by_name.get(one["name"])
        if now is None:
            text = f'existing ephemeral containers "{one["name"]}" may not be removed\n'
            found.append(errors.forbidden_field(PATH, text))
        elif now != one:
            text = f'existing ephemeral containers "{one["name"]}" may not be changed\n'
            found.append(errors.forbidden_field(PATH, text))
    if wanted:
        volumes = {volume["name"] for volume in old["spec"].get("volumes") or ()}
        found.extend(check_containers(wanted, volumes, PATH))
    taken = {one["name"] for group in ("containers", "initContainers") for one in old["spec"].get(group) or ()}
    for index, one in enumerate(wanted):
        if one["name"] in taken:
            found.append(FieldError("FieldValueDuplicate", f"{PATH}[{index}].name", "", one["name"]))
        for field in ("ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle"):
            if one.get(field):
                found.append(
                    errors.forbidden_field(f"{PATH}[{index}].{field}", "cannot be set for an Ephemeral Container")
                )
    return found
