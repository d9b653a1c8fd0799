"""The admin site: people (Django's models) and RBAC (Kubernetes' objects, through the API) under one roof.

Everybody who is signed in may enter. What they see there is decided per page: Django's model permissions, for staff alone,
over people; RBAC, as for kubectl, over everything of Kubernetes.
"""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path, reverse

from cluster.accounts.rbac.kinds import KINDS

# The pages that ask rather than edit: (URL name, title, what it answers).
QUESTIONS = (
    (
        "rbac-matrix",
        "Permission matrix",
        "Everything that somebody may do, resource by verb, and the rule behind each.",
    ),
    ("rbac-who-can", "Who can", "Everybody who may do one thing, and the binding that lets them."),
    (
        "rbac-explain",
        "May they, and why",
        "One request: the rule that allows it, or what almost did and how to mend it.",
    ),
    ("rbac-audit", "Audit log", "Who asked what of the API server, when, and what came of it."),
)
# Django's own models, in the order in which people are made.
PEOPLE = {
    "User": "Who signs in. The name is the Kubernetes user name.",
    "Group": "What people are in together. The name is the Kubernetes group that bindings give roles to.",
    "AccessToken": "What kubectl and scripts present in place of a password.",
}


class ClusterAdminSite(AdminSite):
    site_header = "KubeWeb"
    site_title = "KubeWeb"
    index_title = "Who may do what"
    empty_value_display = "–"

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_authenticated)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """There is one way to sign in."""
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))

    def get_urls(self) -> list[URLResolver | URLPattern]:
        from cluster.accounts.rbac.urls import rbac_urls

        own: list[URLResolver | URLPattern] = [path("rbac/", include(rbac_urls(self)))]
        return own + super().get_urls()

    def get_app_list(self, request: Any, app_label: str | None = None) -> list[Any]:
        """Django's apps, after the two sections of ours."""
        apps: list[Any] = super().get_app_list(request, app_label)
        people = [app for app in apps if app["app_label"] in ("accounts", "auth")]
        if len(people) == 2:
            accounts, auth = sorted(people, key=lambda app: str(app["app_label"]))
            models = {str(model["object_name"]): model for model in (*accounts["models"], *auth["models"])}
            accounts["models"] = [{**models[name], "words": words} for name, words in PEOPLE.items() if name in models]
            apps.remove(auth)
        if app_label is not None:
            return apps
        return [_rbac_section(), _questions(), *apps]


def _rbac_section() -> dict[str, Any]:
    models = [
        {
            "name": kind.title,
            "object_name": kind.kind,
            "admin_url": reverse("admin:rbac-list", args=(kind.plural,)),
            "add_url": reverse("admin:rbac-add", args=(kind.plural,)),
            "view_only": False,
            "perms": {"view": True, "add": True, "change": True, "delete": True},
            "words": kind.words,
        }
        for kind in KINDS.values()
    ]
    return {
        "name": "RBAC",
        "app_label": "rbac",
        "app_url": reverse("admin:index"),
        "has_module_perms": True,
        "models": models,
    }


def _questions() -> dict[str, Any]:
    models = [
        {
            "name": title,
            "object_name": name,
            "admin_url": reverse(f"admin:{name}"),
            "add_url": None,
            "view_only": True,
            "perms": {"view": True},
            "words": words,
        }
        for name, title, words in QUESTIONS
    ]
    return {
        "name": "Questions",
        "app_label": "questions",
        "app_url": reverse("admin:index"),
        "has_module_perms": True,
        "models": models,
    }
