"""The page's live stream: watch events and journeys, pushed over one WebSocket (a Channels consumer).

Each person sees what RBAC lets them: resources are watched with the person's own client, journeys are their own unless RBAC
allows `list journeys.sim.kubeweb.dev`. Objects go out as summaries, coalesced per tick (only an object's newest state), and
journeys as they finish; when there are more than a browser can draw, the surplus goes out as counts (`flow`).
Nothing is queued without bound: a slow browser finds fewer, newer messages.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from typing import Any

import orjson
from asgiref.sync import sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from cluster import clock
from cluster.apimachinery.errors import StatusError
from cluster.apimachinery.meta import key_of
from cluster.client.client import Client
from cluster.explorer.permissions import may
from cluster.explorer.services import services
from cluster.explorer.signals import message_of
from cluster.explorer.summaries import SUMMARIES
from cluster.journeys.signals import Ear, listen
from cluster.journeys.trace import Journey, encode

log = logging.getLogger(__name__)

# Seconds (real) between messages, journeys sent whole per tick, objects per message.
TICK, JOURNEYS_PER_TICK, OBJECTS_PER_MESSAGE, STATS_EVERY = 0.05, 40, 500, 1.0


class ExplorerConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """One browser."""

    async def connect(self) -> None:
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.pending: dict[str, dict[str, dict[str, Any]]] = {}
        self.revisions: dict[str, int] = {}
        # Open while this browser looks at probes and requests.
        self.ear: Ear | None = None
        self.listening = contextlib.ExitStack()
        user = self.scope.get("user")
        if user is None or not user.is_authenticated:
            # 4401 says "sign in": a rejected handshake would not tell the page why.
            await self.accept()
            await self.close(code=4401)
            return
        self.user = user
        self.client: Client = await sync_to_async(services().client_for)(user)
        await self.accept()
        self.all_journeys = await may(user, "list", "sim.kubeweb.dev", "journeys")
        await self._send(
            {
                "op": "hello",
                "user": user.username,
                "revision": services().stats().get("revision", 0),
                "server_time": clock.now(),
            }
        )
        self.tasks["ticker"] = asyncio.create_task(self._tick())

    async def disconnect(self, code: int) -> None:
        self.listening.close()
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)
        self.tasks.clear()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        try:
            message = orjson.loads(text_data or "")
            operation = message["op"]
        except (ValueError, KeyError, TypeError):
            await self.close(code=4400)
            return
        if operation == "signals":
            self.listening.close()
            self.ear = None
            # They tell of pods everywhere: whoever may list those may hear them.
            if message.get("on") and await may(self.user, "list", "", "pods"):
                self.ear = self.listening.enter_context(listen())
        if operation == "subscribe" and isinstance(message.get("resources"), dict):
            for resource in message["resources"]:
                if resource in SUMMARIES and resource not in self.tasks:
                    self.tasks[resource] = asyncio.create_task(self._watch(resource))

    async def _send(self, message: Any) -> None:
        await self.send(text_data=orjson.dumps(message).decode())

    # -- objects -------------------------------------------------------------------------------------------------

    async def _watch(self, resource: str) -> None:
        summarize = SUMMARIES[resource]
        while True:
            try:
                page = await self.client.list(resource, resource_version="0")
                for start in range(0, max(len(page.items), 1), OBJECTS_PER_MESSAGE):
                    items = [summarize(obj) for obj in page.items[start : start + OBJECTS_PER_MESSAGE]]
                    await self._send(
                        {
                            "op": "snapshot",
                            "resource": resource,
                            "revision": int(page.resource_version),
                            "items": items,
                            "first": start == 0,
                        }
                    )
                async for batch in self.client.watch(resource, resource_version=page.resource_version):
                    waiting = self.pending.setdefault(resource, {})
                    for event in batch:
                        # Only the newest state of each object: what a browser missed within a tick it would not have seen.
                        waiting[key_of(event.object)] = {"type": event.type, "object": event.object}
                        self.revisions[resource] = event.revision
            except StatusError as error:
                if error.code == 410:
                    continue
                await self._send({"op": "forbidden", "resource": resource, "message": error.message})
                return

    async def _send_objects(self) -> None:
        for resource, waiting in self.pending.items():
            if not waiting:
                continue
            events = []
            for key in list(waiting)[:OBJECTS_PER_MESSAGE]:
                event = waiting.pop(key)
                events.append({"type": event["type"], "object": SUMMARIES[resource](event["object"])})
            await self._send(
                {"op": "events", "resource": resource, "revision": self.revisions[resource], "events": events}
            )

    # -- journeys ------------------------------------------------------------------------------------------------

    def _visible(self, journey: Journey) -> bool:
        if self.all_journeys:
            return True
        name = self.user.username
        return bool(services().journeys.actor_of(journey.root) == name or journey.actor == name)

    async def _tick(self) -> None:
        store = services().journeys
        seen = store.sequence
        told = 0.0
        while True:
            await asyncio.sleep(TICK)
            try:
                await self._send_objects()
                if self.ear is not None and (heard := message_of(self.ear)) is not None:
                    await self._send(heard)
                fresh = []
                if store.sequence > seen:
                    for sequence, journey in reversed(store.feed):
                        if sequence <= seen:
                            break
                        fresh.append(journey)
                    seen = store.sequence
                if fresh:
                    fresh.reverse()
                    await self._send_journeys([journey for journey in fresh if self._visible(journey)])
                if time.monotonic() - told >= STATS_EVERY:
                    told = time.monotonic()
                    await self._send({"op": "stats", "server_time": clock.now(), **services().stats()})
            except asyncio.CancelledError:
                raise
            except Exception:
                log.exception("the live stream of %s", self.user.username)
                with contextlib.suppress(Exception):
                    await self.close(code=4500)
                return

    async def _send_journeys(self, journeys: list[Journey]) -> None:
        # What a person asked for goes first and whole; of the rest as many as can be looked at.
        newest = {journey.id: journey for journey in journeys}
        ranked = sorted(newest.values(), key=lambda journey: journey.origin != "outside")
        whole, rest = ranked[:JOURNEYS_PER_TICK], ranked[JOURNEYS_PER_TICK:]
        if whole:
            whole.sort(key=lambda journey: journey.start)
            data = encode({"op": "journeys", "journeys": whole})
            await self.send(text_data=data.decode())
        if rest:
            counts = Counter(
                (journey.kind, journey.component, journey.verb, journey.resource, journey.root, journey.outcome)
                for journey in rest
            )
            flows = [
                dict(zip(("kind", "component", "verb", "resource", "root", "outcome"), key, strict=True), n=count)
                for key, count in counts.items()
            ]
            await self._send({"op": "flow", "flows": flows})
