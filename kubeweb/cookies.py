"""The session's cookie on HTTPS: Secure, and under a name that plain HTTP cannot set.

The same pages are served on HTTP (a laptop's loopback) and on HTTPS. With one name for both, a Secure cookie would lock its
owner out of HTTP (browsers let nothing insecure replace it), and a cookie from HTTP would be believed on HTTPS. So on HTTPS it is
called `__Secure-…` outside, and by its own name inside: for Django, Channels and the Kubernetes API alike.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings

PREFIX = "__Secure-"


def inside(scope: Any) -> Any:
    """The scope of a request on HTTPS with the cookie under its own name, and without one that came by that name from outside."""
    if not any(key == b"cookie" for key, _ in scope["headers"]):
        return scope
    name = settings.SESSION_COOKIE_NAME
    headers = []
    for key, value in scope["headers"]:
        if key == b"cookie":
            kept = []
            for part in value.decode("latin-1").split(";"):
                cookie, _, content = part.strip().partition("=")
                if cookie == PREFIX + name:
                    kept.append(f"{name}={content}")
                elif cookie and cookie != name:
                    kept.append(part.strip())
            value = "; ".join(kept).encode("latin-1")
        headers.append((key, value))
    return {**scope, "headers": headers}


def outside(message: Any) -> Any:
    """A response on HTTPS with the cookie under its name for HTTPS."""
    if message["type"] not in ("http.response.start", "websocket.accept"):
        return message
    if not any(key.lower() == b"set-cookie" for key, _ in message.get("headers") or ()):
        return message
    name = settings.SESSION_COOKIE_NAME.encode()
    headers = []
    for key, value in message.get("headers") or ():
        if key.lower() == b"set-cookie" and value.startswith(name + b"="):
            value = PREFIX.encode() + value
            if b"; secure" not in value.lower():
                value += b"; Secure"
        headers.append((key, value))
    return {**message, "headers": headers}
