"""pods/log: the API server asks the kubelet of the pod's node (registry/core/pod/rest.LogREST)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from cluster import clock
from cluster.apimachinery import errors
from cluster.apiserver.context import Context, Response
from cluster.apiserver.parameters import flag, whole

# The least that each may be, and how that is said (core/validation: ValidatePodLogOptions).
_LEAST = {
    "tailLines": (0, "must be greater than or equal to 0"),
    "limitBytes": (1, "must be greater than 0"),
    "sinceSeconds": (1, "must be greater than 0"),
}


def _number(context: Context, name: str) -> int | None:
    number = whole(context.params, name)
    least, words = _LEAST[name]
    if number is not None and number < least:
        cause = errors.invalid_value(name, number, words)
        raise errors.invalid("PodLogOptions", "", context.info.name, [cause])
    return number


async def read(context: Context) -> dict[str, object]:
    # What is asked is looked at before what it is asked of.
    tail_lines, limit_bytes, since_seconds = (_number(context, name) for name in _LEAST)
    since = context.params.get("sinceTime", "")
    try:
        since_time = clock.parse(since) if since else None
    except ValueError as error:
        raise errors.bad_request(f'invalid sinceTime "{since}"') from error
    entry = context.server.storage.entry("pods", context.key)
    if entry is None:
        raise errors.not_found("pods", "", context.info.name)
    pod = entry.obj
    container = _container(context, pod)
    node = pod["spec"].get("nodeName")
    if not node:
        # Not scheduled yet: there is no kubelet to ask, and nothing to show.
        context.response = Response(data=b"", content_type="text/plain")
        return {"node": None}
    lines: AsyncIterator[bytes] = await context.server.nodes.logs(
        node,
        context.key[0],
        context.key[1],
        container,
        follow=flag(context.params, "follow"),
        previous=flag(context.params, "previous"),
        timestamps=flag(context.params, "timestamps"),
        tail_lines=tail_lines,
        limit_bytes=limit_bytes,
        since_seconds=since_seconds,
        since_time=since_time,
    )
    context.response = Response(stream=lines, content_type="text/plain")
    return {"node": node, "container": container}


def _container(context: Context, pod: dict[str, object]) -> str:
    spec = pod["spec"]
    assert isinstance(spec, dict)
    names = [container["name"] for container in spec.get("containers") or ()]
    init = [container["name"] for container in spec.get("initContainers") or ()]
    ephemeral = [container["name"] for container in spec.get("ephemeralContainers") or ()]
    wanted = context.params.get("container", "")
    pod_name = context.info.name
    if not wanted:
        if len(names) == 1:
            return str(names[0])
        text = f"a container name must be specified for pod {pod_name}, choose one of: [{' '.join(names)}]"
        if init:
            text += f" or one of the init containers: [{' '.join(init)}]"
        raise errors.bad_request(text)
    if wanted not in (*names, *init, *ephemeral):
        raise errors.bad_request(f"container {wanted} is not valid for pod {pod_name}")
    return wanted
