"""The control loop: observe, compare, decide, act, verify; again and again (client-go + controller-runtime's contract).

The contract of `reconcile(key) -> delay | None`:
- level-triggered: it is told *that* something about the key changed, never what; it reads the state anew;
- idempotent: called twice in a row, the second call finds nothing to do;
- one at a time per key; different keys run side by side;
- returns a delay in seconds of cluster time to be called again even if nothing changes, or None;
- raises to be retried with back-off. Conflict and NotFound are everyday: raise them.

Each reconcile is a journey whose causes are the journeys that dirtied its key; the requests it makes name it in turn.
A ControlLoop is a Channels consumer on a named channel: `loop.start` and `loop.stop` are its messages, so that it runs
embedded, or in a worker process of its own, from the same class.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Any, ClassVar

from channels.consumer import AsyncConsumer

from cluster.apimachinery.errors import StatusError, namespace_terminating
from cluster.apimachinery.meta import key_of
from cluster.client.client import Client, Obj
from cluster.client.events import EventRecorder
from cluster.client.informer import Informer, SharedInformers
from cluster.client.workqueue import WorkQueue
from cluster.journeys import trace

log = logging.getLogger(__name__)


@dataclass
class LoopContext:
    """What a process gives its loops: a client per user, and the informers they share."""

    client_for: Any  # Callable[[str user], Client]
    informers: SharedInformers
    running: dict[str, Any] = field(default_factory=dict)
    # Rings whenever a loop has begun.
    began: asyncio.Event = field(default_factory=asyncio.Event)
    # What a loop needs to know of its cluster: `ca.crt` (PEM text).
    settings: dict[str, Any] = field(default_factory=dict)
    # Asked before each reconcile; leader election will stand here. True: this process may act.
    may_act: Any = lambda name: True


class ControlLoop(AsyncConsumer):  # type: ignore[misc]
    """Base of every controller. A subclass names itself, sets up its informers, and reconciles."""

    name: ClassVar[str]  # "deployment": its channel is "deployment-controller", its stop on the map too
    title: ClassVar[str] = ""  # how the map calls it, where that is not its name
    account: ClassVar[str] = ""  # its ServiceAccount in kube-system; default: NAME-controller
    workers: ClassVar[int] = 5

    def __init__(self, context: LoopContext) -> None:
        self.context = context
        self.queue = WorkQueue(self.name)
        self.reconciles = 0
        account = self.account or f"{self.name}-controller"
        self.client: Client = context.client_for(f"system:serviceaccount:kube-system:{account}")
        self.events = EventRecorder(self.client, account)
        self._tasks: list[asyncio.Task[None]] = []

    # -- for subclasses ------------------------------------------------------------------------------------------

    def setup(self) -> None:
        """Ask for informers and attach handlers (`self.watch(...)`). Called once, before anything runs."""
        raise NotImplementedError

    async def reconcile(self, key: str) -> float | None:
        """Bring the actual state of `key` nearer to the desired one. See the module's docstring."""
        raise NotImplementedError

    def informer(self, resource: str) -> Informer:
        return self.context.informers(resource)

    def watch(self, resource: str, handler: Any = None) -> Informer:
        """The shared informer of `resource`, with `handler(old, new)` (default: enqueue the object itself)."""
        informer = self.informer(resource)
        informer.add_handler(handler or self.enqueue)
        return informer

    def enqueue(self, old: Obj | None, new: Obj | None) -> None:
        """The handler of the loop's own kind: the object is the key."""
        obj = new or old
        if obj is not None:
            self.queue.add(key_of(obj))

    # -- running -------------------------------------------------------------------------------------------------

    async def loop_start(self, message: dict[str, Any] | None = None) -> None:
        """Channels message `loop.start`: set up, wait for the informers, and work."""
        if self._tasks:
            return
        self.setup()
        self.context.running[self.name] = self
        self.context.began.set()
        await self.context.informers.start()
        self.events.start()
        self._tasks = [
            asyncio.create_task(self._work(), name=f"{self.name} worker {number}") for number in range(self.workers)
        ]

    async def loop_stop(self, message: dict[str, Any] | None = None) -> None:
        """Channels message `loop.stop`: finish nothing more."""
        self.queue.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await self.events.stop()
        self.context.running.pop(self.name, None)

    async def _work(self) -> None:
        while True:
            key, causes = await self.queue.get()
            try:
                await self._reconcile_once(key, causes)
            finally:
                self.queue.done(key)

    async def _reconcile_once(self, key: str, causes: tuple[str, ...]) -> None:
        if not self.context.may_act(self.name):
            self.queue.add_after(key, 1.0, causes)
            return
        journey = trace.Journey("reconcile", self.name, causes)
        namespace, _, journey.name = key.rpartition("/")
        journey.namespace = namespace
        journey.actor = self.client.user
        with trace.working_on(journey):
            try:
                delay = await self.reconcile(key)
            except asyncio.CancelledError:
                raise
            except StatusError as error:
                if namespace_terminating(error):
                    # Nothing can be made there any more, so there is nothing to try again.
                    self.queue.forget(key)
                    journey.finish("error", code=error.code, reason=error.message)
                    return
                retry = self.queue.add_rate_limited(key, causes)
                # Everyday collisions are retried in silence; the rest is worth a line.
                if error.reason not in ("Conflict", "NotFound", "AlreadyExists"):
                    log.warning("%s %s: %s (retry in %.3f s)", self.name, key, error.message, retry)
                journey.finish("error", code=error.code, reason=error.message)
            except Exception as error:
                self.queue.add_rate_limited(key, causes)
                log.exception("%s failed to reconcile %s", self.name, key)
                journey.finish("error", reason=f"{type(error).__name__}: {error}")
            else:
                self.queue.forget(key)
                if delay is not None:
                    self.queue.add_after(key, delay, causes)
                journey.finish("ok")
            finally:
                self.reconciles += 1
