"""The manifest library: texts that a person keeps, and links by which others may read one of them."""

from __future__ import annotations

import secrets
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Length
from django.shortcuts import get_object_or_404
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from cluster.explorer.asking import ExplorerView, OwnView
from cluster.explorer.models import SavedManifest

MAX_TEXT = 1024 * 1024
MAX_MANIFESTS = 500


class ManifestSerializer(serializers.Serializer[SavedManifest]):
    """What a person sends: a name and a text of at most 1 MiB."""

    name = serializers.RegexField(r"^[^\x00-\x1f/]+$", max_length=120)
    text = serializers.CharField(allow_blank=True, trim_whitespace=False)

    def validate_text(self, text: str) -> str:
        if len(text.encode()) > MAX_TEXT:
            raise serializers.ValidationError("A manifest may have 1 MiB at most.")
        return text


class Taken(serializers.ValidationError):
    """The name is another manifest's."""

    status_code = status.HTTP_409_CONFLICT


def shown(manifest: SavedManifest, *, text: bool = False) -> dict[str, Any]:
    size = getattr(manifest, "size", None)
    return {
        "id": manifest.pk,
        "name": manifest.name,
        "updated": manifest.updated.isoformat(),
        "size": len(manifest.text) if size is None else size,
        "share": manifest.share,
        **({"text": manifest.text} if text else {}),
    }


def own(view: OwnView) -> QuerySet[SavedManifest]:
    return SavedManifest.objects.filter(owner_id=view.owner)


def save(manifest: SavedManifest) -> None:
    """Raises Taken when the person has one of that name."""
    try:
        with transaction.atomic():
            manifest.save()
    except IntegrityError as error:
        raise Taken({"name": [f'You have a manifest "{manifest.name}" already.']}) from error


class LibraryView(OwnView):
    """GET: one's own manifests, latest first, without their texts. POST {name, text}: keep another one."""

    def get(self, request: Request) -> Response:
        found = own(self).annotate(size=Length("text")).defer("text").order_by("-updated")
        return Response({"manifests": [shown(one) for one in found]})

    def post(self, request: Request) -> Response:
        sent = ManifestSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        if own(self).count() >= MAX_MANIFESTS:
            raise serializers.ValidationError({"name": [f"{MAX_MANIFESTS} manifests are the most: delete some first."]})
        manifest = SavedManifest(owner_id=int(self.owner or 0), **sent.validated_data)
        save(manifest)
        return Response(shown(manifest, text=True), status=status.HTTP_201_CREATED)


class ManifestView(OwnView):
    """GET, PATCH {name?, text?} and DELETE of one's own manifest."""

    def get(self, request: Request, pk: int) -> Response:
        return Response(shown(get_object_or_404(own(self), pk=pk), text=True))

    def patch(self, request: Request, pk: int) -> Response:
        manifest = get_object_or_404(own(self), pk=pk)
        sent = ManifestSerializer(data=request.data, partial=True)
        sent.is_valid(raise_exception=True)
        for field, value in sent.validated_data.items():
            setattr(manifest, field, value)
        save(manifest)
        return Response(shown(manifest, text=True))

    def delete(self, request: Request, pk: int) -> Response:
        get_object_or_404(own(self), pk=pk).delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


class ShareView(OwnView):
    """POST: a link for others to read it (the same one if there is one). DELETE: the link is dead."""

    def post(self, request: Request, pk: int) -> Response:
        manifest = get_object_or_404(own(self), pk=pk)
        if not manifest.share:
            manifest.share = secrets.token_urlsafe(16)
            manifest.save(update_fields=["share"])
        return Response(shown(manifest))

    def delete(self, request: Request, pk: int) -> Response:
        manifest = get_object_or_404(own(self), pk=pk)
        manifest.share = ""
        manifest.save(update_fields=["share"])
        return Response(shown(manifest))


class SharedView(ExplorerView):
    """What a link shows to anyone who is signed in: name and text, and nothing of its owner's other things."""

    def get(self, request: Request, share: str) -> Response:
        manifest = get_object_or_404(SavedManifest.objects.exclude(share=""), share=share)
        return Response({"name": manifest.name, "text": manifest.text})
