"""Which headers of a request go on to whoever answers behind this server: a pod, a Service, another API server."""

from __future__ import annotations

from collections.abc import Mapping

# What speaks of the connection to this server, and what proves to it who asks: both end here.
_OURS = frozenset(
    {
        b"authorization",
        b"connection",
        b"content-length",
        b"cookie",
        b"host",
        b"keep-alive",
        b"proxy-authorization",
        b"sec-websocket-protocol",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"x-csrftoken",
    }
)
_OURS_FROM = (b"impersonate-", b"x-remote-", b"x-kubeweb-")


def passed_on(headers: Mapping[bytes, bytes]) -> dict[str, str]:
    """The others, with names as HTTP writes them."""
    return {
        name.decode("latin-1").title(): value.decode("latin-1")
        for name, value in headers.items()
        if name not in _OURS and not name.startswith(_OURS_FROM)
    }
