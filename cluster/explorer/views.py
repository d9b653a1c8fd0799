"""The explorer's own resources, by Django REST framework: the map's declaration, journeys, examples."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from asgiref.sync import async_to_sync
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.csrf import ensure_csrf_cookie
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from cluster.explorer.examples import load_examples
from cluster.explorer.permissions import may_see_all_journeys
from cluster.explorer.services import services

# Scripts are our own files and nothing else; style elements are what the editor makes at run time.
POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; worker-src 'self' blob:; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


@ensure_csrf_cookie
def page(request: HttpRequest) -> HttpResponse:
    """The page itself, for people who are signed in: at `/`, and at every `/explore/…`, which the page reads itself."""
    if not request.user.is_authenticated:
        return redirect(f"{settings.LOGIN_URL}?next={quote(request.get_full_path(), safe='/')}")
    index = Path(settings.FRONTEND_DIST) / "index.html"
    if not index.is_file():
        return HttpResponse("The page has not been built yet: run `make setup`.", status=503, content_type="text/plain")
    response = HttpResponse(index.read_bytes(), content_type="text/html; charset=utf-8")
    response["Content-Security-Policy"] = POLICY
    # The page names its scripts by their hashes: an old page would ask for files that are gone.
    response["Cache-Control"] = "no-cache"
    return response


class PipelineView(APIView):
    """What the map draws: the stages of the API server, the control loops, the other components."""

    def get(self, request: Request) -> Response:
        return Response(services().pipeline)


class JourneysView(APIView):
    """Requests that came from outside, newest first: one's own, or everybody's where RBAC allows it."""

    def get(self, request: Request) -> Response:
        limit = request.query_params.get("limit", "50")
        if not limit.isdecimal() or not 1 <= int(limit) <= 500:
            raise ValidationError({"limit": "a number from 1 to 500"})
        actor = None if may_see_all_journeys(request.user) else request.user.get_username()
        found = services().journeys.recent(actor=actor, limit=int(limit), before=request.query_params.get("before", ""))
        return Response({"journeys": found})


class JourneyView(APIView):
    """The whole tree of one journey."""

    def get(self, request: Request, root: str) -> Response:
        store = services().journeys
        root = root.partition(".")[0]
        actor = store.actor_of(root)
        if actor != request.user.get_username() and not may_see_all_journeys(request.user):
            raise NotFound
        tree: list[dict[str, Any]] = async_to_sync(store.tree)(root)
        if not tree:
            raise NotFound
        return Response({"journeys": tree})


class ExamplesView(APIView):
    """Manifests that people can paste."""

    def get(self, request: Request) -> Response:
        return Response({"examples": load_examples(settings.BASE_DIR / "examples")})


class RatesView(APIView):
    """What happened in each second of the last minutes, after `since` (seconds since the epoch)."""

    def get(self, request: Request) -> Response:
        try:
            since = float(request.query_params.get("since", "0"))
        except ValueError:
            raise ValidationError({"since": "seconds since the epoch"}) from None
        rates = services().rates
        return Response({"samples": rates.since(since) if rates is not None else []})
