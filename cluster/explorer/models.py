"""What the explorer remembers for itself."""

from __future__ import annotations

from django.db import models


class Moment(models.Model):
    """When a revision was the newest: the map between the log, which knows no time, and the time bar."""

    revision = models.BigIntegerField(primary_key=True)
    cluster = models.FloatField(help_text="Seconds since the epoch by the cluster's clock.")
    real = models.FloatField(help_text="Seconds since the epoch by the world's clock, as journeys have it.")

    def __str__(self) -> str:
        return f"revision {self.revision} at {self.cluster}"
