"""The cluster as it was at one revision, for whatever computes from objects: diagnoses, the index of roles and bindings.

A `World` reads like the watch cache (`request.Reader`), but out of the log: a resource is read when it is first asked for, and every
answer is as of the same revision. Reading waits, so that whoever works with a world does it in a thread: `ask` gives them one.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from typing import TypeVar

from cluster import clock
from cluster.apiserver.storage.cache import Key
from cluster.apiserver.storage.listing import expired, wait_until_fresh
from cluster.apiserver.storage.store import Obj, Storage, parse
from cluster.etcd.log import Compacted

T = TypeVar("T")

# Machines' own Leases: anybody may write others, with whatever time.
LEASES, NODES = "coordination.k8s.io/leases", "kube-node-lease"


async def ask(storage: Storage, revision: int, work: Callable[[World], T]) -> T:
    """What `work` makes of the world at a revision. StatusError 410 when the log no longer has it, 504 when it is not there yet."""
    await wait_until_fresh(storage, revision)
    world = World(storage, revision)
    try:
        return await asyncio.to_thread(work, world)
    except Compacted as error:
        raise expired() from error


class World:
    """One revision. Made in the loop, worked with in a thread; raises Compacted."""

    def __init__(self, storage: Storage, revision: int) -> None:
        self.revision = revision
        self._storage = storage
        self._loop = asyncio.get_running_loop()
        self._home = threading.get_ident()
        self._objects: dict[str, dict[Key, Obj]] = {}

    def get(self, resource: str, namespace: str, name: str) -> Obj | None:
        return self._of(resource).get((namespace, name))

    def list(self, resource: str, namespace: str = "") -> Iterable[Obj]:
        return [obj for key, obj in self._of(resource).items() if not namespace or key[0] == namespace]

    def said(self, namespace: str) -> Callable[[str], Iterable[Obj]]:
        """Uid of an object → the events about it in a namespace."""
        found: dict[str, list[Obj]] = {}
        for event in self.list("events", namespace):
            found.setdefault((event.get("involvedObject") or {}).get("uid") or "", []).append(event)
        return lambda uid: found.get(uid, [])

    def underway(self, resource: str, namespace: str) -> Iterable[Obj]:
        """Nothing is on its way in a world that was."""
        return ()

    def on_change(self, resource: str, callback: Callable[[Obj | None, Obj | None], None]) -> None:
        """What was there; nothing will change."""
        for obj in self._of(resource).values():
            callback(None, obj)

    def now(self) -> float:
        """About what time it was (cluster time). The log knows no time, but machines renew their Leases every few seconds."""
        specs = [lease.get("spec") or {} for lease in self.list(LEASES, NODES)]
        renewed = [spec["renewTime"] for spec in specs if spec.get("renewTime")]
        return clock.parse(max(renewed)) if renewed else clock.now()

    def _of(self, resource: str) -> dict[Key, Obj]:
        found = self._objects.get(resource)
        if found is None:
            if threading.get_ident() == self._home:
                raise RuntimeError("a world that was is worked with in a thread: it would wait for itself")
            reading = self._storage.log.range(resource, at=self.revision)
            revisions, _ = asyncio.run_coroutine_threadsafe(reading, self._loop).result()
            found = {(one.namespace, one.name): parse(one.value, one.revision) for one in revisions}
            self._objects[resource] = found
        return found
