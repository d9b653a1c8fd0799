"""From a request that was answered to a record for the audit log: who, what, from where, decision, answer (apiserver/pkg/audit).

Called by `APIServer.handle` at the end of the pipeline, and by the wire for what is known only later: the answers for paths, and the
end of watches and sessions. What the policy does not want costs one look-up.
"""

from __future__ import annotations

from typing import Any

import orjson

from cluster.apimachinery.errors import StatusError
from cluster.apiserver.context import Context, Response
from cluster.apiserver.request import RequestInfo, UserInfo
from cluster.audit.events import LEVELS_WITH_BODY, Record
from cluster.journeys.trace import wall

NOBODY = UserInfo("")


def audit(
    context: Context, response: Response | None, error: StatusError | None = None, *, ended: bool = False
) -> None:
    """Note the request at the stage that it has reached. `ended`: the end of something that was long."""
    log = context.server.audit
    if log is None or context.implied:
        return
    failed_to_sign_in = error is not None and error.code == 401
    # As in Kubernetes it is the person at the keyboard who is audited, whomever they act as.
    real = context.real or context.user
    caller = NOBODY if failed_to_sign_in else real
    info = context.info
    verdict = log.verdict(caller, info)
    if verdict.level == "None":
        return
    stage, is_long = _stage(response, error, ended)
    if stage in verdict.omit_stages:
        return
    journey = context.journey
    decision = context.decision
    code = error.code if error is not None else response.code if response is not None else 200
    bodies = verdict.level in LEVELS_WITH_BODY
    log.record(
        Record(
            verdict.level,
            journey.id,
            stage,
            _uri(context),
            info.verb,
            None if failed_to_sign_in else real,
            context.user if context.real is not None and context.user is not context.real else None,
            _addresses(context),
            journey.agent,
            info.is_resource,
            info.group,
            info.version,
            info.resource if info.is_resource else "",
            info.subresource,
            info.namespace,
            journey.name if info.is_resource else "",
            code,
            error.reason if error is not None else "",
            _sign_in_message(context) if failed_to_sign_in else error.message if error is not None else "",
            "" if decision is None else "allow" if decision.allowed else "forbid",
            decision.reason if decision is not None else "",
            journey.start,
            wall(),
            _asked(context) if bodies else None,
            _answered(response, error) if bodies else None,
            verdict.omit_managed_fields,
            is_long,
        )
    )


def _stage(response: Response | None, error: StatusError | None, ended: bool) -> tuple[str, bool]:
    if error is not None:
        return ("Panic" if error.code == 500 and error.reason == "InternalError" else "ResponseComplete"), False
    is_long = response is not None and (response.stream is not None or response.session is not None)
    return ("ResponseStarted" if is_long and not ended else "ResponseComplete"), is_long


def _sign_in_message(context: Context) -> str:
    tried = "bearer" if b"authorization" in context.headers else "session" if b"cookie" in context.headers else "none"
    return f"Authentication failed, attempted: {tried}"


def _uri(context: Context) -> str:
    if context.loopback:
        path = _path(context.info)
        # What was only tried must not look like what was done.
        return f"{path}?dryRun=All" if context.params.get("dryRun") else path
    query = context.scope.get("query_string") or b""
    return f"{context.path}?{query.decode('latin-1')}" if query else context.path


def _path(info: RequestInfo) -> str:
    """The path that this request would have on the wire."""
    parts = ["", "apis" if info.group else "api", *([info.group] if info.group else []), info.version]
    if info.namespace and (info.group, info.resource) != ("", "namespaces"):
        parts += ["namespaces", info.namespace]
    parts += [part for part in (info.resource, info.name, info.subresource) if part]
    return "/".join(parts)


def _addresses(context: Context) -> tuple[str, ...]:
    """Where it came from: what proxies say, then who spoke to us (utilnet.SourceIPs)."""
    headers = context.headers
    client = context.scope.get("client")
    if client and b"x-forwarded-for" not in headers and b"x-real-ip" not in headers:
        return (str(client[0]),)
    found = [part.strip() for part in headers.get(b"x-forwarded-for", b"").decode("latin-1").split(",") if part.strip()]
    real = headers.get(b"x-real-ip", b"").decode("latin-1").strip()
    if real and real not in found:
        found.append(real)
    if client and (not found or found[-1] != client[0]):
        found.append(str(client[0]))
    return tuple(found[:8])


def _asked(context: Context) -> Any:
    body = context.body
    if not isinstance(body, bytes):
        return body
    if not body:
        return None
    try:
        return orjson.loads(body)
    except ValueError:
        # YAML or protobuf: what it was understood as.
        return context.obj


def _answered(response: Response | None, error: StatusError | None) -> Any:
    if error is not None:
        return error.status
    if response is None:
        return None
    return response.entry.obj if response.entry is not None else response.obj
