"""Who answers what: the Kubernetes API directly, WebSockets by Channels, everything else by Django."""

from __future__ import annotations

import asyncio
import os
from importlib import import_module
from typing import Any

# Django must be set up before anything imports its models: hence the imports below.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kubeweb.settings")

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

import kubeweb.lean_rest  # noqa: F401  # isort: skip

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.conf import settings
from django.urls import path

from cluster.apiserver.authn.csrf import own_origin
from cluster.apiserver.wire import WireAPI, asks_for_root, serves
from cluster.explorer.consumers import ExplorerConsumer
from kubeweb import cookies


class OwnPages:
    """WebSockets for our own pages only: another port of the same host is another site, whose pages our cookies go along with."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if own_origin(dict(scope["headers"]), scope):
            await self.application(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 4403})


class Application:
    """The ASGI application. `wire` is set once the cluster runs; until then the API says 503."""

    def __init__(self) -> None:
        self.wire: WireAPI | None = None
        self._pages: asyncio.Future[Any] | None = None
        websocket = URLRouter([path("ws/explorer/", ExplorerConsumer.as_asgi())])
        self.rest = ProtocolTypeRouter(
            {
                "http": django_application,
                "websocket": OwnPages(AllowedHostsOriginValidator(AuthMiddlewareStack(websocket))),
            }
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope.get("scheme") in ("https", "wss"):
            plainly = send

            async def send(message: Any) -> None:
                await plainly(cookies.outside(message))

            scope = cookies.inside(scope)
        if scope["type"] in ("http", "websocket") and (serves(scope["path"]) or asks_for_root(scope)):
            if self.wire is not None:
                await self.wire(scope, receive, send)
                return
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1013})
                return
            body = b"the cluster is starting"
            await send({"type": "http.response.start", "status": 503, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": body})
            return
        if self._pages is None:
            # Loaded when somebody comes, and beside the loop, which serves others meanwhile.
            self._pages = asyncio.ensure_future(asyncio.to_thread(import_module, settings.ROOT_URLCONF))
        if not self._pages.done():
            await asyncio.shield(self._pages)
        await self.rest(scope, receive, send)


application = Application()
