"""The way of every request through the API server, top to bottom.

    request-info → authn → flow-control → authz ┬→ cache ─────────────────────────────────────────────→ respond      (read line)
                                                └→ decode → admission → validation → policy → etcd ───→ respond      (write line)

Each stage is a function of the request's context that fills it in, or raises the Status that refuses it; what it returns is the
detail of its span. The page draws the stages that stand here: a stage added to the list appears on the screen.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import CoroutineType
from typing import Any

from cluster.apimachinery.errors import StatusError
from cluster.apiserver.aggregator import pass_on
from cluster.apiserver.context import Context
from cluster.apiserver.stages.admitting import mutate
from cluster.apiserver.stages.admitting import validate as admit
from cluster.apiserver.stages.committing import commit
from cluster.apiserver.stages.decoding import decode
from cluster.apiserver.stages.fairness import admit_flow
from cluster.apiserver.stages.identity import authenticate, authorize
from cluster.apiserver.stages.info import request_info
from cluster.apiserver.stages.reading import read
from cluster.apiserver.stages.rendering import respond
from cluster.apiserver.stages.validating import validate
from cluster.apiserver.stages.writing import Retry
from cluster.journeys.trace import Span, wall

# How often a write that names no version looks again after losing a race, before the client hears Conflict.
ATTEMPTS = 30


@dataclass(frozen=True, slots=True)
class Stage:
    """One station. `line`: all, read or write. `waits`: its function is a coroutine. `component`: whose station it is."""

    name: str
    line: str
    run: Callable[[Context], object] | Callable[[Context], Awaitable[object]]
    title: str
    description: str
    waits: bool = False
    component: str = "apiserver"


STAGES: tuple[Stage, ...] = (
    Stage("request-info", "all", request_info, "request", "What do this path and method ask for?"),
    Stage(
        "authn",
        "all",
        authenticate,
        "authn",
        "Who is asking? A session, a token, a certificate, or nobody.",
        waits=True,
    ),
    Stage("flow-control", "all", admit_flow, "flow control", "Is there room? An overloaded server refuses with 429."),
    Stage("authz", "all", authorize, "authz", "May they? RBAC: any rule that matches allows; there are no deny rules."),
    Stage(
        "cache",
        "read",
        read,
        "watch cache",
        "Reads are served from memory, watches from its latest changes.",
        waits=True,
    ),
    Stage(
        "decode", "write", decode, "decode", "From the body to an object: schema, unknown fields, patches, defaults."
    ),
    Stage("admission", "write", mutate, "admission", "Plugins that may change the object before it is judged."),
    Stage(
        "validation", "write", validate, "validation", "Every rule of the kind: names, required and immutable fields."
    ),
    Stage("policy", "write", admit, "policy", "Plugins that may only refuse: quotas, limits, pod security."),
    Stage(
        "etcd",
        "write",
        commit,
        "etcd",
        "Compare-and-swap in the revision log; durable when it returns.",
        waits=True,
        component="etcd",
    ),
    Stage("respond", "all", respond, "respond", "The answer, in the form that the client accepts."),
)

READ_LINE = tuple(stage for stage in STAGES if stage.line in ("all", "read"))
WRITE_LINE = tuple(stage for stage in STAGES if stage.line in ("all", "write"))
READS = frozenset({"get", "list", "watch"})
_GATES = 4  # request-info, authn, flow-control, authz: the same on both lines
_DECODE = WRITE_LINE.index(next(stage for stage in STAGES if stage.name == "decode"))


async def run(context: Context) -> None:
    """Take the request down its line. Spans are recorded as it goes; the refusing stage's says why."""
    spans = context.journey.spans
    line: tuple[Stage, ...] = WRITE_LINE
    position, attempts = 0, 0
    while position < len(line):
        stage = line[position]
        start = wall()
        try:
            detail = stage.run(context)
            if stage.waits or type(detail) is CoroutineType:
                # Some stages wait only now and then: when a webhook has to be asked.
                detail = await detail  # type: ignore[misc]
        except Retry:
            spans.append(
                Span(stage.name, start, wall(), "wait", {"message": "somebody else was faster: looking again"})
            )
            attempts += 1
            if attempts >= ATTEMPTS:
                raise _lost(context) from None
            position = _DECODE
            continue
        except StatusError as error:
            refusal: dict[str, object] = {"code": error.code, "reason": error.reason, "message": error.message}
            if error.details.get("causes"):
                refusal["causes"] = error.details["causes"]
            if error.considered:
                refusal["considered"] = error.considered
            spans.append(Span(stage.name, start, wall(), "refused", refusal))
            raise
        spans.append(Span(stage.name, start, wall(), "ok", detail))
        position += 1
        if position == 1 and (not context.info.is_resource or context.info.verb in READS):
            line = READ_LINE
        if position == _GATES and not context.info.is_resource:
            # A path of the server itself (/version, /openapi …): answered by whoever called.
            return
        if position == _GATES and context.backend is not None:
            await _aggregate(context, context.backend)
            return


async def _aggregate(context: Context, backend: dict[str, Any]) -> None:
    """Behind the gates another API server answers."""
    start = wall()
    try:
        detail = await pass_on(context, backend)
    except StatusError as error:
        refusal = {"code": error.code, "reason": error.reason, "message": error.message}
        context.journey.spans.append(Span("aggregator", start, wall(), "refused", refusal))
        raise
    context.journey.spans.append(Span("aggregator", start, wall(), "ok", detail))


def _lost(context: Context) -> StatusError:
    from cluster.apimachinery.errors import conflict

    return conflict(context.resource.plural, context.resource.group, context.info.name)
