"""What all RBAC pages share: the admin's frame, refusals as pages in place of tracebacks."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.models import Group
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html

from cluster.accounts.models import User
from cluster.accounts.rbac.kinds import KINDS, Kind
from cluster.accounts.rbac.objects import Obj, findings
from cluster.apimachinery.errors import StatusError

if TYPE_CHECKING:
    from cluster.accounts.site import ClusterAdminSite

View = Callable[..., HttpResponse]
# People whom a pick list offers at most.
MOST_PEOPLE = 2000


def page(
    site: ClusterAdminSite, request: HttpRequest, template: str, status: int = 200, **context: Any
) -> HttpResponse:
    """A page in the admin's frame."""
    response = TemplateResponse(request, f"accounts/rbac/{template}.html", {**site.each_context(request), **context})
    response.status_code = status
    return response


def object_page(
    site: ClusterAdminSite,
    request: HttpRequest,
    template: str,
    kind: Kind,
    key: tuple[str, str] | None,
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    """A page about one object (namespace, name), or about a new one."""
    namespace, name = key or ("", "")
    about = {
        "title": f"New {kind.kind}" if key is None else name,
        "subtitle": kind.words if key is None else f"{kind.kind}{' in ' + namespace if namespace else ''}",
        "kind": kind,
        "object_namespace": namespace,
        "object_name": name,
    }
    return page(site, request, template, status, **{**about, **context})


def place(kind: Kind, namespace: str, name: str, what: str = "change") -> str:
    """The URL of an object's page."""
    return reverse(f"admin:rbac-{what}", args=(kind.plural, namespace or "_", name))


def said(request: HttpRequest, done: str, kind: Kind, metadata: Obj, journey: str) -> None:
    """The message after a save or a deletion, with the way to its journey."""
    name = "/".join(filter(None, (metadata.get("namespace", ""), metadata["name"])))
    messages.success(
        request,
        format_html(
            '{} {} {} through the API. <a href="/explore/pipeline/{}">Watch its journey</a>',
            done,
            kind.kind,
            name,
            journey,
        ),
    )


def with_refusals(view: View) -> View:
    """A StatusError that the view lets through becomes a page that says what was refused, and what almost allowed it."""

    @functools.wraps(view)
    def shown(request: HttpRequest, site: ClusterAdminSite, **options: Any) -> HttpResponse:
        try:
            return view(request, site=site, **options)
        except StatusError as error:
            found = findings(error)
            return page(site, request, "refused", error.code, title=found["title"], findings=found)

    return shown


def kind_of(plural: str) -> Kind:
    if plural not in KINDS:
        raise Http404(f"the admin knows no {plural}")
    return KINDS[plural]


def known_users(request: HttpRequest) -> list[str] | None:
    """User names for pick lists; None for those who may not see them."""
    if not _sees(request, "accounts.view_user"):
        return None
    return list(User.objects.order_by("username").values_list("username", flat=True)[:MOST_PEOPLE])


def known_groups(request: HttpRequest) -> list[str] | None:
    """Group names likewise, with those that everybody is in by nature."""
    if not _sees(request, "auth.view_group"):
        return None
    own = Group.objects.order_by("name").values_list("name", flat=True)[:MOST_PEOPLE]
    return [*own, "system:authenticated", "system:unauthenticated", "system:masters", "system:serviceaccounts"]


def _sees(request: HttpRequest, permission: str) -> bool:
    user = request.user
    return bool(user.is_active and getattr(user, "is_staff", False) and user.has_perm(permission))
