"""The page's live stream: objects and journeys, pushed over one WebSocket (a Channels consumer).

Each person sees what RBAC lets them, or whom they act as (a subprotocol says so, where requests have the Impersonate-* headers):
resources are watched with that one's client, journeys are their own unless RBAC allows `list journeys.sim.kubeweb.dev`. The right to
be here, and to act as somebody, is asked for at each connection, and several times a second as long as it lasts. Objects go out as summaries, in cuts (feed.py): after each, the page shows the state
of one revision. Journeys go out as they finish; when there are more than a browser can draw, the surplus goes out as
counts (`flow`).

Every message is numbered and the browser acknowledges it; a browser that has not is sent nothing more until it does. So a
slow one finds fewer, newer messages, and nothing is queued for it without bound.

The browser says: `subscribe` {resources: {name: revision it knows or null}, cluster, journeys: {instance, sequence}},
`ack` {seq}, `signals` {on}. The server: `hello`, or `refused` {account, message} and the end, `changes` {revision, parts {resource, fresh, within, events}, more}, `journeys`, `journeys-gap`, `flow`,
`signals`, `deliveries`, `stats`, `forbidden`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections import Counter
from typing import Any

import orjson
from asgiref.sync import sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from cluster import clock
from cluster.apimachinery.errors import StatusError
from cluster.explorer.asking import Asker, asker
from cluster.explorer.deliveries import news
from cluster.explorer.feed import MOST_NAMESPACES, Cut, Feed
from cluster.explorer.permissions import may, namespaces_of
from cluster.explorer.services import services
from cluster.explorer.signals import message_of
from cluster.explorer.summaries import SUMMARIES
from cluster.journeys.signals import Ear, listen
from cluster.journeys.trace import Journey, encode

log = logging.getLogger(__name__)

# Seconds (real) between messages, journeys sent whole per tick, objects per message.
TICK, JOURNEYS_PER_TICK, OBJECTS_PER_MESSAGE, STATS_EVERY = 0.05, 40, 500, 1.0
# Messages that may be under way unacknowledged, and seconds (real) until a browser that acknowledges none is let go.
WINDOW, PATIENCE = 16, 60.0
# Streams that one person may have open.
MOST_STREAMS = 100
# The protocol; a browser that says whom to act as has to be answered with one that it offered.
PROTOCOL = "kubeweb.explorer.v1"
# Why it ends: sign in (again); that may not be (any more).
SIGN_IN, REFUSED = 4401, 4403
# Journeys are numbered by the process that records them.
INSTANCE = secrets.token_hex(8)


# Person → open streams.
_open: Counter[str] = Counter()


class ExplorerConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """One browser."""

    async def connect(self) -> None:
        self.feed: Feed | None = None
        self.counted = False
        self.tasks: list[asyncio.Task[None]] = []
        self.sent = self.acknowledged = 0
        self.room = asyncio.Event()
        # What each watcher had been handed when this browser last heard of it.
        self.handed = dict(services().delivered())
        # The number of the last journey that this browser has.
        self.seen = services().journeys.sequence
        # Open while this browser looks at probes and requests.
        self.ear: Ear | None = None
        self.wants_signals = False
        # The namespaces of which it may hear; None: all.
        self.audible: frozenset[str] | None = None
        self.listening = contextlib.ExitStack()
        user = self.scope.get("user")
        if user is None or not user.is_authenticated:
            # A rejected handshake would not tell the page why.
            await self._accept()
            await self.close(code=SIGN_IN)
            return
        if _open[user.username] >= MOST_STREAMS:
            await self._accept()
            await self.close(code=4429)
            return
        try:
            self.asker: Asker = await sync_to_async(asker)(user, self.scope["headers"])
        except StatusError as error:
            await self._accept()
            await self._refuse(error)
            return
        self.account, self.client = user.username, self.asker.client
        self.rights_version, self.rights = services().rights_version(), services().rights(self.client)
        self.feed = Feed(self.client, services().revision, namespaces_of(self.client))
        await self._accept()
        self.all_journeys = await may(self.client, "list", "sim.kubeweb.dev", "journeys")
        await self._send(
            {
                "op": "hello",
                "user": self.asker.name,
                "account": self.account,
                "cluster": services().identity,
                "instance": INSTANCE,
                "sequence": self.seen,
                "revision": services().revision(),
                "server_time": clock.now(),
            }
        )
        _open[self.account] += 1
        self.counted = True
        self.tasks = [asyncio.create_task(self._tick()), asyncio.create_task(self._until_cut())]

    async def _accept(self) -> None:
        await self.accept(subprotocol=PROTOCOL if PROTOCOL in self.scope.get("subprotocols", ()) else None)

    async def _refuse(self, error: StatusError) -> None:
        """Say why, and end it."""
        message = {"op": "refused", "account": self.scope["user"].username, "message": error.message}
        await self.send(text_data=encode(message).decode())
        await self.close(code=REFUSED)

    async def disconnect(self, code: int) -> None:
        if self.counted:
            _open[self.account] -= 1
            self.counted = False
        self.listening.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        if self.feed is not None:
            await self.feed.close()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.feed is None:
            return
        try:
            message = orjson.loads(text_data or "")
            operation = message["op"]
        except (ValueError, KeyError, TypeError):
            await self.close(code=4400)
            return
        if operation == "signals":
            await self._listen(on=bool(message.get("on")))
        if operation == "ack" and isinstance(message.get("seq"), int):
            self.acknowledged = min(max(self.acknowledged, message["seq"]), self.sent)
            self.room.set()
        if operation == "subscribe" and isinstance(message.get("resources"), dict):
            await self._subscribe(message)

    async def _subscribe(self, message: dict[str, Any]) -> None:
        assert self.feed is not None
        same = message.get("cluster") == services().identity
        for resource, known in message["resources"].items():
            if resource not in SUMMARIES:
                continue
            usable = same and isinstance(known, int) and 0 < known <= services().revision()
            self.feed.want(resource, known if usable else None)
        journeys = message.get("journeys")
        if isinstance(journeys, dict) and isinstance(journeys.get("sequence"), int):
            feed = services().journeys.feed
            oldest = feed[0][0] if feed else services().journeys.sequence + 1
            if journeys.get("instance") == INSTANCE and oldest - 1 <= journeys["sequence"] <= self.seen:
                self.seen = journeys["sequence"]
            elif journeys.get("instance") != INSTANCE or journeys["sequence"] < self.seen:
                await self._send({"op": "journeys-gap"})

    async def _listen(self, *, on: bool) -> None:
        """Hear of probes and requests of the pods that the person may list."""
        self.listening.close()
        self.wants_signals, self.ear, self.audible = on, None, None
        if not on:
            return
        if not await may(self.client, "list", "", "pods"):
            where = namespaces_of(self.client)[:MOST_NAMESPACES]
            self.audible = frozenset([one for one in where if await may(self.client, "list", "", "pods", one)])
        if self.audible is None or self.audible:
            self.ear = self.listening.enter_context(listen())

    async def _look_again(self) -> None:
        """Other rights are other things to see, at once: in a new sandbox, or after a binding was taken away."""
        version = services().rights_version()
        if version == self.rights_version:
            return
        self.rights_version, before = version, self.rights
        self.rights = services().rights(self.client)
        if self.rights == before:
            return
        assert self.feed is not None
        self.all_journeys = await may(self.client, "list", "sim.kubeweb.dev", "journeys")
        await self._listen(on=self.wants_signals)
        await self.feed.look_again(namespaces_of(self.client))

    async def _until_cut(self) -> None:
        """Close when the session ends: signed out, switched off, another password, other groups (which are other rights); or the
        right to act as whom they act as."""
        connected = services().connected
        if connected is None:
            return
        problem: StatusError | None = None
        try:
            async with connected(self.scope) as cut:
                await cut.wait()
            # Which of them it was, the same question tells.
            async with connected(self.scope):
                pass
        except StatusError as error:
            problem = error
            log.info("%s is not connected any more: %s", self.account, error.message)
        # Nothing more is sent to whoever may no longer see it.
        self.tasks[0].cancel()
        if problem is not None and problem.code == 403:
            await self._refuse(problem)
        else:
            await self.close(code=SIGN_IN)

    async def _send(self, message: dict[str, Any]) -> None:
        """Send when the browser has taken in what it was sent before."""
        while self.sent - self.acknowledged >= WINDOW:
            self.room.clear()
            try:
                await asyncio.wait_for(self.room.wait(), PATIENCE)
            except TimeoutError:
                # It may come back and go on where it was.
                await self.close(code=4408)
                raise asyncio.CancelledError from None
        self.sent += 1
        message["seq"] = self.sent
        await self.send(text_data=encode(message).decode())

    # -- objects -------------------------------------------------------------------------------------------------

    async def _send_cut(self, cut: Cut) -> None:
        """One cut in messages of bounded size; the browser shows it when the last has come."""
        parts: list[dict[str, Any]] = []
        size = 0
        for part in cut.parts:
            summarize = SUMMARIES[part.resource]
            events = [("SET", obj) for obj in part.snapshot or ()] + part.events
            fresh = part.snapshot is not None
            while events or fresh:
                room = max(OBJECTS_PER_MESSAGE - size, 1)
                some, events = events[:room], events[room:]
                told = [["DELETED", _named(obj)] if kind == "DELETED" else [kind, summarize(obj)] for kind, obj in some]
                within = {"within": part.within} if fresh and part.within is not None else {}
                parts.append({"resource": part.resource, "fresh": fresh, **within, "events": told})
                fresh = False
                size += len(some)
                if size >= OBJECTS_PER_MESSAGE:
                    await self._send({"op": "changes", "revision": cut.revision, "parts": parts, "more": True})
                    parts, size = [], 0
                    # Others want their turn while a large cluster is told.
                    await asyncio.sleep(0)
        await self._send({"op": "changes", "revision": cut.revision, "parts": parts, "more": False})

    # -- journeys ------------------------------------------------------------------------------------------------

    def _visible(self, journey: Journey) -> bool:
        if self.all_journeys:
            return True
        name = self.asker.name
        return bool(services().journeys.actor_of(journey.root) == name or journey.actor == name)

    async def _tick(self) -> None:
        assert self.feed is not None
        told = 0.0
        while True:
            await asyncio.sleep(TICK)
            try:
                due = time.monotonic() - told >= STATS_EVERY
                if due:
                    await self._look_again()
                cut = await self.feed.cut()
                if cut is not None and (cut.parts or due):
                    await self._send_cut(cut)
                for resource in list(self.feed.refused):
                    refusal = self.feed.refused.pop(resource)
                    await self._send({"op": "forbidden", "resource": resource, "message": refusal})
                if self.ear is not None and (heard := message_of(self.ear, self.audible)) is not None:
                    await self._send(heard)
                handed = dict(services().delivered())
                if (fan := news(self.handed, handed)) is not None:
                    await self._send({"op": "deliveries", **fan})
                self.handed = handed
                await self._send_fresh_journeys()
                if due:
                    told = time.monotonic()
                    await self._send({"op": "stats", "server_time": clock.now(), **services().stats()})
            except asyncio.CancelledError:
                raise
            except Exception:
                log.exception("the live stream of %s", self.account)
                with contextlib.suppress(Exception):
                    await self.close(code=4500)
                return

    async def _send_fresh_journeys(self) -> None:
        store = services().journeys
        if store.sequence <= self.seen:
            return
        fresh = []
        for sequence, journey in reversed(store.feed):
            if sequence <= self.seen:
                break
            fresh.append(journey)
        fresh.reverse()
        # The feed holds so many; a browser that was slower than that has missed the rest.
        missed = store.sequence - self.seen - len(fresh)
        self.seen = store.sequence
        await self._send_journeys([journey for journey in fresh if self._visible(journey)], missed)

    async def _send_journeys(self, journeys: list[Journey], missed: int) -> None:
        # What a person asked for goes first and whole; of the rest as many as can be looked at.
        newest = {journey.id: journey for journey in journeys}
        ranked = sorted(newest.values(), key=lambda journey: journey.origin != "outside")
        whole, rest = ranked[:JOURNEYS_PER_TICK], ranked[JOURNEYS_PER_TICK:]
        if whole:
            whole.sort(key=lambda journey: journey.start)
            await self._send({"op": "journeys", "journeys": whole, "sequence": self.seen})
        if rest or missed:
            counts = Counter(
                (journey.kind, journey.component, journey.verb, journey.resource, journey.root, journey.outcome)
                for journey in rest
            )
            flows = [
                dict(zip(("kind", "component", "verb", "resource", "root", "outcome"), key, strict=True), n=count)
                for key, count in counts.items()
            ]
            await self._send({"op": "flow", "flows": flows, "missed": missed})


def _named(obj: dict[str, Any]) -> dict[str, Any]:
    """What is left to say of an object that is gone."""
    metadata = obj["metadata"]
    return {"uid": metadata.get("uid", ""), "namespace": metadata.get("namespace", ""), "name": metadata["name"]}
