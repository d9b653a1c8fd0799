"""pods/exec and pods/attach: a stream into a container, through the kubelet (registry/core/pod/rest/subresources.go).

Spoken over a WebSocket (GET) or over SPDY (POST, as clients before 1.30 do it): `cluster.apiserver.sessions`.
"""

from __future__ import annotations

import logging
from urllib.parse import parse_qsl

from cluster.apimachinery import errors
from cluster.apimachinery.errors import StatusError
from cluster.apiserver.context import Context, Obj, Response
from cluster.apiserver.parameters import flag
from cluster.apiserver.request import RequestInfo
from cluster.apiserver.sessions import Session
from cluster.apiserver.sessions.channels import ERROR, OUTPUTS, STDERR, STDIN, Channels, Flooded, websocket_protocols
from cluster.apiserver.sessions.spdystreams import RESIZE, spdy_protocols
from cluster.apiserver.stages.identity import require
from cluster.apiserver.subresources.log import _container

log = logging.getLogger(__name__)


def require_create(context: Context) -> None:
    """A GET that lets the caller act needs the verb of acting, too."""
    info = context.info
    require(
        context,
        RequestInfo(
            info.path,
            "create",
            True,
            info.group,
            info.version,
            info.namespace,
            info.resource,
            info.subresource,
            info.name,
        ),
    )


def needs_upgrade(context: Context) -> None:
    """400 for a plain request."""
    if context.scope.get("type") != "websocket":
        raise errors.bad_request("Upgrade request required")


def decode(context: Context) -> None:
    """What a POST wants stands in its query."""
    needs_upgrade(context)


async def commit(context: Context) -> dict[str, object]:
    return _open(context)


async def read(context: Context) -> dict[str, object]:
    require_create(context)
    return _open(context)


def _open(context: Context) -> dict[str, object]:
    info = context.info
    entry = context.server.storage.entry("pods", context.key)
    if entry is None:
        raise errors.not_found("pods", "", info.name)
    needs_upgrade(context)
    pod = entry.obj
    container, node = _container(context, pod), pod["spec"].get("nodeName")
    if not node:
        raise errors.bad_request(f"pod {info.name} does not have a host assigned")
    query = parse_qsl(context.scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    command = [value for name, value in query if name == "command"]
    if info.subresource == "exec" and not command:
        raise errors.bad_request("you must specify at least one command for the container")
    wants_stdin, tty = flag(context.params, "stdin"), flag(context.params, "tty")
    wanted = {channel for name, channel in OUTPUTS.items() if flag(context.params, name)}
    if not wanted and not wants_stdin:
        raise errors.bad_request("you must specify at least 1 of stdin, stdout, stderr")
    if tty:
        # A terminal has one output.
        wanted.discard(STDERR)

    async def session(channels: Channels) -> None:
        stdin = channels.stdin if wants_stdin else None
        try:
            code = await context.server.nodes.execute(
                node,
                context.key[0],
                context.key[1],
                container,
                command,
                stdin,
                channels.write,
                channels.write_error,
                channels.room,
                tty=tty,
            )
        except StatusError as error:
            channels.end(error.status)
            return
        except Flooded:
            channels.end(errors.internal("Internal error occurred: the client does not read").status)
            return
        except Exception as error:
            log.exception("%s %s/%s", info.subresource, *context.key)
            channels.end(errors.internal(type(error).__name__).status)
            return
        channels.end(_ended(command, code))

    streams = {ERROR, *wanted, *({STDIN} if wants_stdin else ()), *({RESIZE} if tty else ())}
    spoken = Session(
        websocket_protocols(session, frozenset(wanted)),
        spdy_protocols(session, frozenset(streams)),
    )
    context.response = Response(101, data=b"", content_type="text/plain", session=spoken)
    return {"node": node, "container": container, "command": command[:1]}


def _ended(command: list[str], code: int) -> Obj:
    if not code:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }
