"""The audit log as rows, to be searched: by user, verb, resource, outcome and time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q

ALLOWED, DENIED, FAILED, UNAUTHENTICATED = "allowed", "denied", "failed", "unauthenticated"


def outcome_of(decision: str, code: int) -> str:
    """In one word, for people who search: denied is what authorization (or admission) forbade."""
    if code == 401:
        return UNAUTHENTICATED
    if decision == "forbid" or code == 403:
        return DENIED
    return FAILED if code >= 400 else ALLOWED


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    """`search` is what the page and the admin ask."""

    def search(
        self,
        *,
        user: str = "",
        verb: str = "",
        group: str | None = None,
        resource: str = "",
        namespace: str = "",
        name: str = "",
        outcome: str = "",
        code: int | None = None,
        journey: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
        words: str = "",
        before: int | None = None,
    ) -> AuditEventQuerySet:
        """Newest first. `user` is whoever asked or was acted as; `words` are looked for in names, paths and reasons."""
        wanted: dict[str, Any] = {
            "verb": verb,
            "resource": resource,
            "namespace": namespace,
            "name": name,
            "outcome": outcome,
            "journey": journey,
        }
        found = self.filter(**{key: value for key, value in wanted.items() if value})
        if user:
            found = found.filter(Q(user=user) | Q(impersonated=user))
        if group is not None:
            found = found.filter(group=group)
        if code is not None:
            found = found.filter(code=code)
        if since is not None:
            found = found.filter(at__gte=since)
        if until is not None:
            found = found.filter(at__lt=until)
        if before is not None:
            found = found.filter(pk__lt=before)
        for word in words.split():
            found = found.filter(
                Q(user__icontains=word) | Q(uri__icontains=word) | Q(name__icontains=word) | Q(why__icontains=word)
            )
        return found.order_by("-pk")


class AuditEvent(models.Model):
    """One audited request (of a watch: its beginning).

    Few indexes: every request of a person pays for each of them, and the table is small enough to be read through backwards.
    """

    at = models.DateTimeField("time")
    # The audit ID, which is the id of the request's journey.
    journey = models.CharField(max_length=40, db_index=True)
    user = models.CharField(max_length=256, db_index=True)
    impersonated = models.CharField("acting as", max_length=256, blank=True)
    verb = models.CharField(max_length=32)
    group = models.CharField("API group", max_length=253, blank=True)
    resource = models.CharField(max_length=253, blank=True)
    subresource = models.CharField(max_length=253, blank=True)
    namespace = models.CharField(max_length=253, blank=True)
    name = models.CharField(max_length=253, blank=True)
    uri = models.TextField("request URI")
    code = models.PositiveSmallIntegerField()
    outcome = models.CharField(max_length=16)
    decision = models.CharField(max_length=8, blank=True)
    why = models.TextField("reason", blank=True)
    agent = models.CharField("user agent", max_length=256, blank=True)
    addresses = models.CharField("source IPs", max_length=256, blank=True)
    level = models.CharField(max_length=16)
    # The whole audit.k8s.io/v1 Event, where it holds bodies; the columns say the rest.
    event = models.JSONField(null=True, blank=True)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = "audit event"

    def __str__(self) -> str:
        return f"{self.user} {self.verb} {self.resource or self.uri}: {self.code}"
