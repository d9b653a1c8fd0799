"""The explorer's own resources, by Django REST framework: the map's declaration, journeys, examples."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from asgiref.sync import async_to_sync
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.csrf import ensure_csrf_cookie
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from cluster.explorer.asking import ExplorerView
from cluster.explorer.examples import load_examples
from cluster.explorer.permissions import may_see_all_journeys
from cluster.explorer.services import services
from cluster.explorer.then import then_of

# Scripts are our own files and nothing else; style elements are what the editor makes at run time.
POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' blob:; worker-src 'self' blob:; "
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


class PipelineView(ExplorerView):
    """What the map draws: the stages of the API server, the control loops, the other components."""

    def get(self, request: Request) -> Response:
        return Response(services().pipeline)


class JourneysQuery(serializers.Serializer[Any]):
    """Which of them: at most `limit`, those older than `before` (a journey's id), with or without what pages look up to draw themselves."""

    limit = serializers.IntegerField(required=False, min_value=1, max_value=500, default=50)
    before = serializers.CharField(required=False, allow_blank=True, max_length=40)
    lookups = serializers.BooleanField(required=False, default=True)


class JourneysView(ExplorerView):
    """Requests that came from outside, newest first: one's own, or everybody's where RBAC allows it."""

    def get(self, request: Request) -> Response:
        query = JourneysQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        actor = None if may_see_all_journeys(self.asker.client) else self.asker.name
        asked = query.validated_data
        wanted = None if asked.pop("lookups") else _is_no_lookup
        return Response({"journeys": services().journeys.recent(actor=actor, wanted=wanted, **asked)})


# Questions that are asked by creating something that is not kept.
_ASKING = re.compile(r"reviews$|^access(explanations|matrices|reports)$|^schedulingsimulations$")


def _is_no_lookup(summary: dict[str, Any]) -> bool:
    """Not what a browser's page reads for its panels: there are hundreds of those for each thing that a person does."""
    reads = summary["verb"] in ("get", "list", "watch") or _ASKING.search(summary["resource"]) is not None
    return not (reads and summary["agent"].startswith("Mozilla/"))


class JourneyView(ExplorerView):
    """The whole tree of one journey; `at`: as far as it had come at that revision."""

    def get(self, request: Request, root: str) -> Response:
        store = services().journeys
        root = root.partition(".")[0]
        actor = store.actor_of(root)
        if actor != self.asker.name and not may_see_all_journeys(self.asker.client):
            raise NotFound
        tree: list[dict[str, Any]] = then_of(request).of(async_to_sync(store.tree)(root))
        if not tree:
            raise NotFound
        return Response({"journeys": tree})


class ExamplesView(ExplorerView):
    """Manifests that people can paste."""

    def get(self, request: Request) -> Response:
        return Response({"examples": load_examples(settings.BASE_DIR / "examples")})


class RatesView(ExplorerView):
    """What happened in each second of the last minutes, in each minute before that: after `since` and up to `until` (seconds since the
    epoch). `oldest`: since when anything is kept; null when nothing is."""

    def get(self, request: Request) -> Response:
        since, until = _seconds(request, "since", 0.0), _seconds(request, "until", math.inf)
        rates = services().rates
        if rates is None:
            return Response({"samples": [], "oldest": None})
        return Response({"samples": rates.since(since, until), "oldest": rates.oldest()})


def _seconds(request: Request, name: str, otherwise: float) -> float:
    text = request.query_params.get(name, "")
    try:
        found = float(text) if text else otherwise
    except ValueError:
        found = math.nan
    if math.isnan(found):
        raise ValidationError({name: "seconds since the epoch"})
    return found
