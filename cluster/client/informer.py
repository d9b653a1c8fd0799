"""Informers: a local, indexed copy of one resource, kept current by a watch (client-go/tools/cache).

An informer lists, then watches from the list's revision; when its place in the log has been compacted (410) it lists again
and tells its handlers the difference. Handlers are plain functions `handler(old, new)`: old is None for an object that is
new, new is None for one that is gone. They run synchronously, must not block, and usually only add a key to a work queue.

Objects are shared with the API server's cache: never change one (use `meta.copy`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any

from cluster import clock
from cluster.apimachinery.errors import StatusError
from cluster.apimachinery.labels import Selector
from cluster.apimachinery.meta import key_of
from cluster.client.client import Client, Obj
from cluster.client.workqueue import delivering

Handler = Callable[[Obj | None, Obj | None], None]
Indexer = Callable[[Obj], Iterable[str]]
Objects = list[Obj]  # a name of its own: inside the class `list` is a method

log = logging.getLogger(__name__)


def by_namespace(obj: Obj) -> Iterable[str]:
    """The index every informer has: the objects of a namespace."""
    return (obj["metadata"].get("namespace", ""),)


def by_controller(obj: Obj) -> Iterable[str]:
    """Index by the uid of the controlling owner."""
    for reference in obj["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            return (reference["uid"],)
    return ()


class Informer:
    """The current objects of one resource (optionally one namespace or selection), and who wants to hear of changes."""

    def __init__(
        self,
        client: Client,
        resource: str,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
    ) -> None:
        self.client = client
        self.resource = resource
        self.namespace = namespace
        self.label_selector = label_selector
        self.field_selector = field_selector
        self.revision = 0
        self.synced = asyncio.Event()
        self._objects: dict[str, Obj] = {}
        self._handlers: list[Handler] = []
        self._indexers: dict[str, Indexer] = {"namespace": by_namespace}
        self._indices: dict[str, dict[str, dict[str, Obj]]] = {"namespace": {}}

    # -- what it knows -------------------------------------------------------------------------------------------

    def get(self, key: str) -> Obj | None:
        """The object `namespace/name` (or `name`), or None."""
        return self._objects.get(key)

    def list(self, namespace: str | None = None, selector: Selector | None = None) -> Objects:
        """All objects, or those of one namespace, that a label selector matches."""
        found = self._objects.values() if namespace is None else self._index("namespace", namespace)
        if selector is None:
            return list(found)
        return [obj for obj in found if selector.matches(obj["metadata"].get("labels"))]

    def by_index(self, index: str, value: str) -> Objects:
        """The objects for which the indexer named `value`."""
        return list(self._index(index, value))

    def _index(self, index: str, value: str) -> Iterable[Obj]:
        return self._indices[index].get(value, {}).values()

    def __len__(self) -> int:
        return len(self._objects)

    # -- who listens ---------------------------------------------------------------------------------------------

    def add_handler(self, handler: Handler) -> None:
        """Call `handler(old, new)` for each change; objects already known are delivered at once as new."""
        self._handlers.append(handler)
        for obj in list(self._objects.values()):
            handler(None, obj)

    def add_indexer(self, name: str, indexer: Indexer) -> None:
        """Add an index once; adding the same name again is harmless."""
        if name in self._indexers:
            return
        self._indexers[name] = indexer
        self._indices[name] = {}
        for key, obj in self._objects.items():
            for value in indexer(obj):
                self._indices[name].setdefault(value, {})[key] = obj

    # -- how it stays current ------------------------------------------------------------------------------------

    async def run(self) -> None:
        """List and watch until cancelled. Failures are retried with back-off; 410 starts over with a list."""
        delay = 0.05
        while True:
            try:
                await self._list_and_watch()
                delay = 0.05
            except asyncio.CancelledError:
                raise
            except StatusError as error:
                if error.code == 410:
                    continue
                log.warning("informer %s: %s", self.resource, error.message)
                await clock.sleep(delay)
                delay = min(delay * 2, 10.0)
            except Exception:
                log.exception("informer %s", self.resource)
                await clock.sleep(delay)
                delay = min(delay * 2, 10.0)

    async def _list_and_watch(self) -> None:
        page = await self.client.list(
            self.resource,
            self.namespace,
            label_selector=self.label_selector,
            field_selector=self.field_selector,
            resource_version="0",
        )
        self._replace(page.items)
        self.revision = int(page.resource_version)
        self.synced.set()
        watch = self.client.watch(
            self.resource,
            self.namespace,
            label_selector=self.label_selector,
            field_selector=self.field_selector,
            resource_version=page.resource_version,
        )
        async for batch in watch:
            for event in batch:
                if event.type != "BOOKMARK":
                    delivering[0] = event.journey
                    try:
                        self._apply(event.type, event.object)
                    finally:
                        delivering[0] = ""
                self.revision = event.revision

    def _replace(self, items: Iterable[Obj]) -> None:
        fresh = {key_of(obj): obj for obj in items}
        for key in [key for key in self._objects if key not in fresh]:
            self._store(key, None)
        for key, obj in fresh.items():
            old = self._objects.get(key)
            if old is None or old["metadata"]["resourceVersion"] != obj["metadata"]["resourceVersion"]:
                self._store(key, obj)

    def forget(self) -> None:
        """Let go of everything, as if all had been deleted."""
        self._replace(())

    def _apply(self, kind: str, obj: Obj) -> None:
        self._store(key_of(obj), None if kind == "DELETED" else obj, last=obj)

    def _store(self, key: str, new: Obj | None, last: Obj | None = None) -> None:
        old = self._objects.get(key)
        if old is None and new is None:
            return
        for name, indexer in self._indexers.items():
            index = self._indices[name]
            if old is not None:
                for value in indexer(old):
                    bucket = index.get(value)
                    if bucket is not None:
                        bucket.pop(key, None)
                        if not bucket:
                            del index[value]
            if new is not None:
                for value in indexer(new):
                    index.setdefault(value, {})[key] = new
        if new is None:
            del self._objects[key]
            old = last or old
        else:
            self._objects[key] = new
        for handler in self._handlers:
            try:
                handler(old, new)
            except Exception:
                log.exception("a handler of informer %s failed on %s", self.resource, key)


class SharedInformers:
    """One informer per resource, shared by all loops of a process (client-go's SharedInformerFactory)."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._informers: dict[str, Informer] = {}
        self._tasks: dict[str, asyncio.Task[Any]] = {}
        self._running = False

    def __call__(self, resource: str) -> Informer:
        informer = self._informers.get(resource)
        if informer is None:
            informer = self._informers[resource] = Informer(self.client, resource)
            if self._running:
                self._tasks[resource] = asyncio.create_task(informer.run(), name=f"informer {resource}")
        return informer

    async def start(self) -> None:
        """Run all informers, those asked for later too, and wait until those known now are in sync."""
        self._running = True
        for resource, informer in self._informers.items():
            if resource not in self._tasks:
                self._tasks[resource] = asyncio.create_task(informer.run(), name=f"informer {resource}")
        await asyncio.gather(*(informer.synced.wait() for informer in self._informers.values()))

    def drop(self, resource: str) -> None:
        """Forget a resource that is no longer served: its objects are gone, and nobody hears of it any more."""
        informer = self._informers.pop(resource, None)
        task = self._tasks.pop(resource, None)
        if task is not None:
            task.cancel()
        if informer is not None:
            informer.forget()

    async def stop(self) -> None:
        self._running = False
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()
