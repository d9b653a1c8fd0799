"""My account: who I am to Kubernetes, my tokens, what I may do, my kubeconfig."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from cluster.accounts.models import AccessToken, User
from cluster.accounts.rbac import namespaces, requests
from cluster.accounts.rbac.objects import findings
from cluster.accounts.rbac.questions import matrix_of
from cluster.apimachinery.errors import StatusError
from cluster.audit.signins import note_change

# How long a token may be good for, in days.
LIVES = ((7, "a week"), (30, "30 days"), (90, "90 days"), (365, "a year"), (0, "for ever"))
# Tokens that are over stay on the page this long, for their owner to see what became of them.
REMEMBERED = timedelta(days=30)


class TokenForm(forms.Form):
    name = forms.CharField(max_length=100, strip=True, widget=forms.TextInput(attrs={"placeholder": "laptop"}))
    days = forms.TypedChoiceField(choices=LIVES, coerce=int, initial=30, label="Good for")


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """The page; POST makes a token, whose secret this answer shows, once."""
    user = _person(request)
    form = TokenForm(request.POST if request.method == "POST" else None)
    secret, made = "", None
    if request.method == "POST" and form.is_valid():
        days = form.cleaned_data["days"]
        expires = timezone.now() + timedelta(days=days) if days else None
        made, secret = AccessToken.objects.issue(user, form.cleaned_data["name"], expires)
        note_change(request, "create", "accesstokens", str(made))
        form = TokenForm()
    return TemplateResponse(
        request,
        "accounts/account.html",
        {
            "place": "account",
            "groups": user.kubernetes_groups(),
            "form": form,
            "secret": secret,
            "made": made,
            "tokens": _tokens(user),
            **_rights(request, user),
        },
    )


def _tokens(user: User) -> list[AccessToken]:
    horizon = timezone.now() - REMEMBERED
    found = AccessToken.objects.filter(user=user).select_related("user")
    return [token for token in found if token.is_valid or (token.revoked or token.expires or horizon) > horizon]


def _rights(request: HttpRequest, user: User) -> dict[str, Any]:
    """The matrix of the person in one namespace; a cluster that does not answer leaves the rest of the page whole."""
    namespace = request.GET.get("ns", "").strip()
    try:
        return {
            "namespace": namespace,
            "namespaces": namespaces.with_chosen(namespaces.offered(user)[0], namespace),
            "sandboxes": requests.sandboxes(user),
            "table": matrix_of(user, "", namespace, everything=False),
        }
    except StatusError as error:
        return {"namespace": namespace, "findings": findings(error)}


@login_required
@require_POST
def revoke(request: HttpRequest, token: int) -> HttpResponse:
    """End one of my tokens; somebody else's is not there."""
    ended = AccessToken.objects.filter(pk=token, user=_person(request)).revoke()
    if ended:
        note_change(request, "update", "accesstokens", str(AccessToken.objects.get(pk=token)), "revoked")
        messages.success(request, "Revoked. Whoever uses it is cut off within a second.")
    else:
        messages.error(request, "There is no such token of yours that could still be revoked.")
    return redirect("account")


@login_required
@require_POST
def end_sandbox(request: HttpRequest, name: str) -> HttpResponse:
    """End a sandbox; whose it may be, the API server decides."""
    try:
        requests.end_sandbox(_person(request), name)
        messages.success(request, f"Sandbox {name} is being taken down, with everything in it.")
    except StatusError as error:
        messages.error(request, error.message)
    return redirect("account")


def _person(request: HttpRequest) -> User:
    user = request.user
    if not isinstance(user, User):
        raise TypeError("login_required lets nobody else in")
    return user
