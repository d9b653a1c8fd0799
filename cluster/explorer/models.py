"""What the explorer remembers for itself."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Moment(models.Model):
    """When a revision was the newest: the map between the log, which knows no time, and the time bar."""

    revision = models.BigIntegerField(primary_key=True)
    cluster = models.FloatField(help_text="Seconds since the epoch by the cluster's clock.")
    real = models.FloatField(help_text="Seconds since the epoch by the world's clock, as journeys have it.")

    def __str__(self) -> str:
        return f"revision {self.revision} at {self.cluster}"


class SavedManifest(models.Model):
    """A text in somebody's library. Who has the `share` of its link may read it; without one nobody else may."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_manifests")
    name = models.CharField(max_length=120)
    text = models.TextField(blank=True)
    updated = models.DateTimeField(auto_now=True)
    share = models.CharField(max_length=40, blank=True, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="one_manifest_of_a_name")]

    def __str__(self) -> str:
        return self.name


class LessonStep(models.Model):
    """How far somebody has come in a step of a lesson: begun, what they predicted, reached."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="lesson_steps")
    lesson = models.CharField(max_length=253)
    step = models.PositiveIntegerField()
    # By the world's clock, as journeys have it, and by the cluster's, as objects have it (seconds since the epoch).
    began = models.FloatField()
    began_cluster = models.FloatField()
    predicted = models.PositiveIntegerField(null=True)
    reached = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "lesson", "step"], name="one_step_of_a_lesson")]

    def __str__(self) -> str:
        return f"{self.person} in {self.lesson}, step {self.step}"
