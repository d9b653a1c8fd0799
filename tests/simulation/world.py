"""The whole cluster in virtual time: the real API server, loops, scheduler and kubelets, only the disk is memory."""

from __future__ import annotations

import asyncio
import logging
import random
import tempfile
from pathlib import Path
from typing import Any

from cluster import clock
from cluster.apimachinery.errors import StatusError
from cluster.apiserver import bootstrap
from cluster.apiserver.admission.quota import used_in
from cluster.apiserver.authn.serviceaccounts import ServiceAccountTokens
from cluster.apiserver.authz.chain import AuthorizerChain
from cluster.apiserver.housekeeping import Housekeeping
from cluster.apiserver.request import UserInfo
from cluster.apiserver.resources.registry import Registry
from cluster.apiserver.server import APIServer
from cluster.apiserver.storage.store import Storage
from cluster.client.client import Client
from cluster.client.informer import SharedInformers
from cluster.client.loop import LoopContext
from cluster.controllers import CONTROLLERS
from cluster.journeys.trace import recorder
from cluster.kubelet.pool import Machines
from cluster.scheduler.scheduler import Scheduler
from kubeweb.wiring import component
from tests.simulation.virtual import MemoryLog

# Cluster time at the beginning of every simulation: a Monday in 2027.
EPOCH = 1_800_000_000.0
Obj = dict[str, Any]


class Complaints(logging.Handler):
    """What somebody logged as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(self.format(record))


class World:
    """One cluster with so many nodes."""

    def __init__(self, nodes: int) -> None:
        self.names = [f"node-{number}" for number in range(1, nodes + 1)]
        self.log: Any = MemoryLog()
        self.complaints = Complaints()

    async def start(self) -> None:
        recorder.enabled = False
        logging.getLogger().addHandler(self.complaints)
        clock.call_later(0, lambda: None)
        clock.clock.advance_to(EPOCH)
        self.storage = Storage(self.log)
        await self.storage.open()
        self.directory = tempfile.TemporaryDirectory(prefix="kubeweb-simulation-")
        directory = Path(self.directory.name)
        tokens = ServiceAccountTokens(directory, self.storage)
        self.machines = Machines(self._client_for)
        authorizer = AuthorizerChain(self.storage)
        self.server = APIServer(self.storage, Registry(), None, authorizer, tokens, self.machines)  # type: ignore[arg-type]
        await bootstrap.ensure(self.server, directory)
        self.server.addresses.start()
        self.admin: Client = self.server.loopback(UserInfo("admin", ("system:masters", "system:authenticated")), "test")
        self.stopped: set[str] = set()
        self.context = LoopContext(
            self._client_for,
            SharedInformers(self._client_for("system:kube-controller-manager")),
            settings={
                "ca.crt": "the same each time",
                "quota_usage": used_in,
                "machines": self.machines,
                "network": self.machines.network,
                "control_plane": self.server.disturbance,
                "stopped": self.stopped,
                "speed": None,
            },
            may_act=lambda name: name not in self.stopped,
        )
        self.loops = [loop(self.context) for loop in (*CONTROLLERS, Scheduler)]
        for loop in self.loops:
            await loop.loop_start()
        await self.machines.start(self.names)
        self.housekeeping = Housekeeping(self.storage)
        self.housekeeping.start()

    def _client_for(self, user: str) -> Client:
        client: Client = self.server.loopback(component(user), user.rsplit(":", 1)[-1])
        return client

    async def stop(self) -> None:
        await self.housekeeping.stop()
        await self.server.addresses.stop()
        await self.machines.stop()
        for loop in self.loops:
            await loop.loop_stop()
        await self.context.informers.stop()
        self.directory.cleanup()
        logging.getLogger().removeHandler(self.complaints)

    # -- what a person does ------------------------------------------------------------------------------------------

    async def apply(self, resource: str, obj: Obj) -> None:
        await self.admin.create(resource, obj, obj["metadata"].get("namespace", ""))

    async def patch(self, resource: str, name: str, change: Obj, namespace: str = "default", **more: str) -> None:
        """A change; that the object is gone meanwhile is everyday."""
        try:
            await self.admin.patch(resource, name, change, namespace, kind="strategic", **more)
        except StatusError as error:
            if error.code not in (404, 409):
                raise

    def list(self, resource: str, namespace: str = "") -> list[Obj]:
        return list(self.storage.list(resource, namespace))


def seed_everything(seed: int) -> None:
    """All randomness of the process from one number."""
    random.seed(seed)
    from cluster.apiserver.stages import fairness

    fairness._dice.seed(seed)


async def until(world: World, moment: float) -> None:
    await clock.sleep(max(moment - clock.now(), 0.0))
    await asyncio.sleep(0)
