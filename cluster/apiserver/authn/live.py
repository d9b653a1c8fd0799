"""Cutting what is still open when its credential is not good any more: watches, followed logs, sessions.

A request is authenticated once; a watch may last for hours. Several times a second everything open is authenticated again, out of
the authenticator's memory (at most a second old): a user who is gone or switched off, a token that was revoked or ran out, another
password, a group that somebody was taken from, a deleted ServiceAccount: each ends what is open within a second. So does the end of
the right to act as whom one acts as. A client that may still come simply begins again. (Kubernetes itself lets them run on; here
people watch it happen.)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from cluster.apimachinery.errors import StatusError
from cluster.apiserver.authn.impersonation import Authorizes, impersonate
from cluster.apiserver.request import ANONYMOUS, UserInfo

log = logging.getLogger(__name__)
# Real seconds between two looks. A credential is asked about anew when what is known of it is half a second old.
PERIOD = 0.2


class Authenticates(Protocol):
    async def authenticate(self, headers: Mapping[bytes, bytes], scope: Mapping[str, Any]) -> UserInfo: ...


@dataclass(eq=False, slots=True)
class Open:
    """Something open, and whose it is. `cut` is set when it must end."""

    headers: Mapping[bytes, bytes]
    scope: Mapping[str, Any]
    user: UserInfo
    # Its credential: a thousand watches on one token are one question.
    credential: tuple[object, ...]
    # As whom, when that is somebody else.
    acting: UserInfo | None = None
    cut: asyncio.Event = field(default_factory=asyncio.Event)


class LiveRequests:
    """Who is connected. `open` for as long as something lasts."""

    def __init__(self, authenticator: Authenticates, authorizer: Authorizes, period: float = PERIOD) -> None:
        self._authenticator = authenticator
        self._authorizer = authorizer
        self._period = period
        self._open: set[Open] = set()
        self._task: asyncio.Task[None] | None = None

    @contextmanager
    def open(
        self,
        headers: Mapping[bytes, bytes],
        scope: Mapping[str, Any],
        user: UserInfo,
        acting: UserInfo | None = None,
    ) -> Iterator[asyncio.Event]:
        """The event that says when to end. Whoever presented nothing, and is nobody else, can lose nothing."""
        one = Open(headers, scope, user, credential_of(headers, scope), acting)
        if user is ANONYMOUS and acting is None:
            yield one.cut
            return
        self._open.add(one)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look(), name="live requests")
        try:
            yield one.cut
        finally:
            self._open.discard(one)

    async def _look(self) -> None:
        """Look at everything open, again and again, until nothing is."""
        while self._open:
            await asyncio.sleep(self._period)
            sharing: dict[tuple[object, ...], list[Open]] = {}
            for one in self._open:
                sharing.setdefault(one.credential, []).append(one)
            for alike in sharing.values():
                try:
                    user: UserInfo | None = await self._authenticator.authenticate(alike[0].headers, alike[0].scope)
                except StatusError:
                    user = None
                except Exception:
                    # The database may be away for a moment: that is no reason to throw everybody out.
                    log.exception("could not look at an open request's credential")
                    continue
                for one in alike:
                    if one.user != user or not self._still_acts(one):
                        one.cut.set()
                        self._open.discard(one)

    def _still_acts(self, one: Open) -> bool:
        """Whether they may still act as whom they act as."""
        if one.acting is None:
            return True
        try:
            return impersonate(one.user, one.scope["headers"], self._authorizer) == one.acting
        except StatusError:
            return False


def credential_of(headers: Mapping[bytes, bytes], scope: Mapping[str, Any]) -> tuple[object, ...]:
    """All of a request that authentication looks at."""
    tls = (scope.get("extensions") or {}).get("tls") or {}
    names = (b"authorization", b"cookie", b"sec-websocket-protocol", b"origin", b"host")
    return (scope.get("type"), scope.get("scheme"), tls.get("client_cert"), *(headers.get(name) for name in names))


async def until_cut(work: asyncio.Future[Any], cut: asyncio.Event) -> bool:
    """Wait for the work or the cut, whichever is first; whether the work was done. What is cut is cancelled."""
    cutting = asyncio.ensure_future(cut.wait())
    try:
        await asyncio.wait({work, cutting}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            work.result()
            return True
        return False
    finally:
        cutting.cancel()
        if not work.done():
            work.cancel()
        await asyncio.gather(work, cutting, return_exceptions=True)
