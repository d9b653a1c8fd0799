"""pods/log: the API server asks the kubelet of the pod's node (registry/core/pod/rest.LogREST)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from cluster import clock
from cluster.apimachinery import errors
from cluster.apiserver.context import Context, Response
from cluster.apiserver.parameters import flag


def _number(context: Context, name: str) -> int | None:
    text = context.params.get(name, "")
    if not text:
        return None
    if not text.isdecimal():
        raise errors.invalid(
            "PodLogOptions",
            "",
            context.info.name,
            [errors.invalid_value(name, text, "must be greater than or equal to 0")],
        )
    return int(text)


async def read(context: Context) -> dict[str, object]:
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
    since = context.params.get("sinceTime", "")
    try:
        since_time = clock.parse(since) if since else None
    except ValueError as error:
        raise errors.bad_request(f'invalid sinceTime "{since}"') from error
    lines: AsyncIterator[bytes] = await context.server.nodes.logs(
        node,
        context.key[0],
        context.key[1],
        container,
        follow=flag(context.params, "follow"),
        previous=flag(context.params, "previous"),
        timestamps=flag(context.params, "timestamps"),
        tail_lines=_number(context, "tailLines"),
        limit_bytes=_number(context, "limitBytes"),
        since_seconds=_number(context, "sinceSeconds"),
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
