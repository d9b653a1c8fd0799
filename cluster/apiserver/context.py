"""One request on its way through the pipeline: what is known of it so far, and what will be answered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cluster.apiserver.request import ANONYMOUS, RequestInfo, UserInfo
from cluster.apiserver.sessions import Session
from cluster.apiserver.storage.cache import Entry, Key
from cluster.journeys.trace import Journey

if TYPE_CHECKING:
    from cluster.apimachinery.errors import StatusError
    from cluster.apiserver.authz.rbac import Decision
    from cluster.apiserver.flowcontrol.classify import Flow
    from cluster.apiserver.resources.registry import Resource
    from cluster.apiserver.server import APIServer

Obj = dict[str, Any]


@dataclass(slots=True)
class Response:
    """What is answered: an object (as dict or as the cache's entry), bytes, or a stream of bytes."""

    code: int = 200
    obj: Obj | None = None
    entry: Entry | None = None
    data: bytes | None = None
    stream: AsyncIterator[bytes] | None = None
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    # Takes an upgraded connection over once it is accepted.
    session: Session | None = None


class Context:
    """The request. Stages fill it in; the names follow apiserver/pkg/endpoints."""

    __slots__ = (
        "backend",
        "body",
        "converted",
        "decision",
        "dry_run",
        "field_manager",
        "field_validation",
        "flow",
        "headers",
        "implied",
        "info",
        "journey",
        "key",
        "loopback",
        "method",
        "obj",
        "old",
        "operation",
        "options",
        "params",
        "path",
        "pinned",
        "problem",
        "real",
        "resource",
        "response",
        "scope",
        "server",
        "user",
        "warnings",
    )

    def __init__(self, server: APIServer, method: str, path: str, params: Mapping[str, str], journey: Journey) -> None:
        self.server = server
        self.method = method
        self.path = path
        self.params = params
        self.journey = journey
        self.headers: Mapping[bytes, bytes] = {}
        self.scope: Mapping[str, Any] = {}
        # Raw bytes from the wire, or the object itself from the loopback client (which gave it away).
        self.body: bytes | Any = b""
        self.loopback = False
        # True for what another request implies: it was authorized as that one.
        self.implied = False
        self.user: UserInfo = ANONYMOUS
        # Who really asks, when `user` is somebody they act as.
        self.real: UserInfo | None = None
        # Why the path leads nowhere; told to those who may know.
        self.problem: StatusError | None = None
        # The APIService by which somebody else answers this request.
        self.backend: Obj | None = None
        # What authorization said.
        self.decision: Decision | None = None
        self.info: RequestInfo = RequestInfo(path, method.lower())
        self.resource: Resource = None  # type: ignore[assignment]  # set by request-info for resource requests
        self.operation = ""  # CREATE, UPDATE or DELETE
        self.key: Key = ("", "")
        self.obj: Obj | None = None
        self.old: Entry | None = None
        # True when the client said which version it means to change: then a conflict is its own to solve.
        self.pinned = False
        self.dry_run = False
        self.field_manager = ""
        self.field_validation = ""
        self.options: Obj = {}
        # Under which FlowSchema the request falls, once that is known (wire requests only).
        self.flow: Flow | None = None
        # What a conversion webhook made of stored objects, by their revision.
        self.converted: dict[int, Obj] = {}
        self.warnings: list[str] = []
        self.response: Response | None = None

    @property
    def caller(self) -> UserInfo:
        """Who really asks."""
        return self.real or self.user

    @property
    def acting(self) -> UserInfo | None:
        """As whom they ask, when that is somebody else."""
        return self.user if self.real is not None else None

    @property
    def is_status(self) -> bool:
        return self.info.subresource == "status"
