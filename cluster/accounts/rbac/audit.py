"""The audit log, to be searched: one's own requests, or everybody's where RBAC lets one list auditevents.sim.kubeweb.dev."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from cluster.accounts.rbac import requests
from cluster.accounts.rbac.catalogue import VERBS
from cluster.accounts.rbac.context import known_users, page, with_refusals
from cluster.audit.models import ALLOWED, DENIED, FAILED, UNAUTHENTICATED, AuditEvent

if TYPE_CHECKING:
    from cluster.accounts.site import ClusterAdminSite

PER_PAGE = 100
_MOMENT = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class AuditSearch(forms.Form):
    """What is looked for; everything may be left out."""

    user = forms.CharField(required=False, max_length=256, widget=forms.TextInput(attrs={"list": "people"}))
    verb = forms.CharField(required=False, max_length=32, widget=forms.TextInput(attrs={"list": "verbs"}))
    resource = forms.CharField(required=False, max_length=253)
    namespace = forms.CharField(required=False, max_length=253)
    outcome = forms.ChoiceField(
        required=False, choices=[("", "any"), *((one, one) for one in (ALLOWED, DENIED, FAILED, UNAUTHENTICATED))]
    )
    since = forms.DateTimeField(required=False, widget=_MOMENT)
    until = forms.DateTimeField(required=False, widget=_MOMENT)
    words = forms.CharField(
        required=False, max_length=200, widget=forms.TextInput(attrs={"placeholder": "in names, paths and reasons"})
    )
    name = forms.CharField(required=False, max_length=253, widget=forms.HiddenInput)
    group = forms.CharField(required=False, max_length=253, widget=forms.HiddenInput)
    before = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)


@never_cache
@require_safe
@with_refusals
def audit(request: HttpRequest, site: ClusterAdminSite) -> HttpResponse:
    """A search, newest first, with a link from each request to its journey."""
    everybody = requests.may(request.user, "list", "sim.kubeweb.dev", "auditevents")
    form = AuditSearch(request.GET)
    context: dict[str, Any] = {
        "title": "Audit log",
        "subtitle": "Who asked what of the API server, when, and what came of it.",
        "form": form,
        "everybody": everybody,
        "verbs": VERBS,
        "users": (known_users(request) or []) if everybody else [],
        # A form that cannot be read is to be seen, too.
        "filtered": True,
    }
    if not form.is_valid():
        return page(site, request, "audit", 400, **context)
    wanted = {key: value for key, value in form.cleaned_data.items() if value not in ("", None)}
    context["filtered"] = bool(wanted.keys() - {"before"})
    found = AuditEvent.objects.search(**wanted)
    if not everybody:
        found = found.filter(user=request.user.get_username())
    rows = list(found.defer("event")[: PER_PAGE + 1])
    parameters = request.GET.copy()
    parameters.pop("before", None)
    return page(
        site,
        request,
        "audit",
        rows=rows[:PER_PAGE],
        more=rows[PER_PAGE - 1].pk if len(rows) > PER_PAGE else None,
        rest=parameters.urlencode(),
        **context,
    )
