"""Kubernetes Events, written in the background (client-go/tools/record).

`recorder.event(obj, "Normal", "Pulled", "…")` returns at once; a task writes the event through the API server. The same event
again is counted up in place (count, lastTimestamp) instead of written anew, as client-go's correlator does.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections import OrderedDict, deque
from collections.abc import Mapping
from typing import Any

from cluster import clock
from cluster.apimachinery.errors import StatusError, is_not_found
from cluster.client.client import Client, Obj
from cluster.journeys import trace

log = logging.getLogger(__name__)

# How many different events are remembered for counting up, and how many may wait to be written.
REMEMBERED, WAITING = 4096, 100_000
# client-go's correlator: an object may cause so many events at once, and one more every few minutes after that ...
BURST, REFILL_SECONDS = 25, 300.0
# ... and so many that differ in their message alone, before the rest of ten minutes is told as one.
SIMILAR, SIMILAR_SECONDS = 10, 600.0
COMBINED = "(combined from similar events): "
# Two events in one tick of the clock need two names.
_sequence = itertools.count()


def reference_to(obj: Mapping[str, Any]) -> Obj:
    """A core/v1 ObjectReference to `obj`."""
    metadata = obj["metadata"]
    reference = {
        "kind": obj["kind"],
        "namespace": metadata.get("namespace"),
        "name": metadata["name"],
        "uid": metadata.get("uid"),
        "apiVersion": obj["apiVersion"],
        "resourceVersion": metadata.get("resourceVersion"),
    }
    return {key: value for key, value in reference.items() if value}


class EventRecorder:
    """Writes events as `component` (and `host` for kubelets)."""

    def __init__(self, client: Client, component: str, host: str = "") -> None:
        self.client = client
        self.component = component
        self.host = host
        self.dropped = 0
        self._known: OrderedDict[tuple[str, ...], tuple[str, int]] = OrderedDict()
        # By object: how many tokens are left, as of when. By object, type and reason: since when, which messages.
        self._tokens: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._similar: OrderedDict[tuple[str, ...], tuple[float, tuple[str, ...]]] = OrderedDict()
        self._waiting: deque[tuple[tuple[str, ...], Obj, trace.Journey | None]] = deque()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def event(self, obj: Mapping[str, Any], kind: str, reason: str, message: str, *, field_path: str = "") -> None:
        """Note that `reason` happened to `obj`; kind is Normal or Warning. `field_path` names a container."""
        if len(self._waiting) >= WAITING:
            self.dropped += 1
            return
        reference = reference_to(obj)
        if field_path:
            reference["fieldPath"] = field_path
        now, uid = clock.now(), reference.get("uid") or reference["name"]
        message, key = self._combined(now, uid, field_path, kind, reason, message)
        if not self._may(now, uid):
            self.dropped += 1
            return
        source = {"component": self.component, **({"host": self.host} if self.host else {})}
        moment = clock.timestamp()
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": f"{reference['name']}.{int(clock.now() * 1e9) + next(_sequence):x}",
                "namespace": reference.get("namespace") or "default",
            },
            "involvedObject": reference,
            "reason": reason,
            "message": message,
            "source": source,
            "firstTimestamp": moment,
            "lastTimestamp": moment,
            "count": 1,
            "type": kind,
            "reportingComponent": self.component,
            "reportingInstance": self.host,
        }
        self._waiting.append((key, event, trace.current.get()))
        self._wake.set()

    def _may(self, now: float, uid: str) -> bool:
        """The spam filter: whether this object has a token left (EventSourceObjectSpamFilter)."""
        left, at = self._tokens.get(uid, (float(BURST), now))
        left = min(left + (now - at) / REFILL_SECONDS, float(BURST))
        allowed = left >= 1.0
        self._tokens[uid] = (left - 1.0 if allowed else left, now)
        if len(self._tokens) > REMEMBERED:
            self._tokens.popitem(last=False)
        return allowed

    def _combined(
        self, now: float, uid: str, field_path: str, kind: str, reason: str, message: str
    ) -> tuple[str, tuple[str, ...]]:
        """The message, and what makes this the same event as another (EventAggregator)."""
        alike = (uid, kind, reason)
        since, messages = self._similar.get(alike, (now, ()))
        if now - since > SIMILAR_SECONDS:
            since, messages = now, ()
        if message not in messages:
            if len(messages) >= SIMILAR:
                return COMBINED + message, alike
            self._similar[alike] = (since, (*messages, message))
            if len(self._similar) > REMEMBERED:
                self._similar.popitem(last=False)
        return message, (uid, field_path, kind, reason, message)

    def start(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"events {self.component}")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                key, event, journey = self._waiting.popleft()
                # The event belongs to the work that noted it, though that may be over by now.
                token = trace.current.set(journey)
                try:
                    await self._write(key, event)
                except StatusError as error:
                    # As client-go: an event that the server refuses (its namespace is going) is not retried.
                    log.debug("event %s refused: %s", event["reason"], error.message)
                except Exception:
                    log.exception("event %s", event["reason"])
                finally:
                    trace.current.reset(token)

    async def _write(self, key: tuple[str, ...], event: Obj) -> None:
        namespace = event["metadata"]["namespace"]
        known = self._known.get(key)
        if known is not None:
            name, count = known
            change = {"count": count + 1, "lastTimestamp": event["lastTimestamp"], "message": event["message"]}
            try:
                await self.client.patch("v1/events", name, change, namespace, kind="merge")
                self._known[key] = (name, count + 1)
                self._known.move_to_end(key)
                return
            except StatusError as error:
                if not is_not_found(error):
                    raise
        created = await self.client.create("v1/events", event, namespace)
        self._known[key] = (created["metadata"]["name"], 1)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
