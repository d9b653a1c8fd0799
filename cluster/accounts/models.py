"""People: users (Django's), whose groups are Kubernetes' groups, and their access tokens."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone

TOKEN_PREFIX = "kw_"  # noqa: S105 - what tokens begin with, so that a leaked one is recognised


class User(AbstractUser):
    """A person. `username` is the Kubernetes user name; Django's groups are Kubernetes' groups."""

    def kubernetes_groups(self) -> tuple[str, ...]:
        """The groups that RBAC sees; superusers are system:masters, who may do everything."""
        groups = [*sorted(group.name for group in self.groups.all()), "system:authenticated"]
        if self.is_superuser:
            groups.append("system:masters")
        return tuple(dict.fromkeys(groups))


def digest(secret: str) -> str:
    """What is stored of a token. Tokens are random enough that one round of SHA-256 cannot be undone."""
    return hashlib.sha256(secret.encode()).hexdigest()


class AccessTokenQuerySet(models.QuerySet["AccessToken"]):
    def valid(self, at: datetime | None = None) -> AccessTokenQuerySet:
        """Neither revoked nor expired, of users who may still log in."""
        unexpired = models.Q(expires__isnull=True) | models.Q(expires__gt=at or timezone.now())
        return self.filter(unexpired, revoked__isnull=True, user__is_active=True)

    def issue(self, user: User, name: str, expires: datetime | None = None) -> tuple[AccessToken, str]:
        """A new token and its secret, which is shown once and not kept."""
        secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
        token = self.create(
            user=user, name=name, digest=digest(secret), prefix=secret[: len(TOKEN_PREFIX) + 5], expires=expires
        )
        return token, secret

    def revoke(self) -> int:
        """Make them worthless; the API server notices within a second."""
        return self.filter(revoked__isnull=True).update(revoked=timezone.now())


class AccessToken(models.Model):
    """A bearer token of a person: kubectl and scripts present it instead of a password."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="access_tokens")
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    prefix = models.CharField(max_length=16, editable=False)
    created = models.DateTimeField(auto_now_add=True)
    expires = models.DateTimeField(null=True, blank=True)
    revoked = models.DateTimeField(null=True, blank=True)
    last_used = models.DateTimeField(null=True, blank=True, editable=False)

    objects = AccessTokenQuerySet.as_manager()

    class Meta:
        ordering = ["-created"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def is_valid(self) -> bool:
        return self.revoked is None and (self.expires is None or self.expires > timezone.now()) and self.user.is_active
