"""Django's users as Kubernetes' users: whose access token, whose session. Synchronous: runs in the authenticator's thread."""

from __future__ import annotations

from importlib import import_module

from django.conf import settings
from django.contrib.auth import get_user
from django.db import close_old_connections
from django.http import HttpRequest
from django.utils import timezone

from cluster.accounts.models import AccessToken, User
from cluster.apiserver.request import UserInfo


def user_info(user: User) -> UserInfo:
    return UserInfo(user.get_username(), user.kubernetes_groups())


def groups_of(username: str) -> tuple[str, ...]:
    """The groups that a person of this name has when signed in; empty when there is none."""
    close_old_connections()
    user = User.objects.filter(username=username, is_active=True).first()
    return user.kubernetes_groups() if user is not None else ()


def members_of(groups: list[str]) -> dict[str, list[str]]:
    """Who is in which of these groups."""
    close_old_connections()
    found: dict[str, list[str]] = {}
    people = User.objects.filter(is_active=True).order_by("username")
    for group, name in people.filter(groups__name__in=groups).values_list("groups__name", "username"):
        if group in groups:
            found.setdefault(group, []).append(name)
    if "system:masters" in groups:
        found["system:masters"] = list(people.filter(is_superuser=True).values_list("username", flat=True))
    return found


def user_of_access_token(digest: str) -> UserInfo | None:
    """The user whose valid access token has this digest."""
    close_old_connections()
    token = AccessToken.objects.valid().select_related("user").filter(digest=digest).first()
    return user_info(token.user) if token is not None else None


def note_use(digest: str) -> None:
    """Remember that this token was used just now, for its owner to see."""
    close_old_connections()
    AccessToken.objects.filter(digest=digest).update(last_used=timezone.now())


def user_of_session(session_key: str) -> UserInfo | None:
    """The user who is logged in with this session: it exists, has not expired, and the password is still the same."""
    close_old_connections()
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user(request)
    if not user.is_authenticated or not user.is_active:
        return None
    return user_info(user)
