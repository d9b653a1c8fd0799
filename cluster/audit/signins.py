"""Signing in and out, and changes of accounts, in the audit log beside the requests: who, from where, and whether it worked.

Django tells of it by signals, in threads; the running audit log takes them as records of the verbs `login` and `logout`. A name that
belongs to nobody is not written down: people type passwords into the wrong field.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.http import HttpRequest

from cluster.audit.events import Record
from cluster.audit.log import running
from cluster.journeys.trace import wall

# The group under which people, groups and tokens stand in the log. Nobody serves it: they are Django's.
ACCOUNTS = "accounts.kubeweb.dev"


class _Person:
    """As much of a user as an event tells."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.groups: tuple[str, ...] = ()
        self.uid = ""
        self.extra: dict[str, tuple[str, ...]] = {}


class _Asked:
    """A sign-in as policies see it: a request for a path."""

    is_resource = False
    group = namespace = resource = subresource = name = ""

    def __init__(self, path: str, verb: str) -> None:
        self.path, self.verb = path, verb


def connect() -> None:
    """Listen. Called once, when Django is ready."""
    user_logged_in.connect(_logged_in, dispatch_uid="audit")
    user_logged_out.connect(_logged_out, dispatch_uid="audit")
    user_login_failed.connect(_failed, dispatch_uid="audit")


def _logged_in(sender: Any, request: HttpRequest, user: Any, **more: Any) -> None:
    _note(request, "login", user.get_username(), 200)


def _logged_out(sender: Any, request: HttpRequest, user: Any, **more: Any) -> None:
    if user is not None:
        _note(request, "logout", user.get_username(), 200)


def _failed(sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **more: Any) -> None:
    name = str(credentials.get("username") or "")
    known = get_user_model().objects.filter(username=name).exists()
    _note(request, "login", name if known else "", 401)


def note_change(request: HttpRequest, verb: str, resource: str, name: str, what: str = "") -> None:
    """A person changed an account: `verb` create, update or delete; `resource` users, groups or accesstokens; `what` in words, no values."""
    _note(request, verb, request.user.get_username(), 200, resource=resource, object_name=name, what=what)


def _note(
    request: HttpRequest | None,
    verb: str,
    name: str,
    code: int,
    *,
    resource: str = "",
    object_name: str = "",
    what: str = "",
) -> None:
    log = running()
    if log is None or request is None:
        return
    person = _Person(name)
    level = log.verdict(person, _Asked(request.path, verb)).level
    if level == "None":
        return
    now = wall()
    log.record(
        Record(
            level="Metadata",
            id=str(uuid.uuid4()),
            stage="ResponseComplete",
            uri=request.path,
            verb=verb,
            user=person if name else None,
            impersonated=None,
            addresses=tuple(filter(None, [str(request.META.get("REMOTE_ADDR", ""))])),
            agent=str(request.META.get("HTTP_USER_AGENT", "")),
            is_resource=bool(resource),
            group=ACCOUNTS if resource else "",
            version="",
            resource=resource,
            subresource="",
            namespace="",
            name=object_name,
            code=code,
            reason="Unauthorized" if code == 401 else "",
            message="the password is not right, or there is no such user" if code == 401 else "",
            decision="",
            why=what,
            received=now,
            at=now,
        )
    )
