"""What the API server answers beside resources: discovery, OpenAPI, version, health, metrics.

One table from path to answer. All of these came through authn and authz like everything else.
"""

from __future__ import annotations

import platform
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

import orjson

from cluster.apimachinery.errors import generic_not_found
from cluster.apiserver import aggregator, health, metrics
from cluster.apiserver.context import Context, Response
from cluster.apiserver.resources import discovery, openapi

VERSION = {
    "major": "1",
    "minor": "37",
    "emulationMajor": "1",
    "emulationMinor": "37",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "36",
    "gitVersion": "v1.37.0+kubeweb",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "2026-11-01T00:00:00Z",
    "goVersion": f"python{platform.python_version()}",
    "compiler": platform.python_implementation(),
    "platform": f"{platform.system().lower()}/{platform.machine().replace('x86_64', 'amd64')}",
}

Answer = Callable[[Context], Awaitable[Response]]


async def answer(context: Context) -> Response:
    """The answer for a path that names no resource; 404 for one that nobody serves."""
    path = context.path.rstrip("/") or "/"
    exact = EXACT.get(path)
    if exact is not None:
        return await exact(context)
    for prefix, handler in PREFIXES.items():
        if path.startswith(prefix):
            return await handler(context)
    raise generic_not_found()


def _json(obj: Any) -> Response:
    return Response(data=orjson.dumps(obj))


async def _version(context: Context) -> Response:
    return Response(data=orjson.dumps(VERSION, option=orjson.OPT_INDENT_2))


async def _health(context: Context) -> Response:
    kind, _, name = context.path.strip("/").partition("/")
    query = (context.scope.get("query_string") or b"").decode("latin-1")
    params = parse_qs(query, keep_blank_values=True)
    return health.answer(kind, name, params, context.server.health())


async def _discovery(context: Context) -> Response:
    parts = context.path.strip("/").split("/")
    if context.server.api_services is not None and len(parts) == 3:
        backend = context.server.api_services.backend(parts[1], parts[2])
        if backend is not None:
            await aggregator.pass_on(context, backend)
            return context.response or Response()
    return discovery.respond(context.server.registry, context.path, context.headers)


async def _openapi(context: Context) -> Response:
    return openapi.respond(context.server.registry, context.path, context.params, context.headers)


async def _metrics(context: Context) -> Response:
    return Response(data=metrics.expose(context.server), content_type="text/plain; version=0.0.4; charset=utf-8")


async def _jwks(context: Context) -> Response:
    return _json(context.server.service_account_tokens.jwks())


async def _openid(context: Context) -> Response:
    host = context.headers.get(b"host", b"kubernetes.default.svc").decode("latin-1")
    return _json(context.server.service_account_tokens.openid_configuration(f"https://{host}"))


async def _root(context: Context) -> Response:
    """All paths there are, for who looks around (`kubectl get --raw /`)."""
    groups = context.server.registry.groups()
    versions = {f"/apis/{group}/{version}" for group, listed in groups.items() if group for version in listed}
    checks = {f"/{kind}/{check.name}" for kind in ("healthz", "livez", "readyz") for check in health.of(kind)}
    return _json(
        {
            "paths": sorted(
                {*EXACT, "/api/v1", *versions, *(path.rpartition("/")[0] for path in versions), *checks} - {"/"}
            )
        }
    )


EXACT: dict[str, Answer] = {
    "/": _root,
    "/version": _version,
    "/healthz": _health,
    "/livez": _health,
    "/readyz": _health,
    "/metrics": _metrics,
    "/api": _discovery,
    "/apis": _discovery,
    "/openapi/v2": _openapi,
    "/openapi/v3": _openapi,
    "/openid/v1/jwks": _jwks,
    "/.well-known/openid-configuration": _openid,
}
PREFIXES: dict[str, Answer] = {
    "/api/": _discovery,
    "/apis/": _discovery,
    "/openapi/v3/": _openapi,
    "/healthz/": _health,
    "/livez/": _health,
    "/readyz/": _health,
}
