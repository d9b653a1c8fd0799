"""Requests that ride on a session cookie must come from our own pages: Django's CSRF check, outside Django's middleware.

A browser attaches the cookie to whatever any page sends; only our pages can read the token that unsafe requests must
repeat in X-CSRFToken. WebSockets can carry no such header: for them the Origin must be ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.cookie import parse_cookie
from django.middleware.csrf import CsrfViewMiddleware

from cluster.apimachinery.errors import StatusError

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
Scope = Mapping[str, Any]


class _Request(HttpRequest):
    """As much of a request as Django's check looks at."""

    def __init__(self, headers: Mapping[bytes, bytes], scope: Scope) -> None:
        super().__init__()
        self.method = scope.get("method", "GET")
        self.path = self.path_info = scope.get("path", "/")
        self._scheme = str(scope.get("scheme", "http"))
        self.COOKIES = parse_cookie(headers.get(b"cookie", b"").decode("latin-1"))
        server = scope.get("server") or ("localhost", 80)
        self.META = {"SERVER_NAME": str(server[0]), "SERVER_PORT": str(server[1] or 80)}
        for name in (b"host", b"origin", b"referer"):
            if name in headers:
                self.META[f"HTTP_{name.decode().upper()}"] = headers[name].decode("latin-1")
        self.META[settings.CSRF_HEADER_NAME] = headers.get(
            settings.CSRF_HEADER_NAME.removeprefix("HTTP_").replace("_", "-").lower().encode(), b""
        ).decode("latin-1")

    def _get_scheme(self) -> str:
        return self._scheme


class _Check(CsrfViewMiddleware):
    """Django's check, telling why instead of rendering a page."""

    reason = ""

    def _reject(self, request: HttpRequest, reason: str) -> HttpResponse:
        self.reason = reason
        return HttpResponse(status=403)


def check(headers: Mapping[bytes, bytes], scope: Scope) -> None:
    """403 unless the request is safe or proves that it comes from one of our pages."""
    if scope.get("type") == "websocket":
        if not own_origin(headers, scope):
            raise _refused("Origin checking failed - the WebSocket was not opened by a page of this server.")
        return
    if scope.get("method", "GET") in SAFE:
        return
    checker = _Check(lambda request: HttpResponse())
    request = _Request(headers, scope)
    checker.process_request(request)
    if checker.process_view(request, lambda request: HttpResponse(), (), {}) is not None:
        raise _refused(checker.reason)


def own_origin(headers: Mapping[bytes, bytes], scope: Scope) -> bool:
    """Whether a WebSocket was opened by a page of this very server (or of a trusted one): same scheme, host and port."""
    origin = headers.get(b"origin", b"").decode("latin-1")
    if not origin:
        return False
    secure = scope.get("scheme") in ("wss", "https")
    host = headers.get(b"host", b"").decode("latin-1")
    return origin == f"{'https' if secure else 'http'}://{host}" or any(
        _trusts(trusted, origin) for trusted in settings.CSRF_TRUSTED_ORIGINS
    )


def _trusts(trusted: str, origin: str) -> bool:
    """`https://app.example.org`, or `https://*.example.org` for all below."""
    wanted, given = urlsplit(trusted), urlsplit(origin)
    if wanted.scheme != given.scheme:
        return False
    if wanted.netloc.startswith("*."):
        return given.netloc.endswith(wanted.netloc[1:])
    return wanted.netloc == given.netloc


def _refused(reason: str) -> StatusError:
    return StatusError(403, "Forbidden", f"CSRF Failed: {reason}")
