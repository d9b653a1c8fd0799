"""Kept journeys: one row per request from outside, and the packed journeys of everything it caused."""

from __future__ import annotations

from django.db import models


class Root(models.Model):
    """A request that came from outside, as the list of journeys shows it."""

    id = models.CharField(primary_key=True, max_length=40)
    sequence = models.BigIntegerField(db_index=True)
    actor = models.CharField(max_length=256, db_index=True)
    reading = models.BooleanField()
    # The journey itself, as `Journey.as_dict()` without its spans.
    summary = models.JSONField()


class Chunk(models.Model):
    """Journeys of one tree that finished around the same time: zlib over a JSON array of `Journey.as_dict()`."""

    root = models.CharField(max_length=40, db_index=True)
    count = models.PositiveIntegerField()
    data = models.BinaryField()
