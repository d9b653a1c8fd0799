"""Django's users as Kubernetes' users: whose access token, whose session. Synchronous: runs in the authenticator's thread."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

from django.conf import settings
from django.contrib.auth import get_user
from django.db import close_old_connections
from django.http import HttpRequest
from django.utils import timezone

from cluster.accounts.models import AccessToken, User
from cluster.apiserver.request import UserInfo

_NOTE_USE_EVERY = timedelta(minutes=1)


def user_info(user: User) -> UserInfo:
    return UserInfo(user.get_username(), user.kubernetes_groups())


def user_of_access_token(digest: str) -> UserInfo | None:
    """The user whose valid access token has this digest; notes that it was used."""
    close_old_connections()
    now = timezone.now()
    token = AccessToken.objects.valid(now).select_related("user").filter(digest=digest).first()
    if token is None:
        return None
    if token.last_used is None or now - token.last_used > _NOTE_USE_EVERY:
        AccessToken.objects.filter(pk=token.pk).update(last_used=now)
    return user_info(token.user)


def user_of_session(session_key: str) -> UserInfo | None:
    """The user who is logged in with this session: it exists, has not expired, and the password is still the same."""
    close_old_connections()
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user(request)
    if not user.is_authenticated or not user.is_active:
        return None
    return user_info(user)
