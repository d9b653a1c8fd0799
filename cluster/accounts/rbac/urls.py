"""The URLs of the RBAC pages, below /admin/rbac/."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.urls import URLPattern, path

from cluster.accounts.rbac import audit, checks, forms, lists, questions, replacing

if TYPE_CHECKING:
    from cluster.accounts.site import ClusterAdminSite


def rbac_urls(site: ClusterAdminSite) -> list[URLPattern]:
    """Each view is handed the site, in whose frame it is shown; whoever is not signed in is sent to sign in first."""

    def page(route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
        return path(route, site.admin_view(view), {"site": site}, name=f"rbac-{name}")

    return [
        page("matrix/", questions.matrix, "matrix"),
        page("who-can/", questions.who_can, "who-can"),
        page("explain/", questions.explain, "explain"),
        page("audit/", audit.audit, "audit"),
        page("open/", forms.open_manifest, "open"),
        page("choices/", checks.choices, "choices"),
        page("serviceaccounts/<str:namespace>/<str:name>/token/", forms.token, "token"),
        page("<slug:plural>/", lists.listing, "list"),
        page("<slug:plural>/add/", forms.add, "add"),
        page("<slug:plural>/check/", checks.check, "check"),
        page("<slug:plural>/<str:namespace>/<str:name>/", forms.change, "change"),
        page("<slug:plural>/<str:namespace>/<str:name>/role/", replacing.role, "role"),
        page("<slug:plural>/<str:namespace>/<str:name>/delete/", forms.delete, "delete"),
    ]
