"""Putting the cluster together: which part is handed to which. No logic of its own.

The order is the order in which a cluster comes up: etcd, API server, its bootstrap objects, control loops, scheduler, machines.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from channels.layers import get_channel_layer
from channels.routing import ChannelNameRouter
from channels.worker import Worker
from django.conf import settings

from cluster.accounts import pki
from cluster.accounts.rbac import door
from cluster.apiserver import bootstrap
from cluster.apiserver.admission.dynamic.chain import DynamicAdmission
from cluster.apiserver.admission.dynamic.typechecking import PolicyStatus
from cluster.apiserver.admission.quota import used_in
from cluster.apiserver.aggregation import APIServices
from cluster.apiserver.apiextensions.serving import CustomResources
from cluster.apiserver.authn.authenticator import Authenticator
from cluster.apiserver.authn.impersonation import impersonate
from cluster.apiserver.authn.people import user_info
from cluster.apiserver.authn.serviceaccounts import ServiceAccountTokens
from cluster.apiserver.authz.chain import AuthorizerChain
from cluster.apiserver.flowcontrol.classify import Classifier
from cluster.apiserver.flowcontrol.dangling import Dangling
from cluster.apiserver.housekeeping import Housekeeping
from cluster.apiserver.metrics import gauges
from cluster.apiserver.request import SYSTEM, UserInfo
from cluster.apiserver.resources.registry import Registry
from cluster.apiserver.server import APIServer
from cluster.apiserver.storage.store import Storage, parse
from cluster.apiserver.wire import WireAPI
from cluster.audit import log as audit_log
from cluster.client.client import Client
from cluster.client.informer import SharedInformers
from cluster.client.loop import ControlLoop, LoopContext
from cluster.controllers import CONTROLLERS
from cluster.etcd.log import Log
from cluster.explorer.lessons import shipped as lessons
from cluster.explorer.rates import Rates
from cluster.explorer.services import Past, Services, provide
from cluster.explorer.timeline import Timeline
from cluster.journeys.store import JourneyStore
from cluster.journeys.trace import recorder
from cluster.kubelet.pool import Machines
from cluster.scheduler.scheduler import Scheduler
from cluster.scheduler.simulation import simulate
from kubeweb import inside
from kubeweb.declaration import declaration
from kubeweb.figures import figures
from kubeweb.lasttime import LastTime

log = logging.getLogger(__name__)

Headers = Iterable[tuple[bytes, bytes]]


@dataclass
class Options:
    """How to run: what `manage.py up` was told."""

    nodes: int = 3
    profile: str = "realistic"
    # How fast the clock runs; None: as the Clock object says.
    speed: float | None = None
    journeys: bool = True
    loops: tuple[type[ControlLoop], ...] = field(default_factory=lambda: (*CONTROLLERS, Scheduler))


def component(name: str) -> UserInfo:
    """The user that a component enters the API server as, with the groups that its name implies."""
    groups = ["system:authenticated"]
    if name.startswith("system:serviceaccount:"):
        namespace = name.split(":")[2]
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", *groups]
    elif name.startswith("system:node:"):
        groups = ["system:nodes", *groups]
    return UserInfo(name, tuple(groups))


class Cluster:
    """All parts of one cluster in this process."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.log = Log()
        self.storage = Storage(self.log)
        self.registry = Registry()
        self.journeys = JourneyStore()
        self.timeline = Timeline(lambda: self.storage.revision, lambda: self.log.compacted)
        self.housekeeping = Housekeeping(self.storage, history=settings.KUBEWEB_HISTORY)
        self.time = LastTime(settings.DATA_DIR / "clock")
        self.server: APIServer
        self.custom_resources: CustomResources
        self.policy_status: PolicyStatus
        self.dangling: Dangling
        self.context: LoopContext
        self.machines: Machines
        self._workers: list[asyncio.Task[Any]] = []
        self._ready: dict[str, bool] = {"bootstrap": False, "informers": False, "machines": False}

    # -- parts ---------------------------------------------------------------------------------------------------

    def client_for(self, user: str) -> Client:
        """A loopback client for a component."""
        agent = user.rsplit(":", 1)[-1] if user.startswith("system:") else user
        client: Client = self.server.loopback(component(user), agent)
        return client

    def client_for_person(self, user: Any, headers: Headers = ()) -> Client:
        """A loopback client for a Django user, or for whom they act as by these headers, under that one's RBAC."""
        real = user_info(user)
        acting = impersonate(real, headers, self.server.authorizer)
        client: Client = self.server.loopback(acting, "kubeweb-explorer", real=None if acting is real else real)
        return client

    def client_for_form(self, user: Any) -> Client:
        """The same for what a person saves in the admin: a journey of their own, as if kubectl had asked."""
        client: Client = self.server.loopback(user_info(user), "kubeweb-admin", person=True)
        return client

    @asynccontextmanager
    async def connected(self, scope: Any) -> AsyncIterator[asyncio.Event]:
        """A browser's connection, for as long as its session is good, and the right to act as whom it acts as."""
        headers = dict(scope["headers"])
        user = await self.server.authenticator.authenticate(headers, scope)
        acting = impersonate(user, scope["headers"], self.server.authorizer)
        with self.server.live.open(headers, scope, user, None if acting is user else acting) as cut:
            yield cut

    async def start(self) -> None:
        """Bring everything up, in order."""
        recorder.enabled = self.options.journeys
        await self.storage.open()
        self.time.go_on()
        if self.options.journeys:
            await self.journeys.start()
        authorizer = AuthorizerChain(self.storage)
        tokens = ServiceAccountTokens(settings.DATA_DIR / "pki", self.storage)
        self.machines = Machines(self.client_for, profile=self.options.profile, disks=settings.DATA_DIR / "disks")
        self.server = APIServer(
            self.storage,
            self.registry,
            Authenticator(tokens),
            authorizer,
            tokens,
            self.machines,
        )
        self.machines.network.api = partial(inside.ask, WireAPI(self.server))
        self.server.journeys = self.journeys if self.options.journeys else None
        self.server.dynamic = DynamicAdmission(self.server)
        self.server.classifier = Classifier(self.storage)
        self.server.api_services = APIServices(self.server)
        self.custom_resources = CustomResources(self.server)
        await self.custom_resources.start()
        self.policy_status = PolicyStatus(self.server)
        self.policy_status.start()
        self.server.audit = audit_log.configured(settings.KUBEWEB_AUDIT, settings.DATA_DIR)
        if self.server.audit is not None:
            await self.server.audit.start()
        self.server.readiness = {name: self._check(name) for name in self._ready}
        await bootstrap.ensure(self.server, settings.DATA_DIR)
        await lessons.ensure(self.server.loopback(SYSTEM, "kubeweb-lessons"))
        self.server.addresses.start()
        self.server.api_services.start()
        self.server.gauges.append(gauges(lambda: figures(self.context.running)))
        self.dangling = Dangling(self.server)
        self.dangling.start()
        self._ready["bootstrap"] = True
        await self._start_loops()
        if isinstance(scheduler := self.context.running.get(Scheduler.name), Scheduler):
            self.server.answers["SchedulingSimulation"] = partial(simulate, scheduler)
        self._ready["informers"] = True
        await self.machines.start([f"node-{number}" for number in range(1, self.options.nodes + 1)])
        self._ready["machines"] = True
        self.housekeeping.start()
        self._workers.append(asyncio.create_task(self.time.run(), name="time"))
        rates = Rates(self.journeys, self._stats)
        self._workers.append(asyncio.create_task(rates.run(), name="rates"))
        provide(
            Services(
                self.client_for_person,
                self.journeys,
                declaration(self.options.loops),
                self._stats,
                identity=self._identity(),
                revision=lambda: self.storage.revision,
                oldest=lambda: self.log.compacted,
                real_of=self.timeline.real_of,
                delivered=lambda: self.storage.delivered,
                history=self._history,
                resource_of=self._resource_of,
                rights_version=lambda: authorizer.index.generation,
                rights=lambda client: authorizer.index.held_by(client.info),  # type: ignore[attr-defined]
                rates=rates,
                connected=self.connected,
            )
        )
        door.provide(
            door.Door(
                self.client_for_form,
                self.registry.groups,
                asyncio.get_running_loop(),
                rights=lambda user: authorizer.index.held_by(user_info(user)),
                is_bound=authorizer.index.names,
            )
        )
        self.timeline.start()

    def _identity(self) -> str:
        """Which cluster this is: its first namespace's uid, as others use it too."""
        first = self.storage.get("namespaces", "", "kube-system")
        return str(first["metadata"]["uid"]) if first is not None else ""

    def _check(self, name: str) -> Callable[[], bool]:
        return lambda: self._ready[name]

    async def _start_loops(self) -> None:
        """Each loop is a Channels consumer on its own channel; here one worker in this process serves them all."""
        informers = SharedInformers(self.client_for("system:kube-controller-manager"))
        stopped: set[str] = set()
        authority = pki.CertificateAuthority(settings.DATA_DIR / "pki")
        self.context = LoopContext(
            self.client_for,
            informers,
            settings={
                "ca.crt": authority.pem.decode(),
                "sign_certificate": authority.sign_request,
                "quota_usage": used_in,
                "machines": self.machines,
                "network": self.machines.network,
                "control_plane": self.server.disturbance,
                "stopped": stopped,
                "speed": self.options.speed,
            },
            may_act=lambda name: name not in stopped,
        )
        channels = {f"{loop.name}-loop": loop for loop in self.options.loops}
        router = ChannelNameRouter({name: loop.as_asgi(context=self.context) for name, loop in channels.items()})
        layer = get_channel_layer()
        worker = Worker(router, list(channels), layer)
        self._workers = [asyncio.create_task(worker.handle(), name="channels worker")]
        for name in channels:
            await layer.send(name, {"type": "loop.start"})
        # Ready means that every loop has its informers in sync and is at work.
        while len(self.context.running) < len(channels):
            await self.context.began.wait()
            self.context.began.clear()
        await informers.start()

    async def stop(self) -> None:
        """Take everything down in the opposite order; what was acknowledged is in the log already."""
        await self.timeline.stop()
        await self.housekeeping.stop()
        await self.server.addresses.stop()
        await self.custom_resources.stop()
        await self.policy_status.stop()
        await self.dangling.stop()
        if self.server.api_services is not None:
            await self.server.api_services.stop()
        self.time.note()
        await self.machines.stop()
        for loop in list(self.context.running.values()):
            await loop.loop_stop()
        await self.context.informers.stop()
        for task in self._workers:
            task.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        if self.server.audit is not None:
            await self.server.audit.stop()
        if self.options.journeys:
            await self.journeys.stop()
        await self.storage.close()

    # -- what the page shows -------------------------------------------------------------------------------------

    async def _history(self, path: str, namespace: str, name: str, limit: int, at: int | None = None) -> list[Past]:
        """The known revisions of an object (up to one), newest first, out of the log."""
        resource = self.registry.by_path(path)
        if resource is None or resource.computed or resource.virtual:
            return []
        key = namespace if resource.namespaced else ""
        found = await self.log.history(resource.storage_key, key, name, limit, at)
        return [Past(one.revision, one.verb, one.journey, parse(one.value, one.revision)) for one in found]

    def _resource_of(self, api_version: str, kind: str) -> str:
        found = self.registry.by_kind(api_version, kind)
        return "" if found is None else found.path

    def _stats(self) -> dict[str, Any]:
        counts = self.storage.counts()
        return {
            "revision": self.storage.revision,
            "queues": {name: len(loop.queue) for name, loop in self.context.running.items()},
            "reconciles": {name: loop.reconciles for name, loop in self.context.running.items()},
            "stopped": sorted(self.context.settings["stopped"]),
            "watchers": self.storage.watchers(),
            "requests": self.server.requests.total,
            "pods": counts.get("pods", 0),
            "nodes": counts.get("nodes", 0),
        }
