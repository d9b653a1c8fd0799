"""The API server: what the stages work with, and the one method through which every request goes.

`kubeweb` wires one up; the wire (HTTP) and the loopback client (in process) both call `handle`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cluster.apimachinery import errors
from cluster.apimachinery.errors import StatusError
from cluster.apiserver import pipeline
from cluster.apiserver.addresses import ServiceAddresses
from cluster.apiserver.admission.dynamic.chain import DynamicAdmission
from cluster.apiserver.aggregation import APIServices
from cluster.apiserver.auditing import audit
from cluster.apiserver.authn.authenticator import Authenticator
from cluster.apiserver.authn.live import LiveRequests
from cluster.apiserver.authn.serviceaccounts import ServiceAccountTokens
from cluster.apiserver.authz.chain import AuthorizerChain
from cluster.apiserver.context import Context, Response
from cluster.apiserver.flowcontrol.classify import Classifier
from cluster.apiserver.metrics import Requests
from cluster.apiserver.nodes import Nodes
from cluster.apiserver.request import RequestInfo, UserInfo
from cluster.apiserver.resources.registry import Registry
from cluster.apiserver.storage.store import Storage
from cluster.audit.log import AuditLog
from cluster.journeys.store import JourneyStore
from cluster.journeys.trace import Journey, current_causes

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

log = logging.getLogger(__name__)


@dataclass
class Disturbance:
    """What slows the control plane down or makes it refuse, on purpose (Faults): by who asked for it."""

    # Seconds that each write takes longer.
    delays: dict[str, float] = field(default_factory=dict)
    # How many requests of a hundred are refused.
    overload: dict[str, int] = field(default_factory=dict)


@dataclass
class APIServer:
    """The parts, and `handle`."""

    storage: Storage
    registry: Registry
    authenticator: Authenticator
    authorizer: AuthorizerChain
    service_account_tokens: ServiceAccountTokens
    nodes: Nodes
    requests: Requests = field(default_factory=Requests)
    # Figures of other components, for /metrics.
    gauges: list[Callable[[], Iterable[Metric]]] = field(default_factory=list)
    # Names of what must be well for /readyz, each with a function that tells.
    readiness: dict[str, Callable[[], bool]] = field(default_factory=dict)
    disturbance: Disturbance = field(default_factory=Disturbance)
    # Policies and webhooks that people configure.
    dynamic: DynamicAdmission | None = None
    # Which FlowSchema a request falls under, and which group versions others ought to serve.
    classifier: Classifier | None = None
    api_services: APIServices | None = None
    # What is known of requests and of what they caused; None: nothing is recorded.
    journeys: JourneyStore | None = None
    # None: nothing is audited.
    audit: AuditLog | None = None
    live: LiveRequests = field(init=False)
    addresses: ServiceAddresses = field(init=False)

    def __post_init__(self) -> None:
        self.live = LiveRequests(self.authenticator, self.authorizer)
        self.addresses = ServiceAddresses(self)

    # Who answers questions that the API server itself cannot (kind → the question, with its answer): other components, wired in.
    answers: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = field(default_factory=dict)

    async def handle(self, context: Context) -> Response:
        """Take one request through the pipeline. Raises StatusError; anything else becomes an InternalError."""
        journey = context.journey
        try:
            await pipeline.run(context)
        except StatusError as error:
            journey.finish("refused", code=error.code, reason=error.message)
            self.requests.observe(context, error.code, journey.end - journey.start)
            audit(context, None, error)
            raise
        except Exception as error:
            log.exception("%s %s", context.method, context.path)
            wrapped = errors.internal(type(error).__name__)
            journey.finish("error", code=500, reason=wrapped.message)
            self.requests.observe(context, wrapped.code, journey.end - journey.start)
            audit(context, None, wrapped)
            raise wrapped from error
        response = context.response or Response()
        journey.finish("ok", code=response.code)
        self.requests.observe(context, response.code, journey.end - journey.start)
        if context.info.is_resource:
            # Of a path only whoever answers it knows the code.
            audit(context, response)
        return response

    async def delegate(self, parent: Context, info: RequestInfo, body: Any = None) -> Response:
        """A request that another one implies (each deletion of a deletecollection, an eviction's): same user, own journey.

        It has been authorized as the request that implies it.
        """
        context = Context(self, "DELETE", info.path, {}, Journey("request", "apiserver", (parent.journey.id,)))
        context.info = info
        context.resource = parent.resource
        context.key = (info.namespace, info.name)
        context.user = parent.user
        context.body = body
        context.loopback = context.implied = True
        context.dry_run = parent.dry_run
        context.journey.actor = parent.user.name
        context.journey.agent = parent.journey.agent
        return await self.handle(context)

    def health(self) -> dict[str, bool]:
        """What is well, for `health.CHECKS`."""
        return {"etcd": self.storage.log.healthy, **{name: well() for name, well in self.readiness.items()}}

    def loopback(self, user: UserInfo, agent: str, *, person: bool = False, real: UserInfo | None = None) -> Any:
        """A client that enters the pipeline in this process as `user`; `person`: on behalf of somebody at a form; `real`: who acts as
        that user, once that was authorized."""
        from cluster.apiserver.loopback import LoopbackClient

        return LoopbackClient(self, user, agent, person=person, real=real)


def new_journey(causes: tuple[str, ...] | None = None) -> Journey:
    """The journey of a request made now: caused by what the running task works on."""
    return Journey("request", "apiserver", current_causes() if causes is None else causes)
