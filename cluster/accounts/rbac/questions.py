"""The pages that ask: what may somebody do, who may do something, why (not), and what has been asked of the cluster.

The answers are the API server's (sim.kubeweb.dev/v1alpha1), the same that kubectl gets; here they are only laid out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from cluster.accounts.rbac import namespaces, requests
from cluster.accounts.rbac.catalogue import VERBS, catalogue
from cluster.accounts.rbac.context import known_groups, known_users, page, with_refusals
from cluster.accounts.rbac.door import door
from cluster.accounts.rbac.objects import Obj, findings
from cluster.accounts.rbac.pieces import grant_of, laid_out, reference
from cluster.apimachinery.errors import StatusError

if TYPE_CHECKING:
    from cluster.accounts.site import ClusterAdminSite


def subject_spec(text: str) -> Obj:
    """`User:alice`, `Group:devs`, `ServiceAccount:shop/robot` as a question's spec; nothing: whoever asks."""
    kind, _, name = text.partition(":")
    name = name.strip()
    if not name:
        return {}
    if kind == "ServiceAccount":
        namespace, _, account = name.partition("/")
        return {"user": f"system:serviceaccount:{namespace}:{account}"}
    if kind == "Group":
        return {"groups": [name]}
    return {"user": name}


def _subject(request: HttpRequest) -> str:
    """The subject as one text, whether it came as one parameter or as kind and name."""
    kind, name = request.GET.get("kind", ""), request.GET.get("subject", "").strip()[:300]
    if ":" in name and name.partition(":")[0] in ("User", "Group", "ServiceAccount"):
        return name
    return f"{kind if kind in ('User', 'Group', 'ServiceAccount') else 'User'}:{name}" if name else ""


def _people(request: HttpRequest) -> Obj:
    return {"users": known_users(request) or [], "groups": known_groups(request) or []}


def _parts(subject: str) -> Obj:
    kind, _, name = subject.partition(":")
    return {
        "subject_kinds": ("User", "Group", "ServiceAccount"),
        "subject": subject,
        "subject_kind": kind or "User",
        "subject_name": name,
    }


@never_cache
@require_safe
@with_refusals
def matrix(request: HttpRequest, site: ClusterAdminSite) -> HttpResponse:
    """Resource by verb for one subject in one namespace, the rule behind each cell."""
    subject = _subject(request)
    namespace = request.GET.get("ns", "").strip()
    everything = request.GET.get("all", "") == "1"
    context: dict[str, Any] = {
        "title": "Permission matrix",
        "subtitle": "What somebody may do, resource by verb, and the rule behind each cell.",
        "namespace": namespace,
        "everything": everything,
        "namespaces": namespaces.with_chosen(namespaces.offered(request.user)[0], namespace),
        **_people(request),
        **_parts(subject),
    }
    try:
        context["table"] = matrix_of(request.user, subject, namespace, everything=everything)
    except StatusError as error:
        return page(site, request, "matrix", error.code, findings=findings(error), **context)
    return page(site, request, "matrix", **context)


def matrix_of(user: Any, subject: str, namespace: str, *, everything: bool) -> Obj:
    """The answer laid out for the template; `everything`: also rows without a single right."""
    spec = subject_spec(subject)
    if namespace:
        spec["namespace"] = namespace
    return laid_out(requests.question(user, "accessmatrices", "AccessMatrix", spec), everything=everything)


@never_cache
@require_safe
@with_refusals
def who_can(request: HttpRequest, site: ClusterAdminSite) -> HttpResponse:
    """Everybody who may do one thing, and because of which binding."""
    asked = _asked(request)
    context: dict[str, Any] = {
        "title": "Who can",
        "subtitle": "Everybody who may do one thing, and the binding that lets them.",
        **_request_choices(request),
        "asked": asked,
    }
    if not asked["verb"] or not (asked["resource"] or asked["path"]):
        return page(site, request, "who_can", **context)
    spec = {"verb": asked["verb"]}
    if asked["path"]:
        spec["path"] = asked["path"]
    else:
        spec |= {key: asked[key] for key in ("group", "resource", "subresource", "name", "namespace") if asked[key]}
    try:
        status = requests.question(request.user, "accessreports", "AccessReport", spec)
    except StatusError as error:
        return page(site, request, "who_can", error.code, findings=findings(error), **context)
    rows = [{**one, **grant_of(one)} for one in status.get("subjects") or ()]
    return page(site, request, "who_can", rows=rows, answered=True, incomplete=status.get("incomplete"), **context)


@never_cache
@require_safe
@with_refusals
def explain(request: HttpRequest, site: ClusterAdminSite) -> HttpResponse:
    """May somebody do something: the rule that says yes, or what almost did and how to mend it."""
    asked, subject = _asked(request), _subject(request)
    context: dict[str, Any] = {
        "title": "May they, and why",
        "subtitle": "One request: allowed by which rule, or refused, and which binding almost allowed it.",
        **_request_choices(request),
        **_people(request),
        **_parts(subject),
        "asked": asked,
    }
    if not asked["verb"] or not (asked["resource"] or asked["path"]):
        return page(site, request, "explain", **context)
    spec = subject_spec(subject)
    if asked["path"]:
        spec["nonResourceAttributes"] = {"verb": asked["verb"], "path": asked["path"]}
    else:
        keys = ("verb", "group", "resource", "subresource", "name", "namespace")
        spec["resourceAttributes"] = {key: asked[key] for key in keys if asked[key]}
    try:
        status = requests.question(request.user, "accessexplanations", "AccessExplanation", spec)
    except StatusError as error:
        return page(site, request, "explain", error.code, findings=findings(error), **context)
    grant = status.get("grant")
    return page(
        site,
        request,
        "explain",
        answer=status,
        grant=grant_of(grant) if grant else None,
        near=[{**one, **grant_of(one)} for one in status.get("nearMisses") or ()],
        considered=[
            {**one, **grant_of(one)} for one in status.get("considered") or () if one.get("verdict") != "allows"
        ],
        **context,
    )


def _asked(request: HttpRequest) -> dict[str, str]:
    """The request in question. `what` is `RESOURCE.GROUP`, `RESOURCE/SUB.GROUP` or a path that begins with a slash."""
    what = request.GET.get("what", "").strip()[:300]
    found = {
        "what": what,
        "verb": request.GET.get("verb", "").strip()[:63],
        "namespace": request.GET.get("ns", "").strip()[:63],
        "name": request.GET.get("name", "").strip()[:253],
        "group": "",
        "resource": "",
        "subresource": "",
        "path": "",
    }
    if what.startswith("/"):
        found["path"] = what
    elif what:
        resource, _, found["group"] = what.partition(".")
        found["resource"], _, found["subresource"] = resource.partition("/")
    return found


def _request_choices(request: HttpRequest) -> Obj:
    listed = catalogue(door().groups())
    names, every = namespaces.offered(request.user)
    return {
        "resources": [reference(entry["group"], entry["resource"]) for entry in listed],
        "verbs": [*VERBS, *sorted({verb for entry in listed for verb in entry["verbs"]} - set(VERBS))],
        "namespaces": namespaces.with_chosen(names, request.GET.get("ns", "").strip()[:63]),
        "every": every,
    }
