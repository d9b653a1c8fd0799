"""Who is asking: a chain of ways to tell, the first that recognises a credential decides.

Client certificate, bearer token (a service account's JWT or a person's access token), the browser's session. Nothing
presented is the anonymous user; something presented that is not good is 401. Called once a request, before everything else.
What was checked is remembered by its SHA-256 for at most a second (`cache`); JWTs are asked about their ServiceAccount and
Pod every time, which is two dictionary look-ups.
"""

from __future__ import annotations

import base64
import binascii
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import sha256
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http.cookie import parse_cookie

from cluster.accounts import pki
from cluster.accounts.models import TOKEN_PREFIX
from cluster.apimachinery import errors
from cluster.apiserver.authn import csrf, people
from cluster.apiserver.authn.cache import CAPACITY, RevalidatingCache
from cluster.apiserver.authn.serviceaccounts import InvalidToken, ServiceAccountTokens
from cluster.apiserver.request import ANONYMOUS, Obj, UserInfo

Headers = Mapping[bytes, bytes]
Scope = Mapping[str, Any]
Source = Callable[[Headers, Scope], Awaitable[UserInfo | None]]
WEBSOCKET_TOKEN = "base64url.bearer.authorization.k8s.io."  # noqa: S105 - the name of a subprotocol
NOTE_EVERY = 60.0
log = logging.getLogger(__name__)
CREDENTIAL_ID = "authentication.kubernetes.io/credential-id"


class Authenticator:
    """`authenticate` for requests, `authenticate_token` for TokenReviews."""

    def __init__(
        self,
        service_accounts: ServiceAccountTokens,
        *,
        anonymous: bool | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._service_accounts = service_accounts
        self._anonymous = getattr(settings, "KUBEWEB_ANONYMOUS", True) if anonymous is None else anonymous
        self._people: RevalidatingCache[UserInfo | bool] = RevalidatingCache(now)
        # Signed claims, whose they are, and whether this API server is among the audiences.
        self._claims: dict[bytes, tuple[Obj, UserInfo, bool]] = {}
        self._certificates: dict[bytes, tuple[UserInfo, float, float]] = {}
        # One thread, one database connection: a check is a millisecond, and most requests need none.
        self._thread = ThreadPoolExecutor(1, "authn")
        # A note may have to wait for other writers to the database; nobody waits for the note.
        self._notes = ThreadPoolExecutor(1, "authn-notes")
        self._noted: dict[bytes, float] = {}
        self._now = now
        self.chain: list[Source] = [self._client_certificate, self._bearer_token, self._session]

    async def authenticate(self, headers: Headers, scope: Scope) -> UserInfo:
        """The user of a request. StatusError 401 for a bad credential, 403 for a forged browser request."""
        for source in self.chain:
            user = await source(headers, scope)
            if user is not None:
                return user
        if not self._anonymous:
            raise errors.unauthorized()
        return ANONYMOUS

    async def authenticate_token(self, token: str, audiences: tuple[str, ...] = ()) -> tuple[UserInfo, tuple[str, ...]]:
        """The user of a bearer token and the audiences it is good for, out of those asked for (all of ours, if none)."""
        try:
            if self._is_jwt(token):
                encoded = token.encode()
                claims, user, _ = self._verified(encoded, sha256(encoded).digest())
                return user, self._service_accounts.check(claims, audiences)
        except InvalidToken as error:
            raise errors.unauthorized(f"[invalid bearer token, {error}]") from error
        person = await self._person_of_token(token.encode())
        ours = self._service_accounts.audiences
        common = tuple(audience for audience in audiences if audience in ours) if audiences else ours
        if person is None or not common:
            raise errors.unauthorized("invalid bearer token")
        return person, common

    def close(self) -> None:
        self._thread.shutdown(wait=True)
        self._notes.shutdown(wait=True)

    async def _client_certificate(self, headers: Headers, scope: Scope) -> UserInfo | None:
        extensions = scope.get("extensions")
        tls = extensions.get("tls") if extensions else None
        der = tls.get("client_cert") if tls else None
        if not der:
            return None
        digest = sha256(der).digest()
        known = self._certificates.get(digest)
        if known is None:
            name, groups, begins, ends = pki.user_of_certificate(der)
            if len(self._certificates) >= CAPACITY:
                self._certificates.clear()
            extra = {CREDENTIAL_ID: (f"X509SHA256={digest.hex()}",)}
            user = UserInfo(name, tuple(dict.fromkeys((*groups, "system:authenticated"))), "", extra)
            known = self._certificates[digest] = (user, begins.timestamp(), ends.timestamp())
        if not known[1] <= time.time() <= known[2]:
            raise errors.unauthorized()
        # Without a common name it says nothing about who this is; others may know.
        return known[0] if known[0].name else None

    async def _bearer_token(self, headers: Headers, scope: Scope) -> UserInfo | None:
        authorization = headers.get(b"authorization")
        token = _bearer(authorization) if authorization is not None else None
        if token is None and scope.get("type") == "websocket":
            token = _websocket_bearer(headers.get(b"sec-websocket-protocol", b""))
        if token is None:
            return None
        digest = sha256(token).digest()
        if digest in self._claims:
            return self._service_account(token, digest)
        person = self._people.fresh(digest)
        if person is None:
            if self._is_jwt(token.decode("latin-1")):
                return self._service_account(token, digest)
            person = await self._person_of_token(token)
        if not isinstance(person, UserInfo):
            raise errors.unauthorized()
        return person

    def _service_account(self, token: bytes, digest: bytes) -> UserInfo:
        try:
            claims, user, for_us = self._verified(token, digest)
            self._service_accounts.still_good(claims)
        except InvalidToken as error:
            raise errors.unauthorized() from error
        if not for_us:
            raise errors.unauthorized()
        return user

    def _is_jwt(self, token: str) -> bool:
        return not token.startswith(TOKEN_PREFIX) and self._service_accounts.is_ours(token)

    def _verified(self, token: bytes, digest: bytes) -> tuple[Obj, UserInfo, bool]:
        """Claims whose signature was checked once; whether they still hold is asked every time."""
        known = self._claims.get(digest)
        if known is None:
            claims = self._service_accounts.verify(token.decode("latin-1"))
            audiences = [claims["aud"]] if isinstance(claims["aud"], str) else claims["aud"]
            for_us = any(audience in self._service_accounts.audiences for audience in audiences)
            if len(self._claims) >= CAPACITY:
                self._claims.clear()
            known = self._claims[digest] = (claims, self._service_accounts.user(claims), for_us)
        return known

    async def _person_of_token(self, token: bytes) -> UserInfo | None:
        digest = sha256(token)

        async def load() -> UserInfo | bool:
            user = await self._ask(people.user_of_access_token, digest.hexdigest())
            if user is None:
                return False
            self._note_use(digest.digest(), digest.hexdigest())
            return user

        found = await self._people.get(digest.digest(), load)
        return found if isinstance(found, UserInfo) else None

    def _note_use(self, key: bytes, digest: str) -> None:
        """Once a minute is often enough to know when a token was last used."""
        now = self._now()
        if now - self._noted.get(key, -NOTE_EVERY) < NOTE_EVERY:
            return
        if len(self._noted) >= CAPACITY:
            self._noted.clear()
        self._noted[key] = now
        self._notes.submit(people.note_use, digest).add_done_callback(_noted)

    async def _session(self, headers: Headers, scope: Scope) -> UserInfo | None:
        cookies = headers.get(b"cookie")
        if cookies is None or settings.SESSION_COOKIE_NAME.encode() not in cookies:
            return None
        key = parse_cookie(cookies.decode("latin-1")).get(settings.SESSION_COOKIE_NAME)
        if not key:
            return None

        async def load() -> UserInfo | bool:
            return await self._ask(people.user_of_session, key) or False

        found = await self._people.get(sha256(b"session:" + key.encode()).digest(), load)
        if not isinstance(found, UserInfo):
            raise errors.unauthorized()
        csrf.check(headers, scope)
        return found

    async def _ask(self, question: Callable[[str], UserInfo | None], key: str) -> UserInfo | None:
        return await sync_to_async(question, thread_sensitive=False, executor=self._thread)(key)


def _noted(done: Future[None]) -> None:
    if (error := done.exception()) is not None:
        log.warning("could not note when an access token was last used", exc_info=error)


def _bearer(authorization: bytes) -> bytes | None:
    """The token of an Authorization header of type Bearer; other types are none of our business."""
    parts = authorization.strip().split(b" ", 2)
    if len(parts) < 2 or parts[0].lower() != b"bearer" or not parts[1]:
        return None
    return parts[1]


def _websocket_bearer(protocols: bytes) -> bytes | None:
    """The token that a browser, which cannot set headers on WebSockets, hides among the subprotocols."""
    for protocol in protocols.decode("latin-1").split(","):
        encoded = protocol.strip()
        if encoded.startswith(WEBSOCKET_TOKEN):
            encoded = encoded[len(WEBSOCKET_TOKEN) :]
            try:
                return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)) or None
            except (binascii.Error, ValueError) as error:
                raise errors.unauthorized() from error
    return None
