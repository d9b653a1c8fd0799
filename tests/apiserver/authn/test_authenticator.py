"""Credentials of every kind, remembered for a second at most."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group
from django.contrib.sessions.backends.db import SessionStore
from django.middleware.csrf import _get_new_csrf_string, _mask_cipher_secret
from django.utils import timezone

from cluster.accounts.models import AccessToken, User
from cluster.accounts.pki import CertificateAuthority
from cluster.apimachinery.errors import StatusError
from cluster.apiserver.authn import people
from cluster.apiserver.authn.authenticator import Authenticator
from cluster.apiserver.authn.cache import RevalidatingCache
from cluster.apiserver.request import ANONYMOUS

pytestmark = pytest.mark.django_db(transaction=True)
HTTP = {"type": "http", "method": "GET", "scheme": "http", "path": "/api", "server": ("testserver", 80)}


def bearer(token):
    return {b"authorization": f"Bearer {token}".encode()}


@sync_to_async
def person(name="alice", *, groups=(), superuser=False):
    user = User.objects.create(username=name, is_superuser=superuser)
    user.groups.set([Group.objects.get_or_create(name=group)[0] for group in groups])
    return user


async def issue(user, **options):
    return await sync_to_async(AccessToken.objects.issue)(user, "test", **options)


@sync_to_async
def log_in(user):
    user.set_password("secret")
    user.save()
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return session.session_key


async def refused(authenticator, headers, scope=HTTP):
    with pytest.raises(StatusError) as error:
        await authenticator.authenticate(headers, scope)
    return error.value


# --- nothing, and nonsense -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers", [{}, {b"authorization": b"Basic eDp5"}, {b"authorization": b"Bearer "}, {b"cookie": b"theme=dark"}]
)
async def test_nothing_presented_is_anonymous(authenticator, headers):
    assert await authenticator.authenticate(headers, HTTP) is ANONYMOUS


async def test_anonymous_can_be_switched_off(tokens):
    error = await refused(Authenticator(tokens, anonymous=False), {})
    assert (error.code, error.message) == (401, "Unauthorized")


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "kw_unknown", "\xff"])
async def test_a_bad_token_is_401(authenticator, token):
    error = await refused(authenticator, {b"authorization": b"bearer " + token.encode("latin-1")})
    assert (error.code, error.reason, error.message) == (401, "Unauthorized", "Unauthorized")


# --- people's tokens -------------------------------------------------------------------------------------------------


async def test_an_access_token_is_its_user(authenticator):
    user = await person(groups=["devs", "ops"])
    token, secret = await issue(user)
    info = await authenticator.authenticate(bearer(secret), HTTP)
    assert info.name == "alice"
    assert info.groups == ("devs", "ops", "system:authenticated")
    await sync_to_async(lambda: authenticator._notes.submit(lambda: None).result())()
    await sync_to_async(token.refresh_from_db)()
    assert token.last_used is not None
    assert secret not in (token.digest, token.prefix)
    assert secret.startswith(token.prefix)


async def test_superusers_are_masters(authenticator):
    _, secret = await issue(await person(superuser=True))
    assert "system:masters" in (await authenticator.authenticate(bearer(secret), HTTP)).groups


async def test_a_revoked_token_is_out_within_a_second(authenticator, tick):
    token, secret = await issue(await person())
    await authenticator.authenticate(bearer(secret), HTTP)
    await sync_to_async(AccessToken.objects.filter(pk=token.pk).revoke)()
    tick.time += 0.4
    assert (await authenticator.authenticate(bearer(secret), HTTP)).name == "alice"
    tick.time += 0.61
    assert (await refused(authenticator, bearer(secret))).code == 401


async def test_a_busy_client_learns_of_a_change_in_the_background(authenticator, tick):
    user = await person()
    _, secret = await issue(user)
    await authenticator.authenticate(bearer(secret), HTTP)
    await sync_to_async(user.delete)()
    tick.time += 0.6
    assert (await authenticator.authenticate(bearer(secret), HTTP)).name == "alice"
    await next(iter(authenticator._people._loading.values()))
    assert (await refused(authenticator, bearer(secret))).code == 401


@pytest.mark.parametrize("change", ["expired", "inactive"])
async def test_expired_tokens_and_inactive_users(authenticator, change):
    user = await person()
    _, secret = await issue(user, expires=timezone.now() - timedelta(seconds=1) if change == "expired" else None)
    if change == "inactive":
        await sync_to_async(User.objects.filter(pk=user.pk).update)(is_active=False)
    assert (await refused(authenticator, bearer(secret))).code == 401


async def test_group_changes_arrive(authenticator, tick):
    user = await person()
    _, secret = await issue(user)
    assert (await authenticator.authenticate(bearer(secret), HTTP)).groups == ("system:authenticated",)
    await sync_to_async(lambda: user.groups.add(Group.objects.create(name="devs")))()
    tick.time += 1.01
    assert "devs" in (await authenticator.authenticate(bearer(secret), HTTP)).groups


async def test_a_remembered_token_is_looked_up_and_verified_once(authenticator, tokens, monkeypatch):
    _, secret = await issue(await person())
    jwt, _ = tokens.issue("shop", "robot", "sa-1")
    asked: list[str] = []

    def counted(owner, name):
        real = getattr(owner, name)

        def call(*arguments):
            asked.append(name)
            return real(*arguments)

        monkeypatch.setattr(owner, name, call)

    counted(people, "user_of_access_token")
    counted(tokens, "verify")
    for _ in range(50):
        assert (await authenticator.authenticate(bearer(secret), HTTP)).name == "alice"
        assert (await authenticator.authenticate(bearer(jwt), HTTP)).name == "system:serviceaccount:shop:robot"
    assert asked == ["user_of_access_token", "verify"]


# --- service accounts ------------------------------------------------------------------------------------------------


async def test_a_service_account_token(authenticator, tokens, reader):
    token, _ = tokens.issue("shop", "robot", "sa-1")
    for _ in range(2):
        assert (await authenticator.authenticate(bearer(token), HTTP)).name == "system:serviceaccount:shop:robot"
    del reader.objects["serviceaccounts", "shop", "robot"]
    assert (await refused(authenticator, bearer(token))).code == 401


async def test_a_token_for_somebody_else_is_not_for_us(authenticator, tokens):
    token, _ = tokens.issue("shop", "robot", "sa-1", ["vault"])
    assert (await refused(authenticator, bearer(token))).code == 401
    user, audiences = await authenticator.authenticate_token(token, ("vault", "x"))
    assert (user.name, audiences) == ("system:serviceaccount:shop:robot", ("vault",))


async def test_token_review_knows_both_kinds_and_says_why(authenticator, tokens, reader):
    _, secret = await issue(await person())
    user, audiences = await authenticator.authenticate_token(secret)
    assert (user.name, audiences) == ("alice", tokens.audiences)
    with pytest.raises(StatusError, match="invalid bearer token"):
        await authenticator.authenticate_token(secret, ("vault",))
    with pytest.raises(StatusError, match=r"^invalid bearer token$"):
        await authenticator.authenticate_token("kw_nothing")
    token, _ = tokens.issue("shop", "robot", "sa-1", bound=reader.get("pods", "shop", "web"))
    del reader.objects["pods", "shop", "web"]
    with pytest.raises(StatusError) as error:
        await authenticator.authenticate_token(token)
    assert error.value.message == "[invalid bearer token, service account token has been invalidated]"


async def test_a_browser_hides_its_token_among_subprotocols(authenticator, tokens):
    token, _ = tokens.issue("shop", "robot", "sa-1")
    encoded = base64.urlsafe_b64encode(token.encode()).rstrip(b"=")
    protocols = b"v5.channel.k8s.io, base64url.bearer.authorization.k8s.io." + encoded
    scope = {**HTTP, "type": "websocket"}
    user = await authenticator.authenticate({b"sec-websocket-protocol": protocols}, scope)
    assert user.name == "system:serviceaccount:shop:robot"
    assert await authenticator.authenticate({b"sec-websocket-protocol": protocols}, HTTP) is ANONYMOUS


# --- client certificates ---------------------------------------------------------------------------------------------


def with_certificate(tmp_path, name, groups, **options):
    pem, _ = CertificateAuthority(tmp_path / "ca").issue_client(name, groups, **options)
    der = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    return {**HTTP, "extensions": {"tls": {"client_cert": der}}}


async def test_a_client_certificate(authenticator, tmp_path):
    scope = with_certificate(tmp_path, "jane", ["system:masters", "devs"])
    for _ in range(2):
        user = await authenticator.authenticate({}, scope)
        assert user.name == "jane"
        assert user.groups == ("system:masters", "devs", "system:authenticated")
    assert user.extra["authentication.kubernetes.io/credential-id"][0].startswith("X509SHA256=")


async def test_an_expired_certificate(authenticator, tmp_path):
    scope = with_certificate(tmp_path, "jane", [], life=timedelta(seconds=-1))
    assert (await refused(authenticator, {}, scope)).code == 401


async def test_no_certificate_presented(authenticator):
    assert await authenticator.authenticate({}, {**HTTP, "extensions": {"tls": {"client_cert": None}}}) is ANONYMOUS


# --- sessions --------------------------------------------------------------------------------------------------------


def cookies(session, csrf=""):
    text = f"theme=dark; {settings.SESSION_COOKIE_NAME}={session}"
    return {
        b"cookie": (f"{text}; {settings.CSRF_COOKIE_NAME}={csrf}" if csrf else text).encode(),
        b"host": b"localhost:8000",
    }


async def test_a_session_is_its_user(authenticator, tick):
    user = await person(groups=["devs"])
    key = await log_in(user)
    assert (await authenticator.authenticate(cookies(key), HTTP)).groups == ("devs", "system:authenticated")
    await sync_to_async(lambda: SessionStore(key).delete())()
    tick.time += 1.01
    assert (await refused(authenticator, cookies(key))).code == 401


async def test_a_new_password_ends_sessions(authenticator, tick):
    user = await person()
    key = await log_in(user)
    assert (await authenticator.authenticate(cookies(key), HTTP)).name == "alice"

    def change():
        user.set_password("another")
        user.save()

    await sync_to_async(change)()
    tick.time += 1.01
    assert (await refused(authenticator, cookies(key))).code == 401


async def test_an_unknown_session_is_401(authenticator):
    assert (await refused(authenticator, cookies("nonsense"))).code == 401


CSRF = {"secret": _get_new_csrf_string()}


@pytest.mark.parametrize(
    ("headers", "scope", "allowed"),
    [
        ({}, {}, False),
        ({b"x-csrftoken": b"SECRET"}, {}, True),
        ({b"x-csrftoken": b"MASKED"}, {}, True),
        ({b"x-csrftoken": b"x" * 32}, {}, False),
        ({b"x-csrftoken": b"SECRET", b"origin": b"http://localhost:8000"}, {}, True),
        ({b"x-csrftoken": b"SECRET", b"origin": b"http://evil.example"}, {}, False),
        ({b"x-csrftoken": b"SECRET", b"origin": b"null"}, {}, False),
        ({b"x-csrftoken": b"SECRET", b"origin": b"http://localhost:8000"}, {"scheme": "https"}, False),
        ({b"x-csrftoken": b"SECRET", b"origin": b"https://localhost:8000"}, {"scheme": "https"}, True),
        ({b"x-csrftoken": b"SECRET"}, {"scheme": "https"}, False),
        ({b"x-csrftoken": b"SECRET", b"referer": b"https://localhost:8000/"}, {"scheme": "https"}, True),
        ({b"x-csrftoken": b"SECRET", b"referer": b"https://evil.example/"}, {"scheme": "https"}, False),
        ({b"x-csrftoken": b"SECRET"}, {"no-cookie": True}, False),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_unsafe_requests_must_come_from_our_pages(authenticator, method, headers, scope, allowed):
    secret = CSRF["secret"]
    key = await log_in(await person())
    values = {b"SECRET": secret.encode(), b"MASKED": _mask_cipher_secret(secret).encode()}
    headers = {name: values.get(value, value) for name, value in headers.items()}
    sent = {**cookies(key, "" if "no-cookie" in scope else secret), **headers}
    scope = {**HTTP, **scope, "method": method}
    if allowed:
        assert (await authenticator.authenticate(sent, scope)).name == "alice"
    else:
        error = await refused(authenticator, sent, scope)
        assert (error.code, error.reason) == (403, "Forbidden")
        assert error.message.startswith("CSRF Failed: ")


async def test_tokens_need_no_csrf(authenticator):
    user = await person()
    key = await log_in(user)
    _, secret = await issue(user)
    scope = {**HTTP, "method": "POST"}
    assert (await authenticator.authenticate({**cookies(key), **bearer(secret)}, scope)).name == "alice"


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (b"http://localhost:8000", True),
        (b"http://evil.example", False),
        (b"https://localhost:8000", False),
        (b"", False),
    ],
)
async def test_web_sockets_on_a_session_are_opened_by_our_pages(authenticator, origin, allowed):
    key = await log_in(await person())
    headers = {**cookies(key), b"origin": origin} if origin else cookies(key)
    scope = {**HTTP, "type": "websocket", "scheme": "ws"}
    if allowed:
        assert (await authenticator.authenticate(headers, scope)).name == "alice"
    else:
        assert (await refused(authenticator, headers, scope)).code == 403


async def test_a_trusted_origin_may_open_web_sockets(authenticator, monkeypatch):
    monkeypatch.setattr(settings, "CSRF_TRUSTED_ORIGINS", ["https://*.example.org"])
    key = await log_in(await person())
    scope = {**HTTP, "type": "websocket", "scheme": "ws"}
    assert (
        await authenticator.authenticate({**cookies(key), b"origin": b"https://a.example.org"}, scope)
    ).name == "alice"
    error = await refused(authenticator, {**cookies(key), b"origin": b"http://a.example.org"}, scope)
    assert error.code == 403


# --- the memory itself -----------------------------------------------------------------------------------------------


async def test_many_ask_once(tick):
    import asyncio

    asked = []
    gate = asyncio.Event()
    cache = RevalidatingCache(tick)

    async def load():
        asked.append(1)
        await gate.wait()
        return "value"

    waiting = [asyncio.ensure_future(cache.get(b"k", load)) for _ in range(5)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    gate.set()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert results[1:] == ["value"] * 4
    assert len(asked) == 1


async def test_a_failed_check_is_told_to_whoever_waits_and_not_remembered(tick):
    cache = RevalidatingCache(tick)

    async def fail():
        raise OSError("the database is away")

    async def work():
        return "value"

    with pytest.raises(OSError, match="away"):
        await cache.get(b"k", fail)
    assert await cache.get(b"k", work) == "value"
    tick.time += 0.6
    assert await cache.get(b"k", fail) == "value"
    tick.time += 0.5
    with pytest.raises(OSError, match="away"):
        await cache.get(b"k", fail)


async def test_a_value_is_as_old_as_the_beginning_of_its_check(tick):
    cache = RevalidatingCache(tick)

    async def slow():
        tick.time += 0.8
        return "value"

    await cache.get(b"k", slow)
    tick.time += 0.25
    loaded = []

    async def again():
        loaded.append(1)
        return "new"

    assert await cache.get(b"k", again) == "new"
